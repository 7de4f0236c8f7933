public import Tensors

/// An attribute in the table of operations.
public struct AttributeSpec: Hashable, Sendable {
  /// The name.
  public let name: String
  /// The kind of value.
  public let kind: AttributeKind
  /// Whether it must be there.
  public let isRequired: Bool

  init(_ name: String, _ kind: AttributeKind, required: Bool) {
    self.name = name
    self.kind = kind
    isRequired = required
  }

  /// The attribute of `key`, which must be there.
  public static func required<Value>(_ key: AttributeKey<Value>) -> AttributeSpec {
    AttributeSpec(key.name, key.kind, required: true)
  }

  /// The attribute of `key`, which may be left out.
  public static func optional<Value>(_ key: AttributeKey<Value>) -> AttributeSpec {
    AttributeSpec(key.name, key.kind, required: false)
  }
}

/// The operations by what rules and passes tell apart: digital operators by their code in a program, so that a new
/// function of one or two arguments is no new kind.
public enum OpKind: Hashable, Sendable {
  case input, output, constant
  case conv, gemm, batchNorm
  case digital(OperatorCode)
  case scan, carry, scanSlice, yield, scanOutput
  case window, mvm, col2im
  case layer, block
  case buffer, crossbar, load, drive, convert, accumulate, store, `repeat`
}

/// What an operation takes and gives: a row of the one table that printer, parser, verifier and document agree on.
public struct OpSpec: Hashable, Sendable {
  /// The operation.
  public let opcode: Opcode
  /// Its kind.
  public let kind: OpKind
  /// The levels at which it is valid.
  public let levels: Set<LevelName>
  /// How many operands it takes.
  public let operands: ClosedRange<Int>
  /// How many results it has.
  public let results: Int
  /// Its attributes in printing order.
  public let attributes: [AttributeSpec]
  /// Whether it defines a symbol.
  public let hasSymbol: Bool
  /// The operations that its body may hold; nil for operations without a body.
  public let body: Set<Opcode>?
  /// What it does, in a sentence.
  public let summary: String

  init(
    _ opcode: Opcode, _ kind: OpKind, _ levels: Set<LevelName>, operands: ClosedRange<Int>,
    results: Int = 1, _ attributes: [AttributeSpec], symbol: Bool = false, body: Set<Opcode>? = nil,
    _ summary: String
  ) {
    self.opcode = opcode
    self.kind = kind
    self.levels = levels
    self.operands = operands
    self.results = results
    self.attributes = attributes
    hasSymbol = symbol
    self.body = body
    self.summary = summary
  }

  /// The row of a digital operator, which follows from the catalog.
  init(_ entry: OperatorEntry) {
    let operands: ClosedRange<Int>
    switch entry.arguments {
    case .one: operands = 1...1
    case .two: operands = 2...2
    case .three: operands = 3...3
    case .oneOrMore: operands = OpSpec.many
    }
    let attributes = entry.parameters.map {
      AttributeSpec($0.name, AttributeKind($0.kind), required: true)
    }
    self.init(
      Opcode(entry), .digital(entry.code), Set(LevelName.allCases), operands: operands, attributes,
      entry.summary)
  }

  /// The numbers of operands of an operation that joins values.
  static let many = 1...4096
}

extension Opcode {
  /// The row of this operation.
  public var spec: OpSpec {
    guard let row = rows[self] else { preconditionFailure("the table has no row for \(rawValue)") }
    return operationTable[row]
  }

  /// The kind of this operation.
  public var kind: OpKind { spec.kind }
}

private let rows = Dictionary(
  operationTable.enumerated().map { ($1.opcode, $0) }, uniquingKeysWith: { first, _ in first })

extension AttributeKind {
  /// The kind of attribute for a parameter of a digital operator.
  fileprivate init(_ kind: OperatorParameter.Kind) {
    switch kind {
    case .float: self = .float
    case .integer: self = .int(Int64.min...Int64.max)
    case .axis: self = .axis
    case .flag: self = .word(["true", "false"])
    case .window: self = .window
    case .axes, .lengths, .moreLengths: self = .ints
    case .constants: self = .tensor
    }
  }
}
