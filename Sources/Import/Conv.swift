import IR
import ONNX
import Support
import Tensors

/// Convolutions.
let convolutionOperators: [SupportedOperator] = [
  SupportedOperator(
    "Conv", importConv, .exact, "strides, pads, dilations, group, every auto_pad, bias",
    crossbars: "yes, one layer for each group", integers: "yes", digital: "no",
    notes: "1 or 2 spatial axes; weights and bias must be constants"),
  SupportedOperator(
    "ConvTranspose", importConvTranspose, .exact,
    "strides, pads, output_padding, output_shape, dilations, group, every auto_pad, bias",
    crossbars: "yes, as a convolution over the input spread with zeros, one layer for each group",
    integers: "yes",
    digital: "no", notes: "1 or 2 spatial axes; weights and bias must be constants"),
]

@Sendable private func importConv(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let attributes = try convAttributes(context, node, try context.shape(node, 0), try context.shape(node, 1))
  var operands = [try context.value(node, 0), try context.value(node, 1)]
  if context.hasInput(node, 2) { operands.append(try context.value(node, 2)) }
  try context.emit(.conv, operands, attributes, for: node)
}

/// The attributes of `conv` for an input of shape `x` and weights of shape `w`.
func convAttributes(_ context: ImportContext, _ node: ONNXNode, _ x: [Int], _ w: [Int]) throws(Diagnostic)
  -> [NamedAttribute]
{
  let spatial = x.count - 2
  guard spatial == 1 || spatial == 2, w.count == x.count else {
    throw context.failure(
      "conv-rank", "\(node.op) on \(max(0, spatial)) spatial axes is not supported", node,
      help: "one- and two-dimensional convolutions are")
  }
  let kernel = try node.ints("kernel_shape") ?? Array(w.dropFirst(2))
  guard kernel == Array(w.dropFirst(2)) else {
    throw context.failure(
      "conv-kernel", "kernel_shape \(kernel) differs from the weights' \(Array(w.dropFirst(2)))", node,
      help: "check the model with onnx.checker")
  }
  let walk = try WindowAttributes(context, node, input: Array(x.dropFirst(2)), kernel: kernel)
  return [
    NamedAttribute(.strides, walk.strides), NamedAttribute(.pads, walk.pads),
    NamedAttribute(.dilations, walk.dilations),
    NamedAttribute(.groups, try node.int("group") ?? 1),
  ]
}
