import IR
import ONNX
import Support
import Tensors

/// Elements chosen and replaced by indices that are known at import, one by one a `gather` of the elements in a
/// line.
let gatherScatterOperators: [SupportedOperator] = [
  SupportedOperator(
    "Gather", importGather, .exact, "axis; also of known integers", integers: "yes",
    notes: "indices must be known at import"),
  SupportedOperator(
    "GatherElements", importGatherElements, .exact, "axis", integers: "yes",
    notes: "indices must be known at import"),
  SupportedOperator(
    "GatherND", importGatherND, .exact, "batch_dims", integers: "yes",
    notes: "indices must be known at import"),
  SupportedOperator(
    "ScatterElements", importScatterElements, .exact, "axis",
    notes: "indices must be known at import; no reduction"),
  SupportedOperator("Scatter", importScatterElements, .exact, "as `ScatterElements`"),
  SupportedOperator(
    "ScatterND", importScatterND, .exact, notes: "indices must be known at import; no reduction"),
]

/// How many elements of `shape` are between neighbors on each axis.
private func strides(_ shape: [Int]) -> [Int] {
  shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
}

private func outside(_ index: Int64, _ context: ImportContext, _ node: ONNXNode) -> Diagnostic {
  context.failure(
    "gather",
    "index \(index) is outside of its axis, or the indices have a shape that does not go with the data", node,
    help: "check the model with onnx.checker")
}

/// The index counted from 0.
private func counted(_ index: Int64, _ length: Int, _ context: ImportContext, _ node: ONNXNode)
  throws(Diagnostic) -> Int
{
  guard -Int64(length)..<Int64(length) ~= index else { throw outside(index, context, node) }
  return Int(index < 0 ? index + Int64(length) : index)
}

/// For each of the indices of GatherElements and ScatterElements the place in the line of `shape` that it
/// names.
private func elementPlaces(_ context: ImportContext, _ node: ONNXNode, _ shape: [Int]) throws(Diagnostic)
  -> (places: [Int64], shape: [Int])
{
  let axis = try context.axis(node, default: 0, rank: shape.count)
  let indices = try context.integers(node, 1)
  guard indices.shape.count == shape.count, indices.values.count <= longestList, !indices.values.isEmpty,
    shape.indices.allSatisfy({ $0 == axis || indices.shape[$0] <= shape[$0] })
  else { throw outside(Int64(indices.values.count), context, node) }
  let (steps, own) = (strides(shape), strides(indices.shape))
  var places: [Int64] = []
  places.reserveCapacity(indices.values.count)
  for (number, index) in indices.values.enumerated() {
    var place = try counted(index, shape[axis], context, node) * steps[axis]
    for k in shape.indices where k != axis { place += number / own[k] % indices.shape[k] * steps[k] }
    places.append(Int64(place))
  }
  return (places, indices.shape)
}

/// For each of the tuples of GatherND and ScatterND the first place in the line of `shape` that it names;
/// each names `run` neighbors of the shape `rest`.
private func tuplePlaces(_ context: ImportContext, _ node: ONNXNode, _ shape: [Int], batch: Int)
  throws(Diagnostic) -> (places: [Int64], shape: [Int], rest: [Int])
{
  let indices = try context.integers(node, 1)
  guard let width = indices.shape.last, width >= 1, 0..<indices.shape.count ~= batch,
    batch + width <= shape.count, indices.shape.prefix(batch) == shape.prefix(batch), !indices.values.isEmpty
  else { throw outside(Int64(indices.values.count), context, node) }
  let steps = strides(shape)
  let rest = Array(shape[(batch + width)...])
  let tuples = indices.values.count / width
  let share = max(1, tuples / max(1, shape.prefix(batch).reduce(1, *)))
  guard tuples * max(1, rest.reduce(1, *)) <= longestList else {
    throw outside(Int64(tuples), context, node)
  }
  var places: [Int64] = []
  for tuple in 0..<tuples {
    var place = batch > 0 ? tuple / share * steps[batch - 1] : 0
    for k in 0..<width {
      let index = indices.values[tuple * width + k]
      place += try counted(index, shape[batch + k], context, node) * steps[batch + k]
    }
    places.append(Int64(place))
  }
  return (places, Array(indices.shape.dropLast()), rest)
}

@Sendable private func importGatherElements(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  let shape = try context.shape(node, 0)
  let (places, result) = try elementPlaces(context, node, shape)
  try context.bind(
    node, moves: [.reshape([shape.reduce(1, *)]), .gather(indices: places, axis: 0), .reshape(result)])
}

@Sendable private func importGatherND(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let (places, outer, rest) = try tuplePlaces(context, node, shape, batch: try node.int("batch_dims") ?? 0)
  let run = rest.reduce(1, *)
  try context.bind(
    node,
    moves: [
      .reshape([shape.reduce(1, *) / max(1, run), run]),
      .gather(indices: places.map { $0 / Int64(max(1, run)) }, axis: 0), .reshape(outer + rest),
    ])
}

@Sendable private func importScatterElements(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  let (places, shape) = try elementPlaces(context, node, try context.shape(node, 0))
  try replace(&context, node, places, by: shape, run: 1)
}

@Sendable private func importScatterND(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let (places, outer, rest) = try tuplePlaces(context, node, try context.shape(node, 0), batch: 0)
  try replace(&context, node, places, by: outer + rest, run: rest.reduce(1, *))
}

/// Input 0 with runs of `run` neighbors at `places` replaced by input 2, of the shape `updates`: of data and
/// updates in one line each element is taken from its last position.
private func replace(
  _ context: inout ImportContext, _ node: ONNXNode, _ places: [Int64], by updates: [Int], run: Int
) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let count = shape.reduce(1, *)
  guard try context.shape(node, 2) == updates, count <= longestList else {
    throw outside(Int64(count), context, node)
  }
  guard try node.string("reduction") ?? "none" == "none" else {
    throw context.failure(
      "scatter", "\(node.op) with a reduction is not supported", node, help: "use one that replaces")
  }
  var sources = (0..<Int64(count)).map { $0 }
  for (number, place) in places.enumerated() {
    for k in 0..<run { sources[Int(place) + k] = Int64(count + number * run + k) }
  }
  let line = try context.reshape(context.value(node, 0), [count], for: node)
  let others = try context.reshape(context.value(node, 2), [updates.reduce(1, *)], for: node)
  let both = try context.apply(.concat(axis: 0), line, others, for: node)
  let chosen = try context.apply(.gather(indices: sources, axis: 0), both, for: node)
  try context.bindOutput(node, context.reshape(chosen, shape, for: node))
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
  try context.bind(node, moves: [.gather(indices: places, axis: axis), .reshape(Array(result))])
}
