/// A JSON value (RFC 8259). Objects keep the order of their members; whole numbers are exact.
public enum JSON: Equatable, Sendable {
  /// A member of an object.
  public struct Member: Equatable, Sendable {
    /// The name; unique within its object.
    public let key: String
    /// The value.
    public let value: JSON

    /// Creates a member.
    public init(_ key: String, _ value: JSON) {
      self.key = key
      self.value = value
    }
  }

  case null
  case bool(Bool)
  case integer(Int)
  /// A whole number beyond those of `integer`; see `whole`.
  case unsigned(UInt64)
  case double(Double)
  case string(String)
  case array([JSON])
  case object([Member])

  /// A whole number without a sign.
  public static func whole(_ number: UInt64) -> JSON {
    Int(exactly: number).map { .integer($0) } ?? .unsigned(number)
  }

  /// The value of member `key`, or nil where this is no object or has no such member.
  public subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The members, or nil where this is no object.
  public var members: [Member]? {
    if case .object(let members) = self { return members }
    return nil
  }

  /// The elements, or nil where this is no array.
  public var elements: [JSON]? {
    if case .array(let elements) = self { return elements }
    return nil
  }

  /// The text, or nil where this is no string.
  public var text: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  /// The whole number, or nil where this is none.
  public var integer: Int? {
    if case .integer(let value) = self { return value }
    return nil
  }

  /// The number, whole or not, or nil where this is none.
  public var number: Double? {
    switch self {
    case .integer(let value): return Double(value)
    case .unsigned(let value): return Double(value)
    case .double(let value): return value
    case .null, .bool, .string, .array, .object: return nil
    }
  }

  /// The truth value, or nil where this is none.
  public var boolean: Bool? {
    if case .bool(let value) = self { return value }
    return nil
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// A string.
  public init(stringLiteral value: String) { self = .string(value) }

  /// A whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }

  /// A number.
  public init(floatLiteral value: Double) { self = .double(value) }

  /// A truth value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }

  /// An array.
  public init(arrayLiteral elements: JSON...) { self = .array(elements) }

  /// An object whose members keep the written order.
  public init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}
