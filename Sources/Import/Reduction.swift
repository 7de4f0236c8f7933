import IR
import ONNX
import Support
import Tensors

/// Sums, means, extremes and norms over axes, composed of means and maxima.
let reductionOperators: [SupportedOperator] = [
  SupportedOperator(
    "ReduceMean",
    reduction(ofNothing: nil) { (context, x, axes, node) throws(Diagnostic) in
      try context.apply(.mean(axes: axes), x, for: node)
    }, .exact, "axes, keepdims, noop_with_empty_axes",
    notes: "axes must be known at import; over nothing refused, as it is nowhere defined"),
  SupportedOperator(
    "ReduceSum",
    reduction(ofNothing: 0) { (context, x, axes, node) throws(Diagnostic) in
      try context.sum(x, axes, for: node)
    }, .exact, "as `ReduceMean`", notes: "the mean times the count; of nothing 0, as of the next three"),
  SupportedOperator(
    "ReduceSumSquare",
    reduction(ofNothing: 0, map: squares) { (context, x, axes, node) throws(Diagnostic) in
      try context.sum(x, axes, for: node)
    }, .exact, "as `ReduceMean`", notes: "without axes to reduce the squares"),
  SupportedOperator(
    "ReduceL1",
    reduction(ofNothing: 0, map: magnitudes) { (context, x, axes, node) throws(Diagnostic) in
      try context.sum(x, axes, for: node)
    }, .exact, "as `ReduceMean`", notes: "without axes to reduce the magnitudes"),
  SupportedOperator(
    "ReduceL2",
    reduction(ofNothing: 0, map: squares, after: roots, alone: magnitudes) {
      (context, x, axes, node) throws(Diagnostic) in
      try context.sum(x, axes, for: node)
    }, .exact, "as `ReduceMean`", notes: "without axes to reduce the magnitudes"),
  SupportedOperator(
    "ReduceLogSum",
    reduction(ofNothing: -.infinity, after: logarithms) { (context, x, axes, node) throws(Diagnostic) in
      try context.sum(x, axes, for: node)
    }, .libm, "as `ReduceMean`", notes: "without axes to reduce the logarithms; of nothing -inf"),
  SupportedOperator(
    "ReduceLogSumExp",
    reduction(ofNothing: -.infinity) { (context, x, axes, node) throws(Diagnostic) in
      try context.logSumExp(x, axes, isBounded: true, for: node)
    }, .libm, "as `ReduceMean`", notes: "less the largest element; of nothing -inf"),
  SupportedOperator(
    "ReduceMax",
    reduction(ofNothing: -.infinity) { (context, x, axes, node) throws(Diagnostic) in
      try context.largest(x, axes, for: node)
    }, .exact, "as `ReduceMean`", integers: "yes", notes: "of nothing -inf"),
  SupportedOperator(
    "ReduceMin",
    reduction(ofNothing: .infinity) { (context, x, axes, node) throws(Diagnostic) in
      let negative = try context.apply(.negate, x, for: node)
      return try context.apply(.negate, try context.largest(negative, axes, for: node), for: node)
    }, .exact, "as `ReduceMean`", notes: "of nothing +inf"),
  SupportedOperator(
    "ReduceProd",
    reduction(ofNothing: 1) { (context, x, axes, node) throws(Diagnostic) in
      try context.product(x, axes, for: node)
    }, .exact, "as `ReduceMean`", notes: "by halves; of nothing 1"),
  SupportedOperator(
    "LogSoftmax", importLogSoftmax, .libm, "axis, with its meaning before and after operator set 13"),
]

/// Reduces a value over axes, which stay with length 1.
private typealias Reduction =
  @Sendable (inout ImportContext, ValueID, [Int], ONNXNode) throws(Diagnostic) -> ValueID

/// A function of each element.
private typealias ElementMap =
  @Sendable (inout ImportContext, ValueID, ONNXNode) throws(Diagnostic) -> ValueID

