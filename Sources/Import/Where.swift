import IR
import ONNX
import Support
import Tensors

/// Choices.
let whereOperators: [SupportedOperator] = [
  SupportedOperator(
    "Where", importWhere, .exact, "a condition known or computed, broadcasting; also of integers",
    notes:
      "by minimum and maximum with bounds; infinities not chosen from are kept, those chosen become the largest float"
  )
]

/// A choice by a condition.
///
/// A value is kept by the minimum with the largest float, and put below all others by the minimum with its negative;
/// the maximum of the two sides is the choice.
@Sendable private func importWhere(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  if let condition = context.knownIntegers(node, 0), let a = context.knownIntegers(node, 1),
    let b = context.knownIntegers(node, 2)
  {
    return try chooseIntegers(&context, condition, a, b, node)
  }
  let isWhole =
    context.areWhole(node, 1..<3)
    || context.knownIntegers(node, 1) != nil && context.knownIntegers(node, 2) != nil
  let a = try isWhole ? context.number(node, 1) : context.value(node, 1)
  let b = try isWhole ? context.number(node, 2) : context.value(node, 2)
  let (keepsA, keepsB) = try bounds(&context, node)
  let left = try context.apply(.minimum, a, keepsA, for: node)
  let right = try context.apply(.minimum, b, keepsB, for: node)
  if isWhole {
    return try context.bindOutput(node, whole: context.apply(.maximum, left, right, for: node))
  }
  try context.emit(.maximum, [left, right], for: node)
}

/// The largest float where the condition is true and its negative elsewhere; and the reverse.
private func bounds(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) -> (ValueID, ValueID)
{
  let top = Float.greatestFiniteMagnitude
  if let condition = context.knownIntegers(node, 0) {
    let name = "\(node.outputs.first ?? "where").bound"
    let sides = [true, false].map { (chosen: Bool) in
      condition.values.map { ($0 != 0) == chosen ? top : -top }
    }
    return (
      context.constant(Tensor(condition.shape, sides[0]), name: name),
      context.constant(Tensor(condition.shape, sides[1]), name: name)
    )
  }
  let condition = try context.truth(node, 0)
  let sign = try context.apply(
    .subtract, context.apply(.multiply, condition, 2, for: node), 1, for: node)
  let bound = try context.apply(.multiply, sign, top, for: node)
  return (bound, try context.apply(.negate, bound, for: node))
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
