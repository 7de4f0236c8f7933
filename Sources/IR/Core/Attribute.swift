public import Mapping
public import Tensors

/// A constant that belongs to an operation: the value after a name in `[name: value, ...]`.
public indirect enum Attribute: Sendable {
  /// A whole number.
  case int(Int64)
  /// A binary32 number; its text always has a point, an exponent, or is `inf`, `-inf` or `nan`.
  case float(Float)
  /// A keyword such as `true`, `differential` or `u8`.
  case word(String)
  /// A quoted text.
  case string(String)
  /// A symbol, `@conv1`.
  case symbol(String)
  /// A resource, `#conv1.weights`.
  case resource(String)
  /// A list, `[1, 2]`.
  case list([Attribute])
  /// How operation units are formed, `fixed(16x16)`.
  case units(UnitForming)
  /// How windows walk over an image, `window(1x1x28x28, kernel 5x5, out 24x24)`.
  case window(Window)
  /// What drives the wordlines of a block, `rows(0..15, 20, 3<<1)`.
  case rows([RowEntry])
  /// What the bitlines of a block add to, `columns(0..7 x [+0, +2, -0, -2])`.
  case columns([ColumnEntry])
  /// How an index table is stored, `delta(2)` or `absolute(7 from 128)`.
  case index(IndexCoding)
}

extension Attribute: Equatable {
  /// Whether two attributes have the same text: NaN equals NaN, and 0 differs from -0.
  public static func == (a: Attribute, b: Attribute) -> Bool {
    switch (a, b) {
    case (.int(let a), .int(let b)): return a == b
    case (.float(let a), .float(let b)): return a.bitPattern == b.bitPattern || a.isNaN && b.isNaN
    case (.word(let a), .word(let b)), (.string(let a), .string(let b)), (.symbol(let a), .symbol(let b)),
      (.resource(let a), .resource(let b)):
      return a == b
    case (.list(let a), .list(let b)): return a == b
    case (.units(let a), .units(let b)): return a == b
    case (.window(let a), .window(let b)): return a == b
    case (.rows(let a), .rows(let b)): return a == b
    case (.columns(let a), .columns(let b)): return a == b
    case (.index(let a), .index(let b)): return a == b
    default: return false
    }
  }
}

extension Attribute {
  /// A list of whole numbers.
  public static func ints(_ values: [Int]) -> Attribute { .list(values.map { .int(Int64($0)) }) }

  /// A list of whole numbers.
  public static func ints(_ values: [Int64]) -> Attribute { .list(values.map { .int($0) }) }

  /// A list of floats.
  public static func floats(_ values: [Float]) -> Attribute { .list(values.map { .float($0) }) }

  /// `true` or `false`.
  public static func bool(_ value: Bool) -> Attribute { .word(value ? "true" : "false") }

  /// The type of an element as a keyword.
  public static func element(_ type: ElementType) -> Attribute { .word(type.description) }

  /// The number, if this is a whole number that fits an `Int`.
  public var asInt: Int? {
    if case .int(let value) = self { return Int(exactly: value) }
    return nil
  }

  /// The numbers, if this is a size such as `64x32`: both from 1 to 2^24.
  public var asSize: (rows: Int, columns: Int)? {
    guard case .word(let word) = self else { return nil }
    let parts = word.split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in part.utf8.first == UInt8(ascii: "+") ? nil : Int(part) }
    guard parts.count == 2, numbers.count == 2, numbers.allSatisfy({ 1...1 << 24 ~= $0 }) else { return nil }
    return (numbers[0], numbers[1])
  }

  /// The numbers, if this is a list of whole numbers.
  public var asInts: [Int64]? {
    guard case .list(let items) = self else { return nil }
    var values: [Int64] = []
    values.reserveCapacity(items.count)
    for item in items {
      guard case .int(let value) = item else { return nil }
      values.append(value)
    }
    return values
  }

  /// The numbers, if this is a list of floats.
  public var asFloats: [Float]? {
    guard case .list(let items) = self else { return nil }
    var values: [Float] = []
    values.reserveCapacity(items.count)
    for item in items {
      guard case .float(let value) = item else { return nil }
      values.append(value)
    }
    return values
  }
}

