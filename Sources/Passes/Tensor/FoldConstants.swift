import IR
import Reference
import Support
import Tensors

/// No operation works on constants alone: each such operation is replaced by its result.
///
/// Spec: ir-spec.md, `fold-constants`.
struct FoldConstants: Pass {
  typealias L = TensorLevel
  static let name = "fold-constants"
  static let summary = "operations on constants alone are replaced by their results"
  static let requires: Set<Fact> = [.shaped]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")
  static let options: [PassOption] = []

  init(_ options: PassOptions) {}

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    var constants: Set<ValueID> = []
    var folded: Set<OpID> = []
    for id in module.flatBody {
      let op = module.ops[id]
      if op.opcode == .constant { constants.formUnion(op.results) }
      // What belongs to rounds is no constant.
      guard ![.state, .step, .next, .stack].contains(op.opcode), !op.operands.isEmpty,
        let result = op.results.first, op.operands.allSatisfy(constants.contains)
      else { continue }
      let value = try evaluate(op, in: module)
      let type = module.values[result].type
      let attribute = module.constant(value, element: type.element, name: module.values[result].name)
      module.ops[id] = Op(
        .constant, results: [result], attributes: [NamedAttribute("value", attribute)], origin: op.origin)
      constants.insert(result)
      folded.insert(id)
    }
    moveOutOfLoops(folded, &module)
    dropUnusedConstants(&module)
    module = module.compacted()
    context.count("operations-folded", folded.count)
  }

  /// Constants stand before the loops that use them.
  private func moveOutOfLoops(_ folded: Set<OpID>, _ module: inout Module<TensorLevel>) {
    module.body = module.body.flatMap { id in
      guard module.ops[id].opcode == .loop else { return [id] }
      let moved = module.ops[id].body.filter(folded.contains)
      module.ops[id].body.removeAll(where: folded.contains)
      return moved + [id]
    }
  }

  /// The value of one operation, computed by the interpreter in a module of its own.
  private func evaluate(_ op: Op, in module: Module<TensorLevel>) throws(Diagnostic) -> Tensor {
    var small = module
    small.body = module.flatBody.filter {
      module.ops[$0].opcode == .constant && !op.operands.filter(module.ops[$0].results.contains).isEmpty
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
