public import Support
import Tensors

// What a network that was quantized elsewhere says of its levels.

extension Module {
  /// The values that depend on no graph input.
  public var constantValues: Set<ValueID> {
    var found: Set<ValueID> = []
    for op in flatOps {
      // What belongs to rounds of a loop is no constant.
      if [.state, .step, .next, .stack].contains(op.opcode) { continue }
      if op.opcode == .constant || !op.operands.isEmpty && op.operands.allSatisfy(found.contains) {
        found.formUnion(op.results)
      }
    }
    return found
  }

  /// Whether there are products with constant weights, and the file says for each of them which levels its input has:
  /// it works on integers, or on what a `dequantize` gave, moved by max-pools and shape operations or cut by ReLU.
  public var hasGivenGrids: Bool {
    let constants = constantValues
    var given: Set<ValueID> = []
    var hasProducts = false
    for op in flatOps {
      guard let operand = op.operands.first else { continue }
      switch op.opcode {
      case .dequantize: if !constants.contains(operand) { given.formUnion(op.results) }
      case .maxPool, .reshape, .transpose, .relu: if given.contains(operand) { given.formUnion(op.results) }
      case .conv, .gemm:
        hasProducts = true
        guard !values[operand].type.element.isFloat || given.contains(operand) else { return false }
      default: continue
      }
    }
    return hasProducts
  }
}