private let squares: ElementMap = { (context, x, node) throws(Diagnostic) in
  try context.apply(.multiply, x, x, for: node)
}
private let magnitudes: ElementMap = { (context, x, node) throws(Diagnostic) in
  try context.apply(.abs, x, for: node)
}
private let roots: ElementMap = { (context, x, node) throws(Diagnostic) in
  try context.apply(.sqrt, x, for: node)
}
private let logarithms: ElementMap = { (context, x, node) throws(Diagnostic) in
  try context.apply(.log, x, for: node)
}

/// An importer for a reduction: `map` of each element, `reduce`, and `after` of each result. Axes are an attribute or input
/// 1; without any, all axes are meant, or where the node says so none, which leaves `map` and `after`, or `alone` in their
/// place. A line of no elements gives `ofNothing`; nil where ONNX does not define that.
private func reduction(
  ofNothing: Float?, map: ElementMap? = nil, after: ElementMap? = nil, alone: ElementMap? = nil,
  _ reduce: @escaping Reduction
) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    let shape = try context.shape(node, 0)
    var axes = try context.axes(node, input: 1, rank: shape.count) ?? []
    let keepsAxes = try node.int("keepdims") ?? 1 != 0
    if try node.int("noop_with_empty_axes") ?? 0 != 0, axes.isEmpty {
      var x = try context.value(node, 0)
      for function in alone.map({ [$0] }) ?? [map, after].compactMap(\.self) {
        x = try function(&context, x, node)
      }
      return try context.emit(.reshape(shape), [x], for: node)
    }
    if axes.isEmpty { axes = Array(shape.indices) }
    let result = shape.indices.filter { keepsAxes || !axes.contains($0) }.map {
      axes.contains($0) ? 1 : shape[$0]
    }
    if axes.contains(where: { shape[$0] == 0 }) {
      return try bindNothing(&context, node, ofNothing, result)
    }
    var x = try context.value(node, 0)
    if let map { x = try map(&context, x, node) }
    x = try reduce(&context, x, axes, node)
    if let after { x = try after(&context, x, node) }
    guard !keepsAxes else { return try context.bindOutput(node, x) }
    try context.emit(.reshape(result), [x], for: node)
  }
}

/// Makes output 0 of `node` stand for what reductions over no elements give.
private func bindNothing(_ context: inout ImportContext, _ node: ONNXNode, _ value: Float?, _ shape: [Int])
  throws(Diagnostic)
{
  guard let value else {
    throw context.failure(
      "reduce-nothing", "\(node.op) of no elements is not defined", node,
      help: "export the model with other lengths")
  }
  guard isComputable(shape), !shape.contains(0), shape.reduce(1, *) <= largestConstant else {
    throw context.failure(
      "size", "the result has the shape \(shape): empty, or too large", node,
      help: "export the model with other lengths")
  }
  let numbers = [Float](repeating: value, count: shape.reduce(1, *))
  try context.bindOutput(
    node, context.constant(Tensor(shape, numbers), name: node.outputs.first ?? node.op))
}

extension ImportContext {
  /// The mean times the count.
  mutating func sum(_ x: ValueID, _ axes: [Int], for node: ONNXNode) throws(Diagnostic) -> ValueID {
    let count = axes.reduce(1) { $0 * shape(of: x)[$1] }
    return try apply(.multiply, apply(.mean(axes: axes), x, for: node), Float(count), for: node)
  }

  /// The largest element; no number where one is none.
  mutating func largest(_ x: ValueID, _ axes: [Int], for node: ONNXNode) throws(Diagnostic) -> ValueID {
    try apply(.reduceMax(axes: axes), x, for: node)
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

  /// The logarithm of the sum of exponentials, relative to the largest one; where that is infinite, bounded to the largest
  /// float if `isBounded`, so that the sum is as infinite and not no number.
  mutating func logSumExp(_ x: ValueID, _ axes: [Int], isBounded: Bool, for node: ONNXNode) throws(Diagnostic)
    -> ValueID
  {
    var top = try largest(x, axes, for: node)
    let most = Float.greatestFiniteMagnitude
    if isBounded { top = try apply(.clip(low: -most, high: most), top, for: node) }
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
  let sum = try context.logSumExp(x, isNew ? [axis] : Array(axis..<rank), isBounded: false, for: node)
  try context.emit(.subtract, [x, sum], for: node)
}
