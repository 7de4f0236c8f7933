import IR
import ONNX
import Support
import Tensors

/// Elements repeated.
let tileOperators: [SupportedOperator] = [
  SupportedOperator(
    "Tile", importTile, .exact, "also of known integers", integers: "yes",
    notes: "repeats must be known at import"),
  SupportedOperator(
    "Expand", importExpand, .exact, "also of known integers", integers: "yes",
    notes: "the shape must be known at import"),
]

@Sendable private func importTile(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let repeats = try context.integers(node, 1).values
  guard repeats.count == shape.count, repeats.allSatisfy({ 1...Int64(maximumElements) ~= $0 }),
    isComputable(zip(shape, repeats).map { $0 * Int($1) }),
    zip(shape, repeats).allSatisfy({ $1 == 1 || $0 * Int($1) <= longestList })
  else {
    throw context.failure(
      "tile", "the repeats \(repeats) do not go with \(shape)", node,
      help: "check the model with onnx.checker")
  }
  let moves = shape.indices.filter { repeats[$0] > 1 }.map { axis in
    DigitalOperator.gather(
      indices: (0..<Int64(shape[axis]) * repeats[axis]).map { $0 % Int64(shape[axis]) }, axis: axis)
  }
  try context.bind(node, moves: moves.isEmpty ? [.reshape(shape)] : moves)
}

/// Axes of length 1 are repeated; missing ones are added in front.
@Sendable private func importExpand(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let desired = try context.integers(node, 1).values.map { Int(clamping: $0) }
  let rank = max(shape.count, desired.count)
  let from = [Int](repeating: 1, count: rank - shape.count) + shape
  let to = zip(from, [Int](repeating: 1, count: rank - desired.count) + desired).map { $1 == 1 ? $0 : $1 }
  guard isComputable(to), zip(from, to).allSatisfy({ $0 == $1 || $0 == 1 && $1 <= longestList }) else {
    throw context.failure(
      "expand", "\(shape) cannot be repeated to \(desired)", node, help: "check the model with onnx.checker")
  }
  let repeated = to.indices.filter { from[$0] != to[$0] }.map { axis in
    DigitalOperator.gather(indices: [Int64](repeating: 0, count: to[axis]), axis: axis)
  }
  // Nothing to do leaves nothing.
  let moves = repeated.isEmpty && from == shape ? [] : [.reshape(from)] + repeated
  try context.bind(node, moves: moves)
}
