import Foundation
import Support
import Testing

@Suite("Support")
struct SupportTests {
  @Test func nearestFindsSlips() {
    #expect(nearest("dens", in: ["dense", "isaac"]) == "dense")
    #expect(nearest("energies", in: ["energy", "area"]) == "energy")
    #expect(nearest("QUANTISE", in: ["quantize", "calibrate"]) == "quantize")
    #expect(nearest("sra", in: ["sre", "isaac"]) == "sre")
    #expect(nearest("xyz", in: ["dense", "isaac"]) == nil)
    #expect(nearest("", in: ["dense"]) == nil)
    #expect(nearest("dense", in: []) == nil)
  }

  /// The check value of the CRC-32C catalog, and every length against the bitwise definition.
  @Test func checksumsAreThoseOfTheStandard() {
    #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(CRC32C.checksum([]) == 0)
    var random = SeededGenerator(seed: 1)
    for length in 0..<100 {
      let bytes = (0..<length).map { _ in UInt8(random.below(256)) }
      #expect(CRC32C.checksum(bytes) == bitwise(bytes))
    }
  }

  private func bitwise(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = ~0
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
    }
    return ~crc
  }

  /// The published sequence of SplitMix64 for seed 0.
  @Test func generatorIsSplitMix() {
    var random = SeededGenerator(seed: 0)
    #expect(random.next() == 0xE220_A839_7B1D_CDAF)
    #expect(random.next() == 0x6E78_9E6A_A1B9_65F4)
    for _ in 0..<1000 {
      #expect((0..<7).contains(random.below(7)))
      #expect((-3...3).contains(random.inside(-3...3)))
      #expect((0..<1).contains(random.unit()))
    }
  }

  @Test func whatIsWrittenReadsBack() throws {
    var writer = ByteWriter()
    writer.put(UInt8(7))
    writer.put(string: "grün")
    writer.put(UInt32(0xDEAD_BEEF))
    writer.put(Int64(-2))
    writer.put(1.5)
    writer.put(Float(-0.25))
    writer.align(to: 16)
    let bytes = writer.bytes
    #expect(bytes.count % 16 == 0)
    let number = try reading(bytes) { try $0.read(UInt8.self) }
    #expect(number == 7)
    #expect(throws: ByteError.self) { try reading(bytes) { _ = try $0.readBytes(1000) } }
    #expect(throws: ByteError.self) { try reading(bytes) { _ = try $0.readBytes(-1) } }
    #expect(throws: ByteError.self) { try reading([1, 2, 3]) { _ = try $0.read(UInt32.self) } }
  }

  private func reading<R>(_ bytes: [UInt8], _ body: (inout ByteReader) throws -> R) throws -> R {
    try bytes.withUnsafeBytes { raw in
      var reader = ByteReader(raw)
      return try body(&reader)
    }
  }

  @Test func stringsAreChecked() throws {
    var writer = ByteWriter()
    writer.put(string: "abc")
    var bytes = writer.bytes
    #expect(bytes.count == 8)
    let text = try reading(bytes) { try $0.readString() }
    #expect(text == "abc")
    bytes[7] = 1
    #expect(throws: ByteError.self) { try reading(bytes) { _ = try $0.readString() } }
    bytes[7] = 0
    bytes[4] = 0xFF
    #expect(throws: ByteError.self) { try reading(bytes) { _ = try $0.readString() } }
    bytes[0] = 200
    #expect(throws: ByteError.self) { try reading(bytes) { _ = try $0.readString() } }
  }

  @Test func parallelMapKeepsTheOrder() throws {
    for threads in [1, 2, 5] {
      #expect(parallelMap(100, threads: threads) { $0 * $0 } == (0..<100).map { $0 * $0 })
    }
    #expect(parallelMap(0, threads: 4) { $0 } == [])
    do throws(Diagnostic) {
      _ = try parallelMap(50, threads: 3) { index throws(Diagnostic) -> Int in
        if index >= 20 { throw Diagnostic("test.\(index)", "late") }
        return index
      }
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.id == "test.20", "the lowest failing index is reported")
    }
  }

  /// A checksum can be taken in parts.
  @Test func checksumsOfParts() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for cut in [0, 1, 7, 8, 500, 999, 1000] {
      let parts = [bytes[..<cut], bytes[cut...]].map(Array.init)
      let sum = parts.reduce(0 as UInt32) { sum, part in
        part.withUnsafeBytes { CRC32C.checksum($0, after: sum) }
      }
      #expect(sum == CRC32C.checksum(bytes))
    }
  }

  /// Pages that were taken out of memory come from the file again.
  @Test func releasedPagesCanBeReadAgain() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "support-\(UUID().uuidString)").path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
    try writeFile(bytes, to: path)
    let file = try InputFile(path: path)
    for range in [0..<0, 0..<100_000, 5000..<90_000, 0..<200_000] {
      file.releasePages(range)
      #expect(try file.withBytes { Array($0) } == bytes)
    }
  }

  @Test func filesAreWrittenWholeOrNotAtAll() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "support-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "a").path()
    try writeFile([1, 2, 3], to: path)
    #expect(try InputFile(path: path).withBytes { Array($0) } == [1, 2, 3])
    try writeFile([], to: path)
    #expect(try InputFile(path: path).byteCount == 0)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path()) == ["a"], "no temporary file is left"
    )
    #expect(throws: Diagnostic.self) { try writeFile([1], to: folder.appending(path: "no/such").path()) }
    #expect(throws: Diagnostic.self) { _ = try InputFile(path: folder.path()) }
    #expect(throws: Diagnostic.self) { _ = try InputFile(path: folder.appending(path: "none").path()) }
  }

  @Test func locationsReadAsInTheDocuments() {
    let node = NodeOrigin(index: 12, name: "conv1", op: "Conv")
    let located = Diagnostic("import.x", "no", at: Location(.node(node)), notes: ["try this"]).inFile(
      "model.onnx")
    #expect(
      located.description == "model.onnx: node 12 'conv1' (Conv): error: no [import.x]\n  note: try this")
    #expect(Location(file: "a.xir", .text(TextPosition(line: 14, column: 8))).description == "a.xir:14:8")
    #expect(
      Location(file: "a.xbar", .bytes(section: "CODE", offset: 0x1a4)).description == "a.xbar: CODE+0x1a4")
  }

  @Test func arithmetic() {
    #expect(ceilDivide(128, 9) == 15 && ceilDivide(128, 16) == 8 && ceilDivide(0, 3) == 0)
    #expect(bitWidth(of: 48) == 6 && bitWidth(of: 0) == 0 && bitWidth(of: 1) == 1)
    #expect(
      checkedProduct([3, 4]) == 12 && checkedProduct([Int.max, 2]) == nil && checkedProduct([-1, 2]) == nil)
    #expect(checkedProduct([]) == 1)
  }
}
