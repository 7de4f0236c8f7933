public import Tensors

// The two forms of a digital operator, an operation of the IR and the value that computes it, by the catalog: the
// operation has the operator's name and an attribute for each of its parameters.

extension Opcode {
  /// The row of the catalog of digital operators; nil for other operations.
  public var digital: OperatorEntry? { digitalEntries[self] }

  /// The operation of a digital operator.
  public init(_ entry: OperatorEntry) {
    guard let opcode = Opcode(rawValue: entry.name) else {
      preconditionFailure("no operation is called \(entry.name)")
    }
    self = opcode
  }
}

private let digitalEntries = Dictionary(
  OperatorCatalog.entries.map { (Opcode($0), $0) }, uniquingKeysWith: { first, _ in first })

extension Module {
  /// The operator that `op` stands for; nil where `op` is no digital operation or an attribute does not fit.
  public func digitalOperator(of op: Op) -> DigitalOperator? {
    guard let entry = op.opcode.digital else { return nil }
    var values: [OperatorValue] = []
    for parameter in entry.parameters {
      guard let value = value(op[parameter.name], of: parameter.kind) else { return nil }
      values.append(value)
    }
    return entry.makeOperator(values)
  }

  /// The parameter that `op` does not give, or gives with something else than its kind; nil where all can be read.
  func unreadParameter(of op: Op) -> OperatorParameter? {
    op.opcode.digital?.parameters.first { value(op[$0.name], of: $0.kind) == nil }
  }

  /// The value that `attribute` gives a parameter: zeros where there is none, nil where a window or numbers are missing.
  private func value(_ attribute: Attribute?, of kind: OperatorParameter.Kind) -> OperatorValue? {
    switch kind {
    case .float:
      guard case .float(let number)? = attribute else { return .float(0) }
      return .float(number)
    case .integer: return .integer(Int64(attribute?.asInt ?? 0))
    case .axis: return .axis(attribute?.asInt ?? 0)
    case .flag: return .flag(attribute == .bool(true))
    case .window:
      guard case .window(let window)? = attribute else { return nil }
      return .window(window)
    case .axes, .lengths, .moreLengths: return .list(attribute?.asInts?.map { Int($0) } ?? [])
    case .constants: return integers(attribute).map { .constants($0) }
    }
  }

  /// The whole numbers of a one-dimensional tensor attribute.
  public func integers(_ attribute: Attribute?) -> [Int64]? {
    if case .resource(let name)? = attribute {
      guard let found = resource(name), !found.element.isFloat else { return nil }
      return found.tensor.integers
    }
    return attribute?.asInts
  }

  /// The opcode and attributes that stand for `digital`; large numbers become resources named after `name`.
  public mutating func encoding(of digital: DigitalOperator, name: String) -> (Opcode, [NamedAttribute]) {
    let entry = digital.entry
    var attributes: [NamedAttribute] = []
    for (parameter, value) in zip(entry.parameters, digital.values) {
      attributes.append(NamedAttribute(parameter.name, attribute(value, of: parameter.kind, name: name)))
    }
    return (Opcode(entry), attributes)
  }

  private mutating func attribute(
    _ value: OperatorValue, of kind: OperatorParameter.Kind, name: String
  ) -> Attribute {
    switch value {
    case .float(let number): return .float(number)
    case .integer(let number): return .int(number)
    case .axis(let axis): return .int(Int64(axis))
    case .flag(let flag): return .bool(flag)
    case .window(let window): return .window(window)
    case .list(let numbers): return .ints(numbers)
    case .constants(let values):
      guard case .constants(let suffix) = kind else { return .ints(values) }
      return integerConstant(values, "\(name).\(suffix)")
    }
  }

  /// An attribute for a list of 64-bit integers.
  public mutating func integerConstant(_ values: [Int64], _ name: String) -> Attribute {
    constant(Tensor([values.count], values), element: .accumulator, name: name)
  }
}
