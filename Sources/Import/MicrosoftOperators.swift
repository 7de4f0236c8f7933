import IR
import ONNX
import Support
import Tensors

/// The domain of onnxruntime's own operators.
let microsoftDomain = "com.microsoft"

/// Operators of onnxruntime that its quantizer writes in the format QOperator.
let microsoftImporters: [String: OperatorImporter] = [
  "QuantizeLinear": importQuantizeLinear, "DequantizeLinear": importDequantizeLinear, "QGemm": importQGemm,
  "QLinearAdd": quantized("Add", arguments: 2), "QLinearMul": quantized("Mul", arguments: 2),
  "QLinearLeakyRelu": quantized("LeakyRelu", arguments: 1),
  "QLinearSigmoid": quantized("Sigmoid", arguments: 1),
  "QLinearSoftmax": quantized("Softmax", arguments: 1),
  "QLinearAveragePool": quantized("AveragePool", arguments: 1),
  "QLinearGlobalAveragePool": quantized("GlobalAveragePool", arguments: 1),
  "QLinearConcat": importQLinearConcat,
]

/// The inputs are `a, scale, zero, b, scale, zero, c, scale of y, zero of y`; without the last two the result is float.
@Sendable private func importQGemm(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  guard try node.int("transA") ?? 0 == 0 else {
    throw context.failure(
      "quantization", "QGemm with transA is not supported", node, help: "transpose the input before it")
  }
  let alpha = try node.float("alpha") ?? 1
  guard alpha > 0 else {
    throw context.failure("quantization", "QGemm with alpha \(alpha) is not supported", node, help: "use 1")
  }
  let isTurned = try node.int("transB") ?? 0 != 0
  let product = try QuantizedProduct(
    &context, node, weights: 3, columnAxis: isTurned ? 0 : 1, turned: isTurned)
  let sums = try product.product(&context, node, bias: 6)
  let reals = try product.reals(sums, times: alpha, axis: -1, &context, node)
  guard context.hasInput(node, 7) else { return try context.bindOutput(node, reals) }
  let output = try QuantizationParameters(context, node, scale: 7, zero: 8, element: product.input.element)
  let name = node.outputs.first ?? node.op
  try context.bindOutput(node, try context.quantized(reals, output, axis: -1, name: name, node))
}

/// An operator on levels: `op` between reals, each of its `arguments` with scale and zero point before those of the
/// result.
private func quantized(_ op: String, arguments: Int) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    try importOnReals(
      &context, node, op, arguments: (0..<arguments).map { 3 * $0 }, result: 3 * arguments)
  }
}

@Sendable private func importQLinearConcat(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  try importOnReals(
    &context, node, "Concat", arguments: Array(stride(from: 2, to: node.inputs.count, by: 3)), result: 0)
}

/// Imports `op` on the real values of the inputs `arguments`, and quantizes its result with the parameters at input `result`.
private func importOnReals(
  _ context: inout ImportContext, _ node: ONNXNode, _ op: String, arguments: [Int], result: Int
) throws(Diagnostic) {
  guard try node.int("channels_last") ?? 0 == 0 else {
    throw context.failure(
      "quantization", "\(node.op) with channels_last is not supported", node, help: "use the layout NCHW")
  }
  guard let importer = operatorImporters[op], let output = node.outputs.first else {
    throw context.failure("output-missing", "\(node.op) has no output", node, help: "check the model")
  }
  let byte = ElementType.integer(bits: 8, signed: false)
  // No name of a file holds the character 0.
  var inner = node
  (inner.op, inner.domain, inner.inputs, inner.outputs) = (op, "", [], ["\u{0}\(output)"])
  for argument in arguments {
    let parameters = try QuantizationParameters(
      context, node, scale: argument + 1, zero: argument + 2, element: byte)
    let q = try context.integerValue(node, argument)
    let name = "\u{0}\(output).\(argument)"
    context.bind(
      name,
      .value(try context.dequantized(q, parameters, axis: -1, name: "\(node.inputs[argument]).reals", node)))
    inner.inputs.append(name)
  }
  // QLinearSoftmax says itself whose meaning its axis has.
  let outerOpset = context.opset
  context.opset = try node.int("opset") ?? outerOpset
  defer { context.opset = outerOpset }
  try importer(&context, inner)
  guard case .value(let reals)? = context.entry(inner.outputs[0]) else {
    throw context.failure("output-missing", "\(node.op) has no result", node, help: "check the model")
  }
  let parameters = try QuantizationParameters(context, node, scale: result, zero: result + 1, element: byte)
  try context.bindOutput(node, try context.quantized(reals, parameters, axis: -1, name: output, node))
}
