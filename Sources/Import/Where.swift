import IR
import ONNX
import Support
import Tensors

/// Choices.
let whereOperators: [SupportedOperator] = [
  SupportedOperator(
    "Where", importWhere, .exact, "a condition known or computed, broadcasting; also of integers"
  )
]

/// A choice by a condition; what is not chosen does not matter.
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
  let chosen = try context.emitInner(
    .select, [context.truth(node, 0), a, b], name: node.outputs.first ?? node.op, for: node)
  if isWhole { return try context.bindOutput(node, whole: chosen) }
  try context.bindOutput(node, chosen)
}

private func chooseIntegers(
  _ context: inout ImportContext, _ condition: (values: [Int64], shape: [Int]),
  _ a: (values: [Int64], shape: [Int]), _ b: (values: [Int64], shape: [Int]), _ node: ONNXNode
) throws(Diagnostic) {
  let (flags, first) = try broadcast(
    Tensor(condition.shape, condition.values), Tensor(a.shape, a.values), context, node)
  let (left, second) = try broadcast(first, Tensor(b.shape, b.values), context, node)
  let (truths, _) = try broadcast(flags, second, context, node)
  let chosen = truths.integers.indices.map {
    truths.integers[$0] != 0 ? left.integers[$0] : second.integers[$0]
  }
  context.bind(node, integers: Tensor(second.shape, chosen))
}
