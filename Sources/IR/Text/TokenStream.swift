import Support

/// Tokens with one token of lookahead and the checks that parsers share.
struct TokenStream {
  private var lexer: Lexer
  /// The next token.
  private(set) var current: Token
  /// How many entries row and column maps may still have: a short text cannot ask for much memory.
  private var entriesLeft: Int

  init(_ text: String) throws(Diagnostic) {
    lexer = Lexer(text)
    entriesLeft = TextLimits.mapEntries(of: text)
    current = try lexer.next()
  }

  /// Consumes and returns the next token.
  mutating func take() throws(Diagnostic) -> Token {
    let token = current
    current = try lexer.next()
    return token
  }

  /// Whether the next token is the given sign.
  func isSign(_ text: String) -> Bool { current.kind == .sign && current.text == text }

  /// Whether the next token is the given word.
  func isWord(_ text: String) -> Bool { current.kind == .word && current.text == text }

  /// Consumes the given sign if it comes next.
  mutating func skip(_ sign: String) throws(Diagnostic) -> Bool {
    guard isSign(sign) else { return false }
    _ = try take()
    return true
  }

  /// Consumes the given sign or fails.
  mutating func expect(_ sign: String) throws(Diagnostic) {
    guard try skip(sign) else { throw unexpected("'\(sign)'") }
  }

  /// Consumes the given word or fails.
  mutating func expectWord(_ word: String) throws(Diagnostic) {
    guard isWord(word) else { throw unexpected("'\(word)'") }
    _ = try take()
  }

  /// Consumes a token of the given kind or fails, saying that `what` was expected.
  mutating func take(_ kind: TokenKind, _ what: String) throws(Diagnostic) -> Token {
    guard current.kind == kind else { throw unexpected(what) }
    return try take()
  }

  /// Consumes a whole number that may have a minus sign.
  mutating func takeInt() throws(Diagnostic) -> Int64 {
    let negative = try skip("-")
    let token = try take(.int, "a whole number")
    guard let value = Int64((negative ? "-" : "") + token.text) else {
      throw Diagnostic("text.number", "number does not fit 64 bits", at: Location(.text(token.position)))
    }
    return value
  }

  /// Consumes a whole number from 0 to `limit`.
  mutating func takeCount(limit: Int) throws(Diagnostic) -> Int {
    let token = try take(.int, "a whole number")
    guard let value = Int(token.text), value <= limit else {
      throw Diagnostic("text.number", "number above the limit \(limit)", at: Location(.text(token.position)))
    }
    return value
  }

  /// Counts `count` entries of a row or column map.
  mutating func takeEntries(_ count: Int) throws(Diagnostic) {
    guard count <= entriesLeft else {
      throw Diagnostic(
        "text.map", "maps have more entries than a text of this length may have",
        at: Location(.text(current.position)))
    }
    entriesLeft -= count
  }

  /// The error that something else than `expected` was found.
  func unexpected(_ expected: String) -> Diagnostic {
    let found = current.kind == .end ? "the end of the text" : "'\(current.text)'"
    return Diagnostic(
      "text.syntax", "expected \(expected), found \(found)", at: Location(.text(current.position)))
  }
}
