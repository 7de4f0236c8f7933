import IR
import ONNX
import Support
import Tensors

/// Axes in another order.
let transposeOperators: [SupportedOperator] = [
  SupportedOperator("Transpose", importTranspose, .exact, "perm; also of known integers", integers: "yes")
]

@Sendable private func importTranspose(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let rank = try context.shape(node, 0).count
  if let blocks = context.blocks(node, 0), try node.ints("perm") ?? [1, 0] == [1, 0] {
    return context.bind(node.outputs.first ?? "", .blocks(try context.transposed(blocks, node)))
  }
  try context.bind(node, moves: [.transpose(try node.ints("perm") ?? Array((0..<rank).reversed()))])
}
