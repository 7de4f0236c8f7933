public import Tensors

/// The value of a field of a layer or a block, as text and binary write it.
public enum FieldValue: Equatable, Sendable {
  /// A whole number.
  case int(Int64)
  /// A keyword.
  case word(String)
  /// True or false.
  case flag(Bool)
  /// A type of elements.
  case element(ElementType)
  /// Whole numbers.
  case ints([Int64])
  /// What drives wordlines.
  case rows([RowEntry])
  /// What bitlines add to.
  case columns([ColumnEntry])
  /// How an index table is stored.
  case index(IndexCoding)
  /// How operation units are formed.
  case units(UnitForming)
}

extension FieldValue {
  /// What is wrong with a layer or a block that has this value, where it may not.
  fileprivate var fault: LayerFault {
    switch self {
    case .int, .word, .flag, .element: return .layer
    case .ints: return .blockBounds
    case .rows: return .row
    case .columns: return .column
    case .index: return .indexTable
    case .units: return .unit
    }
  }

  /// The value in a message.
  fileprivate var text: String {
    switch self {
    case .int(let number): return "\(number)"
    case .word(let word): return word
    case .flag(let flag): return "\(flag)"
    case .element(let element): return element.description
    case .ints(let numbers):
      return numbers.count > 4 ? "[\(numbers[0]), \(numbers[1]), ...]" : "\(numbers)"
    case .rows(let rows): return "\(rows.count) wordlines"
    case .columns(let columns): return "\(columns.count) bitlines"
    case .index(let index): return index.description
    case .units(let units): return units.description
    }
  }
}

/// The values that a field may take.
public enum FieldKind: Hashable, Sendable {
  /// A whole number in a range.
  case int(ClosedRange<Int64>)
  /// One of some keywords; their places in the list are their codes in the binary.
  case word([String])
  /// True or false.
  case flag
  /// The type of inputs that a layer can take.
  case inputs
  /// Whole numbers in a range, as many as `counts` allows.
  case ints(counts: ClosedRange<Int>, ClosedRange<Int64>)
  /// What drives wordlines.
  case rows
  /// What bitlines add to.
  case columns
  /// How an index table is stored.
  case index
  /// How operation units are formed.
  case units
  /// Numbers of a tensor, which the IR keeps as constants; no value of `FieldValue`.
  case tensor

  /// Whether `value` is one of them.
  public func admits(_ value: FieldValue) -> Bool {
    switch (self, value) {
    case (.int(let range), .int(let number)): return range.contains(number)
    case (.word(let choices), .word(let word)): return choices.contains(word)
    case (.inputs, .element(let element)): return InputCoding(element) != nil
    case (.ints(let counts, let range), .ints(let numbers)):
      return counts.contains(numbers.count) && numbers.allSatisfy { range.contains($0) }
    case (.rows, .rows(let rows)):
      return rows.allSatisfy { 0..<LayerLimits.side ~= $0.input && 0...LayerLimits.rowShift ~= $0.shift }
    case (.columns, .columns(let columns)):
      return columns.count <= LayerLimits.columnLayout
        && columns.allSatisfy {
          0..<LayerLimits.side ~= $0.output && 0...LayerLimits.columnShift ~= $0.shift
        }
    case (.index, .index(let index)):
      return LayerLimits.indexBits ~= index.bits && 0..<LayerLimits.indexFirst ~= index.first
    case (.units, .units(let units)):
      return 1...LayerLimits.unitSide ~= units.height && 1...LayerLimits.unitSide ~= units.width
    case (.flag, .flag): return true
    case (.int, _), (.word, _), (.flag, _), (.inputs, _), (.ints, _), (.rows, _), (.columns, _), (.index, _),
      (.units, _), (.tensor, _):
      return false
    }
  }

