import Foundation
import Testing

/// Expects a Markdown table behind `<!-- mark -->` in a document of this project; `UPDATE_GOLDENS=1` writes it there.
func expectTable(_ table: String, after mark: String, in document: String) throws {
  let path = "\(packageRoot)/\(document)"
  let text = try String(contentsOfFile: path, encoding: .utf8)
  let start = try #require(text.range(of: "<!-- \(mark) -->\n"), "\(document) has no mark '\(mark)'")
    .upperBound
  let lines = text[start...].split(separator: "\n", omittingEmptySubsequences: false)
  let old = lines.prefix { $0.hasPrefix("|") }.map { $0 + "\n" }.joined()
  guard ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" else {
    #expect(old == table, "UPDATE_GOLDENS=1 rewrites \(path); read it before you commit it")
    return
  }
  let tail = text[start...].dropFirst(old.count)
  try (text[..<start] + table + tail).write(toFile: path, atomically: true, encoding: .utf8)
}
