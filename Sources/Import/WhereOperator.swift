import IR
import ONNX
import Support
import Tensors

/// A choice by a condition that is known at import.
///
/// A value is kept by the minimum with the largest float, and put below all others by the minimum with its negative; the
/// maximum of the two sides is the choice.
@Sendable func importWhere(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let condition = try context.integers(node, 0)
  if let a = context.knownIntegers(node, 1), let b = context.knownIntegers(node, 2) {
    return try chooseIntegers(&context, condition, a, b, node)
  }
  let (a, b) = (try context.value(node, 1), try context.value(node, 2))
  let top = Float.greatestFiniteMagnitude
  func side(_ chosen: Bool, _ context: inout ImportContext) -> ValueID {
    let bounds = condition.values.map { ($0 != 0) == chosen ? top : -top }
    return context.constant(Tensor(condition.shape, bounds), name: "\(node.outputs.first ?? "where").bound")
  }
  let left = try context.apply(.minimum, a, side(true, &context), for: node)
  let right = try context.apply(.minimum, b, side(false, &context), for: node)
  try context.emit(.maximum, [left, right], for: node)
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
