import Foundation
import IR
import Import
import ONNX
import Support
import Tensors
import Testing

@Suite("docs/operators.md", .serialized)
struct OperatorsDocumentTests {
  private let file = repository.appending(path: "docs/operators.md")

  @Test func eachOperatorHasOneRow() {
    let names = operatorFamilies.flatMap { $0.operators.map(\.name) }.sorted()
    let twice = zip(names, names.dropFirst()).filter { $0 == $1 }.map(\.0)
    #expect(twice.isEmpty, "\(twice)")
    guard twice.isEmpty else { return }
    #expect(names == supportedOperators)
    #expect(Set(operatorFamilies.map(\.name)).count == operatorFamilies.count)
  }

  @Test func cellsAreWords() {
    for row in operatorFamilies.flatMap(\.operators) {
      for text in [row.crossbars, row.integers, row.digital] { #expect(!text.isEmpty, "\(row.name)") }
      for text in [row.imported, row.crossbars, row.integers, row.digital, row.notes] {
        #expect(text.last != "." && text == text.trimmingCharacters(in: .whitespaces), "\(row.name): \(text)")
      }
      // What leaves nothing cannot be anywhere; all else is somewhere.
      let places = [row.crossbars, row.integers, row.digital].filter { $0 != "no" }
      #expect(places.isEmpty == (row.evaluation == .folded), "\(row.name)")
    }
  }

  @Test(arguments: operatorFamilies.map(\.name)) func tablesAreThoseOfTheCode(name: String) throws {
    let family = try #require(operatorFamilies.first { $0.name == name })
    let expected = table(family.operators)
    var lines = try lines()
    let start = try #require(lines.firstIndex(of: "<!-- table \(name) -->")) + 2
    let end = lines[start...].firstIndex { !$0.hasPrefix("|") } ?? lines.endIndex
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      lines.replaceSubrange(start..<end, with: expected)
      try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
    }
    let found = try self.lines()[start...].prefix { $0.hasPrefix("|") }
    #expect(Array(found) == expected, "UPDATE_GOLDENS=1 writes the table")
  }

  @Test func theDocumentHasNoOtherTables() throws {
    let markers = try lines().compactMap {
      $0.firstMatch(of: /^<!-- table ([a-z]+) -->$/).map { String($0.1) }
    }
    #expect(markers == operatorFamilies.map(\.name))
    #expect(try lines().filter { $0.hasPrefix("| operator ") }.count == markers.count)
  }

  /// What the document says of operators that leave nothing to compute.
  @Test func operatorsThatAreGoneLeaveNothing() throws {
    let gone = operatorFamilies.flatMap(\.operators).filter { $0.evaluation == .folded }.map(\.name)
    let expected = [
      "Constant", "ConstantOfShape", "Dropout", "DynamicQuantizeLinear", "Identity", "Mod", "Range", "Shape",
      "Size",
    ]
    #expect(gone.sorted() == expected)
    for op in ["Identity", "Dropout"] {
      #expect(try imported(model([node(op)])).opcodes == [.input, .output])
    }
  }

  @Test func namesEachOperatorOfOnnxruntimeOnce() throws {
    let cells = try lines().filter { $0.hasPrefix("| com.microsoft") }.map { $0.split(separator: "|")[1] }
    let names = cells.flatMap { $0.matches(of: /`(\w+)`/).map { String($0.output.1) } }
    #expect(names.sorted() == supportedMicrosoftOperators)
  }

  private func lines() throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  private func table(_ rows: [SupportedOperator]) -> [String] {
    let titles = [
      "operator", "import", "float evaluator", "on crossbars", "stays integer", "digital in program",
      "executor",
      "notes",
    ]
    let lines = rows.map {
      [
        "`\($0.name)`", $0.imported, $0.evaluation.rawValue, $0.crossbars, $0.integers, $0.digital,
        $0.executor,
        $0.notes,
      ]
    }
    let rule = "|" + String(repeating: "---|", count: titles.count)
    return [line(titles), rule] + lines.map(line)
  }

  private func line(_ cells: [String]) -> String {
    "|" + cells.map { $0.isEmpty ? " |" : " \($0.replacing("|", with: "\\|")) |" }.joined()
  }
}
