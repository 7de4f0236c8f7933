public import Support
public import Tensors

/// Builds a module operation by operation, with unique names.
public struct Builder<L: Level>: Sendable {
  /// What was built so far.
  public var module: Module<L>
  private var taken: Set<String> = []
  /// The last number that was appended to each name, so that many values of one name take no longer than others.
  private var numbers: [String: Int] = [:]
  /// The body of the scan that is being built.
  private var inner: [OpID]?
  private var loop: Op?

  /// Starts from a module without operations.
  public init(_ module: Module<L>) { self.module = module }

  /// A new value whose name starts with `name`.
  public mutating func value(_ name: String, _ type: ValueType) -> ValueID {
    let base = sanitize(name)
    var unique = base
    if taken.contains(base) {
      var number = numbers[base] ?? 1
      repeat {
        number += 1
        unique = "\(base).\(number)"
      } while taken.contains(unique)
      numbers[base] = number
    }
    taken.insert(unique)
    return module.values.add(Value(name: unique, type: type))
  }

  /// Appends an operation with one result.
  public mutating func emit(
    _ opcode: Opcode, _ operands: [ValueID], _ attributes: [NamedAttribute] = [], type: ValueType,
    name: String,
    origin: NodeOrigin?
  ) -> ValueID {
    let result = value(name, type)
    append(Op(opcode, operands: operands, results: [result], attributes: attributes, origin: origin))
    return result
  }

  /// Appends an operation: to the open scan, or to the body.
  @discardableResult public mutating func append(_ op: Op) -> OpID {
    guard inner != nil else { return module.append(op) }
    let id = module.add(op)
    inner?.append(id)
    return id
  }

  // MARK: Scans

  /// Whether a scan is open.
  public var isInScan: Bool { inner != nil }

  /// Starts a scan of `count` iterations; what is appended until `closeScan` is its body, constants apart. Scans do not
  /// nest.
  public mutating func openScan(count: Int, origin: NodeOrigin?) {
    loop = Op(.scan, attributes: [NamedAttribute(.rounds, count)], origin: origin)
    inner = []
  }

  /// Ends the open scan and appends it to the body.
  public mutating func closeScan() {
    guard var op = loop, let body = inner else { return }
    op.body = body
    (loop, inner) = (nil, nil)
    module.append(op)
  }

  /// Leaves the open scan, so that operations are appended before it, until `enterScan` gets the body back.
  public mutating func leaveScan() -> [OpID]? {
    defer { inner = nil }
    return inner
  }

  /// Reenters the scan that `leaveScan` left.
  public mutating func enterScan(_ body: [OpID]?) { inner = body }

  /// The operation appended last in the open scan, or in the body.
  public var last: OpID? { (inner ?? module.body).last }

  /// Appends a digital operation.
  public mutating func emit(
    _ digital: DigitalOperator, _ operands: [ValueID], type: ValueType, name: String, origin: NodeOrigin?
  ) -> ValueID {
    let (opcode, attributes) = module.encoding(of: digital, name: name)
    return emit(opcode, operands, attributes, type: type, name: name, origin: origin)
  }

  /// Appends a constant, before the scan where one is open.
  public mutating func constant(
    _ tensor: Tensor, element: ElementType, name: String, quantization: Quantization? = nil,
    origin: NodeOrigin? = nil
  ) -> ValueID {
    let attribute = module.constant(tensor, element: element, name: name)
    let result = value(name, ValueType(element, tensor.shape, quantization))
    module.append(
      Op(.constant, results: [result], attributes: [NamedAttribute(.value, attribute)], origin: origin))
    return result
  }

  /// The type of a value.
  public func type(_ id: ValueID) -> ValueType { module.values[id].type }
}
