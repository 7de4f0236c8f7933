import IR
import ONNX
import Support
import Tensors

/// Quantized networks: QDQ pairs, the QLinear operators, and products of integers.
let quantizationOperators: [SupportedOperator] = [
  SupportedOperator(
    "QuantizeLinear", importQuantizeLinear, .exact, "per tensor and along an axis; output_dtype",
    integers: "yes, as the rounding of a layer's sums", digital: "elsewhere",
    notes: "scale and zero point known at import; no block_size"),
  SupportedOperator(
    "DequantizeLinear", importDequantizeLinear, .exact,
    "per tensor and along an axis; block_size of matrices along the inputs of a product",
    crossbars: "as the weights or the input of a layer", integers: "yes", digital: "elsewhere",
    notes:
      "scale and zero point known at import; a product of blocks is a layer for each of them, and their sum"),
  SupportedOperator(
    "QLinearConv", importQLinearConv, .exact,
    "as `Conv`; scales per tensor or per output, zero points, int32 bias",
    crossbars: "yes, one layer for each group", integers: "yes", digital: "no",
    notes: "weights and bias must be constants"),
  SupportedOperator(
    "QLinearMatMul", importQLinearMatMul, .exact, "scales per tensor or per column",
    crossbars: "yes, with a constant matrix on the right", integers: "yes", digital: "two computed sides"),
  SupportedOperator(
    "ConvInteger", importConvInteger, .exact, "as `Conv`; zero points",
    crossbars: "yes, one layer for each group",
    integers: "yes", digital: "no", notes: "weights must be constants; sums go to floats by `Cast`"),
  SupportedOperator(
    "MatMulInteger", importMatMulInteger, .exact, "zero points, also per column",
    crossbars: "yes, with a constant matrix on the right", integers: "yes",
    digital: "two sides from DynamicQuantizeLinear",
    notes: "weights must be constants; sums go to floats by `Cast`"),
  SupportedOperator(
    "DynamicQuantizeLinear", importDynamicQuantizeLinear, .folded,
    "before `MatMulInteger` and `ConvInteger` that have a product with its scale after them",
    notes: "the products work on floats, which have one set of quantization parameters for all samples"),
]

@Sendable func importQuantizeLinear(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  try refuseBlocks(context, node)
  guard [0, ONNXElementType.float.rawValue].contains(try node.int("precision") ?? 0) else {
    throw context.failure(
      "quantization", "QuantizeLinear with a precision other than float is not supported", node,
      help: "quotients are those of binary32")
  }
  var element = byte
  if let code = try node.int("output_dtype"), code != 0 {
    guard let type = ONNXElementType(rawValue: code), let levels = ElementType(levels: type), type != .int32
    else {
      throw context.failure(
        "quantization", "levels of type \(code) are not supported", node,
        help: "integers of 2, 4, 8 and 16 bits are")
    }
    element = levels
  }
  let parameters = try QuantizationParameters(context, node, scale: 1, zero: 2, element: element)
  let x = try context.value(node, 0)
  let axis = try node.int("axis") ?? 1
  try context.bindOutput(
    node, try context.quantized(x, parameters, axis: axis, name: node.outputs.first ?? "levels", node))
}

@Sendable func importDequantizeLinear(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  if let size = try node.int("block_size"), size != 0 { return try importBlocks(&context, node, size: size) }
  if try bindDynamicSource(&context, node) { return }
  let q = try context.integerValue(node, 0)
  let parameters = try QuantizationParameters(context, node, scale: 1, zero: 2, element: byte)
  let axis = try node.int("axis") ?? 1
  try context.bindOutput(
    node, try context.dequantized(q, parameters, axis: axis, name: node.outputs.first ?? "reals", node))
}

private func refuseBlocks(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  guard try node.int("block_size") ?? 0 == 0 else {
    throw context.failure(
      "quantization-blocks", "QuantizeLinear with scales for blocks of an axis is not supported", node,
      help: "quantize activations per tensor; weights in blocks are read as integers after DequantizeLinear")
  }
}

/// Integers of any kind as floats; false where the input is none.
func castLevels(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) -> Bool {
  if try bindDynamicSums(&context, node) { return true }
  guard let name = node.inputs.first else { return false }
  switch context.entry(name) {
  case .value(let id)? where !context.builder.type(id).element.isFloat: break
  case .initializer? where context.isLevels(node, 0): break
  case .value?, .initializer?, .whole?, .integers?, .blocks?, .dynamic?, .failed?, nil: return false
  }
  let q = try context.integerValue(node, 0)
  try context.emit(.dequantize(scale: 1, zero: 0), [q], for: node)
  return true
}
