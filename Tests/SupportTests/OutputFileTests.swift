import Foundation
import Support
import Testing

@Suite("Files written piece by piece")
struct OutputFileTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "xbar-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  private func remove() { try? FileManager.default.removeItem(at: folder) }
  private var path: String { folder.appending(path: "f").path() }
  private var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [] }

  @Test func appearsWhenItIsCommitted() throws {
    defer { remove() }
    try writeFile([9], to: path)
    let file = try OutputFile(path: path)
    try file.write([1, 2, 3])
    try file.align(to: 8)
    try file.align(to: 8)
    try file.write([4])
    try file.patch([7, 8], at: 1)
    try file.write([5])
    #expect(file.count == 10)
    #expect(try file.checksum(0..<3) == CRC32C.checksum([1, 7, 8]))
    #expect(try file.checksum(8..<10) == CRC32C.checksum([4, 5]))
    #expect(FileManager.default.contents(atPath: path) == Data([9]))
    try file.commit()
    #expect(FileManager.default.contents(atPath: path) == Data([1, 7, 8, 0, 0, 0, 0, 0, 4, 5]))
    #expect(files == ["f"])
  }

  @Test func leavesNothingWhereItIsNotCommitted() throws {
    defer { remove() }
    do {
      let file = try OutputFile(path: path)
      try file.write([1])
      #expect(files.count == 1)
    }
    #expect(files.isEmpty)
  }

  @Test func refusesWhatCannotBe() throws {
    defer { remove() }
    let file = try OutputFile(path: path)
    try file.write([1, 2])
    for (bytes, offset) in [([UInt8](repeating: 0, count: 3), 0), ([0], 2), ([0], -1)] {
      #expect(throws: Diagnostic.self) { try file.patch(bytes, at: offset) }
    }
    #expect(throws: Diagnostic.self) { try file.checksum(0..<3) }
    #expect(throws: Diagnostic.self) { try OutputFile(path: folder.appending(path: "no/such").path()) }
    #expect(OutputFile.canReplace(path) && !OutputFile.canReplace("-") && !OutputFile.canReplace("/dev/null"))
  }
}
