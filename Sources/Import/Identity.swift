import IR
import ONNX
import Support
import Tensors

/// Operators that leave their input as it is.
let identityOperators: [SupportedOperator] = [
  SupportedOperator("Identity", alias, .folded),
  SupportedOperator("Dropout", importDropout, .folded, "inference, and training with ratio 0; the mask"),
]

/// Output 0 is input 0 under another name.
@Sendable private func alias(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  guard let input = node.inputs.first, let entry = context.entry(input), let output = node.outputs.first
  else {
    throw context.failure(
      "undefined", "the input is not defined", node, help: "check the model with onnx.checker")
  }
  context.bind(output, entry)
}

/// Nothing is dropped, so the mask is true everywhere.
@Sendable private func importDropout(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  var (isTraining, ratio) = (false, [0.5] as [Float])
  if context.hasInput(node, 2) { isTraining = try context.integers(node, 2).values != [0] }
  if context.hasInput(node, 1) { ratio = try context.knownFloats(node, 1)?.floats ?? [] }
  if isTraining, ratio != [0] {
    throw context.failure(
      "dropout", "Dropout in training mode is not supported", node, help: "export the model in inference mode"
    )
  }
  try alias(&context, node)
  guard node.outputs.count > 1, !node.outputs[1].isEmpty else { return }
  let shape = try context.shape(node, 0)
  guard isComputable(shape), shape.reduce(1, *) <= longestList else {
    throw context.failure(
      "size", "the mask has the shape \(shape)", node, help: "export the model in inference mode")
  }
  let mask = [Int64](repeating: 1, count: shape.reduce(1, *))
  context.bind(node.outputs[1], .integers(values: mask, shape: shape))
}
