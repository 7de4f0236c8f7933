import IR
import ONNX
import Support
import Tensors

/// Tensors joined along an axis.
let concatOperators: [SupportedOperator] = [
  SupportedOperator(
    "Concat", importConcat, .exact, "axis; also of known integers",
    integers:
      "yes, where an input is that of a layer, or all are levels with the same quantization parameters",
    notes: "at most 4096 inputs")
]

@Sendable private func importConcat(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let rank = try context.shape(node, 0).count
  let axis = try normalizedAxes([try node.int("axis") ?? 0], rank: rank, context, node)[0]
  let known = node.inputs.indices.compactMap { context.knownIntegers(node, $0) }
  if known.count == node.inputs.count {
    do throws(Diagnostic) {
      let operands = known.map { Tensor($0.shape, $0.values) }
      return context.bind(node, integers: try DigitalOperator.concat(axis: axis).apply(to: operands))
    } catch {
      throw context.failure("integer", error.message, node, help: "check the model with onnx.checker")
    }
  }
  try concatenation(&context, node, axis)
}

/// Floats are joined; so are whole numbers, with known integers among them, and levels of one type.
private func concatenation(_ context: inout ImportContext, _ node: ONNXNode, _ axis: Int) throws(Diagnostic) {
  let isWhole = context.areWhole(node, node.inputs.indices)
  let areLevels = node.inputs.indices.contains { context.holdsLevels(node, $0) }
  var operands: [ValueID] = []
  for index in node.inputs.indices {
    let operand =
      try isWhole
      ? context.number(node, index)
      : areLevels ? context.integerValue(node, index) : context.value(node, index)
    operands.append(operand)
  }
  guard Set(operands.map { context.builder.type($0).element }).count == 1 else {
    throw context.failure(
      "quantization", "levels of different types cannot be joined", node,
      help: "check the model with onnx.checker")
  }
  let id = try context.emitInner(
    .concat, operands, [NamedAttribute(.axis, axis)], name: node.outputs.first ?? node.op,
    for: node)
  if isWhole { return try context.bindOutput(node, whole: id) }
  try context.bindOutput(node, id)
}
