public import Support
import Tensors

// What a network that was quantized elsewhere says of its levels.

extension Module {
  /// The values that depend on no graph input.
  public var constantValues: Set<ValueID> {
    var found: Set<ValueID> = []
    for op in flatOps {
      // What belongs to iterations of a scan is no constant.
      if [.carry, .scanSlice, .yield, .scanOutput].contains(op.opcode) { continue }
      if op.opcode == .constant || !op.operands.isEmpty && op.operands.allSatisfy(found.contains) {
        found.formUnion(op.results)
      }
    }
    return found
  }

  /// Whether there are products with constant weights, and the file says for each of them which levels its input has:
  /// it works on integers, or on what a `dequantize` of levels gave, moved by max-pools and shape operations, padded
  /// with zeros, cut by ReLU, or joined with others on the same levels.
  public var hasPrequantizedInputs: Bool {
    let constants = constantValues
    var prequantized: [ValueID: PrequantizedLevels] = [:]
    var hasProducts = false
    for op in flatOps {
      guard let operand = op.operands.first else { continue }
      switch op.opcode.kind {
      case .digital(.dequantize):
        let element = values[operand].type.element
        guard !constants.contains(operand), case .integer(1...16, _) = element else { continue }
        prequantized[op.results[0]] = PrequantizedLevels(
          element: element, scale: op[.scale], zero: op[.zero])
      case .digital(.maxPool), .digital(.reduceMax), .digital(.reshape), .digital(.transpose),
        .digital(.slice),
        .digital(.gather):
        prequantized[op.results[0]] = prequantized[operand]
      case .digital(.unary): if op.opcode == .relu { prequantized[op.results[0]] = prequantized[operand] }
      case .digital(.pad): if op[.padValue] == 0 { prequantized[op.results[0]] = prequantized[operand] }
      case .digital(.concat):
        let isSame = op.operands.allSatisfy { prequantized[$0] == prequantized[operand] }
        prequantized[op.results[0]] = isSame ? prequantized[operand] : nil
      case .conv, .gemm:
        hasProducts = true
        guard !values[operand].type.element.isFloat || prequantized[operand] != nil else { return false }
      case .input, .output, .constant, .batchNorm, .scan, .carry, .scanSlice, .yield, .scanOutput, .window,
        .mvm,
        .col2im, .layer, .block, .buffer, .crossbar, .load, .drive, .convert, .accumulate, .store, .repeat,
        .digital(.binary), .digital(.select), .digital(.softmax), .digital(.matmul), .digital(.averagePool),
        .digital(.mean),
        .digital(.argMax), .digital(.quantize), .digital(.requantize), .digital(.addBias), .digital(.lookup):
        continue
      }
    }
    return hasProducts
  }
}

/// The quantized values of a float value.
private struct PrequantizedLevels: Equatable {
  let element: ElementType
  let scale: Float
  let zero: Int64
}
