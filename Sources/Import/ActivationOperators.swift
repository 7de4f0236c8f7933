import IR
import ONNX
import Support
import Tensors

/// Operators that work on each element alone, and Softmax.
let activationImporters: [String: OperatorImporter] = [
  "Relu": unary { (_, _) throws(Diagnostic) in .relu },
  "Sigmoid": unary { (_, _) throws(Diagnostic) in .sigmoid },
  "Tanh": unary { (_, _) throws(Diagnostic) in .tanh },
  "Softplus": unary { (_, _) throws(Diagnostic) in .softplus },
  "Exp": unary { (_, _) throws(Diagnostic) in .exp },
  "Log": unary { (_, _) throws(Diagnostic) in .log },
  "Sqrt": unary { (_, _) throws(Diagnostic) in .sqrt },
  "Abs": unary { (_, _) throws(Diagnostic) in .abs },
  "Neg": unary { (_, _) throws(Diagnostic) in .negate },
  "Erf": unary { (_, _) throws(Diagnostic) in .erf },
  "Floor": unary { (_, _) throws(Diagnostic) in .floor },
  "Ceil": unary { (_, _) throws(Diagnostic) in .ceil },
  "Round": unary { (_, _) throws(Diagnostic) in .round },
  "Sign": unary { (_, _) throws(Diagnostic) in .sign },
  "HardSwish": unary { (_, _) throws(Diagnostic) in .hardSwish },
  "LeakyRelu": unary { (_, node) throws(Diagnostic) in .leakyRelu(slope: try node.float("alpha") ?? 0.01) },
  "Elu": unary { (_, node) throws(Diagnostic) in .elu(alpha: try node.float("alpha") ?? 1) },
  "HardSigmoid": unary { (_, node) throws(Diagnostic) in
    .hardSigmoid(slope: try node.float("alpha") ?? 0.2, shift: try node.float("beta") ?? 0.5)
  },
  "Clip": unary { (context, node) throws(Diagnostic) in
    // Bounds are attributes up to opset 10 and inputs from 11 on.
    var low = try node.float("min") ?? -Float.greatestFiniteMagnitude
    var high = try node.float("max") ?? Float.greatestFiniteMagnitude
    if context.hasInput(node, 1) { low = try context.scalar(node, 1) }
    if context.hasInput(node, 2) { high = try context.scalar(node, 2) }
    guard !low.isNaN, !high.isNaN else {
      throw context.failure("clip", "a bound of Clip is not a number", node, help: "check the model")
    }
    return .clip(low: low, high: high)
  },
  "Softmax": importSoftmax,
]

/// The rows of docs/operators.md for these.
let activationSupport: [OperatorSupport] = [
  OperatorSupport("Relu", integers: "yes, free behind a layer"),
  OperatorSupport(
    "Clip", .exact, "bounds as attributes or inputs", integers: "yes, free behind a layer",
    notes: "bounds must be constants"),
  OperatorSupport("LeakyRelu", .exact, "alpha"),
  OperatorSupport("HardSigmoid", .exact, "alpha, beta"),
  OperatorSupport("HardSwish"),
  OperatorSupport("Sigmoid", .libm),
  OperatorSupport("Tanh", .libm),
  OperatorSupport("Elu", .libm, "alpha"),
  OperatorSupport("Softplus", .libm),
  OperatorSupport("Exp", .libm),
  OperatorSupport("Log", .libm),
  OperatorSupport("Erf", .libm),
  OperatorSupport("Sqrt"),
  OperatorSupport("Abs"),
  OperatorSupport("Neg"),
  OperatorSupport("Floor"),
  OperatorSupport("Ceil"),
  OperatorSupport("Round"),
  OperatorSupport("Sign"),
  OperatorSupport("Softmax", .libm, "axis, with its meaning before and after operator set 13"),
]

/// An importer for one function of one input.
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
