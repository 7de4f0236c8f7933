public import Tensors

// The Swift types that attributes are read as.

extension Int: OptionalAttributeValue, AttributeElement {
  /// What an absent attribute is read as.
  public static var absent: Int { 0 }
  /// The whole number of `attribute`.
  public static func value(of attribute: Attribute, _ kind: AttributeKind) -> Int? { attribute.asInt }
  /// The attribute that holds this.
  public func attribute(_ kind: AttributeKind) -> Attribute { .int(Int64(self)) }
  /// The whole numbers of `attribute`.
  public static func elements(of attribute: Attribute) -> [Int]? { attribute.asInts?.map { Int($0) } }
  /// The attribute that holds `elements`.
  public static func attribute(_ elements: [Int]) -> Attribute { .ints(elements) }
}

extension Int64: OptionalAttributeValue {
  /// What an absent attribute is read as.
  public static var absent: Int64 { 0 }
  /// The whole number of `attribute`.
  public static func value(of attribute: Attribute, _ kind: AttributeKind) -> Int64? {
    if case .int(let value) = attribute { return value }
    return nil
  }
  /// The attribute that holds this.
  public func attribute(_ kind: AttributeKind) -> Attribute { .int(self) }
}

extension Float: OptionalAttributeValue, AttributeElement {
  /// What an absent attribute is read as.
  public static var absent: Float { 0 }
  /// The float of `attribute`.
  public static func value(of attribute: Attribute, _ kind: AttributeKind) -> Float? {
    if case .float(let value) = attribute { return value }
    return nil
  }
  /// The attribute that holds this.
  public func attribute(_ kind: AttributeKind) -> Attribute { .float(self) }
  /// The floats of `attribute`.
  public static func elements(of attribute: Attribute) -> [Float]? { attribute.asFloats }
  /// The attribute that holds `elements`.
  public static func attribute(_ elements: [Float]) -> Attribute { .floats(elements) }
}

extension Bool: OptionalAttributeValue {
  /// What an absent attribute is read as.
  public static var absent: Bool { false }
  /// The truth value of `attribute`.
  public static func value(of attribute: Attribute, _ kind: AttributeKind) -> Bool? {
    if case .word(let word) = attribute { return word == "true" }
    return nil
  }
  /// The attribute that holds this.
  public func attribute(_ kind: AttributeKind) -> Attribute { .bool(self) }
}

extension String: OptionalAttributeValue {
  /// What an absent attribute is read as.
  public static var absent: String { "" }
  /// A quoted text, a symbol, or a keyword, as `kind` says.
  public static func value(of attribute: Attribute, _ kind: AttributeKind) -> String? {
    switch (attribute, kind) {
    case (.string(let text), .string), (.symbol(let text), .symbol): return text
    case (.word(let text), .word), (.word(let text), .element): return text
    default: return nil
    }
  }
  /// The attribute that holds this.
  public func attribute(_ kind: AttributeKind) -> Attribute {
    kind == .string ? .string(self) : kind == .symbol ? .symbol(self) : .word(self)
  }
}

extension Window: AttributeValue {
  /// The geometry of `attribute`.
  public static func value(of attribute: Attribute, _ kind: AttributeKind) -> Window? {
    if case .window(let window) = attribute { return window }
    return nil
  }
  /// The attribute that holds this.
  public func attribute(_ kind: AttributeKind) -> Attribute { .window(self) }
}

/// Numbers of a tensor, or any other attribute as it is.
extension Attribute: OptionalAttributeValue {
  /// What an absent attribute is read as.
  public static var absent: Attribute { .list([]) }
  /// The attribute itself.
  public static func value(of attribute: Attribute, _ kind: AttributeKind) -> Attribute? { attribute }
  /// The attribute that holds this.
  public func attribute(_ kind: AttributeKind) -> Attribute { self }
}

/// What lists are made of that attributes are read as.
public protocol AttributeElement: Sendable {
  /// The elements of `attribute`; nil where it is no list of them.
  static func elements(of attribute: Attribute) -> [Self]?
  /// The attribute that holds `elements`.
  static func attribute(_ elements: [Self]) -> Attribute
}

extension Array: AttributeValue, OptionalAttributeValue where Element: AttributeElement {
  /// What an absent attribute is read as.
  public static var absent: [Element] { [] }
  /// The list of `attribute`.
  public static func value(of attribute: Attribute, _ kind: AttributeKind) -> [Element]? {
    Element.elements(of: attribute)
  }
  /// The attribute that holds this.
  public func attribute(_ kind: AttributeKind) -> Attribute { Element.attribute(self) }
}
