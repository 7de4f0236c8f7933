import IR
import ONNX
import Support
import Tensors

// Arithmetic on integers that are known at import: it is done then.
extension ImportContext {
  /// Binds output 0 of `node` to what `compute` makes of its inputs where all of them are known integers; false, and
  /// nothing done, where one is not, and for operators other than `names`. Throws `import.integer` where the result
  /// does not fit.
  mutating func foldIntegers(
    _ node: ONNXNode, of names: [String]? = nil, _ compute: ([Tensor]) throws(Diagnostic) -> Tensor
  ) throws(Diagnostic) -> Bool {
    if let names, !names.contains(node.op) { return false }
    var operands: [Tensor] = []
    for index in node.inputs.indices where hasInput(node, index) {
      guard let known = knownIntegers(node, index) else { return false }
      operands.append(Tensor(known.shape, known.values))
    }
    guard !operands.isEmpty else { return false }
    let range = integerType(of: node)
    do throws(Diagnostic) {
      let result = try compute(operands)
      guard result.count <= longestList else {
        throw Diagnostic("import.integer", "more than \(longestList) known integers")
      }
      guard result.integers.allSatisfy(range.contains) else {
        throw Diagnostic("import.integer", "a known integer leaves its type")
      }
      bind(node, integers: result)
    } catch {
      throw failure("integer", error.message, node, help: "check the model with onnx.checker")
    }
    return true
  }

  /// The integers of the type of input 0, where the file states it.
  private func integerType(of node: ONNXNode) -> ClosedRange<Int64> {
    let whole = Int64.min...Int64.max
    guard hasInput(node, 0), case .initializer(let tensor)? = entry(node.inputs[0]) else { return whole }
    return integerRange(tensor.elementType) ?? whole
  }
}

/// A function of each of some integers.
func each(_ x: Tensor, _ function: (Int64) throws(Diagnostic) -> Int64) throws(Diagnostic) -> Tensor {
  var values: [Int64] = []
  for value in x.integers { values.append(try function(value)) }
  return Tensor(x.shape, values)
}

/// The number with the other sign; throws where that leaves 64 bits.
func negated(_ value: Int64) throws(Diagnostic) -> Int64 {
  let (result, overflow) = Int64(0).subtractingReportingOverflow(value)
  if overflow { throw Diagnostic("import.integer", "a known integer leaves 64 bits") }
  return result
}

/// A function of two lists of integers that broadcast; throws where the result is longer than a list may be.
func combined(_ function: BinaryFunction, _ a: Tensor, _ b: Tensor) throws(Diagnostic) -> Tensor {
  let digital = DigitalOperator.binary(function)
  guard try digital.resultShape(of: [a.shape, b.shape]).reduce(1, *) <= longestList else {
    throw Diagnostic("import.integer", "more than \(longestList) known integers")
  }
  return try digital.apply(to: [a, b])
}
