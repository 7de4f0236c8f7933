import IR
import ONNX
import Support
import Tensors

/// What a name of the ONNX graph stands for.
enum Entry {
  /// A value of the module.
  case value(ValueID)
  /// Numbers of the file that are not in the module yet.
  case initializer(ONNXTensor)
  /// Integers or truth values that are computed, as floats of the module.
  case whole(ValueID)
  /// Integers known at import, such as the shapes that Reshape takes.
  case integers(values: [Int64], shape: [Int])
  /// Constant weights with a scale for each block.
  case blocks(BlockedWeights)
  /// What comes of DynamicQuantizeLinear.
  case dynamic(DynamicEntry)
  /// The result of a node that could not be imported; what follows from it is not reported again.
  case failed
}

/// The state of an import: the module so far and what each name stands for.
struct ImportContext {
  var builder: Builder<TensorLevel>
  /// The version of the standard operators where the import is: the model's, or that of the function being inlined.
  var opset: Int
  let file: String
  /// What each name stands for.
  var names = NameTable()
  /// Names that a node takes or that the graph gives.
  var used: Set<String> = []
  /// Values that depend on no input of the graph.
  private var constants: Set<ValueID> = []
  /// Small ones of these with their numbers, as far as they are computed by digital operators.
  private var numbers: [ValueID: Tensor] = [:]
  /// What the values so far take.
  var work = ImportedWork()
  /// How many numbers are small.
  static let small = 1 << 16

  init(name: String, opset: Int, file: String) {
    builder = Builder(Module(name: sanitize(name)))
    self.opset = opset
    self.file = file
  }

  // MARK: Names

  /// What `name` stands for, or nil.
  func entry(_ name: String) -> Entry? { names[name] }

  /// Makes `name` stand for a constant of the module.
  mutating func bindConstant(_ name: String, _ id: ValueID) {
    names[name] = .value(id)
    constants.insert(id)
  }

  /// Makes `name` stand for `entry`.
  mutating func bind(_ name: String, _ entry: Entry) {
    if case .integers(let values, _) = entry { work.add(values.count, 8) }
    if !name.isEmpty { names[name] = entry }
  }

  /// Makes output 0 of `node` stand for integers known at import.
  mutating func bind(_ node: ONNXNode, integers tensor: Tensor) {
    bind(node.outputs.first ?? "", .integers(values: tensor.integers, shape: tensor.shape))
  }

  /// Whether an input of `node` comes from a node that failed.
  func dependsOnFailure(_ node: ONNXNode) -> Bool {
    node.inputs.contains { if case .failed? = names[$0] { true } else { false } }
  }

  /// Whether input `index` of `node` is there.
  func hasInput(_ node: ONNXNode, _ index: Int) -> Bool {
    index < node.inputs.count && !node.inputs[index].isEmpty
  }

  // MARK: Errors

  /// An error about `node` with what would help.
  func failure(_ id: String, _ message: String, _ node: ONNXNode, help: String) -> Diagnostic {
    Diagnostic("import.\(id)", message, at: Location(file: file, .node(node.origin)), notes: [help])
  }

  // MARK: Results of nodes

  /// Appends an operation whose result is output 0 of `node`; its type is computed.
  mutating func emit(
    _ opcode: Opcode, _ operands: [ValueID], _ attributes: [NamedAttribute] = [], for node: ONNXNode
  ) throws(Diagnostic) {
    let id = try emitInner(opcode, operands, attributes, name: node.outputs.first ?? node.op, for: node)
    try bindOutput(node, id)
  }

