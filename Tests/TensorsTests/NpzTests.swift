import Support
import Testing

@testable import Tensors

@Suite struct NpzTests {
  private let array = NamedTensor(name: "abc", tensor: Tensor([2], .u8([7, 9])))

  private func archive() throws -> [UInt8] { try npzBytes([array]) }

  /// Where the directory of an archive without a comment starts.
  private func directory(_ bytes: [UInt8]) -> Int {
    (0..<4).reduce(0) { $0 | Int(bytes[bytes.count - 6 + $1]) << (8 * $1) }
  }

  /// The archive with numbers replaced, by offset in the directory entry and in the local header.
  private func changed(_ entry: [Int: UInt8], _ header: [Int: UInt8] = [:]) throws -> [UInt8] {
    var bytes = try archive()
    let start = directory(bytes)
    for (offset, value) in entry { bytes[start + offset] = value }
    for (offset, value) in header { bytes[offset] = value }
    return bytes
  }

  @Test func refusesWhatItCannotUnpack() throws {
    expectRefusal("array.zip", try changed([8: 1]))
    expectRefusal("array.zip", try changed([8: 0x40]))
    expectRefusal("array.zip", try changed([10: 12]))
    expectRefusal("array.format", try changed([10: 8]))
    expectRefusal("array.zip", try changed([0: 0]))
    expectRefusal("array.zip", try changed([42: 1]))
    expectRefusal("array.zip", try changed([46: 0xFF]))
    expectRefusal("array.zip", try changed([:], [30: 0x78]))
    expectRefusal("array.zip", try changed([24: 0]))
    expectRefusal("array.zip", try changed([23: 1]))
  }

  @Test func noticesDamage() throws {
    let good = try archive()
    var random = SeededGenerator(seed: 81)
    for _ in 0..<200 {
      var bytes = good
      bytes[37 + random.below(130)] ^= 1 << UInt8(random.below(8))
      expectRefusal("array.zip", bytes)
    }
    var bytes = good
    bytes[directory(good) + 16] ^= 1
    expectRefusal("array.zip", bytes)
  }

  @Test func refusesOverlapsAndDoubles() throws {
    // Two directory entries for the same bytes: once under one name, once under two.
    let good = try archive()
    let start = directory(good)
    let entry = Array(good[start..<good.count - 22])
    var other = entry
    other[other.count - 5] = 0x78
    for (second, id) in [(entry, "array.zip"), (other, "array.zip")] {
      var writer = ByteWriter()
      writer.put(bytes: good[..<start] + entry + second)
      writer.put(bytes: good[(good.count - 22)...].prefix(8))
      writer.put(UInt16(2))
      writer.put(UInt16(2))
      writer.put(UInt32(entry.count + second.count))
      writer.put(UInt32(start))
      writer.put(UInt16(0))
      expectRefusal(id, writer.bytes)
    }
  }

  @Test func readsBehindAComment() throws {
    var bytes = try archive()
    bytes[bytes.count - 2] = 5
    bytes += Array("hello".utf8)
    #expect(try read(bytes) == [array])
    expectRefusal("array.truncated", bytes + [0])
  }

  @Test func refusesMembersThatAreNoArrays() throws {
    // The content is replaced together with its checksum.
    var bytes = try archive()
    let start = directory(bytes)
    for k in 37..<43 { bytes[k] = 0x20 }
    let checksum = bytes[37..<start].withUnsafeBytes { zipChecksum($0) }
    for k in 0..<4 { bytes[start + 16 + k] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * k)) }
    expectRefusal("array.format", bytes)
  }

  @Test(arguments: [
    (UInt32(0xFFFF_FFF0), "array.size"), (0x4000, "array.size"), (1, "array.format"), (100, "array.header"),
  ])
  func refusesWrongSizesOfPackedMembers(_ count: UInt32, _ id: String) throws {
    // Announced: more than the packed bytes can hold, more than the header says, less than a header.
    var bytes = try fixture("types-deflated.npz")
    let start = directory(bytes)
    for k in 0..<4 { bytes[start + 24 + k] = UInt8(truncatingIfNeeded: count >> UInt32(8 * k)) }
    expectRefusal(id, bytes)
  }

  @Test func refusesSeveralDisks() throws {
    for offset in [4, 6, 8] {
      var bytes = try archive()
      bytes[bytes.count - 22 + offset] = 2
      expectRefusal("array.zip", bytes)
    }
  }

  @Test func refusesWrongZip64Records() throws {
    let good = try fixture("zip64.npz")
    let record = good.count - 22 - 20 - 56
    #expect(try read(good).count == 2)
    for (offset, value) in [(0, 0), (16, 1), (24, 9), (40, 0xFF), (47, 0xFF), (48, 1), (55, 0xFF)]
      as [(Int, UInt8)]
    {
      var bytes = good
      bytes[record + offset] = value
      #expect(throws: Diagnostic.self, "record byte \(offset)") { try read(bytes) }
    }
    for (offset, value) in [(8, 0), (15, 0xFF)] as [(Int, UInt8)] {
      var bytes = good
      bytes[record + 56 + offset] = value
      #expect(throws: Diagnostic.self, "locator byte \(offset)") { try read(bytes) }
    }
  }
}
