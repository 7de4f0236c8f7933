import IR
import ONNX
import Support
import Tensors

/// Einsum where it is a product of matrices: axes are sorted into those of a stack, of rows, of what is summed and of
/// columns, and the result's axes put into the order asked for.
@Sendable func importEinsum(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let equation = try EinsumEquation(context, node)
  let a = try context.value(node, 0)
  guard equation.terms.count == 2 else {
    return try context.emit(.transpose(positions(of: equation.result, in: equation.terms[0])), [a], for: node)
  }
  // A constant without a stack is the matrix of a layer.
  let isLayer = isConstant(context, node, 1) && equation.stack.isEmpty
  let lead = isLayer ? [] : [equation.stack]
  let left = try arranged(&context, a, 0, lead + [equation.rows, equation.summed], equation, node)
  let right = try arranged(
    &context, try context.value(node, 1), 1, lead + [equation.summed, equation.columns], equation, node)
  var product = try context.emitInner(
    isLayer ? .gemm : .matmul, [left, right], name: "\(node.outputs.first ?? "einsum").product", for: node)
  let letters = equation.stack + equation.rows + equation.columns
  product = try context.reshape(product, letters.map { equation.size([$0]) }, for: node)
  try context.emit(.transpose(positions(of: equation.result, in: letters)), [product], for: node)
}

/// An operand with its axes in groups, each of which becomes one axis.
private func arranged(
  _ context: inout ImportContext, _ x: ValueID, _ operand: Int, _ groups: [[Character]],
  _ equation: EinsumEquation,
  _ node: ONNXNode
) throws(Diagnostic) -> ValueID {
  let (letters, term) = (groups.flatMap { $0 }, equation.terms[operand])
  var moved = x
  if letters != term { moved = try context.apply(.transpose(positions(of: letters, in: term)), x, for: node) }
  return try context.reshape(moved, groups.map(equation.size), for: node)
}

/// The position of each of `letters` in `term`.
private func positions(of letters: [Character], in term: [Character]) -> [Int] {
  letters.compactMap { term.firstIndex(of: $0) }
}

/// An equation of one operand that is transposed, or of two that are multiplied.
private struct EinsumEquation {
  let terms: [[Character]]
  let result: [Character]
  private var lengths: [Character: Int] = [:]

  init(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) {
    let text = (try node.string("equation") ?? "").filter { $0 != " " }
    func refusal(_ reason: String) -> Diagnostic {
      context.failure(
        "einsum", "the equation '\(text)' \(reason)", node,
        help:
          "products of two operands with axes named once each are supported, or one operand that is transposed"
      )
    }
    let sides = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    guard sides.count == 2, sides[1].first == ">" else { throw refusal("has no result") }
    terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
    result = Array(sides[1].dropFirst())
    guard terms.count == node.inputs.count, 1...2 ~= terms.count else {
      throw refusal("is not that of one or two operands")
    }
    guard
      (terms + [result]).allSatisfy({
        Set($0).count == $0.count && $0.allSatisfy { $0.isASCII && $0.isLetter }
      })
    else { throw refusal("names an axis twice, or has an ellipsis") }
    for (index, term) in terms.enumerated() {
      let shape = try context.shape(node, index)
      guard shape.count == term.count else { throw refusal("does not have the axes of \(shape)") }
      for (letter, length) in zip(term, shape) {
        guard lengths[letter] ?? length == length else { throw refusal("gives '\(letter)' two lengths") }
        lengths[letter] = length
      }
    }
    let isKnown = result.allSatisfy { lengths[$0] != nil }
    let other = terms.count == 2 ? terms[1] : []
    let sumsOne =
      !terms[0].allSatisfy { other.contains($0) || result.contains($0) }
      || !other.allSatisfy { terms[0].contains($0) || result.contains($0) }
    guard isKnown, !sumsOne else {
      throw refusal("has a result axis that no operand has, or sums over an axis of one operand alone")
    }
  }

  /// Axes of both operands and of the result.
  var stack: [Character] { result.filter { terms[0].contains($0) && terms[1].contains($0) } }
  /// Axes of the first operand and of the result.
  var rows: [Character] { result.filter { terms[0].contains($0) && !terms[1].contains($0) } }
  /// Axes of the second operand and of the result.
  var columns: [Character] { result.filter { !terms[0].contains($0) } }
  /// Axes of both operands that are summed.
  var summed: [Character] { terms[0].filter { !result.contains($0) } }

  /// How many elements axes have.
  func size(_ letters: [Character]) -> Int { letters.reduce(1) { $0 * (lengths[$1] ?? 1) } }
}
