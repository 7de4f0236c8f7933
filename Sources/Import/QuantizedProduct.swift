import IR
import ONNX
import Support
import Tensors

/// Levels times constant levels: the integer sums of a convolution or a product, and what they stand for.
struct QuantizedProduct {
  /// The scale, zero point and type of the inputs.
  let input: QuantizationParameters
  /// The levels, whose type has the input's zero point.
  let x: ValueID
  /// The constant weights less their zero points.
  let weights: ValueID
  /// The scales of the weights: one, or one for each output.
  let scales: [Float]

  /// Reads the inputs `x, scale, zero, w, scale, zero` of a QLinear operator, the weights from input `weights` on.
  init(
    _ context: inout ImportContext, _ node: ONNXNode, weights index: Int, columnAxis: Int,
    turned: Bool = false
  )
    throws(Diagnostic)
  {
    let input = try QuantizationParameters(context, node, scale: 1, zero: 2, element: byte)
    let parameters = try QuantizationParameters(
      context, node, scale: index + 1, zero: index + 2, element: byte)
    try self.init(&context, node, input, parameters, weights: index, columnAxis, turned)
  }

  /// Reads the inputs `x, w, zero of x, zero of w` of an Integer operator; 1 stands for 1.
  init(integers context: inout ImportContext, _ node: ONNXNode, columnAxis: Int) throws(Diagnostic) {
    var sets: [QuantizationParameters] = []
    for index in 2...3 {
      var parameters = QuantizationParameters.unit
      if let zeros = try context.zeros(node, index) {
        (parameters.zeros, parameters.element) = (zeros.values, zeros.element)
      }
      sets.append(parameters)
    }
    try self.init(&context, node, sets[0], sets[1], weights: 1, columnAxis, false)
  }

  private init(
    _ context: inout ImportContext, _ node: ONNXNode, _ input: QuantizationParameters,
    _ parameters: QuantizationParameters,
    weights index: Int, _ columnAxis: Int, _ turned: Bool
  ) throws(Diagnostic) {
    guard let quantization = input.single else {
      throw context.failure(
        "quantization", "inputs with several scales or zero points are not supported", node,
        help: "quantize activations per tensor")
    }
    self.input = input
    x = try context.integerValue(node, 0, zero: quantization.zero)
    weights = try context.centeredLevels(node, index, parameters.zeros, axis: columnAxis, turned: turned)
    scales = parameters.scales
    let shape = context.builder.type(weights).shape ?? []
    let outputs = turned ? shape.last : shape.indices.contains(columnAxis) ? shape[columnAxis] : nil
    guard scales.count == 1 || scales.count == outputs else {
      throw context.failure(
        "quantization", "\(scales.count) scales of weights for \(outputs ?? 0) outputs", node,
        help: "check the model with onnx.checker")
    }
  }

  /// The sums of a convolution; input `bias` holds integers to add.
  func convolution(_ context: inout ImportContext, _ node: ONNXNode, bias: Int?) throws(Diagnostic) -> ValueID
  {
    let shapes = (context.builder.type(x).shape ?? [], context.builder.type(weights).shape ?? [])
    let attributes = try convAttributes(context, node, shapes.0, shapes.1)
    let operands = [x, weights] + (try biasOperand(&context, node, bias))
    return try context.emitInner(.conv, operands, attributes, name: sumsName(node), for: node)
  }

  /// The sums of a product; input `bias` holds integers to add.
  func product(_ context: inout ImportContext, _ node: ONNXNode, bias: Int?) throws(Diagnostic) -> ValueID {
    let operands = [x, weights] + (try biasOperand(&context, node, bias))
    return try context.emitInner(.gemm, operands, name: sumsName(node), for: node)
  }

  private func sumsName(_ node: ONNXNode) -> String { "\(node.outputs.first ?? node.op).sums" }

