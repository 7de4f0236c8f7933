import Support
import Tensors

extension Verifier {
  /// F-shaped: every value has a shape.
  mutating func checkShaped() {
    for op in module.flatOps {
      for result in op.results where module.values[result].type.shape == nil {
        fail("shaped", "%\(module.values[result].name) has no shape", op)
      }
    }
  }

  /// F-calibrated: every operation with a float result, constants and what is computed of them apart, has a range
  /// `[low, high]`, low <= high. Where the file gives the levels of every product's input, ranges may be left out.
  mutating func checkCalibrated() {
    let mayBeLeftOut = module.hasPrequantizedInputs
    let constants = module.constantValues
    for op in module.flatOps {
      guard let result = op.results.first, module.values[result].type.element.isFloat,
        !constants.contains(result), !(mayBeLeftOut && op.find(.range) == nil)
      else { continue }
      guard let range = op.find(.range), range.count == 2, range[0] <= range[1] else {
        fail("calibrated", "%\(module.values[result].name) has no range", op)
        continue
      }
    }
  }

  /// F-quantized: no convolution, product with constants or batch normalization works on floats.
  mutating func checkQuantized() {
    let constants = Set(module.bodyOps.filter { $0.opcode == .constant }.flatMap(\.results))
    for op in module.flatOps where op.opcode == .conv || op.opcode == .gemm {
      guard op.operands.allSatisfy({ !module.values[$0].type.element.isFloat }) else {
        fail("quantized", "\(op.opcode.rawValue) works on floats", op)
        continue
      }
      if !op.operands.dropFirst().allSatisfy(constants.contains) {
        fail("quantized", "the weights of \(op.opcode.rawValue) are not constant", op)
      }
    }
  }
}
