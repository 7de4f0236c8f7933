import IR
import ONNX
import Support
import Tensors

/// The same elements under another shape.
let reshapeOperators: [SupportedOperator] = [
  SupportedOperator(
    "Reshape", importReshape, .exact, "0, -1, allowzero; also of known integers", integers: "yes",
    notes: "the shape must be known at import"),
  SupportedOperator("Flatten", importFlatten, .exact, "axis; also of known integers", integers: "yes"),
  SupportedOperator(
    "Squeeze", importSqueeze, .exact, "axes; also of known integers", integers: "yes",
    notes: "axes must be known at import"),
  SupportedOperator(
    "Unsqueeze", importUnsqueeze, .exact, "axes; also of known integers", integers: "yes",
    notes: "axes must be known at import"),
]

@Sendable private func importReshape(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let input = try context.shape(node, 0)
  let desired = try context.integers(node, 1).values
  let keepsZeros = try node.int("allowzero") ?? 0 != 0
  var shape: [Int] = []
  for (axis, length) in desired.enumerated() {
    if length == 0 && !keepsZeros && axis < input.count {
      shape.append(input[axis])
    } else {
      shape.append(Int(clamping: length))
    }
  }
  let open = shape.indices.filter { shape[$0] == -1 }
  if open.count == 1, let rest = checkedProduct(shape.filter { $0 != -1 }), rest > 0 {
    shape[open[0]] = input.reduce(1, *) / rest
  }
  guard isComputable(shape), shape.reduce(1, *) == input.reduce(1, *) else {
    throw context.failure(
      "reshape", "the shape \(desired) does not go with \(input)", node,
      help: "check the model with onnx.checker")
  }
  try reshapeEntry(&context, node, to: shape)
}

@Sendable private func importFlatten(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let input = try context.shape(node, 0)
  let axis = try node.int("axis") ?? 1
  guard -input.count...input.count ~= axis else {
    throw context.failure(
      "axis", "axis \(axis) is outside of \(input.count) axes", node,
      help: "check the model with onnx.checker")
  }
  let split = axis < 0 ? axis + input.count : axis
  try reshapeEntry(&context, node, to: [input[..<split].reduce(1, *), input[split...].reduce(1, *)])
}

/// Axes are an attribute up to opset 12 and an input from 13 on.
private func axesOf(_ node: ONNXNode, _ context: ImportContext) throws(Diagnostic) -> [Int]? {
  if context.hasInput(node, 1) { return try context.integers(node, 1).values.map { Int(clamping: $0) } }
  return try node.ints("axes")
}

@Sendable private func importSqueeze(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let input = try context.shape(node, 0)
  let given = try axesOf(node, context) ?? input.indices.filter { input[$0] == 1 }
  let axes = try normalizedAxes(given, rank: input.count, context, node)
  guard axes.allSatisfy({ input[$0] == 1 }) else {
    throw context.failure(
      "squeeze", "only axes of length 1 can go, the shape is \(input)", node,
      help: "check the model with onnx.checker")
  }
  try reshapeEntry(&context, node, to: input.indices.filter { !axes.contains($0) }.map { input[$0] })
}

@Sendable private func importUnsqueeze(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let input = try context.shape(node, 0)
  let given = try axesOf(node, context) ?? []
  let axes = try normalizedAxes(given, rank: input.count + given.count, context, node)
  guard axes.count == given.count else {
    throw context.failure(
      "axis", "axes \(given) name one twice", node, help: "check the model with onnx.checker")
  }
  var shape = input
  for axis in axes { shape.insert(1, at: axis) }
  try reshapeEntry(&context, node, to: shape)
}

/// Gives floats or known integers another shape.
private func reshapeEntry(_ context: inout ImportContext, _ node: ONNXNode, to shape: [Int])
  throws(Diagnostic)
{
  if !context.isLevels(node, 0), let known = context.knownIntegers(node, 0) {
    context.bind(node, integers: Tensor(shape, known.values))
  } else {
    try context.bind(node, moves: [.reshape(shape)])
  }
}
