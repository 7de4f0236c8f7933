import Foundation
import Testing

/// `ir-spec.md` says what the code does: its code runs, its tables are those of the code.
@Suite("ir-spec.md", .serialized)
struct SpecTests {
  @Test func codeRunsAsFileTests() throws {
    let blocks = try SpecDocument().code
    #expect(blocks.count >= 4)
    for block in blocks {
      let test = FileTest(name: "ir-spec.md", text: block.text, firstLine: block.line)
      #expect(test.unknown.isEmpty && !test.commands.isEmpty, "line \(block.line)")
      for section in test.sections {
        var run = CommandRun(file: "ir-spec.md", section: section)
        for command in test.commands { run.run(command) }
        if let broken = brokenLaw(section.text) { Issue.record("ir-spec.md:\(block.line): \(broken)") }
      }
    }
  }

  @Test(arguments: SpecTable.allCases) func tablesAreThoseOfTheCode(table: SpecTable) throws {
    let expected = [""] + (try table.lines())
    try expect(expected, after: "<!-- table \(table.rawValue) -->") { $0.isEmpty || $0.hasPrefix("|") }
  }

  @Test func contentsListTheSections() throws {
    let entries = try SpecDocument().headings.filter { 2...3 ~= $0.depth && $0.title != "Contents" }.map {
      "\($0.depth == 3 ? "  " : "")- [\($0.title)](#\(anchor($0.title)))"
    }
    try expect([""] + entries, after: "<!-- contents -->") {
      $0.isEmpty || $0.trimmingCharacters(in: .whitespaces).hasPrefix("- ")
    }
  }

  /// Expects `expected` and an empty line behind `marker`.
  private func expect(_ expected: [String], after marker: String, while keeps: (String) -> Bool) throws {
    var document = try SpecDocument()
    try #require(document.lines.count { $0 == marker } == 1, "one marker \(marker)")
    let isSame = document.replace(after: marker, with: expected + [""], while: keeps)
    if updatesGoldens { return try document.write() }
    #expect(isSame, "\(marker): UPDATE_GOLDENS=1 writes what the code says")
  }
}
