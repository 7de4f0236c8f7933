import IR
import Evaluator
import Support
import Tensors

/// No operation works on constants alone, but for integers of the file, which keep their levels.
///
/// Each such operation is replaced by its result. After the `dequantize` of a constant, shape operations and factors
/// are done on the integers and on their scales, so that what is left before a product is `dequantize`, and `multiply`
/// where slices have scales of their own. Other operations take floats. Spec: ir-spec.md, `fold-constants`.
struct FoldConstants: Pass {
  typealias L = TensorLevel
  static let name = "fold-constants"
  static let summary =
    "operations on constants are replaced by their results; prequantized integers stay integers"
  static let requires: Set<Fact> = [.shaped]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact(
    "factors of dequantized constants are multiplied with each other first, in binary32")
  static let options: [PassOptionSpec] = []

  init(_ options: PassOptions) {}

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    var folding = ConstantFolding(module)
    for id in module.body { try folding.visitAll(id) }
    module = folding.finished
    dropUnusedConstants(&module)
    module = module.compacted()
    context.count("operations-folded", folding.folded)
  }
}

private struct ConstantFolding {
  private var module: Module<TensorLevel>
  private var body: [OpID] = []
  /// The operations that give constants.
  private var constants: [ValueID: Op] = [:]
  /// Constants that the file gives as integers.
  private var prequantized: [ValueID: PrequantizedValue] = [:]
  /// Those of them that are in the body.
  private var materialized: Set<ValueID> = []
  /// What these stand for as constants of floats.
  private var reals: [ValueID: ValueID] = [:]
  private var names: Set<String>
  private(set) var folded = 0

  private struct PrequantizedValue {
    var levels: PrequantizedConstant
    /// The value of the integers, while they are as in the file.
    var source: ValueID?
    /// Where the reals come from.
    var origin: NodeOrigin?
  }

  init(_ module: Module<TensorLevel>) {
    self.module = module
    names = Set(module.values.elements.map(\.name))
  }

  var finished: Module<TensorLevel> {
    var result = module
    result.body = body
    return result
  }

  /// An operation, or a scan: what becomes constant in it moves before it.
  mutating func visitAll(_ id: OpID) throws(Diagnostic) {
    guard module.ops[id].opcode == .scan else {
      if try visit(id) { body.append(id) }
      return
    }
    var rounds: [OpID] = []
    for inner in module.ops[id].body where try visit(inner) { rounds.append(inner) }
    module.ops[id].body = rounds
    body.append(id)
  }

  /// Whether operation `id` stays in place; constants are put into the body.
  private mutating func visit(_ id: OpID) throws(Diagnostic) -> Bool {
    let op = module.ops[id]
    if op.opcode == .constant {
      for result in op.results { constants[result] = op }
      body.append(id)
      return false
    }
    // What belongs to rounds is no constant.
    guard ![.carry, .scanSlice, .yield, .scanOutput].contains(op.opcode), !op.operands.isEmpty,
      let result = op.results.first,
      op.operands.allSatisfy({ constants[$0] != nil || prequantized[$0] != nil })
    else {
      try takeConstants(id)
      return true
    }
    if let kept = try levels(after: op) {
      prequantized[result] = kept
      folded += op.opcode == .dequantize ? 0 : 1
      return false
    }
    replace(id, try evaluate(op))
    folded += 1
    return false
  }

  /// An operation that is computed at run time: products take integers of the file, others what these stand for.
  private mutating func takeConstants(_ id: OpID) throws(Diagnostic) {
    for (k, operand) in module.ops[id].operands.enumerated() {
      guard let known = prequantized[operand] else { continue }
      if [.conv, .gemm].contains(module.ops[id].opcode) {
        materialize(operand)
      } else {
        module.ops[id].operands[k] = try real(operand, known.levels)
      }
    }
  }

  private mutating func real(_ id: ValueID, _ levels: PrequantizedConstant) throws(Diagnostic) -> ValueID {
    if let known = reals[id] { return known }
    let constant = emitConstant(try levels.reals(), .float32, "\(module.values[id].name).reals")
    reals[id] = constant
    return constant
  }

  private mutating func replace(_ id: OpID, _ value: Tensor) {
    let op = module.ops[id]
    let result = op.results[0]
    let type = module.values[result].type
    let attribute = module.constant(value, element: type.element, name: module.values[result].name)
    module.ops[id] = Op(
      .constant, results: [result], attributes: [NamedAttribute(.value, attribute)], origin: op.origin)
    constants[result] = module.ops[id]
    body.append(id)
  }

