import IR
import Support
import Tensors

// Layers: products with constant weights become exact sums of integers.
extension Quantizer {
  mutating func matrixOperator(_ op: Op) throws(Diagnostic) {
    let isConv = op.opcode == .conv
    let base = layerName(op)
    let weights = try weightLevels(op, base)
    let outputs = isConv ? weights.tensor.shape[0] : weights.tensor.shape[1]
    let x = try quantized(op.operands[0], for: op)
    let inputScale = Double(builder.type(x).quantization?.scale ?? 1)
    let scales = weights.scales.map { Double($0) * inputScale }
    let quantization = scales.count == 1 ? Quantization(scale: weights.scales[0], zero: 0) : nil
    var operands = [
      x,
      builder.constant(
        weights.tensor, element: weights.element, name: "\(base).weights", quantization: quantization,
        origin: op.origin),
    ]
    if op.operands.count > 2 { operands.append(try bias(op, scales, name: "\(base).bias", count: outputs)) }
    emitSums(op, operands, scales, isGiven: weights.isGiven)
  }

  /// Appends the exact product that `op` is.
  mutating func emitSums(_ op: Op, _ operands: [ValueID], _ scales: [Double], isGiven: Bool) {
    let result = op.results[0]
    let sums = builder.emit(
      op.opcode, operands, op.attributes.without(.range),
      type: ValueType(.accumulator, shape(result)), name: "\(name(result)).sums", origin: op.origin)
    let axis = op.opcode == .conv ? 1 : shape(result).count - 1
    forms[result.index].sums = Sums(value: sums, scales: scales, axis: axis, isGiven: isGiven)
  }

  func layerName(_ op: Op) -> String {
    let (node, part) = (op.origin.map(\.name).flatMap { $0.isEmpty ? nil : $0 }, op[.part])
    return node.map { part.isEmpty ? $0 : "\($0).\(part)" } ?? name(op.results[0])
  }

  /// The integers that stand for the weights of `op`, and what 1 stands for: one scale, or one for each output.
  private mutating func weightLevels(_ op: Op, _ base: String) throws(Diagnostic) -> WeightLevels {
    if let given = forms[op.operands[1].index].given { return try weightLevels(op, given, base) }
    guard let weights = constant(op.operands[1]) else {
      throw Diagnostic(
        "quantize.weights", "the weights are not constant", at: op.location,
        notes: ["run fold-constants first"])
    }
    guard weights.floats.allSatisfy(\.isFinite) else {
      throw Diagnostic(
        "quantize.weights", "a weight is not a finite number", at: op.location, notes: ["check the model"])
    }
    let isConv = op.opcode == .conv
    let outputs = isConv ? weights.shape[0] : weights.shape[1]
    let run = weights.count / max(1, outputs)
    let shared = outputsPerScale(op, outputs)
    @Sendable func slot(_ k: Int) -> Int { (isConv ? k / max(1, run) : k % outputs) / shared }
    let slots = ceilDivide(outputs, shared)
    var (levels, scales) = pass.weights.integers(for: weights.floats, slots: slots, slot: slot)
    weightErrors.append((base, pass.weights.relativeError(of: weights.floats, scales: scales, slot: slot)))
    if slots > 1 && shared > 1 { scales = (0..<outputs).map { scales[$0 / shared] } }
    let element = ElementType.integer(bits: pass.weights.weightBits, signed: true)
    return WeightLevels(
      tensor: Tensor(weights.shape, levels), element: element, scales: scales, isGiven: false)
  }

  /// How many neighbouring outputs of `op` have one weight scale, at least 1.
  private func outputsPerScale(_ op: Op, _ outputs: Int) -> Int {
    switch pass.weightScale {
    case .tensor: return max(1, outputs)
    case .group: return max(1, outputs / (op.opcode == .conv ? max(1, op[.groups]) : 1))
    case .output: return 1
    }
  }

  private mutating func bias(_ op: Op, _ scales: [Double], name: String, count: Int) throws(Diagnostic)
    -> ValueID
  {
    if let given = forms[op.operands[2].index].given {
      return try bias(given, scales, name: name, count: count, op)
    }
    guard let values = constant(op.operands[2])?.floats, values.count == count else {
      throw Diagnostic("quantize.bias", "the bias is not constant", at: op.location)
    }
    let levels = values.enumerated().map { k, value in
      biasLevel(Double(value), scales[scales.count == 1 ? 0 : k])
    }
    return builder.constant(Tensor([count], levels), element: .accumulator, name: name, origin: op.origin)
  }

  /// The nearest number of steps, within what is far beyond the sums of 16-bit weights and inputs.
  func biasLevel(_ value: Double, _ scale: Double) -> Int64 {
    Int64(max(-0x1p50, min(0x1p50, (value / scale).rounded())))
  }
}
