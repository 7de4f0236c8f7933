public import Support

/// What is wrong with a JSON text, and where.
public struct JSONError: Error, Hashable, Sendable {
  /// What was found.
  public let message: String
  /// Where it was found.
  public let position: TextPosition
}

/// A value of a JSON text with its place.
public struct JSONNode: Hashable, Sendable {
  /// A member of an object.
  public struct Member: Hashable, Sendable {
    /// The key.
    public let key: String
    /// The position of the key.
    public let position: TextPosition
    /// The value.
    public let node: JSONNode
  }

  /// The kinds of values. Objects keep the order of the text; a key occurs once.
  public enum Value: Hashable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSONNode])
    case object([Member])
  }

  /// The value.
  public let value: Value
  /// Where it starts.
  public let position: TextPosition

  /// Parses a text as RFC 8259 defines it, in UTF-8.
  ///
  /// Keys that occur twice, numbers beyond binary64, lone surrogates and nesting deeper than 64 are refused as well.
  public init(parsing bytes: [UInt8]) throws(JSONError) {
    var parser = JSONParser(bytes)
    self = try parser.document()
  }

  fileprivate init(_ value: Value, _ position: TextPosition) {
    self.value = value
    self.position = position
  }

  /// What the value is, for messages.
  public var kind: String {
    switch value {
    case .null: return "null"
    case .boolean: return "a truth value"
    case .number: return "a number"
    case .string: return "a text"
    case .array: return "a list"
    case .object: return "an object"
    }
  }
}

private struct JSONParser {
  private static let maximumDepth = 64
  private let bytes: [UInt8]
  private var at = 0
  private var line = 1
  private var lineStart = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONError) -> JSONNode {
    let node = try value(depth: 0)
    skipSpace()
    guard at == bytes.count else { throw failure("text follows the value") }
    return node
  }

  private var position: TextPosition { TextPosition(line: line, column: at - lineStart + 1) }

  private func failure(_ message: String) -> JSONError { JSONError(message: message, position: position) }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      at += 1
      if byte == 0x0A {
        line += 1
        lineStart = at
      }
    }
  }

  /// Reads `character` and the space before it, if it is next.
  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard let byte = next, UInt32(byte) == character.value else { return false }
    at += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONNode {
    skipSpace()
    guard depth <= Self.maximumDepth else { throw failure("nested deeper than \(Self.maximumDepth)") }
    let start = position
    switch next {
    case 0x7B: return JSONNode(.object(try members(depth: depth)), start)
    case 0x5B: return JSONNode(.array(try elements(depth: depth)), start)
    case 0x22: return JSONNode(.string(try string()), start)
    case .some(0x2D), .some(0x30...0x39): return JSONNode(.number(try number()), start)
    default: return JSONNode(try word(), start)
    }
  }

  private mutating func word() throws(JSONError) -> JSONNode.Value {
    let words: [(String, JSONNode.Value)] = [
      ("true", .boolean(true)), ("false", .boolean(false)), ("null", .null),
    ]
    for (text, value) in words where bytes[at...].starts(with: text.utf8) {
      at += text.utf8.count
      return value
    }
    throw failure("a value expected")
  }

  private mutating func members(depth: Int) throws(JSONError) -> [JSONNode.Member] {
    var members: [JSONNode.Member] = []
    var keys = Set<String>()
    _ = skip("{")
    if skip("}") { return members }
    repeat {
      skipSpace()
      let start = position
      let key = try string()
      guard keys.insert(key).inserted else {
        throw JSONError(message: "the key '\(key)' occurs twice", position: start)
      }
      guard skip(":") else { throw failure("':' expected") }
      members.append(JSONNode.Member(key: key, position: start, node: try value(depth: depth + 1)))
    } while skip(",")
    guard skip("}") else { throw failure("',' or '}' expected") }
    return members
  }

  private mutating func elements(depth: Int) throws(JSONError) -> [JSONNode] {
    var elements: [JSONNode] = []
    _ = skip("[")
    if skip("]") { return elements }
    repeat { elements.append(try value(depth: depth + 1)) } while skip(",")
    guard skip("]") else { throw failure("',' or ']' expected") }
    return elements
  }

  private mutating func number() throws(JSONError) -> Double {
    let start = at
    if next == 0x2D { at += 1 }
    if next == 0x30 { at += 1 } else { try digits() }
    if next == 0x2E {
      at += 1
      try digits()
    }
    if next == 0x65 || next == 0x45 {
      at += 1
      if next == 0x2B || next == 0x2D { at += 1 }
      try digits()
    }
    guard let value = Double(String(decoding: bytes[start..<at], as: UTF8.self)), value.isFinite else {
      throw failure("the number is too large")
    }
    return value
  }

  private mutating func digits() throws(JSONError) {
    let start = at
    while let byte = next, (0x30...0x39).contains(byte) { at += 1 }
    guard at > start else { throw failure("a digit expected") }
  }

  private mutating func string() throws(JSONError) -> String {
    guard next == 0x22 else { throw failure("a text in quotes expected") }
    at += 1
    var text: [UInt8] = []
    while let byte = next, byte != 0x22 {
      guard byte >= 0x20 else { throw failure("a control character in a text") }
      if byte == 0x5C {
        try text.append(contentsOf: String(escape()).utf8)
      } else {
        text.append(byte)
        at += 1
      }
    }
    guard next == 0x22 else { throw failure("a text has no end") }
    guard let result = String(validating: text, as: UTF8.self) else { throw failure("a text is not UTF-8") }
    at += 1
    return result
  }

  private mutating func escape() throws(JSONError) -> Unicode.Scalar {
    let simple: [UInt8: Unicode.Scalar] = [
      0x22: "\"", 0x5C: "\\", 0x2F: "/", 0x62: "\u{8}", 0x66: "\u{C}", 0x6E: "\n", 0x72: "\r", 0x74: "\t",
    ]
    at += 1
    guard let byte = next else { throw failure("a text has no end") }
    at += 1
    if let scalar = simple[byte] { return scalar }
    guard byte == 0x75 else { throw failure("an unknown escape") }
    let unit = try hexadecimal()
    if let scalar = Unicode.Scalar(unit) { return scalar }
    // A high surrogate must be followed by a low one.
    if unit < 0xDC00, bytes[at...].starts(with: [0x5C, 0x75]) {
      at += 2
      let low = try hexadecimal()
      if (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + low - 0xDC00)
      {
        return scalar
      }
    }
    throw failure("half a surrogate pair")
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = hexadecimalDigit(byte) else {
        throw failure("four hexadecimal digits expected")
      }
      value = value << 4 | digit
      at += 1
    }
    return value
  }
}

private func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
  if (0x30...0x39).contains(byte) { return UInt32(byte) - 0x30 }
  let lower = byte | 0x20
  return (0x61...0x66).contains(lower) ? UInt32(lower) - 0x57 : nil
}
