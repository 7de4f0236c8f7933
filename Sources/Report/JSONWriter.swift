extension JSON {
  /// The text: members one to a line, indented by two spaces; arrays of plain values on one line; a line feed at the
  /// end. Doubles are written in the shortest form that reads back to the same value; those that are not finite
  /// become null.
  public var encoded: String {
    var text = ""
    write(to: &text, indent: 0)
    return text + "\n"
  }

  /// The text on one line, without a line feed; numbers and strings as in `encoded`.
  public var line: String {
    var text = ""
    writeLine(to: &text)
    return text
  }

  private func writeLine(to text: inout String) {
    switch self {
    case .array(let elements):
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += ", " }
        element.writeLine(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += ", " }
        writeString(member.key, to: &text)
        text += ": "
        member.value.writeLine(to: &text)
      }
      text += "}"
    case .null, .bool, .integer, .unsigned, .double, .string: write(to: &text, indent: 0)
    }
  }

  private var isPlain: Bool {
    switch self {
    case .array(let elements): return elements.isEmpty
    case .object(let members): return members.isEmpty
    case .null, .bool, .integer, .unsigned, .double, .string: return true
    }
  }

  private func write(to text: inout String, indent: Int) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .unsigned(let value): text += String(value)
    case .double(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): writeString(value, to: &text)
    case .array(let elements): writeArray(elements, to: &text, indent: indent)
    case .object(let members):
      writeList(members, "{", "}", to: &text, indent: indent) { member, text, indent in
        writeString(member.key, to: &text)
        text += ": "
        member.value.write(to: &text, indent: indent)
      }
    }
  }

  private func writeArray(_ elements: [JSON], to text: inout String, indent: Int) {
    guard elements.allSatisfy(\.isPlain) else {
      writeList(elements, "[", "]", to: &text, indent: indent) { element, text, indent in
        element.write(to: &text, indent: indent)
      }
      return
    }
    text += "["
    for (index, element) in elements.enumerated() {
      if index > 0 { text += ", " }
      element.write(to: &text, indent: indent)
    }
    text += "]"
  }

  private func writeList<T>(
    _ items: [T], _ open: String, _ close: String, to text: inout String, indent: Int,
    _ body: (T, inout String, Int) -> Void
  ) {
    guard !items.isEmpty else {
      text += open + close
      return
    }
    let margin = String(repeating: " ", count: indent + 2)
    text += open
    for (index, item) in items.enumerated() {
      text += index == 0 ? "\n\(margin)" : ",\n\(margin)"
      body(item, &text, indent + 2)
    }
    text += "\n\(String(repeating: " ", count: indent))\(close)"
  }

  private func writeString(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      case "\u{0}"..<"\u{20}":
        let code = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - code.count) + code
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
