/// Columns of a text: what does not fit them goes over several lines.
private let width = 100

/// `head`, an opening sign, parts with commas between them, and a closing sign: on one line where it fits, with `tail`
/// behind it; else with the parts between lines of their own, indented by two more blanks. A part that `isLong` begins
/// and ends its lines; the others share theirs.
func wrapped(
  _ head: String, open: String, _ parts: [(text: String, isLong: Bool)], close: String, tail: String = "",
  indent: String
) -> String {
  let line = head + open + parts.map(\.text).joined(separator: ", ") + close + tail
  if parts.isEmpty || indent.utf8.count + line.utf8.count <= width { return line }
  let inner = indent + "  "
  var lines: [String] = []
  var current = ""
  func end() {
    if !current.isEmpty { lines.append(inner + current) }
    current = ""
  }
  for (number, part) in parts.enumerated() {
    let text = part.text + (number == parts.count - 1 ? "" : ",")
    if part.isLong {
      end()
      lines += folded(text, indent: inner)
      continue
    }
    if !current.isEmpty, inner.utf8.count + current.utf8.count + 1 + text.utf8.count > width { end() }
    current += (current.isEmpty ? "" : " ") + text
  }
  end()
  return head + open + "\n" + lines.map { $0 + "\n" }.joined() + indent + close + tail
}

/// Lines of `text`, broken after commas outside of quotes where they would be too long; the later ones are indented by
/// two more blanks.
private func folded(_ text: String, indent: String) -> [String] {
  if indent.utf8.count + text.utf8.count <= width { return [indent + text] }
  var lines: [String] = []
  var current = indent
  for piece in innermostLists(pieces(text), in: text) {
    let isEmpty = current.allSatisfy { $0 == " " }
    if !isEmpty, current.utf8.count + piece.utf8.count + 1 > width {
      lines.append(current)
      current = indent + "  " + piece
    } else {
      current += (isEmpty ? "" : " ") + piece
    }
  }
  lines.append(current)
  return lines
}

/// Pieces of `text` where those of an innermost list, such as a row of a matrix, stay together if they fit a line.
private func innermostLists(_ pieces: [Substring], in text: String) -> [Substring] {
  var result: [Substring] = []
  var first: Int?
  for (number, piece) in pieces.enumerated() {
    if let opening = piece.lastIndex(of: "["), !piece[opening...].contains("]") {
      if let first { result += pieces[first..<number] }
      first = number
    }
    guard let start = first else {
      result.append(piece)
      continue
    }
    guard piece.contains("]") else { continue }
    let list = text[pieces[start].startIndex..<piece.endIndex]
    result += list.utf8.count <= width / 2 ? [list] : Array(pieces[start...number])
    first = nil
  }
  if let first { result += pieces[first...] }
  return result
}

/// `text` cut after each comma and blank outside of quotes.
private func pieces(_ text: String) -> [Substring] {
  let bytes = text.utf8
  var pieces: [Substring] = []
  var start = text.startIndex
  var (isQuoted, isEscaped, isComma) = (false, false, false)
  for index in bytes.indices {
    let byte = bytes[index]
    if isComma, !isQuoted, byte == UInt8(ascii: " ") {
      pieces.append(text[start..<index])
      start = bytes.index(after: index)
    }
    if byte == UInt8(ascii: "\""), !isEscaped { isQuoted.toggle() }
    isEscaped = isQuoted && byte == UInt8(ascii: "\\") && !isEscaped
    isComma = byte == UInt8(ascii: ",")
  }
  pieces.append(text[start...])
  return pieces
}