/// The kind of value that an attribute must have: what the tables of operations state and the verifier checks.
public enum AttributeKind: Hashable, Sendable {
  /// A whole number in a range.
  case int(ClosedRange<Int64>)
  /// A float.
  case float
  /// A quoted text.
  case string
  /// One of some keywords.
  case word([String])
  /// A whole number in a range, or one of some keywords.
  case intOrWord(ClosedRange<Int64>, [String])
  /// A size such as `64x32`, or one of some keywords.
  case sizeOrWord([String])
  /// The name of an element type.
  case element
  /// A list of whole numbers.
  case ints
  /// A list of floats.
  case floats
  /// A symbol.
  case symbol
  /// Numbers of a tensor: a nested list in place, or a resource.
  case tensor
  /// `rows(...)`.
  case rows
  /// `columns(...)`.
  case columns
  /// `fixed(HxW)`, `zero-skipping(HxW)` or `dynamic(HxW)`.
  case units
  /// `delta(...)` or `absolute(...)`.
  case index
  /// `window(...)`.
  case window

  /// How the kind is called in messages and tables.
  public var name: String {
    switch self {
    case .int(let range):
      if range.upperBound == Int64.max && range.lowerBound == Int64.min { return "int" }
      return range.upperBound == Int64.max
        ? "int >= \(range.lowerBound)"
        : "int \(range.lowerBound)...\(range.upperBound)"
    case .float: return "float"
    case .string: return "string"
    case .word(let choices): return choices.joined(separator: " or ")
    case .intOrWord(let range, let choices):
      return ([AttributeKind.int(range).name] + choices).joined(separator: " or ")
    case .sizeOrWord(let choices): return (["size"] + choices).joined(separator: " or ")
    case .element: return "element type"
    case .ints: return "ints"
    case .floats: return "floats"
    case .symbol: return "symbol"
    case .tensor: return "tensor"
    case .rows: return "rows"
    case .columns: return "columns"
    case .units: return "units"
    case .index: return "index"
    case .window: return "window"
    }
  }

  /// Whether `attribute` is of this kind.
  public func admits(_ attribute: Attribute) -> Bool {
    switch (self, attribute) {
    case (.int(let range), .int(let value)): return range.contains(value)
    case (.word(let choices), .word(let word)): return choices.contains(word)
    case (.intOrWord(let range, _), .int(let value)): return range.contains(value)
    case (.intOrWord(_, let choices), .word(let word)): return choices.contains(word)
    case (.sizeOrWord(let choices), .word(let word)):
      return choices.contains(word) || attribute.asSize != nil
    case (.element, .word(let word)): return ElementType(text: word) != nil
    case (.ints, _): return attribute.asInts != nil
    case (.floats, _): return attribute.asFloats != nil
    case (.rows, .rows(let rows)): return FieldKind.rows.admits(.rows(rows))
    case (.columns, .columns(let columns)): return FieldKind.columns.admits(.columns(columns))
    case (.units, .units(let units)): return FieldKind.units.admits(.units(units))
    case (.index, .index(let index)): return FieldKind.index.admits(.index(index))
    case (.window, .window(let window)): return window.isValid
    case (.tensor, .list), (.tensor, .resource), (.float, .float), (.string, .string), (.symbol, .symbol):
      return true
    default: return false
    }
  }
}

extension AttributeKind {
  /// The number of an axis.
  static var axis: AttributeKind { .int(0...Int64(TextLimits.rank) - 1) }
}

extension Attribute {
  /// The text, cut where it is long.
  var short: String {
    let text = description
    return text.count > 60 ? "\(text.prefix(57))..." : text
  }
}
