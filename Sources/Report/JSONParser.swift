public import Support

extension JSON {
  /// Reads a JSON text; throws `json.syntax` with line and column for anything that RFC 8259 does not allow, for
  /// members named twice, and for nesting deeper than 64.
  public init(parsing text: String, file: String = "") throws(Diagnostic) {
    var parser = JSONParser(bytes: Array(text.utf8), file: file)
    self = try parser.parseDocument()
  }

  /// Reads a JSON text from a file's bytes; throws `json.syntax` also for bad UTF-8.
  public init(parsing bytes: UnsafeRawBufferPointer, file: String) throws(Diagnostic) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Diagnostic("json.syntax", "the text is not UTF-8", at: Location(file: file))
    }
    try self.init(parsing: text, file: file)
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  let file: String
  var at = 0

  init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  mutating func parseDocument() throws(Diagnostic) -> JSON {
    let value = try parseValue(depth: 0)
    skipSpace()
    guard at == bytes.count else { throw failure("expected the end of the text") }
    return value
  }

  private func failure(_ message: String) -> Diagnostic {
    var line = 1
    var lineStart = 0
    for k in 0..<min(at, bytes.count) where bytes[k] == UInt8(ascii: "\n") {
      line += 1
      lineStart = k + 1
    }
    let position = TextPosition(line: line, column: min(at, bytes.count) - lineStart + 1)
    return Diagnostic("json.syntax", message, at: Location(file: file, .text(position)))
  }

  private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    at += 1
    return true
  }

  private mutating func parseValue(depth: Int) throws(Diagnostic) -> JSON {
    guard depth <= 64 else { throw failure("nested deeper than 64") }
    skipSpace()
    guard let byte = peek else { throw failure("expected a value, found the end of the text") }
    switch byte {
    case UInt8(ascii: "{"): return try parseObject(depth: depth)
    case UInt8(ascii: "["): return try parseArray(depth: depth)
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
    default: return try parseWord()
    }
  }

  private mutating func parseWord() throws(Diagnostic) -> JSON {
    let words: [(String, JSON)] = [("true", .bool(true)), ("false", .bool(false)), ("null", .null)]
    for (word, value) in words where bytes[at...].starts(with: word.utf8) {
      at += word.utf8.count
      return value
    }
    throw failure("expected a value")
  }

  private mutating func parseObject(depth: Int) throws(Diagnostic) -> JSON {
    at += 1
    var members: [JSON.Member] = []
    var keys: Set<String> = []
    skipSpace()
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      guard peek == UInt8(ascii: "\"") else { throw failure("expected a member name in quotes") }
      let start = at
      let key = try parseString()
      guard keys.insert(key).inserted else {
        at = start
        throw failure("member '\(key)' is given twice")
      }
      skipSpace()
      guard take(":") else { throw failure("expected ':'") }
      members.append(JSON.Member(key, try parseValue(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw failure("expected ',' or '}'") }
    return .object(members)
  }

  private mutating func parseArray(depth: Int) throws(Diagnostic) -> JSON {
    at += 1
    var elements: [JSON] = []
    skipSpace()
    if take("]") { return .array([]) }
    repeat {
      elements.append(try parseValue(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw failure("expected ',' or ']'") }
    return .array(elements)
  }

  private mutating func parseNumber() throws(Diagnostic) -> JSON {
    let start = at
    _ = take("-")
    if !take("0") { try parseDigits() }
    var isWhole = true
    if take(".") {
      isWhole = false
      try parseDigits()
    }
    if take("e") || take("E") {
      isWhole = false
      if !take("+") { _ = take("-") }
      try parseDigits()
    }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if isWhole, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else {
      at = start
      throw failure("number out of range")
    }
    return .double(value)
  }

  private mutating func parseDigits() throws(Diagnostic) {
    let start = at
    while let byte = peek, (0x30...0x39).contains(byte) { at += 1 }
    guard at > start else { throw failure("expected a digit") }
  }

  private mutating func parseString() throws(Diagnostic) -> String {
    at += 1
    var text: [UInt8] = []
    while let byte = peek {
      if byte == UInt8(ascii: "\"") {
        at += 1
        return String(decoding: text, as: UTF8.self)
      }
      guard byte >= 0x20 else { throw failure("control character in a string") }
      at += 1
      if byte == UInt8(ascii: "\\") {
        try parseEscape(into: &text)
      } else {
        text.append(byte)
      }
    }
    throw failure("a string without an end")
  }

  private mutating func parseEscape(into text: inout [UInt8]) throws(Diagnostic) {
    guard let byte = peek else { throw failure("a string without an end") }
    let plain: [UInt8: UInt8] = [
      0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D, 0x74: 0x09,
    ]
    if let value = plain[byte] {
      at += 1
      text.append(value)
      return
    }
    guard byte == UInt8(ascii: "u") else { throw failure("unknown escape") }
    at += 1
    var code = try parseHex()
    if (0xD800..<0xDC00).contains(code), take("\\"), take("u") {
      let low = try parseHex()
      guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
    text.append(contentsOf: String(Character(scalar)).utf8)
  }

  private mutating func parseHex() throws(Diagnostic) -> UInt32 {
    let digits = bytes[at..<min(at + 4, bytes.count)]
    let isHex = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    guard digits.count == 4, isHex, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else {
      throw failure("expected four hexadecimal digits")
    }
    at += 4
    return value
  }
}
