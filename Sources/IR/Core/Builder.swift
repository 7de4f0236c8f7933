public import Support
public import Tensors

/// Builds a module operation by operation, with unique names.
public struct Builder<L: Level>: Sendable {
  /// What was built so far.
  public var module: Module<L>
  private var taken: Set<String> = []
  /// The last number that was tried behind each name, so that many values of one name take no longer than others.
  private var numbers: [String: Int] = [:]

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
    module.append(
      Op(opcode, operands: operands, results: [result], attributes: attributes, origin: origin))
    return result
  }

  /// Appends a digital operation.
  public mutating func emit(
    _ digital: DigitalOperator, _ operands: [ValueID], type: ValueType, name: String, origin: NodeOrigin?
  ) -> ValueID {
    let (opcode, attributes) = module.spelling(of: digital, name: name)
    return emit(opcode, operands, attributes, type: type, name: name, origin: origin)
  }

  /// Appends a constant.
  public mutating func constant(
    _ tensor: Tensor, element: ElementType, name: String, quantization: Quantization? = nil,
    origin: NodeOrigin? = nil
  ) -> ValueID {
    let attribute = module.constant(tensor, element: element, name: name)
    return emit(
      .constant, [], [NamedAttribute("value", attribute)],
      type: ValueType(element, tensor.shape, quantization), name: name, origin: origin)
  }

  /// The type of a value.
  public func type(_ id: ValueID) -> ValueType { module.values[id].type }
}
