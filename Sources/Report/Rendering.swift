public import Support

/// Turns diagnostics into text for people.
public struct DiagnosticRenderer: Sendable {
  /// Whether to use terminal colors.
  public let color: Bool
  private let sources: [String: String]

  /// Creates a renderer; `sources` are texts by path, whose lines are shown under messages that point into them.
  public init(color: Bool, sources: [String: String] = [:]) {
    self.color = color
    self.sources = sources
  }

  /// The message, the source line with its place marked where the text is known, and the notes; ends with a line
  /// feed. What a terminal would act on in any of them is written as an escape.
  public func render(_ diagnostic: Diagnostic) -> String {
    let place = terminalText(diagnostic.location.description)
    let word = paint(diagnostic.severity.rawValue, diagnostic.severity == .error ? "1;31" : "1;35")
    let head = place.isEmpty ? "" : "\(paint(place, "1")): "
    var lines = ["\(head)\(word): \(terminalText(diagnostic.message)) [\(diagnostic.id)]"]
    lines += sourceLines(diagnostic.location)
    lines += diagnostic.notes.map { "  note: \(terminalText($0))" }
    return lines.map { $0 + "\n" }.joined()
  }

  /// All messages, one below the other.
  public func render(_ list: DiagnosticList) -> String { list.items.map(render).joined() }

  private func sourceLines(_ location: Location) -> [String] {
    guard case .text(let position) = location.place, let text = sources[location.file] else { return [] }
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.indices.contains(position.line - 1) else { return [] }
    let line = lines[position.line - 1].prefix(400).filter { $0 != UInt8(ascii: "\r") }
    let start = max(0, min(position.column - 1, line.count))
    let length = max(1, min(position.length, line.count - start))
    let parts = MarkedLine(line, marked: start..<start + length)
    let marks = paint(String(repeating: "~", count: max(1, parts.marked.utf8.count)), "1;32")
    return ["  " + parts.before + parts.marked + parts.after, "  " + parts.margin + marks]
  }

  private func paint(_ text: String, _ code: String) -> String {
    color ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

/// A line of a text as it is shown, with the part that a message points to.
private struct MarkedLine {
  var before = ""
  var marked = ""
  var after = ""

  /// `marked` counts bytes of `line`.
  init(_ line: [UInt8], marked range: Range<Int>) {
    var offset = 0
    for scalar in String(decoding: line, as: UTF8.self).unicodeScalars {
      // Tabs stay tabs, so that the marks are below what they mark.
      let isShown = scalar == "\t" || !isTerminalControl(scalar)
      let text = isShown ? String(scalar) : terminalEscape(scalar)
      if offset < range.lowerBound {
        before += text
      } else if offset < range.upperBound {
        marked += text
      } else {
        after += text
      }
      offset += UTF8.width(scalar)
    }
  }

  /// What stands below the part before the marked one: a space for each byte.
  var margin: String {
    String(decoding: before.utf8.map { $0 == UInt8(ascii: "\t") ? $0 : UInt8(ascii: " ") }, as: UTF8.self)
  }
}
