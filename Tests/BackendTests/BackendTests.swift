import Foundation
import Testing

private let updatesGoldens = ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1"

@Suite("ONNX's backend tests", .serialized)
struct BackendTests {
  private let document = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "docs/backend-tests.md")

  /// No test gives other numbers than expected: it passes or is refused. The document says which is which.
  @Test func passOrAreRefused() throws {
    guard let folder = BackendSurvey.folder else {
      return print(
        "skipped: no backend tests of ONNX; install libonnx-testdata, or set XBAR_ONNX_TESTS to its data folder"
      )
    }
    let survey = try BackendSurvey(folder: folder)
    for entry in survey.entries where BackendSurvey.known[entry.name] == nil {
      for case .differs(let times) in [entry.float, entry.crossbars ?? .passed] {
        Issue.record("\(entry.name): \(times) times the difference that is allowed")
      }
    }
    if updatesGoldens { try survey.document.write(to: document, atomically: true, encoding: .utf8) }
    let golden = try String(contentsOf: document, encoding: .utf8)
    guard golden.contains("Of \(survey.entries.count) tests ") else {
      return print(
        "not compared with \(document.path()): \(survey.entries.count) tests are of another version of ONNX")
    }
    #expect(
      survey.document == golden,
      "UPDATE_GOLDENS=1 rewrites docs/backend-tests.md; read it before you commit it")
  }
}