  private func biasOperand(_ context: inout ImportContext, _ node: ONNXNode, _ index: Int?) throws(Diagnostic)
    -> [ValueID]
  {
    guard let index, context.hasInput(node, index) else { return [] }
    let (values, _, _) = try context.levels(node, index)
    let name = node.inputs[index]
    return [context.constant(Tensor([values.count], values), element: .accumulator, name: name)]
  }

  /// The sums as real numbers, the columns of the weights being on `axis`: `sums * (scale of x * scale of w)`, the
  /// factor rounded to binary32.
  func reals(
    _ sums: ValueID, times factor: Float = 1, axis: Int, _ context: inout ImportContext, _ node: ONNXNode
  )
    throws(Diagnostic) -> ValueID
  {
    let factors = scales.map { factor * input.scales[0] * $0 }
    guard factors.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw context.failure(
        "quantization", "the product of two scales leaves binary32", node, help: "check the model")
    }
    var parameters = QuantizationParameters.unit
    parameters.scales = factors
    return try context.dequantized(
      sums, parameters, axis: axis, name: "\(node.outputs.first ?? node.op).reals", node)
  }

  /// Output 0 of `node`: the sums with the parameters `output`.
  func finish(
    _ sums: ValueID, _ output: QuantizationParameters, axis: Int, _ context: inout ImportContext,
    _ node: ONNXNode
  ) throws(Diagnostic) {
    let reals = try reals(sums, axis: axis, &context, node)
    let name = node.outputs.first ?? node.op
    try context.bindOutput(node, try context.quantized(reals, output, axis: axis, name: name, node))
  }
}

extension ImportContext {
  /// The levels of input `index`, as a value whose type says that `zero` stands for 0.
  fileprivate mutating func integerValue(_ node: ONNXNode, _ index: Int, zero: Int64) throws(Diagnostic)
    -> ValueID
  {
    let id = try integerValue(node, index)
    let type = builder.type(id)
    guard case .integer(...16, _) = type.element else {
      throw failure(
        "quantization", "levels of type \(type.element) are not supported as inputs", node,
        help: "round sums to levels of up to 16 bits before they are multiplied again")
    }
    if type.quantization?.zero ?? 0 == zero { return id }
    let parameters = QuantizationParameters(scales: [1], zeros: [zero], element: type.element)
    let reals = try dequantized(id, parameters, axis: 0, name: "\(node.inputs[index]).reals", node)
    return try quantized(reals, parameters, axis: 0, name: "\(node.inputs[index]).moved", node)
  }

  /// The integers of input `index` less their zero points, which lie on `axis`, as a constant of signed integers;
  /// `turned` gives the transpose of a matrix.
  mutating func centeredLevels(
    _ node: ONNXNode, _ index: Int, _ zeros: [Int64], axis: Int, turned: Bool
  ) throws(Diagnostic) -> ValueID {
    let (values, shape, element) = try levels(node, index)
    let inner = shape.dropFirst(axis + 1).reduce(1, *)
    guard zeros.count == 1 || shape.indices.contains(axis) && shape[axis] == zeros.count else {
      throw failure(
        "quantization", "\(zeros.count) zero points do not fit weights \(shape)", node,
        help: "check the model with onnx.checker")
    }
    var centered = values
    for k in centered.indices { centered[k] -= zeros[zeros.count == 1 ? 0 : k / max(1, inner) % zeros.count] }
    let signed = element.signed(holding: centered)
    guard case .integer(2...16, _) = signed else {
      throw failure(
        "quantization", "weights less their zero points need \(signed), more than 16 bits", node,
        help: "use signed weights, or a zero point in the middle of the range")
    }
    var tensor = Tensor(shape, centered, as: signed)
    if turned {
      do throws(Diagnostic) {
        tensor = try DigitalOperator.transpose([1, 0]).apply(to: [tensor])
      } catch {
        throw failure("shape", error.message, node, help: "check the model with onnx.checker")
      }
    }
    return constant(tensor, element: signed, name: node.inputs[index])
  }
}