  /// The result of `op` as integers of the file; nil where it is none.
  private func levels(after op: Op) throws(Diagnostic) -> PrequantizedValue? {
    if op.opcode == .dequantize, let integers = constants[op.operands[0]], op[.scale] > 0,
      op[.scale].isFinite
    {
      let levels = try tensor(op.operands[0], integers)
      let element = module.values[op.operands[0]].type.element
      return PrequantizedValue(
        levels: PrequantizedConstant(
          levels, element: element, scale: op[.scale], zero: op[.zero]),
        source: op.operands[0], origin: op.origin)
    }
    let known = op.operands.compactMap { prequantized[$0] }
    if op.opcode == .concat, known.count == op.operands.count {
      let levels = PrequantizedConstant.joined(known.map(\.levels), axis: op[.axis])
      return levels.map { PrequantizedValue(levels: $0, source: nil, origin: op.origin) }
    }
    guard known.count == 1, let first = known.first,
      op.opcode != .subtract || prequantized[op.operands[0]] != nil
    else {
      return nil
    }
    var others: [Tensor] = []
    for operand in op.operands {
      if let constant = constants[operand] { others.append(try tensor(operand, constant)) }
    }
    let shape = module.values[op.results[0]].type.shape ?? []
    let moved =
      op.opcode == .gather
      ? module.integers(op.find(.indices)).flatMap { first.levels.taken($0, axis: op[.axis]) }
      : first.levels.after(op, others: others, shape: shape)
    guard let levels = moved else { return nil }
    let isInPlace = op.opcode == .multiply || op.opcode == .subtract && levels.zero != first.levels.zero
    return PrequantizedValue(levels: levels, source: isInPlace ? first.source : nil, origin: op.origin)
  }

  private func tensor(_ id: ValueID, _ op: Op) throws(Diagnostic) -> Tensor {
    let type = module.values[id].type
    guard let tensor = module.tensor(op.find(.value), element: type.element, shape: type.shape ?? []) else {
      throw Diagnostic("fold-constants.value", "the numbers do not have the type \(type)", at: op.location)
    }
    return tensor
  }

  /// Writes the operations that make `id` of integers of the file.
  private mutating func materialize(_ id: ValueID) {
    guard let known = prequantized[id], materialized.insert(id).inserted else { return }
    let levels = known.levels
    let shape = levels.levels.shape
    let name = module.values[id].name
    let integers = known.source ?? emitConstant(levels.levels, levels.element, "\(name).levels")
    let isSingle = levels.scales.count == 1
    let reals = isSingle ? id : value("\(name).shifted", ValueType(.float32, shape))
    body.append(
      module.add(
        Op(
          .dequantize, operands: [integers], results: [reals],
          attributes: [
            NamedAttribute(.scale, isSingle ? levels.scales[0] : 1),
            NamedAttribute(.zero, levels.zero),
          ], origin: known.origin)))
    if !isSingle {
      let scales = emitConstant(Tensor(levels.scaleShape, levels.scales), .float32, "\(name).scales")
      body.append(
        module.add(Op(.multiply, operands: [reals, scales], results: [id], origin: known.origin)))
    }
  }

  private mutating func value(_ desired: String, _ type: ValueType) -> ValueID {
    module.values.add(Value(name: names.unique(desired), type: type))
  }

  private mutating func emitConstant(_ tensor: Tensor, _ element: ElementType, _ name: String) -> ValueID {
    let id = value(name, ValueType(element, tensor.shape))
    let attribute = module.constant(tensor, element: element, name: module.values[id].name)
    let op = module.add(Op(.constant, results: [id], attributes: [NamedAttribute(.value, attribute)]))
    constants[id] = module.ops[op]
    body.append(op)
    return id
  }

  /// The value of one operation, computed by the interpreter in a module of its own.
  private mutating func evaluate(_ op: Op) throws(Diagnostic) -> Tensor {
    var small = module
    small.body = []
    for operand in Set(op.operands).sorted(by: { $0.index < $1.index }) {
      if let constant = constants[operand] {
        small.append(constant)
      } else if let levels = prequantized[operand]?.levels {
        let attribute = small.constant(try levels.reals(), element: .float32, name: "reals")
        small.append(Op(.constant, results: [operand], attributes: [NamedAttribute(.value, attribute)]))
      }
    }
    small.append(op)
    var value: Tensor?
    _ = try Interpreter(small).evaluate([]) { id, tensor in if id == op.results[0] { value = tensor } }
    guard let value else {
      throw Diagnostic("fold-constants.value", "the result is missing", at: op.location)
    }
    return value
  }
}

/// Removes constants that nothing uses.
func dropUnusedConstants(_ module: inout Module<TensorLevel>) {
  let uses = Uses(of: module)
  module.body.removeAll { id in
    let op = module.ops[id]
    return op.opcode == .constant && op.results.allSatisfy { uses[$0].isEmpty }
  }
}
