import Foundation
import Testing

/// Every diagnostic that the sources can throw has a test that names it.
@Suite("Diagnostic ids")
struct DiagnosticTests {
  private func ids(in folder: String, _ skipped: String = "") throws -> Set<String> {
    var found: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(atPath: folder)
    where file.hasSuffix(".swift") && file != skipped {
      let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
      for match in text.matches(of: /"(onnx\.[a-z0-9-]+)"/) where match.1 != "onnx.data" {
        found.insert(String(match.1))
      }
    }
    return found
  }

  @Test func haveATest() throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let root = tests.deletingLastPathComponent().deletingLastPathComponent()
    let thrown = try ids(in: "\(root.path)/Sources/ONNX")
    let tested = try ids(in: tests.path, "DiagnosticTests.swift")
    #expect(thrown.count > 20)
    #expect(thrown.subtracting(tested).isEmpty, "ids without a test")
    #expect(tested.subtracting(thrown).isEmpty, "tests of ids that are never thrown")
  }
}
