import IR
import ONNX
import Support
import Tensors

/// Sums, means, extremes and norms over axes, composed of means and max-pools.
let reductionOperators: [SupportedOperator] = [
  SupportedOperator(
    "ReduceMean",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      try context.apply(.mean(axes: axes), x, for: node)
    }, .exact, "axes, keepdims, noop_with_empty_axes", notes: "axes must be known at import"),
  SupportedOperator(
    "ReduceSum",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      try context.sum(x, axes, for: node)
    }, .exact, "as `ReduceMean`", notes: "the mean times the count"),
  SupportedOperator(
    "ReduceSumSquare",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      try context.sum(try context.apply(.multiply, x, x, for: node), axes, for: node)
    }, .exact, "as `ReduceMean`"),
  SupportedOperator(
    "ReduceL1",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      try context.sum(try context.apply(.abs, x, for: node), axes, for: node)
    }, .exact, "as `ReduceMean`"),
  SupportedOperator(
    "ReduceL2",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      let squares = try context.sum(try context.apply(.multiply, x, x, for: node), axes, for: node)
      return try context.apply(.sqrt, squares, for: node)
    }, .exact, "as `ReduceMean`"),
  SupportedOperator(
    "ReduceLogSum",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      try context.apply(.log, try context.sum(x, axes, for: node), for: node)
    }, .libm, "as `ReduceMean`"),
  SupportedOperator(
    "ReduceLogSumExp",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      try context.logSumExp(x, axes, for: node)
    }, .libm, "as `ReduceMean`", notes: "less the largest element"),
  SupportedOperator(
    "ReduceMax",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      try context.largest(x, axes, for: node)
    }, .exact, "as `ReduceMean`", integers: "yes", notes: "a max-pool"),
  SupportedOperator(
    "ReduceMin",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      let negative = try context.apply(.negate, x, for: node)
      return try context.apply(.negate, try context.largest(negative, axes, for: node), for: node)
    }, .exact, "as `ReduceMean`"),
  SupportedOperator(
    "ReduceProd",
    reduction { (context, x, axes, node) throws(Diagnostic) in
      try context.product(x, axes, for: node)
    }, .exact, "as `ReduceMean`", notes: "by halves"),
  SupportedOperator(
    "LogSoftmax", importLogSoftmax, .libm, "axis, with its meaning before and after operator set 13"),
]

/// Reduces a value over axes, which stay with length 1.
private typealias Reduction =
  @Sendable (inout ImportContext, ValueID, [Int], ONNXNode) throws(Diagnostic) -> ValueID

/// An importer for a reduction. Axes are an attribute or input 1; without any, all axes are meant.
private func reduction(_ reduce: @escaping Reduction) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    let shape = try context.shape(node, 0)
    var axes = try context.axes(node, input: 1, rank: shape.count) ?? []
    if axes.isEmpty {
      if try node.int("noop_with_empty_axes") ?? 0 != 0 {
        return try context.emit(.reshape(shape), [try context.value(node, 0)], for: node)
      }
      axes = Array(shape.indices)
    }
    let kept = try reduce(&context, try context.value(node, 0), axes, node)
    guard try node.int("keepdims") ?? 1 == 0 else { return try context.bindOutput(node, kept) }
    try context.emit(
      .reshape(shape.indices.filter { !axes.contains($0) }.map { shape[$0] }), [kept], for: node)
  }
}

extension ImportContext {
  /// The mean times the count.
  mutating func sum(_ x: ValueID, _ axes: [Int], for node: ONNXNode) throws(Diagnostic) -> ValueID {
    let count = axes.reduce(1) { $0 * shape(of: x)[$1] }
    return try apply(.multiply, apply(.mean(axes: axes), x, for: node), Float(count), for: node)
  }

  /// The largest element, by a max-pool over the axes, which are put last.
  mutating func largest(_ x: ValueID, _ axes: [Int], for node: ONNXNode) throws(Diagnostic) -> ValueID {
    let shape = shape(of: x)
    let (lines, length) = try reducedLast(x, axes, for: node)
    let count = self.shape(of: lines)[0]
    let window = Window(
      batch: 1, channels: count, height: 1, width: length, kernelHeight: 1, kernelWidth: length, outHeight: 1,
      outWidth: 1)
    let image = try reshape(lines, [1, count, 1, length], for: node)
    let pooled = try apply(.maxPool(window), image, for: node)
    return try reshape(pooled, shape.indices.map { axes.contains($0) ? 1 : shape[$0] }, for: node)
  }

  /// The product, of two halves again and again.
  mutating func product(_ x: ValueID, _ axes: [Int], for node: ONNXNode) throws(Diagnostic) -> ValueID {
    let shape = shape(of: x)
    var (lines, length) = try reducedLast(x, axes, for: node)
    let count = self.shape(of: lines)[0]
    while length > 1 {
      if length % 2 != 0 {
        lines = try apply(.pad(before: [0, 0], after: [0, 1], value: 1), lines, for: node)
        length += 1
      }
      let left = try apply(.slice(start: [0, 0], end: [count, length / 2]), lines, for: node)
      let right = try apply(.slice(start: [0, length / 2], end: [count, length]), lines, for: node)
      lines = try apply(.multiply, left, right, for: node)
      length /= 2
    }
    return try reshape(lines, shape.indices.map { axes.contains($0) ? 1 : shape[$0] }, for: node)
  }

  /// The logarithm of the sum of exponentials, relative to the largest one.
  mutating func logSumExp(_ x: ValueID, _ axes: [Int], for node: ONNXNode) throws(Diagnostic) -> ValueID {
    let top = try largest(x, axes, for: node)
    let powers = try apply(.exp, apply(.subtract, x, top, for: node), for: node)
    return try apply(.add, apply(.log, sum(powers, axes, for: node), for: node), top, for: node)
  }

  /// The elements as lines `[count, length]`, each of which is to be reduced.
  private mutating func reducedLast(_ x: ValueID, _ axes: [Int], for node: ONNXNode) throws(Diagnostic) -> (
    ValueID, Int
  ) {
    let shape = shape(of: x)
    let kept = shape.indices.filter { !axes.contains($0) }
    let order = kept + axes
    let moved = order == Array(shape.indices) ? x : try apply(.transpose(order), x, for: node)
    let length = axes.reduce(1) { $0 * shape[$1] }
    return (try reshape(moved, [kept.reduce(1) { $0 * shape[$1] }, length], for: node), length)
  }
}

/// From opset 13 on along one axis; before, over all axes from `axis` on.
@Sendable private func importLogSoftmax(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let rank = try context.shape(node, 0).count
  let isNew = context.opset >= 13
  let axis = try context.axis(node, default: isNew ? -1 : 1, rank: rank)
  let x = try context.value(node, 0)
  let sum = try context.logSumExp(x, isNew ? [axis] : Array(axis..<rank), for: node)
  try context.emit(.subtract, [x, sum], for: node)
}
