import IR
import ONNX
import Support
import Tensors

/// Products of matrices.
let productOperators: [SupportedOperator] = [
  SupportedOperator(
    "Einsum", importEinsum, .exact, "two operands, or one that is transposed",
    crossbars:
      "yes, where the second operand is constant and has no axis in common but those that are summed",
    integers: "yes, as `MatMul`", digital: "with two computed operands",
    notes: "products: no axis twice in an operand, none summed that is only in one, no ellipsis"),
  SupportedOperator(
    "Gemm", importGemm, .exact, "transA, transB, alpha, beta, C of every broadcast shape",
    crossbars: "yes, with constant B", integers: "yes",
    digital: "with computed B, and C unless it is one row of constants", notes: "matrices only"),
  SupportedOperator(
    "MatMul", importMatMul, .exact, "vectors, matrices, stacks of matrices",
    crossbars: "yes, where one side is a constant matrix", integers: "yes",
    digital: "two computed sides, or a stack of constants",
    notes: "a constant vector on the left is digital"),
]

/// `alpha * A' * B' + beta * C` as a product with a constant matrix and a bias; the factors and the transposes are
/// operations on constants that `fold-constants` removes.
@Sendable private func importGemm(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  for index in 0..<2 {
    let shape = try context.shape(node, index)
    guard shape.count == 2 else {
      throw context.failure(
        "gemm-rank", "Gemm takes matrices, found the shape \(shape)", node, help: "flatten the input first")
    }
  }
  var a = try context.value(node, 0)
  if let blocks = context.blocks(node, 1) { return try importBlockedGemm(&context, node, a, blocks) }
  var b = try context.value(node, 1)
  if try node.int("transA") ?? 0 != 0 { a = try transposed(&context, a, node) }
  if try node.int("transB") ?? 0 != 0 { b = try transposed(&context, b, node) }
  let alpha = try node.float("alpha") ?? 1
  if alpha != 1 { b = try scaled(&context, b, by: alpha, node) }
  let isWeight = isConstant(context, node, 1)
  // A factor of 0 takes C away, whatever it holds.
  let beta = try node.float("beta") ?? 1
  guard context.hasInput(node, 2), beta != 0 else {
    return try context.emit(isWeight ? .gemm : .matmul, [a, b], for: node)
  }
  var c = try context.value(node, 2)
  if beta != 1 { c = try scaled(&context, c, by: beta, node) }
  let columns = context.builder.type(b).shape?.last ?? 0
  let cShape = context.builder.type(c).shape ?? []
  if isWeight, isConstant(context, node, 2), cShape.reduce(1, *) == columns, cShape.last == columns {
    if cShape.count != 1 {
      c = try context.emitInner(
        .reshape, [c], [NamedAttribute(.shape, [columns])], name: node.inputs[2], for: node)
    }
    return try context.emit(.gemm, [a, b, c], for: node)
  }
  let product = try context.emitInner(
    isWeight ? .gemm : .matmul, [a, b], name: "\(node.outputs.first ?? "gemm").product", for: node)
  try context.emit(.add, [product, c], for: node)
}

/// The factors follow the sum of the blocks.
private func importBlockedGemm(
  _ context: inout ImportContext, _ node: ONNXNode, _ a: ValueID, _ blocks: BlockedWeights
) throws(Diagnostic) {
  let isTurned = try node.int("transA") ?? 0 != 0
  let x = try isTurned ? transposed(&context, a, node) : a
  let weights = try node.int("transB") ?? 0 != 0 ? context.transposed(blocks, node) : blocks
  var product = try context.product(x, weights, node)
  let (alpha, beta) = (try node.float("alpha") ?? 1, try node.float("beta") ?? 1)
  if alpha != 1 { product = try scaled(&context, product, by: alpha, node) }
  guard context.hasInput(node, 2), beta != 0 else { return try context.bindOutput(node, product) }
  var c = try context.value(node, 2)
  if beta != 1 { c = try scaled(&context, c, by: beta, node) }
  try context.emit(.add, [product, c], for: node)
}

/// Products with a constant right side are layers; a constant left side is turned round.
@Sendable private func importMatMul(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let (a, b) = (try context.shape(node, 0), try context.shape(node, 1))
  if let blocks = context.blocks(node, 1) {
    return try context.bindOutput(node, context.product(context.value(node, 0), blocks, node))
  }
  let (x, y) = (try context.value(node, 0), try context.value(node, 1))
  if isConstant(context, node, 1), b.count == 2, a.count >= 1 {
    return try context.emit(.gemm, [x, y], for: node)
  }
  if isConstant(context, node, 1), b.count == 1, a.count >= 1 {
    let column = try context.reshape(y, [b[0], 1], for: node)
    let product = try context.emitInner(
      .gemm, [x, column], name: "\(node.outputs.first ?? "matmul").column", for: node)
    return try context.emit(.reshape(Array(a.dropLast())), [product], for: node)
  }
  if isConstant(context, node, 0), a.count == 2, b.count >= 2 {
    // (W x)' = x' W', for each matrix of a stack.
    let swap = Array(b.indices.dropLast(2)) + [b.count - 1, b.count - 2]
    let turned = try context.apply(.transpose(swap), y, for: node)
    let w = try transposed(&context, x, node)
    let product = try context.emitInner(
      .gemm, [turned, w], name: "\(node.outputs.first ?? "matmul").turned", for: node)
    return try context.emit(.transpose, [product], [NamedAttribute(.order, swap)], for: node)
  }
  try context.emit(.matmul, [x, y], for: node)
}

/// Whether input `index` comes from constants alone.
func isConstant(_ context: ImportContext, _ node: ONNXNode, _ index: Int) -> Bool {
  if context.isInitializer(node, index) { return true }
  guard context.hasInput(node, index), case .value(let id)? = context.entry(node.inputs[index]) else {
    return false
  }
  return context.isComputedFromConstants(id)
}

/// The transpose of a matrix.
private func transposed(_ context: inout ImportContext, _ id: ValueID, _ node: ONNXNode) throws(Diagnostic)
  -> ValueID
{
  try context.emitInner(
    .transpose, [id], [NamedAttribute(.order, [1, 0])],
    name: "\(context.builder.module.values[id].name).transposed", for: node)
}

private func scaled(_ context: inout ImportContext, _ id: ValueID, by factor: Float, _ node: ONNXNode)
  throws(Diagnostic) -> ValueID
{
  let name = context.builder.module.values[id].name
  let constant = context.constant(Tensor([1], [factor]), name: "\(name).factor")
  return try context.emitInner(.multiply, [id, constant], name: "\(name).scaled", for: node)
}
