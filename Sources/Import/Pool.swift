import IR
import ONNX
import Support
import Tensors

/// Pools and means over axes.
let poolOperators: [SupportedOperator] = [
  SupportedOperator(
    "MaxPool",
    pool { (context, x, node) throws(Diagnostic) in
      try context.apply(.maxPool(try poolWindow(&context, node)), x, for: node)
    }, .exact, "kernel_shape, strides, pads, dilations, auto_pad, ceil_mode", integers: "yes",
    notes: "1 or 2 spatial axes, or 3 of which it leaves the first or the others alone; no indices"),
  SupportedOperator(
    "AveragePool", pool(averagePool), .exact,
    "kernel_shape, strides, pads, dilations, auto_pad, ceil_mode, count_include_pad",
    notes: "as `MaxPool`"),
  SupportedOperator(
    "LpPool", importLpPool, .exact, "as `AveragePool`, p", notes: "roots of a p above 2 by exp and log"),
  SupportedOperator("GlobalLpPool", importLpPool, .exact, "p", notes: "as `LpPool`"),
  SupportedOperator(
    "GlobalMaxPool",
    { (context, node) throws(Diagnostic) in
      let x = try imageShape(context, node)
      let window = try checkedWindow(context, node, x + [0, x[1], x[2], x[3], 1, 1, 0, 0, 1, 1, 1, 1])
      try context.emit(.maxPool(window), [try context.movable(node, 0)], for: node)
    }, integers: "yes", notes: "1 or 2 spatial axes"),
  SupportedOperator(
    "GlobalAveragePool",
    { (context, node) throws(Diagnostic) in
      let axes = Array(2..<max(2, try context.shape(node, 0).count))
      try context.emit(.mean(axes: axes), [try context.value(node, 0)], for: node)
    }, .exact, "any number of axes"),
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
  // onnxruntime pads as for taps side by side, ONNX and its reference for those that are apart.
  let isSame = try node.string("auto_pad")?.hasPrefix("SAME") ?? false
  guard !isSame || zip(walk.dilations, kernel).allSatisfy({ $0 == 1 || $1 == 1 }) else {
    throw context.failure(
      "auto-pad", "\(node.op) with auto_pad SAME and dilations is not the same in all runtimes", node,
      help: "give pads in place of auto_pad")
  }
  func lifted(_ list: [Int], _ filler: Int) -> [Int] { spatial == 1 ? [filler] + list : list }
  let size = lifted(input, 1)
  let (taps, step, spread) = (lifted(kernel, 1), lifted(walk.strides, 1), lifted(walk.dilations, 1))
  let begin = lifted(Array(walk.pads.prefix(spatial)), 0)
  let end = lifted(Array(walk.pads.suffix(spatial)), 0)
  var out: [Int] = []
  for axis in 0..<2 {
    // With ceil_mode a window may reach over the end, but must begin before it.
    let padding = begin[axis] + end[axis] + (isCeil ? step[axis] - 1 : 0)
    guard var count = windowCount(size[axis], padding, taps[axis], step[axis], spread[axis]) else {
      throw context.failure(
        "window", "the windows do not fit the input", node, help: "check the model with onnx.checker")
    }
    if isCeil && (count - 1) * step[axis] >= size[axis] + begin[axis] { count -= 1 }
    out.append(count)
  }
  return try checkedWindow(context, node, x + [0, x[1]] + taps + step + begin + spread + out)
}

/// Pools over windows of input 0.
private typealias Pool = @Sendable (inout ImportContext, ValueID, ONNXNode) throws(Diagnostic) -> ValueID

/// An importer for a pool. One over three axes is one over two where it leaves the first or the last of them alone, as
/// PyTorch writes normalizations over channels.
private func pool(_ pool: @escaping Pool) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    let x = try node.op == "MaxPool" ? context.movable(node, 0) : context.value(node, 0)
    let shape = context.shape(of: x)
    guard shape.count == 5, let flat = try flattened(node, shape) else {
      return try context.bindOutput(node, try pool(&context, x, node))
    }
    let image = try context.reshape(x, flat.shape, for: node)
    var inner = flat.node
    inner.inputs = ["\(node.outputs.first ?? node.op).image"]
    context.bind(inner.inputs[0], .value(image))
    let pooled = try pool(&context, image, inner)
    let size = context.shape(of: pooled)
    let result =
      flat.isFirst
      ? [shape[0], shape[1], shape[2], size[2], size[3]] : [shape[0], shape[1], size[2]] + shape[3...]
    try context.bindOutput(node, try context.reshape(pooled, result, for: node))
  }
}

