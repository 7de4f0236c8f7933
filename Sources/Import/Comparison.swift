import IR
import ONNX
import Support
import Tensors

/// Comparisons, logic and remainders: of numbers known at import they are done then, as exporters write them around
/// shapes and masks; comparisons and logic of computed ones give 0 and 1.
let comparisonOperators: [SupportedOperator] = [
  SupportedOperator(
    "Equal",
    comparison({ $0 == $1 }, { $0 == $1 }) { (context, a, b, node) throws(Diagnostic) in
      try context.apply(.equal, a, b, for: node)
    }, .exact, "broadcasting; also of integers", notes: "0 or 1"),
  SupportedOperator(
    "Greater",
    comparison({ $0 > $1 }, { $0 > $1 }) { (context, a, b, node) throws(Diagnostic) in
      try context.apply(.greater, a, b, for: node)
    }, .exact, "broadcasting; also of integers", notes: "0 or 1"),
  SupportedOperator(
    "Less",
    comparison({ $0 < $1 }, { $0 < $1 }) { (context, a, b, node) throws(Diagnostic) in
      try context.apply(.greater, b, a, for: node)
    }, .exact, "broadcasting; also of integers", notes: "0 or 1"),
  // A NaN is neither larger nor equal.
  SupportedOperator(
    "GreaterOrEqual",
    comparison({ $0 >= $1 }, { $0 >= $1 }) { (context, a, b, node) throws(Diagnostic) in
      let above = try context.apply(.greater, a, b, for: node)
      return try context.apply(.maximum, above, context.apply(.equal, a, b, for: node), for: node)
    }, .exact, "broadcasting; also of integers", notes: "0 or 1"),
  SupportedOperator(
    "LessOrEqual",
    comparison({ $0 <= $1 }, { $0 <= $1 }) { (context, a, b, node) throws(Diagnostic) in
      let below = try context.apply(.greater, b, a, for: node)
      return try context.apply(.maximum, below, context.apply(.equal, a, b, for: node), for: node)
    }, .exact, "broadcasting; also of integers", notes: "0 or 1"),
  SupportedOperator(
    "And",
    logic({ $0 != 0 && $1 != 0 }) { (context, a, b, node) throws(Diagnostic) in
      try context.apply(.multiply, a, b, for: node)
    }, .exact, "of truth values", notes: "0 or 1"),
  SupportedOperator(
    "Or",
    logic({ $0 != 0 || $1 != 0 }) { (context, a, b, node) throws(Diagnostic) in
      try context.apply(.maximum, a, b, for: node)
    }, .exact, "of truth values", notes: "0 or 1"),
  SupportedOperator(
    "Xor",
    logic({ ($0 != 0) != ($1 != 0) }) { (context, a, b, node) throws(Diagnostic) in
      try context.not(context.apply(.equal, a, b, for: node), for: node)
    }, .exact, "of truth values", notes: "0 or 1"),
  SupportedOperator(
    "Not",
    { (context, node) throws(Diagnostic) in
      let isFolded = try context.foldIntegers(node) { (known: [Tensor]) throws(Diagnostic) in
        try each(known[0]) { $0 == 0 ? 1 : 0 }
      }
      if isFolded { return }
      try context.bindOutput(node, whole: context.not(context.truth(node, 0), for: node))
    }, .exact, "of truth values", notes: "0 or 1"),
  SupportedOperator(
    "IsNaN",
    { (context, node) throws(Diagnostic) in
      let x = try context.value(node, 0)
      try context.bindOutput(node, whole: context.not(context.apply(.equal, x, x, for: node), for: node))
    }, .exact, notes: "0 or 1"),
  SupportedOperator("IsInf", importIsInf, .exact, "detect_positive, detect_negative", notes: "0 or 1"),
  SupportedOperator("Mod", importMod, .folded, "fmod, of known integers"),
]

/// Builds the result of two values.
private typealias Relation =
  @Sendable (inout ImportContext, ValueID, ValueID, ONNXNode) throws(Diagnostic) -> ValueID

