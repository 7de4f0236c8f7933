import IR
import ONNX
import Support
import Tensors

/// Parts of tensors.
let sliceOperators: [SupportedOperator] = [
  SupportedOperator(
    "Slice", importSlice, .exact, "starts, ends, axes, steps of both signs; also of known integers",
    integers: "yes",
    notes: "bounds must be known at import; at least one element must be left"),
  SupportedOperator(
    "Split", importSplit, .exact, "axis, split, num_outputs; also of known integers", integers: "yes",
    notes: "lengths must be known at import"),
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
        .gather(indices: (0..<count).map { Int64(first + (count > 1 ? $0 * steps[k] : 0)) }, axis: axis))
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
  /// Whether this is a `gather` of no element.
  fileprivate var takesNothing: Bool {
    if case .gather(let indices, _) = self { return indices.isEmpty }
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
  guard try node.int("num_outputs") ?? parts == parts else {
    throw context.failure(
      "split", "num_outputs differs from the \(parts) outputs", node,
      help: "check the model with onnx.checker")
  }
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
