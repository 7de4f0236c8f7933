import IR
import Support
import Tensors

/// How `quantize` makes layers of integers: products with constant weights become exact sums.
struct LayerQuantization {
  /// How weights become integers.
  let weights: WeightQuantization
  /// The weights that share a scale.
  let scale: Quantize.WeightScale

  /// A layer that is made.
  struct Layer {
    let name: String
    /// The relative error of its weights.
    let error: Double
    /// Whether the file gives the weights as integers.
    let isPrequantized: Bool
  }

  /// A product of floats whose weights and inputs become integers.
  func quantize(_ op: Op, _ values: inout QuantizedValues) throws(Diagnostic) -> Layer {
    let base = name(op, values)
    let weights = try quantizedWeights(op, values)
    let outputs = op.opcode == .conv ? weights.tensor.shape[0] : weights.tensor.shape[1]
    let x = try values.quantized(op.operands[0], for: op)
    let inputScale = Double(values.builder.type(x).quantization?.scale ?? 1)
    let scales = weights.scales.map { Double($0) * inputScale }
    let quantization = scales.count == 1 ? Quantization(scale: weights.scales[0], zero: 0) : nil
    var operands = [
      x,
      values.builder.constant(
        weights.tensor, element: weights.element, name: "\(base).weights", quantization: quantization,
        origin: op.origin),
    ]
    if op.operands.count > 2 {
      let bias = try quantizedBias(op, scales, count: outputs, values)
      operands.append(
        values.builder.constant(bias, element: .accumulator, name: "\(base).bias", origin: op.origin))
    }
    emitSums(op, operands, scales, isPrequantized: weights.isPrequantized, &values)
    return Layer(name: base, error: weights.error, isPrequantized: weights.isPrequantized)
  }

  /// A product of integers of the file, which stays as it is.
  func keep(_ op: Op, _ values: inout QuantizedValues) throws(Diagnostic) -> Layer {
    let x = op.operands[0]
    guard let levels = values[x].quantized, let known = values[x].prequantized,
      values.source.values[x].type.quantization?.zero ?? 0
        == known.parameters.quantization.zero - known.offset
    else { throw prequantizedFailure(op, "whose zero point is not that of their type") }
    let base = name(op, values)
    var operands = [levels]
    for (operand, part) in zip(op.operands.dropFirst(), ["weights", "bias"]) {
      guard let tensor = values.constant(operand) else {
        throw Diagnostic(
          "quantize.weights", "the \(part) are not constant", at: op.location,
          notes: ["run fold-constants first"])
      }
      operands.append(
        values.builder.constant(
          tensor, element: values.source.values[operand].type.element, name: "\(base).\(part)",
          origin: op.origin))
    }
    emitSums(op, operands, [1], isPrequantized: true, &values)
    return Layer(name: base, error: 0, isPrequantized: true)
  }

  /// Appends the exact product that `op` is.
  private func emitSums(
    _ op: Op, _ operands: [ValueID], _ scales: [Double], isPrequantized: Bool,
    _ values: inout QuantizedValues
  ) {
    let result = op.results[0]
    let shape = values.shape(result)
    let sums = values.builder.emit(
      op.opcode, operands, op.attributes.without(.range), type: ValueType(.accumulator, shape),
      name: "\(values.name(result)).sums", origin: op.origin)
    values[result].sums = Accumulators(
      value: sums, scales: scales, axis: op.opcode == .conv ? 1 : shape.count - 1,
      isPrequantized: isPrequantized)
  }

  private func name(_ op: Op, _ values: QuantizedValues) -> String {
    let (node, part) = (op.origin.map(\.name).flatMap { $0.isEmpty ? nil : $0 }, op[.part])
    return node.map { part.isEmpty ? $0 : "\($0).\(part)" } ?? values.name(op.results[0])
  }

  // MARK: Weights

  /// Integers that stand for the weights of a layer.
  private struct Weights {
    /// The integers.
    let tensor: Tensor
    /// Their type, signed.
    let element: ElementType
    /// What 1 stands for: one scale, or one for each output.
    let scales: [Float]
    /// The relative error.
    var error = 0.0
    /// Whether the file gives them.
    let isPrequantized: Bool
  }