  /// Appends an operation and returns its result without naming it in the graph; `levels` are the element and the
  /// quantization of a result that the operands do not determine.
  mutating func emitInner(
    _ opcode: Opcode, _ operands: [ValueID], _ attributes: [NamedAttribute] = [], name: String,
    levels: (element: ElementType, quantization: Quantization)? = nil, for node: ONNXNode
  ) throws(Diagnostic) -> ValueID {
    guard opcode.spec.operands.contains(operands.count) else {
      throw failure(
        "input-count", "\(node.op) has \(operands.count) inputs", node,
        help: "check the model with onnx.checker")
    }
    let probe = Op(opcode, operands: operands, attributes: attributes, origin: node.origin)
    var type: ValueType
    do throws(Diagnostic) {
      guard let found = try builder.module.resultType(of: probe) else {
        throw Diagnostic("import.shape", "the shape of the result is not known")
      }
      type = found
    } catch {
      throw failure(
        "shape", error.message, node, help: "check the model with onnx.checker and its shape inference")
    }
    guard let shape = type.shape, isComputable(shape), !shape.contains(0) else {
      throw failure(
        "size", "the result is \(type): empty, or too large", node,
        help: "export the model with other lengths")
    }
    if let levels { type = ValueType(levels.element, shape, levels.quantization) }
    work.add(shape.reduce(1, *), 4)
    let id = builder.emit(opcode, operands, attributes, type: type, name: name, origin: node.origin)
    // What a scan computes of constants differs from iteration to iteration.
    let isOfRound = [.carry, .scanSlice, .yield, .scanOutput].contains(opcode)
    guard !isOfRound && operands.allSatisfy(constants.contains) else { return id }
    let arguments = operands.compactMap { numbers[$0] }
    if arguments.count == operands.count, shape.reduce(1, *) <= Self.small,
      let result = try? builder.module.digitalOperator(of: probe)?.apply(to: arguments)
    {
      numbers[id] = result
    }
    constants.insert(id)
    return id
  }

  /// Sums with constants after convolutions and products become their biases.
  mutating func fuseBiases() { builder.fuseBiases(constants) }

  /// The numbers of `id` where they are few and depend on no input of the graph.
  func known(_ id: ValueID) -> Tensor? { numbers[id] }

  /// Notes that a value of the module is `tensor`, whatever the inputs of the graph.
  mutating func keep(_ tensor: Tensor, as id: ValueID) {
    constants.insert(id)
    if tensor.count <= Self.small { numbers[id] = tensor }
  }

  /// The same with a digital operator.
  mutating func emitInner(_ digital: DigitalOperator, _ operands: [ValueID], name: String, for node: ONNXNode)
    throws(Diagnostic) -> ValueID
  {
    let (opcode, attributes) = builder.module.encoding(of: digital, name: name)
    return try emitInner(opcode, operands, attributes, name: name, for: node)
  }

  /// Appends a constant and returns it.
  mutating func constant(_ tensor: Tensor, element: ElementType = .float32, name: String) -> ValueID {
    work.add(tensor.count, 4)
    let id = builder.constant(tensor, element: element, name: name)
    keep(tensor, as: id)
    return id
  }

  /// Whether `id` depends on no input of the graph.
  func isComputedFromConstants(_ id: ValueID) -> Bool { constants.contains(id) }

  /// Appends a digital operator whose result is output 0 of `node`.
  mutating func emit(_ digital: DigitalOperator, _ operands: [ValueID], for node: ONNXNode) throws(Diagnostic)
  {
    let (opcode, attributes) = builder.module.encoding(of: digital, name: node.outputs.first ?? node.op)
    try emit(opcode, operands, attributes, for: node)
  }

  /// Makes output 0 of `node` stand for `id`.
  mutating func bindOutput(_ node: ONNXNode, _ id: ValueID) throws(Diagnostic) {
    guard let name = node.outputs.first, !name.isEmpty else {
      throw failure(
        "output-missing", "\(node.op) has no output", node, help: "check the model with onnx.checker")
    }
    guard node.outputs.dropFirst().allSatisfy(\.isEmpty) else {
      throw failure(
        "extra-outputs", "only the first output of \(node.op) is supported", node,
        help: "export the model in inference mode, so that further outputs are not used")
    }
    names[name] = .value(id)
  }
}

/// Bytes of the values and known integers of an import.
struct ImportedWork {
  private(set) var bytes = 0
  /// How many there may be.
  var limit = WorkLimits.modelMemory
  /// Whether it was said that there are more.
  var isRefused = false

  mutating func add(_ count: Int, _ size: Int) {
    bytes = clampedSum([bytes, clampedProduct([count, size])])
  }
}
