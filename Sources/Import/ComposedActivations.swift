import IR
import ONNX
import Support
import Tensors

/// Activations that are short formulas of other functions of one element.
let composedActivationOperators: [SupportedOperator] = [
  SupportedOperator(
    "Reciprocal",
    composed { (context, x, node) throws(Diagnostic) in
      try context.apply(.divide, context.number(1, for: node), x, for: node)
    }),
  SupportedOperator("PRelu", composed(importPRelu), .exact, "slope of every broadcast shape"),
  SupportedOperator(
    "ThresholdedRelu",
    composed { (context, x, node) throws(Diagnostic) in
      let isAbove = try context.apply(.greater, x, try node.float("alpha") ?? 1, for: node)
      return try context.select(isAbove, x, context.number(0, for: node), for: node)
    }, .exact, "alpha"),
  SupportedOperator(
    "Selu",
    composed { (context, x, node) throws(Diagnostic) in
      let curve = try context.apply(.elu(alpha: try node.float("alpha") ?? 1.6732632), x, for: node)
      return try context.apply(.multiply, curve, try node.float("gamma") ?? 1.050701, for: node)
    }, .libm, "alpha, gamma"),
  SupportedOperator(
    "Celu",
    composed { (context, x, node) throws(Diagnostic) in
      let alpha = try node.float("alpha") ?? 1
      if alpha == 1 { return try context.apply(.elu(alpha: 1), x, for: node) }
      let scaled = try context.apply(.divide, x, alpha, for: node)
      let curve: ValueID
      if alpha > 0 {
        curve = try context.apply(.elu(alpha: alpha), scaled, for: node)
      } else {
        let power = try context.apply(.subtract, context.apply(.exp, scaled, for: node), 1, for: node)
        curve = try context.apply(.multiply, power, alpha, for: node)
      }
      let below = try context.apply(.minimum, curve, 0, for: node)
      return try context.apply(.add, context.apply(.relu, x, for: node), below, for: node)
    }, .libm, "alpha"),
  SupportedOperator(
    "Softsign",
    composed { (context, x, node) throws(Diagnostic) in
      let size = try context.apply(.add, context.apply(.abs, x, for: node), 1, for: node)
      return try context.apply(.divide, x, size, for: node)
    }),
  SupportedOperator(
    "Mish",
    composed { (context, x, node) throws(Diagnostic) in
      let gate = try context.apply(.tanh, context.apply(.softplus, x, for: node), for: node)
      return try context.apply(.multiply, x, gate, for: node)
    }, .libm),
  SupportedOperator(
    "Gelu", composed(importGelu), .libm, "both forms of approximate",
    notes: "chains of Erf, Tanh and Mul are read as they are"),
]

/// Builds the result from input 0.
private typealias Formula = @Sendable (inout ImportContext, ValueID, ONNXNode) throws(Diagnostic) -> ValueID

private func composed(_ formula: @escaping Formula) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    try context.bindOutput(node, try formula(&context, try context.value(node, 0), node))
  }
}

/// `slope * x` below 0, else `x`.
@Sendable private func importPRelu(_ context: inout ImportContext, _ x: ValueID, _ node: ONNXNode)
  throws(Diagnostic)
  -> ValueID
{
  let scaled = try context.apply(.multiply, x, try context.value(node, 1), for: node)
  let isBelow = try context.apply(.greater, context.number(0, for: node), x, for: node)
  return try context.select(isBelow, scaled, x, for: node)
}

/// `x / 2 * (1 + erf(x / sqrt(2)))`, or `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`.
@Sendable private func importGelu(_ context: inout ImportContext, _ x: ValueID, _ node: ONNXNode)
  throws(Diagnostic)
  -> ValueID
{
  let gate: ValueID
  switch try node.string("approximate") ?? "none" {
  case "none":
    gate = try context.apply(.erf, context.apply(.multiply, x, Float(0.5).squareRoot(), for: node), for: node)
  case "tanh":
    let cube = try context.apply(.multiply, context.power(x, 3, for: node), 0.044715, for: node)
    let sum = try context.apply(.add, x, cube, for: node)
    gate = try context.apply(
      .tanh, context.apply(.multiply, sum, Float((2 / Double.pi).squareRoot()), for: node), for: node)
  case let other:
    throw context.failure("gelu", "unknown approximation '\(other)'", node, help: "use none or tanh")
  }
  let half = try context.apply(.multiply, x, 0.5, for: node)
  return try context.apply(.multiply, half, context.apply(.add, gate, 1, for: node), for: node)
}
