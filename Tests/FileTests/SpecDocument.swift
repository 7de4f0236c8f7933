import Foundation

/// `ir-spec.md` as lines: its code, its sections and its tables.
struct SpecDocument {
  static let file = repository.appending(path: "ir-spec.md")

  var lines: [String]

  init() throws {
    lines = try String(contentsOf: Self.file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The blocks marked `xir` with the number of their first line.
  var code: [(line: Int, text: String)] {
    var found: [(line: Int, text: String)] = []
    var open: Int?
    for (number, line) in lines.enumerated() {
      if line == "```xir" {
        open = number + 1
      } else if line == "```", let start = open {
        found.append((start + 1, lines[start..<number].joined(separator: "\n") + "\n"))
        open = nil
      }
    }
    return found
  }

  /// The headings outside of code, with their depth.
  var headings: [(depth: Int, title: String)] {
    var isCode = false
    return lines.compactMap { line in
      if line.hasPrefix("```") { isCode.toggle() }
      guard !isCode, line.hasPrefix("#") else { return nil }
      let depth = line.prefix { $0 == "#" }.count
      return (depth, String(line.dropFirst(depth + 1)))
    }
  }

  /// The anchors of all headings.
  var anchors: [String] { headings.map { anchor($0.title) } }

  /// Whether a section, or a row of a table, has the name: that of a heading; in backquotes that of an operation, a pass or
  /// an event, too.
  func names(_ name: String) -> Bool {
    let isCode = name.hasPrefix("`")
    return headings.contains { $0.title == name || isCode && $0.title.contains(name) }
      || isCode && lines.contains { $0.hasPrefix("| \(name) ") }
  }

  /// The lines behind `marker` that `keeps` takes, as a range, and the lines that should be there.
  mutating func replace(after marker: String, with expected: [String], while keeps: (String) -> Bool) -> Bool
  {
    guard let first = lines.firstIndex(of: marker) else { return false }
    let start = first + 1
    let end = lines[start...].firstIndex { !keeps($0) } ?? lines.endIndex
    let isSame = Array(lines[start..<end]) == expected
    lines.replaceSubrange(start..<end, with: expected)
    return isSame
  }

  func write() throws {
    try lines.joined(separator: "\n").write(to: Self.file, atomically: true, encoding: .utf8)
  }
}

/// The anchor of a heading, as GitHub makes it.
func anchor(_ title: String) -> String {
  String(
    title.lowercased().compactMap { letter in
      letter == " "
        ? "-" : letter.isLetter || letter.isNumber || letter == "-" || letter == "_" ? letter : nil
    })
}
