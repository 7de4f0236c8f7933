import IR
import ONNX
import Support
import Tensors

// Products of integers: the QLinear operators and the Integer ones.

@Sendable func importQLinearConv(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let product = try QuantizedProduct(&context, node, weights: 3, columnAxis: 0)
  let output = try QuantizationParameters(context, node, scale: 6, zero: 7, element: product.input.element)
  let sums = try product.convolution(&context, node, bias: 8)
  try product.finish(sums, output, axis: 1, &context, node)
}

@Sendable func importQLinearMatMul(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  let output = try QuantizationParameters(context, node, scale: 6, zero: 7, element: byte)
  if context.isInitializer(node, 3), try context.shape(node, 3).count == 2 {
    let product = try QuantizedProduct(&context, node, weights: 3, columnAxis: 1)
    let sums = try product.product(&context, node, bias: nil)
    return try product.finish(sums, output, axis: -1, &context, node)
  }
  var operands: [ValueID] = []
  for first in [0, 3] {
    let parameters = try QuantizationParameters(
      context, node, scale: first + 1, zero: first + 2, element: byte)
    let q = try context.integerValue(node, first)
    operands.append(
      try context.dequantized(q, parameters, axis: -1, name: "\(node.inputs[first]).reals", node))
  }
  let name = node.outputs.first ?? "product"
  let product = try context.emitInner(.matmul, operands, name: "\(name).reals", for: node)
  try context.bindOutput(node, try context.quantized(product, output, axis: -1, name: name, node))
}

@Sendable func importConvInteger(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  if let source = context.dynamicLevels(node, 0) {
    let weights = try dynamicWeights(&context, node, columnAxis: 0)
    let shapes = (context.builder.type(source.value).shape ?? [], context.builder.type(weights).shape ?? [])
    let attributes = try convAttributes(context, node, shapes.0, shapes.1)
    return try bindDynamicProduct(&context, node, .conv, [source.value, weights], attributes, [source.token])
  }
  let product = try QuantizedProduct(integers: &context, node, columnAxis: 0)
  try context.bindOutput(node, try product.convolution(&context, node, bias: nil))
}

@Sendable func importMatMulInteger(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  if let source = context.dynamicLevels(node, 0) {
    if let other = context.dynamicLevels(node, 1) {
      return try bindDynamicProduct(
        &context, node, .matmul, [source.value, other.value], [], [source.token, other.token])
    }
    let weights = try dynamicWeights(&context, node, columnAxis: 1)
    let isMatrix = context.builder.type(weights).shape?.count == 2
    return try bindDynamicProduct(
      &context, node, isMatrix ? .gemm : .matmul, [source.value, weights], [], [source.token])
  }
  let product = try QuantizedProduct(integers: &context, node, columnAxis: 1)
  try context.bindOutput(node, try product.product(&context, node, bias: nil))
}
