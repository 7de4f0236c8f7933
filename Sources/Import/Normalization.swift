import IR
import ONNX
import Support
import Tensors

/// Normalizations by statistics that the file gives, and by those of the sample itself, composed of means,
/// products and roots.
let normalizationOperators: [SupportedOperator] = [
  SupportedOperator(
    "BatchNormalization", importBatchNorm, .exact, "epsilon",
    crossbars: "part of the layer before it, where that has no other use", integers: "as part of the layer",
    digital: "a product and a sum, elsewhere", notes: "inference only"),
  SupportedOperator(
    "LayerNormalization", importLayerNorm, .exact, "axis, epsilon, scale, bias; outputs Mean and InvStdDev",
    notes: "in binary32 throughout"),
  SupportedOperator("InstanceNormalization", importInstanceNorm, .exact, "epsilon, scale, bias"),
  SupportedOperator(
    "GroupNormalization", importGroupNorm, .exact,
    "num_groups, epsilon, scale and bias of each group or of each channel"),
  SupportedOperator("MeanVarianceNormalization", importMeanVarianceNorm, .exact, "axes"),
  SupportedOperator("LpNormalization", importLpNorm, .exact, "axis, p", notes: "p of 1 or 2"),
  SupportedOperator(
    "LRN", importLocalResponseNorm, .libm, "size, alpha, beta, bias",
    notes: "roots where beta is a multiple of 1/4 below 1 or whole, else exp and log"),
]

extension ImportContext {
  /// `(x - mean) / sqrt(variance + epsilon)` with statistics over `axes`.
  fileprivate mutating func normalized(_ x: ValueID, _ axes: [Int], epsilon: Float, for node: ONNXNode)
    throws(Diagnostic) -> ValueID
  {
    let mean = try apply(.mean(axes: axes), x, for: node)
    let (centered, spread) = try centered(x, mean, axes, epsilon: epsilon, for: node)
    return try apply(.divide, centered, spread, for: node)
  }

  /// `x - mean` and `sqrt(variance + epsilon)`.
  fileprivate mutating func centered(
    _ x: ValueID, _ mean: ValueID, _ axes: [Int], epsilon: Float, for node: ONNXNode
  ) throws(Diagnostic) -> (ValueID, ValueID) {
    let centered = try apply(.subtract, x, mean, for: node)
    let squares = try apply(.multiply, centered, centered, for: node)
    let variance = try apply(.mean(axes: axes), squares, for: node)
    return (centered, try apply(.sqrt, apply(.add, variance, epsilon, for: node), for: node))
  }

  /// `x * scale + bias`, from inputs 1 and 2 of the node under `shape`; the result of the node.
  fileprivate mutating func scaleAndShift(_ x: ValueID, shape: [Int]?, for node: ONNXNode) throws(Diagnostic)
  {
    var scale = try value(node, 1)
    if let shape { scale = try reshape(scale, checked(scale, shape, node), for: node) }
    let scaled = try apply(.multiply, x, scale, for: node)
    guard hasInput(node, 2) else { return try finish(scaled, node) }
    var bias = try value(node, 2)
    if let shape { bias = try reshape(bias, checked(bias, shape, node), for: node) }
    try finish(try apply(.add, scaled, bias, for: node), node)
  }

  /// Makes the first output of the node stand for `id`; others must not be used.
  private mutating func finish(_ id: ValueID, _ node: ONNXNode) throws(Diagnostic) {
    try bindOutput(node, id)
  }

  private func checked(_ id: ValueID, _ shape: [Int], _ node: ONNXNode) throws(Diagnostic) -> [Int] {
    guard self.shape(of: id).reduce(1, *) == shape.reduce(1, *) else {
      throw failure(
        "norm", "scale or bias has the shape \(self.shape(of: id)), expected \(shape.reduce(1, *)) numbers",
        node,
        help: "check the model with onnx.checker")
    }
    return shape
  }
}

@Sendable private func importLayerNorm(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let rank = try context.shape(node, 0).count
  let axis = try context.axis(node, default: -1, rank: rank)
  let axes = Array(axis..<rank)
  let x = try context.value(node, 0)
  let mean = try context.apply(.mean(axes: axes), x, for: node)
  let (centered, spread) = try context.centered(
    x, mean, axes, epsilon: try node.float("epsilon") ?? 1e-5, for: node)
  var first = node
  first.outputs = Array(node.outputs.prefix(1))
  let normal = try context.apply(.divide, centered, spread, for: node)
  try context.scaleAndShift(normal, shape: nil, for: first)
  if node.outputs.count > 1 { context.bind(node.outputs[1], .value(mean)) }
  if node.outputs.count > 2, !node.outputs[2].isEmpty {
    let inverse = try context.apply(.divide, context.number(1, for: node), spread, for: node)
    context.bind(node.outputs[2], .value(inverse))
  }
}

@Sendable private func importInstanceNorm(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic)
{
  let shape = try imageShape(context, node)
  let normal = try context.normalized(
    try context.value(node, 0), Array(2..<shape.count), epsilon: try node.float("epsilon") ?? 1e-5, for: node)
  try context.scaleAndShift(
    normal, shape: [shape[1]] + shape.dropFirst(2).map { _ in 1 }, for: node)
}

