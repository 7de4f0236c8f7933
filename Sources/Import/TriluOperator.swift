import IR
import ONNX
import Support
import Tensors

@Sendable func importTrilu(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  guard shape.count >= 2, shape.suffix(2).reduce(1, *) <= longestList else {
    throw context.failure("trilu", "Trilu takes matrices, found \(shape)", node, help: "check the model")
  }
  let k = context.hasInput(node, 1) ? Int(clamping: try context.integers(node, 1).values.first ?? 0) : 0
  let isUpper = try node.int("upper") ?? 1 != 0
  let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
  // Column less row: below 2^31, so that k may be any number.
  let diagonal = max(-(1 << 31), min(1 << 31, k))
  let mask = (0..<rows * columns).map { place -> Float in
    let offset = place % columns - place / columns
    return (isUpper ? offset >= diagonal : offset <= diagonal) ? 1 : 0
  }
  let flags = context.constant(Tensor([rows, columns], mask), name: "\(node.outputs.first ?? "trilu").mask")
  try context.emit(.multiply, [try context.value(node, 0), flags], for: node)
}
