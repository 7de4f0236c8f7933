import Support

/// The kinds of words that a text is made of.
enum TokenKind: Equatable {
  /// A name or keyword, possibly starting with a digit, such as `conv` or `16x16`.
  case word
  /// `%name`.
  case value
  /// `@name`.
  case symbol
  /// `#name`.
  case resource
  /// Decimal digits.
  case int
  /// Digits with a point or an exponent.
  case float
  /// A quoted text; the token's text is what it stands for.
  case string
  /// One of the fixed signs.
  case sign
  /// The end of the text.
  case end
}

/// A word of the text with its place.
struct Token {
  let kind: TokenKind
  let text: String
  let position: TextPosition
}

/// Cuts a text into tokens; comments start with `//` and reach to the end of the line.
struct Lexer {
  private let bytes: [UInt8]
  private var at = 0
  private var line = 1
  private var lineStart = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  private var column: Int { at - lineStart + 1 }

  /// The next token; `.end` again and again at the end.
  mutating func next() throws(Diagnostic) -> Token {
    skipBlanks()
    let start = at
    guard at < bytes.count else { return token(.end, from: start) }
    switch bytes[at] {
    case UInt8(ascii: "%"): return try sigil(.value)
    case UInt8(ascii: "@"): return try sigil(.symbol)
    case UInt8(ascii: "#"): return try sigil(.resource)
    case UInt8(ascii: "\""): return try quoted()
    case UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
    case let byte where isLetter(byte):
      skipName()
      return token(.word, from: start)
    default: return try sign()
    }
  }

  private mutating func skipBlanks() {
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\n"):
        at += 1
        line += 1
        lineStart = at
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): at += 1
      case UInt8(ascii: "/") where at + 1 < bytes.count && bytes[at + 1] == UInt8(ascii: "/"):
        while at < bytes.count && bytes[at] != UInt8(ascii: "\n") { at += 1 }
      default: return
      }
    }
  }

  private func token(_ kind: TokenKind, from start: Int, text: String? = nil) -> Token {
    let place = TextPosition(line: line, column: start - lineStart + 1, length: max(1, at - start))
    return Token(
      kind: kind, text: text ?? String(decoding: bytes[start..<at], as: UTF8.self), position: place)
  }

  private mutating func sigil(_ kind: TokenKind) throws(Diagnostic) -> Token {
    let start = at
    at += 1
    skipName()
    guard at > start + 1, bytes[start + 1] != UInt8(ascii: "-"), bytes[start + 1] != UInt8(ascii: ".") else {
      throw failure("a name must follow '\(Character(Unicode.Scalar(bytes[start])))'")
    }
    let name = String(decoding: bytes[(start + 1)..<at], as: UTF8.self)
    return token(kind, from: start, text: name)
  }

  /// Names hold letters, digits, `_`, `-`, and dots followed by one of these: `..` separates the ends of a range.
  private mutating func skipName() {
    while at < bytes.count {
      let isDot = bytes[at] == UInt8(ascii: ".")
      guard isDot ? at + 1 < bytes.count && isNameByte(bytes[at + 1]) : isNameByte(bytes[at]) else { return }
      at += 1
    }
  }

  private mutating func number() -> Token {
    let start = at
    skipDigits()
    var isFloat = false
    if at + 1 < bytes.count, bytes[at] == UInt8(ascii: "."), isDigit(bytes[at + 1]) {
      isFloat = true
      at += 1
      skipDigits()
    }
    if let end = exponentEnd() {
      isFloat = true
      at = end
    }
    if !isFloat, at < bytes.count, isLetter(bytes[at]) {
      skipName()
      return token(.word, from: start)
    }
    return token(isFloat ? .float : .int, from: start)
  }

  /// Where an exponent that starts here ends, or nil where none starts.
  private func exponentEnd() -> Int? {
    guard at < bytes.count, bytes[at] == UInt8(ascii: "e") else { return nil }
    var end = at + 1
    if end < bytes.count, bytes[end] == UInt8(ascii: "-") || bytes[end] == UInt8(ascii: "+") { end += 1 }
    let digits = end
    while end < bytes.count && isDigit(bytes[end]) { end += 1 }
    return end > digits ? end : nil
  }

  private mutating func skipDigits() {
    while at < bytes.count && isDigit(bytes[at]) { at += 1 }
  }

  private mutating func quoted() throws(Diagnostic) -> Token {
    let start = at
    at += 1
    var text: [UInt8] = []
    while at < bytes.count && bytes[at] != UInt8(ascii: "\"") {
      guard bytes[at] != UInt8(ascii: "\n") else {
        throw failure("a string literal ends on the line on which it starts")
      }
      if bytes[at] == UInt8(ascii: "\\") {
        text += try escape()
      } else {
        text.append(bytes[at])
        at += 1
      }
    }
    guard at < bytes.count else { throw failure("a text without its closing quote") }
    at += 1
    return token(.string, from: start, text: String(decoding: text, as: UTF8.self))
  }

  private mutating func escape() throws(Diagnostic) -> [UInt8] {
    at += 1
    guard at < bytes.count else { throw failure("a text without its closing quote") }
    defer { at += 1 }
    switch bytes[at] {
    case UInt8(ascii: "n"): return [UInt8(ascii: "\n")]
    case UInt8(ascii: "t"): return [UInt8(ascii: "\t")]
    case UInt8(ascii: "r"): return [UInt8(ascii: "\r")]
    case UInt8(ascii: "\\"), UInt8(ascii: "\""): return [bytes[at]]
    case UInt8(ascii: "u"): return try numberedScalar()
    default: throw failure("unknown escape in a text; known are \\n \\t \\r \\\\ \\\" \\u{...}")
    }
  }

  /// The scalar of `u{1B}`, up to its closing brace.
  private mutating func numberedScalar() throws(Diagnostic) -> [UInt8] {
    guard at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "{"),
      let end = bytes[(at + 2)...].prefix(7).firstIndex(of: UInt8(ascii: "}")),
      let number = UInt32(String(decoding: bytes[(at + 2)..<end], as: UTF8.self), radix: 16),
      let scalar = Unicode.Scalar(number)
    else { throw failure("an escape of a scalar is written like \\u{1B}") }
    at = end
    return Array(String(scalar).utf8)
  }

  private mutating func sign() throws(Diagnostic) -> Token {
    let start = at
    for pair in ["..", "<<"] where at + 1 < bytes.count && Array(bytes[at...(at + 1)]) == Array(pair.utf8) {
      at += 2
      return token(.sign, from: start)
    }
    guard "[]{}(),:=<>+-*?".utf8.contains(bytes[at]) else { throw failure("unexpected character") }
    at += 1
    return token(.sign, from: start)
  }

  private func failure(_ message: String) -> Diagnostic {
    Diagnostic("text.character", message, at: Location(.text(TextPosition(line: line, column: column))))
  }
}

private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

private func isNameByte(_ byte: UInt8) -> Bool {
  isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "-")
}

private func isLetter(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
    return true
  default: return false
  }
}
