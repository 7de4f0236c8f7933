import IR
import ONNX
import Support
import Tensors

/// Triangles of matrices.
let triluOperators: [SupportedOperator] = [
  SupportedOperator(
    "Trilu", importTrilu, .exact, "upper, k; also of integers",
    notes: "a choice by a constant mask; k must be known at import")
]

@Sendable private func importTrilu(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  guard shape.count >= 2, 1...longestList ~= shape.suffix(2).reduce(1, *) else {
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
  if let known = context.knownIntegers(node, 0) {
    let integers = known.values.enumerated().map { $1 * Int64(mask[$0 % mask.count]) }
    return context.bind(node, integers: Tensor(known.shape, integers))
  }
  let flags = context.constant(Tensor([rows, columns], mask), name: "\(node.outputs.first ?? "trilu").mask")
  let isWhole = context.isWhole(node, 0)
  let x = try isWhole ? context.number(node, 0) : context.value(node, 0)
  let kept = try context.select(flags, x, context.number(0, for: node), for: node)
  if isWhole { return try context.bindOutput(node, whole: kept) }
  try context.bindOutput(node, kept)
}
