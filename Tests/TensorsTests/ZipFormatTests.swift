import CZ
import Support
import Testing

@testable import Tensors

@Suite struct InflaterTests {
  /// Bytes packed as a raw deflate stream.
  static func deflate(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + 1000)
    let size = CInt(MemoryLayout<z_stream>.size)
    return withUnsafeMutablePointer(to: &stream) { stream in
      deflateInit2_(stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
      defer { deflateEnd(stream) }
      return input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
          (stream.pointee.next_in, stream.pointee.avail_in) = (input.baseAddress, UInt32(input.count))
          (stream.pointee.next_out, stream.pointee.avail_out) = (output.baseAddress, UInt32(output.count))
          _ = CZ.deflate(stream, Z_FINISH)
          return Array(output[..<Int(stream.pointee.total_out)])
        }
      }
    }
  }

  /// Unpacks in pieces of `step` bytes.
  private func inflated(_ packed: [UInt8], step: Int) -> (
    bytes: [UInt8], isAtEnd: Bool, hasFailed: Bool, unused: Int
  ) {
    packed.withUnsafeBytes { packed in
      let inflater = Inflater(packed)
      var bytes: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: step)
      while true {
        let count = piece.withUnsafeMutableBytes { inflater.fill($0) }
        bytes += piece[..<count]
        if count < step { return (bytes, inflater.isAtEnd, inflater.hasFailed, inflater.unused) }
      }
    }
  }

  @Test func unpacksInPieces() {
    var random = SeededGenerator(seed: 3)
    let text = (0..<30_000).map { _ in UInt8(random.below(7)) }
    let packed = Self.deflate(text)
    for step in [1, 7, 1000, 30_000, 30_001, 100_000] {
      let result = inflated(packed, step: step)
      #expect(result.bytes == text && result.isAtEnd && !result.hasFailed && result.unused == 0)
    }
  }

  @Test func reportsWhatIsLeft() {
    let packed = Self.deflate([1, 2, 3])
    let result = inflated(packed + [9, 9], step: 100)
    #expect(result.bytes == [1, 2, 3] && result.isAtEnd && result.unused == 2)
  }

  @Test func failsOnDamage() {
    let text = (0..<1000).map { UInt8($0 % 251) }
    let packed = Self.deflate(text)
    let cut = inflated(Array(packed.dropLast(3)), step: 5000)
    #expect(!cut.isAtEnd && cut.bytes.count <= 1000)
    #expect(inflated([], step: 10).bytes.isEmpty)
    let bad = inflated([0xFF, 0xFF, 0xFF], step: 10)
    #expect(bad.hasFailed && bad.bytes.isEmpty)
  }

  @Test func knowsTheZipChecksum() {
    // The check value of CRC-32/ISO-HDLC.
    #expect(Array("123456789".utf8).withUnsafeBytes { zipChecksum($0) } == 0xCBF4_3926)
    #expect(zipChecksum(UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
  }
}

/// Archives with packed members, made here, so that every number can be wrong.
@Suite struct PackedMemberTests {
  private struct Member {
    var name = "a.npy"
    var packed: [UInt8]
    var checksum: UInt32
    var count: Int
  }

  private func member(_ content: [UInt8]) -> Member {
    Member(
      packed: InflaterTests.deflate(content), checksum: content.withUnsafeBytes { zipChecksum($0) },
      count: content.count)
  }

  private func archive(_ members: [Member]) -> [UInt8] {
    var (writer, directory) = (ByteWriter(), ByteWriter())
    for member in members {
      var fields = ByteWriter()
      for value in [20, 0, 8, 0, 0x21] as [UInt16] { fields.put(value) }
      fields.put(member.checksum)
      fields.put(UInt32(member.packed.count))
      fields.put(UInt32(member.count))
      fields.put(UInt16(member.name.utf8.count))
      fields.put(UInt16(0))
      directory.put(UInt32(0x0201_4B50))
      directory.put(UInt16(20))
      directory.put(bytes: fields.bytes + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
      directory.put(UInt32(writer.bytes.count))
      directory.put(bytes: Array(member.name.utf8))
      writer.put(UInt32(0x0403_4B50))
      writer.put(bytes: fields.bytes + Array(member.name.utf8) + member.packed)
    }
    let start = writer.bytes.count
    writer.put(bytes: directory.bytes)
    writer.put(UInt32(0x0605_4B50))
    for value in [0, 0, members.count, members.count] { writer.put(UInt16(value)) }
    writer.put(UInt32(directory.bytes.count))
    writer.put(UInt32(start))
    writer.put(UInt16(0))
    return writer.bytes
  }

  private let tensor = Tensor([300, 500], [Float](repeating: 0, count: 150_000))

  @Test func unpacksLongMembers() throws {
    // The elements run far beyond the part that is unpacked for the header.
    let arrays = try read(archive([member(npyBytes(tensor))]))
    #expect(arrays == [NamedTensor(name: "a", tensor: tensor)])
  }

  @Test func refusesMembersOfAnotherLength() {
    let content = npyBytes(tensor)
    for surplus in [-4, -1, 1, 4] {
      var wrong = member(
        surplus < 0 ? Array(content.dropLast(-surplus)) : content + [UInt8](repeating: 0, count: surplus))
      expectRefusal("array.size", archive([wrong]))
      // The directory agrees with the header, the packed bytes do not.
      wrong.count = content.count
      expectRefusal("array.zip", archive([wrong]))
    }
  }

  @Test func refusesSurplusAndDamage() {
    let good = member(npyBytes(tensor))
    var wrong = good
    wrong.packed += [0]
    expectRefusal("array.zip", archive([wrong]))
    wrong = good
    wrong.checksum ^= 1
    expectRefusal("array.zip", archive([wrong]))
    wrong = good
    wrong.packed.removeLast()
    expectRefusal("array.zip", archive([wrong]))
  }

  @Test func takesNoMemoryForBombs() {
    // A header that announces 4 GiB, in a member of a few bytes.
    let header = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1073741792,)}")
    var bomb = member(header)
    bomb.count = header.count + 4 * 1_073_741_792
    expectRefusal("array.size", archive([bomb]))
    // The largest honest ratio: zeros pack to about a thousandth.
    let zeros = member(npyBytes(Tensor([1 << 20], .u8([UInt8](repeating: 0, count: 1 << 20)))))
    #expect(zeros.count / zeros.packed.count > 900)
    #expect(throws: Never.self) { try read(archive([zeros])) }
  }

  @Test func keepsTheOrderOfTheDirectory() throws {
    var members: [Member] = []
    for name in ["z", "a", "m.npy"] {
      var one = member(npyBytes(Tensor([], [1 as Float])))
      one.name = name
      members.append(one)
    }
    #expect(try read(archive(members)).map(\.name) == ["z", "a", "m"])
  }

  @Test func standsMutationsOfPackedBytes() {
    var random = SeededGenerator(seed: 17)
    let content = npyBytes(Tensor([40, 10], random.floats(400)))
    let good = archive([member(content)])
    for _ in 0..<2000 {
      var bytes = good
      for _ in 0...random.below(2) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      do throws(Diagnostic) {
        _ = try read(bytes)
      } catch {
        #expect(error.id.hasPrefix("array."))
      }
    }
  }
}