  private func quantizedWeights(_ op: Op, _ values: QuantizedValues) throws(Diagnostic) -> Weights {
    if let given = values[op.operands[1]].prequantizedConstant { return try prequantized(given, op) }
    guard let floats = values.constant(op.operands[1]) else {
      throw Diagnostic(
        "quantize.weights", "the weights are not constant", at: op.location,
        notes: ["run fold-constants first"])
    }
    guard floats.floats.allSatisfy(\.isFinite) else {
      throw Diagnostic(
        "quantize.weights", "a weight is not a finite number", at: op.location, notes: ["check the model"])
    }
    let isConv = op.opcode == .conv
    let outputs = isConv ? floats.shape[0] : floats.shape[1]
    let run = floats.count / max(1, outputs)
    let shared = outputsPerScale(op, outputs)
    @Sendable func slot(_ k: Int) -> Int { (isConv ? k / max(1, run) : k % outputs) / shared }
    let slots = ceilDivide(outputs, shared)
    var (integers, scales) = weights.integers(for: floats.floats, slots: slots, slot: slot)
    let error = weights.relativeError(of: floats.floats, scales: scales, slot: slot)
    if slots > 1 && shared > 1 { scales = (0..<outputs).map { scales[$0 / shared] } }
    return Weights(
      tensor: Tensor(floats.shape, integers), element: .integer(bits: weights.weightBits, signed: true),
      scales: scales, error: error, isPrequantized: false)
  }

  /// How many neighboring outputs of `op` have one weight scale, at least 1.
  private func outputsPerScale(_ op: Op, _ outputs: Int) -> Int {
    switch scale {
    case .tensor: return max(1, outputs)
    case .group: return max(1, outputs / (op.opcode == .conv ? max(1, op[.groups]) : 1))
    case .output: return 1
    }
  }

  /// The integers of the file less their zero point.
  private func prequantized(_ given: PrequantizedConstant, _ op: Op) throws(Diagnostic) -> Weights {
    let outputAxis = op.opcode == .conv ? 0 : 1
    guard given.scales.count == 1 || given.axis == outputAxis else {
      throw Diagnostic(
        "quantize.weight-scales", "the scales of the weights differ along another axis than the outputs",
        at: op.location,
        notes: ["a column of a crossbar has one scale: quantize per tensor or per output channel"])
    }
    guard let (integers, element) = given.centered, case .integer(2...16, _) = element else {
      throw Diagnostic(
        "quantize.weights", "weights less their zero points need more than 16 bits", at: op.location,
        notes: ["use signed weights, or a zero point in the middle of the range"])
    }
    return Weights(
      tensor: Tensor(given.levels.shape, integers, as: element), element: element, scales: given.scales,
      isPrequantized: true)
  }

  // MARK: Biases

  /// The bias as sums: of the file where its 1 stands for what 1 of the sums does, else rounded.
  private func quantizedBias(
    _ op: Op, _ scales: [Double], count: Int, _ values: QuantizedValues
  ) throws(Diagnostic) -> Tensor {
    func scale(_ k: Int) -> Double { scales[scales.count == 1 ? 0 : k] }
    if let given = values[op.operands[2]].prequantizedConstant {
      guard let (integers, _) = given.centered, integers.count == count, given.levels.shape == [count] else {
        throw Diagnostic("quantize.bias", "the bias is not one integer for each output", at: op.location)
      }
      let sums = integers.enumerated().map { k, integer in
        let own = Double(given.scale(of: k))
        let isSame = abs(own / scale(k) - 1) < 0x1p-20 && abs(integer) <= 1 << 50
        return isSame ? integer : steps(Double(integer) * own, scale(k))
      }
      return Tensor([count], sums)
    }
    guard let floats = values.constant(op.operands[2])?.floats, floats.count == count else {
      throw Diagnostic("quantize.bias", "the bias is not constant", at: op.location)
    }
    return Tensor([count], floats.enumerated().map { steps(Double($1), scale($0)) })
  }

  /// The nearest number of steps, within what is far beyond the sums of 16-bit weights and inputs.
  private func steps(_ value: Double, _ scale: Double) -> Int64 {
    Int64(max(-0x1p50, min(0x1p50, (value / scale).rounded())))
  }
}
