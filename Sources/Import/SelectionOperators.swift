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
    "Where", .exact, "a condition known at import, broadcasting; also of known integers",
    notes:
      "by minimum and maximum with bounds; infinities not chosen from are kept, those chosen become the largest float"
  ),
  OperatorSupport("DepthToSpace", .exact, "blocksize, both modes", integers: "yes"),
  OperatorSupport("SpaceToDepth", .exact, "blocksize", integers: "yes"),
  OperatorSupport(
    "Trilu", .exact, "upper, k", notes: "a product with zeros and ones; k must be known at import"),
]

/// Bounds are attributes up to opset 9 and inputs from 10 on.
@Sendable private func importSlice(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let starts = try context.list(node, input: 1, attribute: "starts") ?? []
  let ends = try context.list(node, input: 2, attribute: "ends") ?? []
  let axes = try context.list(node, input: 3, attribute: "axes") ?? Array(starts.indices)
  let steps =
    context.hasInput(node, 4) ? try context.list(node, input: 4, attribute: "") ?? [] : starts.map { _ in 1 }
  guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count,
    !steps.contains(0),
    try normalizedAxes(axes, rank: shape.count, context, node).count == axes.count
  else {
    throw context.failure(
      "slice", "starts, ends, axes and steps do not go together", node,
      help: "check the model with onnx.checker")
  }
  var (start, end) = (shape.map { _ in 0 }, shape)
  var picks: [DigitalOperator] = []
  for (k, given) in axes.enumerated() {
    let axis = given < 0 ? given + shape.count : given
    let (first, count) = elements(from: starts[k], to: ends[k], step: steps[k], of: shape[axis])
    if steps[k] == 1, count > 0 {
      (start[axis], end[axis]) = (first, first + count)
    } else if count <= longestList {
      picks.append(
        .take(indices: (0..<count).map { Int64(first + (count > 1 ? $0 * steps[k] : 0)) }, axis: axis))
    } else {
      throw context.failure(
        "slice", "a slice in steps takes \(count) elements", node,
        help: "at most \(longestList) are supported")
    }
  }
  let isWhole = start.allSatisfy { $0 == 0 } && end == shape
  if picks.contains(where: \.takesNothing) {
    guard let known = context.knownIntegers(node, 0), known.shape.count == 1 else {
      throw context.failure(
        "slice", "the slice of \(shape) from \(starts) to \(ends) is empty", node,
        help: "check the model with onnx.checker")
    }
    return context.bind(node, integers: Tensor([0], [Int64]()))
  }
  try context.bind(node, moves: (isWhole && !picks.isEmpty ? [] : [.slice(start: start, end: end)]) + picks)
}

extension DigitalOperator {
  /// Whether this is a `take` of no element.
  fileprivate var takesNothing: Bool {
    if case .take(let indices, _) = self { return indices.isEmpty }
    return false
  }
}

/// The first place and how many there are from `start` on in steps, before `end`, as ONNX clamps the two.
private func elements(from start: Int, to end: Int, step: Int, of length: Int) -> (first: Int, count: Int) {
  func counted(_ bound: Int) -> Int { bound < 0 ? bound.addingReportingOverflow(length).partialValue : bound }
  let (lowest, highest) = step > 0 ? (0, length) : (-1, length - 1)
  let first = max(0, min(highest, counted(start)))
  let last = max(lowest, min(highest, counted(end)))
  let distance = step > 0 ? last - first : first - last
  // A step beyond the axis is as good as one of its length.
  let size = min(Int(clamping: step.magnitude), length + 1)
  return (first, distance > 0 ? (distance - 1) / size + 1 : 0)
}

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

/// A choice by a condition that is known at import.
///
/// A value is kept by the minimum with the largest float, and put below all others by the minimum with its negative; the
/// maximum of the two sides is the choice.
@Sendable private func importWhere(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let condition = try context.integers(node, 0)
  if let a = context.knownIntegers(node, 1), let b = context.knownIntegers(node, 2) {
    return try chooseIntegers(&context, condition, a, b, node)
  }
  let (a, b) = (try context.value(node, 1), try context.value(node, 2))
  let top = Float.greatestFiniteMagnitude
  func side(_ chosen: Bool, _ context: inout ImportContext) -> ValueID {
    let bounds = condition.values.map { ($0 != 0) == chosen ? top : -top }
    return context.constant(Tensor(condition.shape, bounds), name: "\(node.outputs.first ?? "where").bound")
  }
  let left = try context.apply(.minimum, a, side(true, &context), for: node)
  let right = try context.apply(.minimum, b, side(false, &context), for: node)
  try context.emit(.maximum, [left, right], for: node)
}

private func chooseIntegers(
  _ context: inout ImportContext, _ condition: (values: [Int64], shape: [Int]),
  _ a: (values: [Int64], shape: [Int]), _ b: (values: [Int64], shape: [Int]), _ node: ONNXNode
) throws(Diagnostic) {
  do throws(Diagnostic) {
    // b + c * (a - b) with c 0 or 1.
    let flags = Tensor(condition.shape, condition.values.map { $0 == 0 ? 0 : 1 } as [Int64])
    let other = Tensor(b.shape, b.values)
    let gap = try DigitalOperator.binary(.subtract).apply(to: [Tensor(a.shape, a.values), other])
    let part = try DigitalOperator.binary(.multiply).apply(to: [flags, gap])
    context.bind(node, integers: try DigitalOperator.binary(.add).apply(to: [part, other]))
  } catch {
    throw context.failure("integer", error.message, node, help: "check the model with onnx.checker")
  }
}

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

@Sendable private func importTrilu(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
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
