import Foundation
import Import
import Support

/// All test cases with their results.
struct BackendSurvey {
  /// A test case and how it ended.
  struct Entry {
    let name: String
    let subject: String
    /// Whether all of its operators are supported.
    let isListed: Bool
    let float: BackendResult
    /// nil where nothing of it goes on crossbars.
    let crossbars: BackendResult?
  }

  /// Cases that may give other numbers, because of something that docs/operators.md says.
  static let known = [
    "test_cast_FLOAT_to_BFLOAT16": "floats stay binary32",
    "test_castlike_FLOAT_to_BFLOAT16": "floats stay binary32",
    "test_castlike_FLOAT_to_BFLOAT16_expanded": "floats stay binary32",
    "test_cast_BFLOAT16_to_FLOAT": "the input's file holds the bits as uint16",
    "test_resize_downsample_scales_cubic_align_corners":
      "lengths are whole here and in onnxruntime, which gives the same as we do",
    "test_resize_downsample_scales_linear_align_corners":
      "lengths are whole here and in onnxruntime, which gives the same as we do",
  ]

  /// The cases, by name.
  let entries: [Entry]

  /// Runs every case in `folder`.
  init(folder: URL) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path()).filter {
      $0.hasPrefix("test_")
    }
    let listed = Set(supportedOperators)
    entries = names.sorted().map { Self.entry(folder.appending(path: $0), listed) }
  }

  private static func entry(_ folder: URL, _ listed: Set<String>) -> Entry {
    let test: BackendCase
    do throws(Diagnostic) {
      test = try BackendCase(folder: folder)
    } catch {
      return Entry(
        name: folder.lastPathComponent, subject: "not read", isListed: false, float: .refused(error.id),
        crossbars: nil)
    }
    let float = test.evaluated()
    let isMatrix = BackendCase.matrixOperators.contains(test.subject) && float == .passed
    return Entry(
      name: test.name, subject: test.subject, isListed: test.operators.isSubset(of: listed), float: float,
      crossbars: isMatrix ? test.executed() : nil)
  }

  /// Where the test cases of ONNX lie: `XBAR_ONNX_TESTS`, or where Debian's package `libonnx-testdata` puts them.
  static var folder: URL? {
    let named = ProcessInfo.processInfo.environment["XBAR_ONNX_TESTS"] ?? "/usr/share/libonnx-testdata/data"
    let folder = URL(filePath: named).appending(path: "node")
    return FileManager.default.fileExists(atPath: folder.path()) ? folder : nil
  }
}

extension BackendSurvey {
  /// The survey in Markdown.
  var document: String {
    let listed = entries.filter(\.isListed)
    var lines = head(listed)
    lines += ["", "| operator | tests | passed | on crossbars | not passed |", "|---|---|---|---|---|"]
    for subject in Set(listed.map(\.subject)).sorted() { lines.append(row(subject, listed)) }
    let left = listed.filter { $0.float != .passed || $0.crossbars.map { $0 != .passed } ?? false }
    lines += [
      "", "## Listed operators: tests that do not pass", "", "| test | float evaluator | on crossbars |",
      "|---|---|---|",
    ]
    for entry in left {
      let known = Self.known[entry.name].map { ": \($0)" } ?? ""
      lines.append("| `\(entry.name)` | \(entry.float.words)\(known) | \(entry.crossbars?.words ?? "-") |")
    }
    lines += [
      "", "## Tests of other operators", "", "| operator | tests | passed | reasons |", "|---|---|---|---|",
    ]
    let others = entries.filter { !$0.isListed }
    for subject in Set(others.map(\.subject)).sorted() {
      let group = others.filter { $0.subject == subject }
      lines.append("| \(subject) | \(group.count) | \(passed(group)) | \(reasons(group)) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func head(_ listed: [Entry]) -> [String] {
    let matrix = entries.compactMap(\.crossbars)
    return [
      "# ONNX's backend tests", "",
      "The node tests of ONNX 1.12 (Debian's package `libonnx-testdata`), written by `UPDATE_GOLDENS=1 ./run test --filter BackendTests` and held",
      "against by the suite. Weights, settings and integers, which these tests give as inputs, are made constants of the graph.",
      "",
      "- **passed**: the float evaluator gives the expected outputs, each within 1e-7 + 1e-3 of its size, as ONNX itself compares.",
      "- **on crossbars**: the program with 16-bit weights and inputs, run on the ideal device, gives them within 2^-11 of the largest output.",
      "- **not passed**: the ids of the messages that refuse the rest.", "",
      "Of \(entries.count) tests \(listed.count) use listed operators only (`docs/operators.md`): \(passed(listed)) of these pass, and "
        + "\(matrix.count { $0 == .passed }) of \(matrix.count) on crossbars.", "",
      "## Listed operators",
    ]
  }

  private func row(_ subject: String, _ listed: [Entry]) -> String {
    let group = listed.filter { $0.subject == subject }
    let matrix = group.compactMap(\.crossbars)
    let crossbars = matrix.isEmpty ? "-" : "\(matrix.count { $0 == .passed }) of \(matrix.count)"
    return
      "| \(subject == "several" ? "several" : "`\(subject)`") | \(group.count) | \(passed(group)) | \(crossbars) | \(reasons(group)) |"
  }

  private func passed(_ group: [Entry]) -> Int { group.count { $0.float == .passed } }

  /// Why tests do not pass, with how many of them.
  private func reasons(_ group: [Entry]) -> String {
    var counts: [String: Int] = [:]
    for entry in group where entry.float != .passed { counts[entry.float.words, default: 0] += 1 }
    return counts.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
  }
}

extension BackendResult {
  /// The result in a table.
  var words: String {
    switch self {
    case .passed: "passed"
    case .refused(let id): "`\(id)`"
    case .differs: "differs"
    }
  }
}
