import IR
import ONNX
import Support
import Tensors

/// Blocks of an image and channels.
let depthToSpaceOperators: [SupportedOperator] = [
  SupportedOperator("DepthToSpace", importDepthToSpace, .exact, "blocksize, both modes", integers: "yes"),
  SupportedOperator("SpaceToDepth", importSpaceToDepth, .exact, "blocksize", integers: "yes"),
]

/// `[N, C, H, W]` and the size of a block.
private func blocks(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) -> (
  shape: [Int], size: Int
) {
  let shape = try context.shape(node, 0)
  let size = try node.int("blocksize") ?? 0
  guard shape.count == 4, 1...4096 ~= size else {
    throw context.failure(
      "blocks", "\(node.op) of \(shape) by \(size) is not supported", node,
      help: "check the model with onnx.checker")
  }
  return (shape, size)
}

@Sendable private func importDepthToSpace(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic)
{
  let (x, size) = try blocks(context, node)
  guard x[1] % (size * size) == 0 else {
    throw context.failure(
      "blocks", "\(x[1]) channels are no blocks of \(size)x\(size)", node,
      help: "check the model with onnx.checker")
  }
  let channels = x[1] / (size * size)
  let result: DigitalOperator = .reshape([x[0], channels, x[2] * size, x[3] * size])
  switch try node.string("mode") ?? "DCR" {
  case "DCR":
    try context.bind(
      node,
      moves: [.reshape([x[0], size, size, channels, x[2], x[3]]), .transpose([0, 3, 4, 1, 5, 2]), result])
  case "CRD":
    try context.bind(
      node,
      moves: [.reshape([x[0], channels, size, size, x[2], x[3]]), .transpose([0, 1, 4, 2, 5, 3]), result])
  case let mode:
    throw context.failure("blocks", "unknown mode '\(mode)'", node, help: "use DCR or CRD")
  }
}

@Sendable private func importSpaceToDepth(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic)
{
  let (x, size) = try blocks(context, node)
  guard x[2] % size == 0, x[3] % size == 0 else {
    throw context.failure(
      "blocks", "an image of \(x[2])x\(x[3]) is not divided by blocks of \(size)x\(size)", node,
      help: "check the model with onnx.checker")
  }
  try context.bind(
    node,
    moves: [
      .reshape([x[0], x[1], x[2] / size, size, x[3] / size, size]), .transpose([0, 3, 5, 1, 2, 4]),
      .reshape([x[0], x[1] * size * size, x[2] / size, x[3] / size]),
    ])
}
