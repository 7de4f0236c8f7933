import IR
import ONNX
import Support
import Tensors

/// Powers.
let powOperators: [SupportedOperator] = [
  SupportedOperator(
    "Pow", importPow, .libm, "broadcasting; also of known integers",
    notes:
      "products and roots where the exponent is one known number, whole or a multiple of 1/4 below 1; else powf"
  )
]

/// By products and roots where the exponent is one number known at import that allows it, else by `power`.
@Sendable private func importPow(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let isFolded = try context.foldIntegers(node) { (known: [Tensor]) throws(Diagnostic) in
    try combined(.power, known[0], known[known.count - 1])
  }
  if isFolded { return }
  let isWhole = context.isWhole(node, 0) || context.knownIntegers(node, 0) != nil
  let x = try isWhole ? context.number(node, 0) : context.value(node, 0)
  // ONNX gives the result the type of the base.
  if isWhole {
    let power = try context.apply(.power, x, context.number(node, 1), for: node)
    return try context.bindOutput(node, whole: context.truncated(power, for: node))
  }
  let shape = try context.shape(node, 1)
  if let exponent = try knownExponent(context, node), shape.allSatisfy({ $0 == 1 }),
    shape.count <= context.shape(of: x).count
  {
    return try context.bindOutput(node, try fixedPower(&context, x, exponent, node))
  }
  try context.emit(.power, [x, context.number(node, 1)], for: node)
}

/// `x` to the power of `exponent`. A root gives no number for -inf, a power infinity, or 0 where the exponent is negative.
private func fixedPower(_ context: inout ImportContext, _ x: ValueID, _ exponent: Float, _ node: ONNXNode)
  throws(Diagnostic) -> ValueID
{
  guard exponent != exponent.rounded() else { return try context.power(x, exponent, for: node) }
  let root = try context.power(x, exponent.magnitude, for: node)
  let isLowest = try context.apply(.equal, x, -.infinity, for: node)
  let power = try context.select(isLowest, context.number(.infinity, for: node), root, for: node)
  return exponent > 0 ? power : try context.apply(.divide, context.number(1, for: node), power, for: node)
}

/// The one number that all exponents are, where it is known and products, roots or a quotient give it.
private func knownExponent(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) -> Float? {
  var known = context.knownIntegers(node, 1)?.values.map { Float($0) }
  if known == nil { known = try context.knownFloats(node, 1)?.floats }
  guard let known, let exponent = known.first, known.allSatisfy({ $0 == exponent }), exponent.isFinite else {
    return nil
  }
  let size = exponent.magnitude
  return size == size.rounded() && size <= 64 || [0.25, 0.5, 0.75].contains(size) ? exponent : nil
}