/// The pool over two axes of an image of the shape given, which leaves alone the first of three axes, or the last two
/// of them; nil where there is none.
private func flattened(_ node: ONNXNode, _ shape: [Int]) throws(Diagnostic) -> (
  node: ONNXNode, shape: [Int], isFirst: Bool
)? {
  guard let kernel = try node.ints("kernel_shape"), kernel.count == 3 else { return nil }
  let (ones, zeros) = ([1, 1, 1], [0, 0, 0, 0, 0, 0])
  let (strides, dilations) = (try node.ints("strides") ?? ones, try node.ints("dilations") ?? ones)
  let pads = try node.ints("pads") ?? zeros
  guard strides.count == 3, dilations.count == 3, pads.count == 6 else { return nil }
  func isAlone(_ axis: Int) -> Bool {
    kernel[axis] == 1 && strides[axis] == 1 && pads[axis] == 0 && pads[axis + 3] == 0
  }
  let isFirst = isAlone(0)
  guard isFirst || isAlone(1) && isAlone(2) else { return nil }
  func kept(_ list: [Int]) -> ONNXAttribute.Value {
    .ints((isFirst ? [list[1], list[2]] : [list[0], list[1]]).map { Int64($0) })
  }
  let padding = isFirst ? [pads[1], pads[2], pads[4], pads[5]] : [pads[0], 0, pads[3], 0]
  var inner = node
  inner.attributes.removeAll { ["kernel_shape", "strides", "dilations", "pads"].contains($0.name) }
  inner.attributes += [
    ONNXAttribute(name: "kernel_shape", value: kept(kernel)),
    ONNXAttribute(name: "strides", value: kept(strides)),
    ONNXAttribute(name: "dilations", value: kept(dilations)),
  ]
  if try node.string("auto_pad") ?? "NOTSET" == "NOTSET" {
    inner.attributes.append(ONNXAttribute(name: "pads", value: .ints(padding.map { Int64($0) })))
  }
  let image =
    isFirst
    ? [shape[0], shape[1] * shape[2], shape[3], shape[4]]
    : [shape[0], shape[1], shape[2], shape[3] * shape[4]]
  return (inner, image, isFirst)
}

/// Means over windows. Where padding counts but windows reach over its end, the padding becomes part of the image, so
/// that only what lies beyond does not count.
@Sendable private func averagePool(_ context: inout ImportContext, _ x: ValueID, _ node: ONNXNode)
  throws(Diagnostic) -> ValueID
{
  let window = try poolWindow(&context, node)
  let countPadding = try node.int("count_include_pad") ?? 0 != 0
  let isCeil = try node.int("ceil_mode") ?? 0 != 0
  guard countPadding && isCeil else {
    return try context.apply(.averagePool(window, countPadding: countPadding), x, for: node)
  }
  let shape = context.shape(of: x)
  let spatial = shape.count - 2
  let kernel = try node.ints("kernel_shape") ?? []
  let walk = try WindowAttributes(context, node, input: Array(shape.dropFirst(2)), kernel: kernel)
  let (before, after) = ([0, 0] + walk.pads.prefix(spatial), [0, 0] + walk.pads.suffix(spatial))
  let padded = try context.apply(.pad(before: before, after: after, value: 0), x, for: node)
  var inside = window
  (inside.padTop, inside.padLeft) = (0, 0)
  let size = context.shape(of: padded)
  (inside.height, inside.width) = (spatial == 1 ? 1 : size[2], size[size.count - 1])
  return try context.apply(.averagePool(inside, countPadding: false), padded, for: node)
}

/// The p-th root of the sum of p-th powers of magnitudes, from means over windows that count padding as zeros.
@Sendable private func importLpPool(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let p = try node.int("p") ?? 2
  guard 1...64 ~= p else {
    throw context.failure("norm", "a norm of p = \(p) is not supported", node, help: "norms of p 1 to 64 are")
  }
  var x = try context.value(node, 0)
  if p % 2 != 0 { x = try context.apply(.abs, x, for: node) }
  let powers = try context.power(x, Float(p), for: node)
  let sum: ValueID
  if node.op == "GlobalLpPool" {
    sum = try context.sum(powers, Array(2..<max(2, try context.shape(node, 0).count)), for: node)
  } else {
    let window = try poolWindow(&context, node)
    let means = try context.apply(.averagePool(window, countPadding: true), powers, for: node)
    sum = try context.apply(.multiply, means, Float(window.kernelHeight * window.kernelWidth), for: node)
  }
  try context.bindOutput(node, p == 1 ? sum : try context.power(sum, 1 / Float(p), for: node))
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
