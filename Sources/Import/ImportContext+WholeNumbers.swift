import IR
import ONNX
import Support
import Tensors

// Integers and truth values that are computed: places that ArgMax finds, comparisons, casts. The module holds them as
// floats, truth values as 0 and 1; what is beyond 2^24 in size is rounded.
extension ImportContext {
  /// Makes `name` stand for whole numbers; for integers known at import where they are few and depend on no input.
  mutating func bind(_ name: String, whole id: ValueID) {
    if let numbers = known(id), numbers.floats.allSatisfy({ $0.magnitude <= 0x1p24 }) {
      bind(name, .integers(values: numbers.floats.map { Int64($0) }, shape: numbers.shape))
    } else {
      bind(name, .whole(id))
    }
  }

  /// Makes output 0 of `node` stand for whole numbers.
  mutating func bindOutput(_ node: ONNXNode, whole id: ValueID) throws(Diagnostic) {
    try bindOutput(node, id)
    bind(node.outputs.first ?? "", whole: id)
  }

  /// Whether input `index` is integers or truth values that are computed.
  func isWhole(_ node: ONNXNode, _ index: Int) -> Bool {
    guard hasInput(node, index), case .whole? = entry(node.inputs[index]) else { return false }
    return true
  }

  /// Whether some of the inputs `indices` are whole numbers that are computed, and the others known integers.
  func areWhole(_ node: ONNXNode, _ indices: Range<Int>) -> Bool {
    indices.contains { isWhole(node, $0) }
      && indices.allSatisfy { isWhole(node, $0) || knownIntegers(node, $0) != nil }
  }

  /// Input `index` as floats, whether ONNX has it as floats, integers or truth values, computed or known at import.
  mutating func number(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> ValueID {
    let name = try inputName(node, index)
    switch entry(name) {
    case .whole(let id)?: return id
    case .value(let id)? where !builder.type(id).element.isFloat:
      return try emitInner(.dequantize(scale: 1, zero: 0), [id], name: "\(name).numbers", for: node)
    case .value?, .initializer?, .integers?, .blocks?, .dynamic?, .failed?, nil:
      guard let known = knownIntegers(node, index) else { return try value(node, index) }
      guard let numbers = exactFloats(known.values) else {
        throw failure(
          "integer", "an integer of '\(name)' is beyond 2^24 and no float", node,
          help: "computed integers are held as floats: use smaller ones")
      }
      return constant(Tensor(try checked(known.shape, node), numbers), name: name)
    }
  }

  /// A truth value for each element of input `index`, as 0 and 1; integers other than 0 are true.
  mutating func truth(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> ValueID {
    guard isWhole(node, index) || knownIntegers(node, index) != nil else {
      throw failure(
        "dynamic", "input '\(try inputName(node, index))' holds no truth values", node,
        help: "comparisons and casts give truth values; check the model with onnx.checker")
    }
    return try number(node, index)
  }

  /// 1 less truth values.
  mutating func not(_ x: ValueID, for node: ONNXNode) throws(Diagnostic) -> ValueID {
    try apply(.subtract, number(1, for: node), x, for: node)
  }

  /// `x` without their fraction: `sign(x) * floor(|x|)`.
  mutating func truncated(_ x: ValueID, for node: ONNXNode) throws(Diagnostic) -> ValueID {
    let size = try apply(.floor, apply(.abs, x, for: node), for: node)
    return try apply(.multiply, apply(.sign, x, for: node), size, for: node)
  }
}

/// The integers as floats; nil where one of them is no float.
func exactFloats(_ values: [Int64]) -> [Float]? {
  let floats = values.map { Float($0) }
  return zip(values, floats).allSatisfy { Int64(exactly: $1) == $0 } ? floats : nil
}