  /// The values in words, for messages and tables.
  public var name: String {
    switch self {
    case .int(let range): return "int \(power(range.lowerBound))...\(power(range.upperBound))"
    case .word(let choices): return choices.joined(separator: " or ")
    case .flag: return "true or false"
    case .inputs: return "u1 to u\(LayerLimits.inputBits), or i2 to i\(LayerLimits.inputBits)"
    case .ints(let counts, let range):
      let count =
        counts.count == 1
        ? "\(counts.lowerBound)" : "\(counts.lowerBound)...\(power(Int64(counts.upperBound)))"
      return "\(count) ints \(power(range.lowerBound))...\(power(range.upperBound))"
    case .rows:
      return "wordlines of inputs below \(power(Int64(LayerLimits.side))), shifts 0...\(LayerLimits.rowShift)"
    case .columns:
      return
        "bitlines of outputs below \(power(Int64(LayerLimits.side))), shifts 0...\(LayerLimits.columnShift)"
    case .index:
      let (bits, first) = (LayerLimits.indexBits, power(Int64(LayerLimits.indexFirst)))
      return "index fields of \(bits.lowerBound) to \(bits.upperBound) bits, from below \(first)"
    case .units: return "units 1x1 to \(LayerLimits.unitSide)x\(LayerLimits.unitSide)"
    case .tensor: return "tensor"
    }
  }
}

/// A number in words, large powers of two as such.
private func power(_ number: Int64) -> String {
  if number < 0 { return number == .min ? "-2^63" : "-\(power(-number))" }
  guard number >= 1 << 16 else { return "\(number)" }
  if number & (number - 1) == 0 { return "2^\(number.trailingZeroBitCount)" }
  return number & (number &+ 1) == 0 ? "2^\((number &+ 1).trailingZeroBitCount) - 1" : "\(number)"
}

/// Where the binary keeps a field.
public enum FieldStorage: Hashable, Sendable {
  /// In the record that every layer, or block, has.
  case record
  /// After the record, under a number of its own, where it differs from what is left out.
  case tagged(UInt16)
  /// In the section `PLAN`, which is written after the layers.
  case plan
  /// Nowhere: only modules have it.
  case module
}

/// A field of a layer or a block, declared once: its name, values, meaning and place. Text, binary, the verifier's
/// ranges and the tables of ir-spec.md, *Fields of layers* and *Fields of blocks*, follow from it.
public struct LayerField<Owner: Sendable>: Sendable {
  /// The name: that of the attribute in a text.
  public let name: String
  /// The values that it may take.
  public let kind: FieldKind
  /// Where the binary keeps it.
  public let storage: FieldStorage
  /// The version of the binary that it came with.
  public let since: Int
  /// Whether a text must have it.
  public let isRequired: Bool
  /// What it means, with its unit.
  public let summary: String
  /// The value in a layer or block; nil where it is left out.
  public let get: @Sendable (Owner) -> FieldValue?
  /// Stores a value of the field's kind.
  public let set: @Sendable (inout Owner, FieldValue) -> Void

  init(
    _ name: String, _ kind: FieldKind, _ storage: FieldStorage, since: Int = 1, required: Bool = false,
    _ summary: String, get: @escaping @Sendable (Owner) -> FieldValue?,
    set: @escaping @Sendable (inout Owner, FieldValue) -> Void
  ) {
    self.name = name
    self.kind = kind
    self.storage = storage
    self.since = since
    isRequired = required
    self.summary = summary
    self.get = get
    self.set = set
  }

  /// What is wrong with `value` for this field; nil where it may be taken.
  public func problem(of value: FieldValue) -> LayerProblem? {
    kind.admits(value) ? nil : LayerProblem(value.fault, "\(value.text), expected \(kind.name)", field: name)
  }

  /// A whole number.
  static func int(
    _ name: String, _ range: ClosedRange<Int>, _ storage: FieldStorage, since: Int = 1,
    required: Bool = false, _ summary: String, get: @escaping @Sendable (Owner) -> Int?,
    set: @escaping @Sendable (inout Owner, Int) -> Void
  ) -> LayerField {
    LayerField(
      name, .int(Int64(range.lowerBound)...Int64(range.upperBound)), storage, since: since,
      required: required, summary
    ) {
      get($0).map { .int(Int64($0)) }
    } set: { owner, value in
      if case .int(let number) = value { set(&owner, Int(number)) }
    }
  }
}
