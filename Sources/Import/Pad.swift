import IR
import ONNX
import Support
import Tensors

/// Edges added and cut.
let padOperators: [SupportedOperator] = [
  SupportedOperator(
    "Pad", importPad, .exact, "pads of both signs, value, axes, modes constant, reflect, edge and wrap",
    integers: "yes",
    notes: "amounts and value must be known at import")
]

/// Pads are attributes up to opset 10 and inputs from 11 on; negative ones cut.
@Sendable private func importPad(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let mode = try node.string("mode") ?? "constant"
  let shape = try context.shape(node, 0)
  let given = try context.list(node, input: 1, attribute: "pads") ?? []
  let axes =
    context.hasInput(node, 3) ? try context.list(node, input: 3, attribute: "") ?? [] : Array(shape.indices)
  let limit = 1 << 20
  guard given.count == 2 * axes.count, given.allSatisfy({ -limit...limit ~= $0 }),
    try normalizedAxes(axes, rank: shape.count, context, node).count == axes.count
  else {
    throw context.failure(
      "pad", "padding in mode '\(mode)' by \(given) is not supported", node,
      help: "check the model with onnx.checker")
  }
  var (before, after) = (shape.map { _ in 0 }, shape.map { _ in 0 })
  for (k, axis) in axes.enumerated() {
    let place = axis < 0 ? axis + shape.count : axis
    (before[place], after[place]) = (given[k], given[k + axes.count])
  }
  guard
    shape.indices.allSatisfy({
      shape[$0] + before[$0] + after[$0] >= 1 && max(-before[$0], -after[$0]) < shape[$0]
    })
  else {
    throw context.failure(
      "pad", "padding by \(given) leaves nothing of \(shape)", node, help: "check the model with onnx.checker"
    )
  }
  if mode == "constant" {
    let value = try paddingValue(context, node)
    return try context.bind(node, moves: constantPads(shape, before, after, value))
  }
  var moves: [DigitalOperator] = []
  for axis in shape.indices where before[axis] != 0 || after[axis] != 0 {
    let length = shape[axis]
    guard length + before[axis] + after[axis] <= longestList,
      let places = edgePlaces(mode, -before[axis]..<length + after[axis], length)
    else {
      throw context.failure(
        "pad", "padding in mode '\(mode)' by \(before[axis]) and \(after[axis]) is not supported", node,
        help: "modes constant, reflect, edge and wrap are; reflect by less than the axis is long")
    }
    moves.append(.gather(indices: places, axis: axis))
  }
  try context.bind(node, moves: moves.isEmpty ? [.reshape(shape)] : moves)
}

/// What a pad adds: a real number, or an integer where the input is integers or levels.
private func paddingValue(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) -> Float {
  guard context.hasInput(node, 2) else { return try node.float("value") ?? 0 }
  let isInteger =
    context.holdsLevels(node, 0) || context.isWhole(node, 0) || context.knownIntegers(node, 0) != nil
  guard isInteger else { return try context.scalar(node, 2) }
  guard let value = try context.integers(node, 2).values.first, let number = exactFloats([value])?.first
  else {
    throw context.failure(
      "pad", "padding by an integer beyond 2^24 is not supported", node, help: "use a smaller one")
  }
  return number
}

private func constantPads(_ shape: [Int], _ before: [Int], _ after: [Int], _ value: Float)
  -> [DigitalOperator]
{
  let start = before.map { max(0, -$0) }
  let end = zip(shape, after).map { $0 + min(0, $1) }
  let pad: DigitalOperator = .pad(
    before: before.map { max(0, $0) }, after: after.map { max(0, $0) }, value: value)
  if start.allSatisfy({ $0 == 0 }) && end == shape { return [pad] }
  return [.slice(start: start, end: end), pad]
}

/// Which of `length` elements are at `range`, those outside by the mode; nil for unknown modes and for places that
/// one reflection does not reach.
private func edgePlaces(_ mode: String, _ range: Range<Int>, _ length: Int) -> [Int64]? {
  switch mode {
  case "edge": return range.map { Int64(max(0, min(length - 1, $0))) }
  case "wrap": return range.map { Int64(($0 % length + length) % length) }
  case "reflect":
    guard range.lowerBound > -length, range.upperBound < 2 * length else { return nil }
    return range.map { Int64($0 < 0 ? -$0 : $0 >= length ? 2 * (length - 1) - $0 : $0) }
  default: return nil
  }
}
