import IR
import ONNX
import Support
import Tensors

/// Pools and means over axes.
let poolImporters: [String: OperatorImporter] = [
  "MaxPool": { (context, node) throws(Diagnostic) in
    let window = try poolWindow(&context, node)
    try context.emit(.maxPool(window), [try context.movable(node, 0)], for: node)
  },
  "AveragePool": { (context, node) throws(Diagnostic) in
    let window = try poolWindow(&context, node)
    let countPadding = try node.int("count_include_pad") ?? 0 != 0
    try context.emit(
      .averagePool(window, countPadding: countPadding), [try context.value(node, 0)], for: node)
  },
  "GlobalAveragePool": { (context, node) throws(Diagnostic) in
    let axes = Array(2..<max(2, try context.shape(node, 0).count))
    try context.emit(.mean(axes: axes), [try context.value(node, 0)], for: node)
  },
  "GlobalMaxPool": { (context, node) throws(Diagnostic) in
    let x = try imageShape(context, node)
    let window = try checkedWindow(context, node, x + [0, x[1], x[2], x[3], 1, 1, 0, 0, 1, 1, 1, 1])
    try context.emit(.maxPool(window), [try context.movable(node, 0)], for: node)
  },
  "ReduceMean": importReduceMean,
]

/// The rows of docs/operators.md for these.
let poolSupport: [OperatorSupport] = [
  OperatorSupport(
    "MaxPool", .exact, "kernel_shape, strides, pads, dilations, auto_pad", integers: "yes",
    notes: "1 or 2 spatial axes; no indices; ceil_mode only where windows fit"),
  OperatorSupport(
    "AveragePool", .exact, "kernel_shape, strides, pads, dilations, auto_pad, count_include_pad",
    notes: "as `MaxPool`"),
  OperatorSupport("GlobalMaxPool", integers: "yes", notes: "1 or 2 spatial axes"),
  OperatorSupport("GlobalAveragePool", .exact, "any number of axes"),
  OperatorSupport(
    "ReduceMean", .exact, "axes, keepdims, noop_with_empty_axes", notes: "axes must be known at import"),
]

/// `[batch, channels, height, width]`; height 1 for one-dimensional input.
private func imageShape(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) -> [Int] {
  let x = try context.shape(node, 0)
  guard x.count == 3 || x.count == 4 else {
    throw context.failure(
      "pool-rank", "\(node.op) on \(max(0, x.count - 2)) spatial axes is not supported", node,
      help: "one- and two-dimensional pools are")
  }
  return x.count == 4 ? x : [x[0], x[1], 1, x[2]]
}

private func checkedWindow(_ context: ImportContext, _ node: ONNXNode, _ numbers: [Int]) throws(Diagnostic)
  -> Window
{
  guard let window = Window(numbers: numbers) else {
    throw context.failure(
      "window", "the windows do not fit the input", node, help: "check the model with onnx.checker")
  }
  return window
}

private func poolWindow(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) -> Window {
  let x = try imageShape(context, node)
  let spatial = try context.shape(node, 0).count - 2
  guard let kernel = try node.ints("kernel_shape") else {
    throw context.failure(
      "window", "kernel_shape is missing", node, help: "check the model with onnx.checker")
  }
  let input = spatial == 1 ? [x[3]] : [x[2], x[3]]
  let walk = try WindowAttributes(context, node, input: input, kernel: kernel)
  let isCeil = try node.int("ceil_mode") ?? 0 != 0
  func lifted(_ list: [Int], _ filler: Int) -> [Int] { spatial == 1 ? [filler] + list : list }
  let size = lifted(input, 1)
  let (taps, step, spread) = (lifted(kernel, 1), lifted(walk.strides, 1), lifted(walk.dilations, 1))
  let begin = lifted(Array(walk.pads.prefix(spatial)), 0)
  let end = lifted(Array(walk.pads.suffix(spatial)), 0)
  var out: [Int] = []
  for axis in 0..<2 {
    guard let count = windowCount(size[axis], begin[axis] + end[axis], taps[axis], step[axis], spread[axis])
    else {
      throw context.failure(
        "window", "the windows do not fit the input", node, help: "check the model with onnx.checker")
    }
    let covered = (count - 1) * step[axis] + (taps[axis] - 1) * spread[axis] + 1
    if isCeil && covered != size[axis] + begin[axis] + end[axis] {
      throw context.failure(
        "ceil-mode", "ceil_mode is not supported where windows reach over the edge", node,
        help: "export with ceil_mode=False, or pad the input so that windows fit")
    }
    out.append(count)
  }
  return try checkedWindow(context, node, x + [0, x[1]] + taps + step + begin + spread + out)
}

@Sendable private func importReduceMean(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let x = try context.shape(node, 0)
  var axes: [Int]
  if context.hasInput(node, 1) {
    axes = try context.integers(node, 1).values.map { Int($0) }
  } else {
    axes = try node.ints("axes") ?? []
  }
  if axes.isEmpty, try node.int("noop_with_empty_axes") ?? 0 == 0 { axes = Array(x.indices) }
  axes = try normalizedAxes(axes, rank: x.count, context, node)
  let mean = DigitalOperator.mean(axes: axes)
  guard try node.int("keepdims") ?? 1 == 0 else {
    return try context.emit(mean, [try context.value(node, 0)], for: node)
  }
  let kept = try context.emitInner(
    .mean, [try context.value(node, 0)], [NamedAttribute("axes", .ints(axes))],
    name: "\(node.outputs.first ?? "mean").kept", for: node)
  let shape = x.indices.filter { !axes.contains($0) }.map { x[$0] }
  try context.emit(.reshape(shape), [kept], for: node)
}

/// Axes counted from 0, sorted, without repetition.
func normalizedAxes(_ axes: [Int], rank: Int, _ context: ImportContext, _ node: ONNXNode) throws(Diagnostic)
  -> [Int]
{
  var result: [Int] = []
  for axis in axes {
    guard -rank..<rank ~= axis else {
      throw context.failure(
        "axis", "axis \(axis) is outside of \(rank) axes", node, help: "check the model with onnx.checker")
    }
    let positive = axis < 0 ? axis + rank : axis
    if !result.contains(positive) { result.append(positive) }
  }
  return result.sorted()
}
