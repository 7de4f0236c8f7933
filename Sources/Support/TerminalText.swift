/// `text` with everything that a terminal acts on written as an escape, such as `\u{1B}` or `\n`: control characters
/// (C0, DEL and C1), marks and overrides of the writing direction, and separators of lines and paragraphs.
///
/// For texts of a file in a line of output. `keepingLines` leaves line feeds and tabs as they are.
public func terminalText(_ text: String, keepingLines: Bool = false) -> String {
  func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
    isTerminalControl(scalar) && !(keepingLines && (scalar == "\n" || scalar == "\t"))
  }
  guard text.unicodeScalars.contains(where: isEscaped) else { return text }
  var shown = ""
  for scalar in text.unicodeScalars {
    if isEscaped(scalar) { shown += terminalEscape(scalar) } else { shown.unicodeScalars.append(scalar) }
  }
  return shown
}

/// Whether a terminal acts on `scalar` rather than show it.
public func isTerminalControl(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: return true
  case _: return false
  }
}

/// How `scalar` is written: `\n`, `\r`, `\t` or its number.
public func terminalEscape(_ scalar: Unicode.Scalar) -> String {
  switch scalar {
  case "\n": return "\\n"
  case "\r": return "\\r"
  case "\t": return "\\t"
  case _: return "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
  }
}
