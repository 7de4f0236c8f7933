public import Tensors

/// An attribute that operations can have: its name in the text, its kind, and the Swift type of its value.
///
/// `op[.axis]` reads and writes an attribute by its key, so that a misspelt name does not compile. The table of
/// operations names the same keys.
public struct AttributeKey<Value: AttributeValue>: Sendable {
  /// The name in the text.
  public let name: String
  /// The kind of value.
  public let kind: AttributeKind
  /// What `op[key]` gives where the attribute is absent; nil takes `absent` of the type.
  let fallback: Value?

  init(_ name: String, _ kind: AttributeKind, fallback: Value? = nil) {
    self.name = name
    self.kind = kind
    self.fallback = fallback
  }
}

/// A Swift type that attributes are read as.
public protocol AttributeValue: Sendable {
  /// The value of `attribute`, which is of kind `kind`; nil where it is of another kind.
  static func value(of attribute: Attribute, _ kind: AttributeKind) -> Self?
  /// The attribute of kind `kind` that holds the value.
  func attribute(_ kind: AttributeKind) -> Attribute
}

/// A Swift type with a value for attributes that are absent.
public protocol OptionalAttributeValue: AttributeValue {
  /// 0, false, or empty.
  static var absent: Self { get }
}

extension Op {
  /// The attribute of `key`, or what it is where it is absent; setting replaces it, or adds it at the end.
  public subscript<Value: OptionalAttributeValue>(key: AttributeKey<Value>) -> Value {
    get { find(key) ?? key.fallback ?? Value.absent }
    set { self[key.name] = newValue.attribute(key.kind) }
  }

  /// The attribute of `key`; nil where it is absent.
  public func find<Value>(_ key: AttributeKey<Value>) -> Value? {
    self[key.name].flatMap { Value.value(of: $0, key.kind) }
  }

  /// Removes the attribute of `key`.
  public mutating func remove<Value>(_ key: AttributeKey<Value>) { self[key.name] = nil }

  /// The geometry of a window or a pool.
  public var window: Window? { find(.window) }
}

extension NamedAttribute {
  /// The attribute of `key` with the value `value`.
  public init<Value>(_ key: AttributeKey<Value>, _ value: Value) {
    self.init(key.name, value.attribute(key.kind))
  }
}

extension [NamedAttribute] {
  /// The attributes without that of `key`.
  public func without<Value>(_ key: AttributeKey<Value>) -> [NamedAttribute] {
    filter { $0.name != key.name }
  }
}
