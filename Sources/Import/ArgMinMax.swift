import IR
import ONNX
import Support
import Tensors

/// Places of the largest and the smallest elements.
let argMinMaxOperators: [SupportedOperator] = [
  SupportedOperator(
    "ArgMax", { (context, node) throws(Diagnostic) in try importPlaces(&context, node, isSmallest: false) },
    .exact, "axis, keepdims, select_last_index",
    notes: "the place as a float; at most 2^24 elements on the axis"),
  SupportedOperator(
    "ArgMin", { (context, node) throws(Diagnostic) in try importPlaces(&context, node, isSmallest: true) },
    .exact, "as `ArgMax`", notes: "`ArgMax` of -x"),
  SupportedOperator(
    "TopK", importTopK, .exact, "axis, largest", notes: "k of 1, which must be known at import"),
  SupportedOperator(
    "Hardmax", importHardmax, .exact, "axis, with its meaning before and after operator set 13"),
]

extension ImportContext {
  /// The index of the largest element of each line along `axis`, the first of equal ones or the last.
  fileprivate mutating func places(
    _ x: ValueID, _ axis: Int, isSmallest: Bool, last: Bool, for node: ONNXNode
  ) throws(Diagnostic) -> ValueID {
    let source = try isSmallest ? apply(.negate, x, for: node) : x
    return try apply(.argMax(axis: axis, last: last), source, for: node)
  }
}

private func importPlaces(_ context: inout ImportContext, _ node: ONNXNode, isSmallest: Bool)
  throws(Diagnostic)
{
  var shape = try context.shape(node, 0)
  let axis = try context.axis(node, default: 0, rank: shape.count)
  let last = try node.int("select_last_index") ?? 0 != 0
  let kept = try context.places(
    try context.number(node, 0), axis, isSmallest: isSmallest, last: last, for: node)
  guard try node.int("keepdims") ?? 1 == 0 else { return try context.bindOutput(node, whole: kept) }
  shape.remove(at: axis)
  try context.bindOutput(node, whole: context.reshape(kept, shape, for: node))
}

/// The largest element alone: a number, and its place.
@Sendable private func importTopK(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let axis = try context.axis(node, default: -1, rank: shape.count)
  let count = try context.hasInput(node, 1) ? context.integers(node, 1).values : [Int64(node.int("k") ?? 0)]
  guard count == [1] else {
    throw context.failure(
      "top-k", "TopK of \(count.first ?? 0) elements is not supported", node,
      help: "k of 1 is; take the scores as the output, and xbarrun reports top-1 and top-5")
  }
  let x = try context.value(node, 0)
  let isSmallest = try node.int("largest") ?? 1 == 0
  if node.outputs.count > 0, !node.outputs[0].isEmpty {
    let source = try isSmallest ? context.apply(.negate, x, for: node) : x
    let top = try context.largest(source, [axis], for: node)
    context.bind(node.outputs[0], .value(try isSmallest ? context.apply(.negate, top, for: node) : top))
  }
  if node.outputs.count > 1, !node.outputs[1].isEmpty {
    let places = try context.places(x, axis, isSmallest: isSmallest, last: false, for: node)
    context.bind(node.outputs[1], whole: places)
  }
}

/// 1 at the place of the first of the largest elements, else 0.
@Sendable private func importHardmax(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let isNew = context.opset >= 13
  let axis = try context.axis(node, default: isNew ? -1 : 1, rank: shape.count)
  let flat = [shape[..<axis].reduce(1, *), shape[axis...].reduce(1, *)]
  let lines = try context.reshape(context.value(node, 0), isNew ? shape : flat, for: node)
  let own = isNew ? axis : 1
  let inner = (isNew ? shape : flat).dropFirst(own + 1).map { _ in 1 }
  let length = (isNew ? shape : flat)[own]
  let places = try context.places(lines, own, isSmallest: false, last: false, for: node)
  let counted = context.constant(
    Tensor([length] + inner, (0..<length).map { Float($0) }), name: "\(node.outputs.first ?? node.op).places")
  let chosen = try context.apply(.equal, places, counted, for: node)
  try context.bindOutput(node, context.reshape(chosen, shape, for: node))
}
