import Foundation
import Testing

/// What refers to a section of `ir-spec.md` names one that exists.
@Suite("references to ir-spec.md")
struct SpecReferenceTests {
  private let spec: SpecDocument

  init() throws { spec = try SpecDocument() }

  @Test func sectionsHaveAnchorsOfTheirOwn() {
    let anchors = spec.anchors
    #expect(anchors.count > 40)
    #expect(Set(anchors).count == anchors.count)
  }

  @Test func linksInsideLeadToSections() {
    let anchors = Set(spec.anchors)
    for (number, line) in spec.lines.enumerated() {
      for match in line.matches(of: /\]\(#([^)]*)\)/) {
        #expect(anchors.contains(String(match.1)), "ir-spec.md:\(number + 1): #\(match.1)")
      }
    }
  }

  /// A document links to `ir-spec.md#anchor`; a comment says `ir-spec.md, *Section*` or, for a pass or an operation, its name
  /// in backquotes. Numbers of sections would go stale.
  @Test func everyReferenceNamesASection() throws {
    var found = 0
    for (name, text) in try texts() {
      for problem in problems(in: text, counting: &found) { Issue.record("\(name): \(problem)") }
    }
    #expect(found > 30)
  }

  @Test func aReferenceThatLeadsNowhereIsFound() {
    var found = 0
    let bad = [
      "ir-spec.md, section 12", "`ir-spec.md`, sections 8\nand 10", "ir-spec.md#no-such-section",
      "ir-spec.md,\n/// `no-such-pass`.", "ir-spec.md, *Fetching* and *Nothing*",
    ]
    for text in bad { #expect(problems(in: text, counting: &found).count == 1, "\(text)") }
    let good = "ir-spec.md, *Fetching* and\n/// *Events*; ir-spec.md#events; ir-spec.md, `slice-bits`"
    #expect(problems(in: good, counting: &found).isEmpty)
  }

  private func problems(in text: String, counting found: inout Int) -> [String] {
    let joined = text.replacing(#/\n\s*//+ /#, with: " ").replacing("\n", with: " ")
    var problems: [String] = []
    for match in joined.matches(of: ##/ir-spec\.md#([A-Za-z0-9_-]+)/##) {
      found += 1
      if !spec.anchors.contains(String(match.1)) { problems.append(String(match.0)) }
    }
    let name = /(?:\*[^*]+\*|`[^`]+`)/
    for match in joined.matches(of: /ir-spec\.md`?,((?: (?:and )?(?:\*[^*]+\*|`[^`]+`),?)+)/) {
      for item in match.1.matches(of: name) {
        found += 1
        let title = item.0.hasPrefix("*") ? String(item.0.dropFirst().dropLast()) : String(item.0)
        if !spec.names(title) { problems.append("ir-spec.md, \(item.0)") }
      }
    }
    for match in joined.matches(of: /ir-spec\.md\)?`?,? +(?:at )?sections? [0-9]+/) {
      problems.append(String(match.0))
    }
    return problems
  }

  /// The sources, and the documents except the history of changes.
  private func texts() throws -> [(name: String, text: String)] {
    var files = ["README.md", "CONTRIBUTING.md"].map { repository.appending(path: $0) }
    for folder in ["Sources", "docs", "Tests", "Benchmarks"] {
      let found = FileManager.default.enumerator(
        at: repository.appending(path: folder), includingPropertiesForKeys: nil)
      files += found?.compactMap { $0 as? URL } ?? []
    }
    return try files.filter {
      ["swift", "md", "h", "c", "xir"].contains($0.pathExtension)
        && $0.lastPathComponent != "SpecReferenceTests.swift"
    }.map { ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8)) }
  }
}