/// An importer for a relation of integers or floats, known or computed, with broadcasting.
private func comparison(
  _ ofIntegers: @escaping @Sendable (Int64, Int64) -> Bool,
  _ ofFloats: @escaping @Sendable (Float, Float) -> Bool, _ computed: @escaping Relation
) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    if let a = try context.knownFloats(node, 0), let b = try context.knownFloats(node, 1) {
      let (left, right) = try broadcast(a, b, context, node)
      let flags = zip(left.floats, right.floats).map { ofFloats($0, $1) ? 1 : 0 } as [Int64]
      return context.bind(node, integers: Tensor(left.shape, flags))
    }
    if try compareKnown(&context, node, ofIntegers) { return }
    let (a, b) = (try context.number(node, 0), try context.number(node, 1))
    try context.bindOutput(node, whole: computed(&context, a, b, node))
  }
}

/// An importer for a function of truth values, known or computed, with broadcasting.
private func logic(
  _ ofIntegers: @escaping @Sendable (Int64, Int64) -> Bool, _ computed: @escaping Relation
) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    if try compareKnown(&context, node, ofIntegers) { return }
    let (a, b) = (try context.truth(node, 0), try context.truth(node, 1))
    try context.bindOutput(node, whole: computed(&context, a, b, node))
  }
}

/// A relation of integers known at import; false, and nothing done, where they are not.
private func compareKnown(
  _ context: inout ImportContext, _ node: ONNXNode, _ relation: (Int64, Int64) -> Bool
) throws(Diagnostic) -> Bool {
  guard let a = context.knownIntegers(node, 0), let b = context.knownIntegers(node, 1) else { return false }
  let (left, right) = try broadcast(Tensor(a.shape, a.values), Tensor(b.shape, b.values), context, node)
  let flags = zip(left.integers, right.integers).map { relation($0, $1) ? 1 : 0 } as [Int64]
  context.bind(node, integers: Tensor(left.shape, flags))
  return true
}

@Sendable private func importIsInf(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let x = try context.value(node, 0)
  var found = try context.apply(.multiply, context.apply(.equal, x, 0, for: node), 0, for: node)
  for (name, infinity) in [("detect_positive", Float.infinity), ("detect_negative", -.infinity)]
  where try node.int(name) ?? 1 != 0 {
    found = try context.apply(.maximum, found, context.apply(.equal, x, infinity, for: node), for: node)
  }
  try context.bindOutput(node, whole: found)
}

@Sendable private func importMod(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let (a, b) = (try context.integers(node, 0), try context.integers(node, 1))
  let (left, right) = try broadcast(Tensor(a.shape, a.values), Tensor(b.shape, b.values), context, node)
  let isTruncated = try node.int("fmod") ?? 0 != 0
  guard !right.integers.contains(0) else {
    throw context.failure("integer", "Mod divides by zero", node, help: "check the model with onnx.checker")
  }
  let rests = zip(left.integers, right.integers).map { x, y -> Int64 in
    let rest = x.remainderReportingOverflow(dividingBy: y).partialValue
    // The sign is the divisor's, unless fmod asks for that of the number.
    return isTruncated || rest == 0 || (rest < 0) == (y < 0) ? rest : rest + y
  }
  context.bind(node, integers: Tensor(left.shape, rests))
}

/// Both tensors repeated to the shape that they broadcast to.
func broadcast(_ a: Tensor, _ b: Tensor, _ context: ImportContext, _ node: ONNXNode)
  throws(Diagnostic) -> (
    Tensor, Tensor
  )
{
  do throws(Diagnostic) {
    let shape = try DigitalOperator.binary(.add).resultShape(of: [a.shape, b.shape])
    guard shape.reduce(1, *) <= longestList else {
      throw Diagnostic("import.integer", "more than \(longestList) known numbers")
    }
    func repeated(_ x: Tensor) throws(Diagnostic) -> Tensor {
      var result = x.reshaped([Int](repeating: 1, count: shape.count - x.shape.count) + x.shape)
      for axis in shape.indices where result.shape[axis] != shape[axis] {
        let zeros = [Int64](repeating: 0, count: shape[axis])
        result = try DigitalOperator.gather(indices: zeros, axis: axis).apply(to: [result])
      }
      return result
    }
    return (try repeated(a), try repeated(b))
  } catch {
    throw context.failure("integer", error.message, node, help: "check the model with onnx.checker")
  }
}
