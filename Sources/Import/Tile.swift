import IR
import ONNX
import Support
import Tensors

/// Operators that choose and repeat elements, all by indices that are known at import.
let selectionImporters: [String: OperatorImporter] = [
  "Slice": importSlice, "Split": importSplit, "Gather": importGather, "Tile": importTile,
  "Expand": importExpand,
  "Where": importWhere, "DepthToSpace": importDepthToSpace, "SpaceToDepth": importSpaceToDepth,
  "Trilu": importTrilu,
]

/// The rows of docs/operators.md for these.
let selectionSupport: [OperatorSupport] = [
  OperatorSupport(
    "Slice", .exact, "starts, ends, axes, steps of both signs; also of known integers", integers: "yes",
    notes: "bounds must be known at import; at least one element must be left"),
  OperatorSupport(
    "Split", .exact, "axis, split, num_outputs; also of known integers", integers: "yes",
    notes: "lengths must be known at import"),
  OperatorSupport(
    "Gather", .exact, "axis; also of known integers", integers: "yes",
    notes: "indices must be known at import"),
  OperatorSupport(
    "Tile", .exact, "also of known integers", integers: "yes", notes: "repeats must be known at import"),
  OperatorSupport(
    "Expand", .exact, "also of known integers", integers: "yes", notes: "the shape must be known at import"),
  OperatorSupport(
    "Where", .exact, "a condition known or computed, broadcasting; also of integers",
    notes:
      "by minimum and maximum with bounds; infinities not chosen from are kept, those chosen become the largest float"
  ),
  OperatorSupport("DepthToSpace", .exact, "blocksize, both modes", integers: "yes"),
  OperatorSupport("SpaceToDepth", .exact, "blocksize", integers: "yes"),
  OperatorSupport(
    "Trilu", .exact, "upper, k; also of integers",
    notes: "a product with zeros and ones; k must be known at import"),
]

/// Lengths are an attribute up to opset 12 and an input from 13 on; without them parts are equal, the last one shorter.
@Sendable private func importSplit(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let axis = try context.axis(node, default: 0, rank: shape.count)
  let parts = node.outputs.count
  let share = max(1, ceilDivide(shape[axis], max(1, parts)))
  let lengths =
    try context.list(node, input: 1, attribute: "split")
    ?? (0..<parts).map { min(share, shape[axis] - $0 * share) }
  guard lengths.count == parts, lengths.allSatisfy({ $0 > 0 && $0 <= shape[axis] }),
    lengths.reduce(0, +) == shape[axis]
  else {
    throw context.failure(
      "split", "the lengths \(lengths) do not divide an axis of length \(shape[axis]) into \(parts) parts",
      node,
      help: "check the model with onnx.checker")
  }
  var (start, end) = (shape.map { _ in 0 }, shape)
  for (output, length) in lengths.enumerated() {
    end[axis] = start[axis] + length
    try context.bind(node, moves: [.slice(start: start, end: end)], to: output)
    start[axis] = end[axis]
  }
}

/// Elements of floats or of known integers on one axis; the axes of the indices take its place.
@Sendable private func importGather(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let axis = try context.axis(node, default: 0, rank: shape.count)
  let indices = try context.integers(node, 1)
  let length = Int64(shape[axis])
  var places: [Int64] = []
  for index in indices.values {
    guard -length..<length ~= index else {
      throw context.failure(
        "gather", "index \(index) is outside of an axis of length \(length)", node,
        help: "check the model with onnx.checker")
    }
    places.append(index < 0 ? index + length : index)
  }
  let result = shape[..<axis] + indices.shape + shape[(axis + 1)...]
  try context.bind(node, moves: [.take(indices: places, axis: axis), .reshape(Array(result))])
}

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
    DigitalOperator.take(
      indices: (0..<Int64(shape[axis]) * repeats[axis]).map { $0 % Int64(shape[axis]) }, axis: axis)
  }
  try context.bind(node, moves: moves.isEmpty ? [.reshape(shape)] : moves)
}

/// Axes of length 1 are repeated; missing ones are added in front.
@Sendable private func importExpand(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let wish = try context.integers(node, 1).values.map { Int(clamping: $0) }
  let rank = max(shape.count, wish.count)
  let from = [Int](repeating: 1, count: rank - shape.count) + shape
  let to = zip(from, [Int](repeating: 1, count: rank - wish.count) + wish).map { $1 == 1 ? $0 : $1 }
  guard isComputable(to), zip(from, to).allSatisfy({ $0 == $1 || $0 == 1 && $1 <= longestList }) else {
    throw context.failure(
      "expand", "\(shape) cannot be repeated to \(wish)", node, help: "check the model with onnx.checker")
  }
  let repeated = to.indices.filter { from[$0] != to[$0] }.map { axis in
    DigitalOperator.take(indices: [Int64](repeating: 0, count: to[axis]), axis: axis)
  }
  // Nothing to do leaves nothing.
  let moves = repeated.isEmpty && from == shape ? [] : [.reshape(from)] + repeated
  try context.bind(node, moves: moves)
}
