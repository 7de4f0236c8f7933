import IR
import ONNX
import Support
import Tensors

/// Comparisons, logic and remainders of numbers that are known at import, as exporters write them around shapes and masks.
let comparisonImporters: [String: OperatorImporter] = [
  "Equal": known({ $0 == $1 }, { $0 == $1 }), "Greater": known({ $0 > $1 }, { $0 > $1 }),
  "Less": known({ $0 < $1 }, { $0 < $1 }), "GreaterOrEqual": known({ $0 >= $1 }, { $0 >= $1 }),
  "LessOrEqual": known({ $0 <= $1 }, { $0 <= $1 }), "And": known { $0 != 0 && $1 != 0 },
  "Or": known { $0 != 0 || $1 != 0 }, "Xor": known { ($0 != 0) != ($1 != 0) },
  "Mod": { (context, node) throws(Diagnostic) in
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
  },
  "Not": { (context, node) throws(Diagnostic) in
    let x = try context.integers(node, 0)
    context.bind(node, integers: Tensor(x.shape, x.values.map { $0 == 0 ? 1 : 0 } as [Int64]))
  },
]

/// The rows of docs/operators.md for these.
let comparisonSupport: [OperatorSupport] =
  ["Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"].map {
    OperatorSupport($0, .gone, "of known integers and floats", notes: "no computed floats")
  } + ["And", "Or", "Xor", "Not"].map { OperatorSupport($0, .gone, "of known truth values") } + [
    OperatorSupport("Mod", .gone, "fmod, of known integers")
  ]

/// An importer for a relation of known integers, or of known floats, with broadcasting.
private func known(
  _ relation: @escaping @Sendable (Int64, Int64) -> Bool,
  _ ofFloats: (@Sendable (Float, Float) -> Bool)? = nil
) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    if let ofFloats, let a = try context.knownFloats(node, 0), let b = try context.knownFloats(node, 1) {
      let (left, right) = try broadcast(a, b, context, node)
      let flags = zip(left.floats, right.floats).map { ofFloats($0, $1) ? 1 : 0 } as [Int64]
      return context.bind(node, integers: Tensor(left.shape, flags))
    }
    let (a, b) = (try context.integers(node, 0), try context.integers(node, 1))
    let (left, right) = try broadcast(Tensor(a.shape, a.values), Tensor(b.shape, b.values), context, node)
    let flags = zip(left.integers, right.integers).map { relation($0, $1) ? 1 : 0 } as [Int64]
    context.bind(node, integers: Tensor(left.shape, flags))
  }
}

/// Both tensors repeated to the shape that they broadcast to.
private func broadcast(_ a: Tensor, _ b: Tensor, _ context: ImportContext, _ node: ONNXNode)
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
        result = try DigitalOperator.take(indices: zeros, axis: axis).apply(to: [result])
      }
      return result
    }
    return (try repeated(a), try repeated(b))
  } catch {
    throw context.failure("integer", error.message, node, help: "check the model with onnx.checker")
  }
}