/// Scale and bias are those of a group up to opset 20, and those of a channel from 21 on.
@Sendable private func importGroupNorm(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try imageShape(context, node)
  let groups = try node.int("num_groups") ?? 0
  guard groups >= 1, shape[1] % groups == 0 else {
    throw context.failure(
      "norm", "\(groups) groups do not divide \(shape[1]) channels", node,
      help: "check the model with onnx.checker")
  }
  let inner = shape.dropFirst(2).reduce(1, *)
  let split = try context.reshape(
    try context.value(node, 0), [shape[0], groups, shape[1] / groups * inner], for: node)
  var normal = try context.normalized(split, [2], epsilon: try node.float("epsilon") ?? 1e-5, for: node)
  let isOfGroups = try context.shape(node, 1) == [groups] && context.opset < 21
  if !isOfGroups { normal = try context.reshape(normal, [shape[0], shape[1], inner], for: node) }
  var inside = node
  inside.outputs = ["\(node.outputs.first ?? "norm").scaled"]
  try context.scaleAndShift(normal, shape: [isOfGroups ? groups : shape[1], 1], for: inside)
  guard case .value(let result)? = context.entry(inside.outputs[0]) else { return }
  try context.emit(.reshape(shape), [result], for: node)
}

/// `(x - mean) / (sqrt(variance) + 1e-9)`.
@Sendable private func importMeanVarianceNorm(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  let rank = try context.shape(node, 0).count
  let axes = try normalizedAxes(try node.ints("axes") ?? [0, 2, 3], rank: rank, context, node)
  let x = try context.value(node, 0)
  let centered = try context.apply(.subtract, x, context.apply(.mean(axes: axes), x, for: node), for: node)
  let squares = try context.apply(.multiply, centered, centered, for: node)
  let deviation = try context.apply(.sqrt, context.apply(.mean(axes: axes), squares, for: node), for: node)
  try context.emit(.divide, [centered, try context.apply(.add, deviation, 1e-9, for: node)], for: node)
}

@Sendable private func importLpNorm(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let axis = try context.axis(node, default: -1, rank: try context.shape(node, 0).count)
  let x = try context.value(node, 0)
  let norm: ValueID
  switch try node.int("p") ?? 2 {
  case 1: norm = try context.sum(try context.apply(.abs, x, for: node), [axis], for: node)
  case 2:
    let squares = try context.sum(try context.apply(.multiply, x, x, for: node), [axis], for: node)
    norm = try context.apply(.sqrt, squares, for: node)
  default:
    throw context.failure("norm", "a norm of this p is not supported", node, help: "norms of p 1 and 2 are")
  }
  // A line of zeros stays one.
  let divisor = try context.apply(.maximum, norm, Float.leastNormalMagnitude, for: node)
  try context.emit(.divide, [x, divisor], for: node)
}

/// `x / (bias + alpha * m)^beta`, with `m` the mean of squares over `size` neighboring channels, those
/// outside counting as 0.
@Sendable private func importLocalResponseNorm(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  let shape = try imageShape(context, node)
  let size = try node.int("size") ?? 0
  guard 1..<(1 << 20) ~= size else {
    throw context.failure(
      "norm", "the size \(size) is not supported", node, help: "check the model with onnx.checker")
  }
  let x = try context.value(node, 0)
  let image = [shape[0], 1, shape[1], shape.dropFirst(2).reduce(1, *)]
  let squares = try context.reshape(try context.apply(.multiply, x, x, for: node), image, for: node)
  let window = Window(
    batch: image[0], channels: 1, height: image[2], width: image[3], kernelHeight: size, kernelWidth: 1,
    padTop: (size - 1) / 2, outHeight: image[2], outWidth: image[3])
  let means = try context.reshape(
    try context.apply(.averagePool(window, countPadding: true), squares, for: node), shape, for: node)
  let scaled = try context.apply(.multiply, means, try node.float("alpha") ?? 0.0001, for: node)
  let sum = try context.apply(.add, scaled, try node.float("bias") ?? 1, for: node)
  try context.emit(
    .divide, [x, try context.power(sum, try node.float("beta") ?? 0.75, for: node)], for: node)
}

/// The shape of input 0, which has a batch, channels, and one axis more at least.
private func imageShape(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) -> [Int] {
  let shape = try context.shape(node, 0)
  guard shape.count >= 3 else {
    throw context.failure(
      "norm", "\(node.op) needs a batch, channels and one axis more, found \(shape)", node,
      help: "check the model with onnx.checker")
  }
  return shape
}

@Sendable private func importBatchNorm(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  guard try node.int("training_mode") ?? 0 == 0, try node.int("spatial") ?? 1 == 1 else {
    throw context.failure(
      "batch-norm-mode", "only inference with statistics per channel is supported", node,
      help: "export the model in inference mode")
  }
  var operands: [ValueID] = []
  for index in 0..<5 { operands.append(try context.value(node, index)) }
  let channels = context.shape(of: operands[0]).dropFirst().first ?? 0
  guard channels > 0, operands.dropFirst().allSatisfy({ context.shape(of: $0) == [channels] }) else {
    throw context.failure(
      "batch-norm-shape", "expected \(channels) parameters of each kind", node,
      help: "check the model with onnx.checker")
  }
  let epsilon = try node.float("epsilon") ?? 1e-5
  if (1..<5).allSatisfy({ isConstant(context, node, $0) }) {
    return try context.emit(.batchNorm, operands, [NamedAttribute(.epsilon, epsilon)], for: node)
  }
  // Computed parameters: nothing can be folded.
  let each = [channels] + [Int](repeating: 1, count: context.shape(of: operands[0]).count - 2)
  var parameters: [ValueID] = []
  for operand in operands.dropFirst() { parameters.append(try context.reshape(operand, each, for: node)) }
  let spread = try context.apply(
    .sqrt, context.apply(.add, parameters[3], epsilon, for: node), for: node)
  let factor = try context.apply(.divide, parameters[0], spread, for: node)
  let centered = try context.apply(.subtract, operands[0], parameters[2], for: node)
  let scaled = try context.apply(.multiply, centered, factor, for: node)
  try context.emit(.add, [scaled, parameters[1]], for: node)
}
