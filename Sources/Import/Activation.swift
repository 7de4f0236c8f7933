import IR
import ONNX
import Support
import Tensors

/// Operators that work on each element alone, and Softmax.
let activationOperators: [SupportedOperator] = [
  SupportedOperator("Relu", unary(.relu), integers: "yes, free after a layer"),
  SupportedOperator(
    "Clip",
    unary { (context, node) throws(Diagnostic) in
      // Bounds are attributes up to opset 10 and inputs from 11 on.
      var low = try node.float("min") ?? -Float.greatestFiniteMagnitude
      var high = try node.float("max") ?? Float.greatestFiniteMagnitude
      if context.hasInput(node, 1) { low = try context.scalar(node, 1) }
      if context.hasInput(node, 2) { high = try context.scalar(node, 2) }
      guard !low.isNaN, !high.isNaN else {
        throw context.failure("clip", "a bound of Clip is not a number", node, help: "check the model")
      }
      return .clip(low: low, high: high)
    }, .exact, "bounds as attributes or inputs", integers: "yes, free after a layer",
    notes: "bounds must be constants"),
  SupportedOperator(
    "LeakyRelu", unary { (_, node) throws(Diagnostic) in .leakyRelu(slope: try node.float("alpha") ?? 0.01) },
    .exact, "alpha"),
  SupportedOperator(
    "HardSigmoid",
    unary { (_, node) throws(Diagnostic) in
      .hardSigmoid(slope: try node.float("alpha") ?? 0.2, shift: try node.float("beta") ?? 0.5)
    }, .exact, "alpha, beta"),
  SupportedOperator("HardSwish", unary(.hardSwish)),
  SupportedOperator("Sigmoid", unary(.sigmoid), .libm),
  SupportedOperator("Tanh", unary(.tanh), .libm),
  SupportedOperator(
    "Elu", unary { (_, node) throws(Diagnostic) in .elu(alpha: try node.float("alpha") ?? 1) }, .libm, "alpha"
  ),
  SupportedOperator("Softplus", unary(.softplus), .libm),
  SupportedOperator("Exp", unary(.exp), .libm),
  SupportedOperator("Log", unary(.log), .libm),
  SupportedOperator("Erf", unary(.erf), .libm),
  SupportedOperator("Sqrt", unary(.sqrt)),
  SupportedOperator("Abs", unary(.abs)),
  SupportedOperator("Neg", unary(.negate)),
  SupportedOperator("Floor", unary(.floor)),
  SupportedOperator("Ceil", unary(.ceil)),
  SupportedOperator("Round", unary(.round)),
  SupportedOperator("Sign", unary(.sign)),
  SupportedOperator(
    "Softmax", importSoftmax, .libm, "axis, with its meaning before and after operator set 13"),
]

/// An importer for one function of one input.
private func unary(_ function: UnaryFunction) -> OperatorImporter {
  unary { (_, _) throws(Diagnostic) in function }
}

/// An importer for one function of one input with attributes.
private func unary(
  _ function: @escaping @Sendable (inout ImportContext, ONNXNode) throws(Diagnostic) -> UnaryFunction
) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    if try foldUnary(&context, node) { return }
    let digital = DigitalOperator.unary(try function(&context, node))
    try context.emit(digital, [try context.value(node, 0)], for: node)
  }
}

/// Magnitudes, signs and bounds of integers known at import; false for other operators and inputs.
private func foldUnary(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) -> Bool {
  let (hasLow, hasHigh) = (context.hasInput(node, 1), context.hasInput(node, 2))
  return try context.foldIntegers(node, of: ["Abs", "Neg", "Sign", "Relu", "Clip"]) {
    (known: [Tensor]) throws(Diagnostic) in
    try each(known[0]) { (x) throws(Diagnostic) in
      switch node.op {
      case "Abs": return x < 0 ? try negated(x) : x
      case "Neg": return try negated(x)
      case "Sign": return x.signum()
      case "Relu": return max(x, 0)
      default:
        // Either bound may be left out.
        let bounds = known.dropFirst().map { $0.integers.first ?? 0 }
        let raised = hasLow ? max(x, bounds.first ?? x) : x
        return hasHigh ? min(raised, bounds.last ?? raised) : raised
      }
    }
  }
}

/// From opset 13 on along one axis; before, over all axes from `axis` on, taken as one.
@Sendable private func importSoftmax(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  let isNew = context.opset >= 13
  let axis = try normalizedAxes([try node.int("axis") ?? (isNew ? -1 : 1)], rank: shape.count, context, node)[
    0]
  let x = try context.value(node, 0)
  if isNew || axis == shape.count - 1 { return try context.emit(.softmax(axis: axis), [x], for: node) }
  let flat = [shape[..<axis].reduce(1, *), shape[axis...].reduce(1, *)]
  let name = node.outputs.first ?? "softmax"
  let before = try context.emitInner(
    .reshape, [x], [NamedAttribute(.shape, flat)], name: "\(name).flat", for: node)
  let after = try context.emitInner(
    .softmax, [before], [NamedAttribute(.axis, 1)], name: "\(name).softmax", for: node)
  try context.emit(.reshape(shape), [after], for: node)
}
