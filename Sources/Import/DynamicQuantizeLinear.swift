import IR
import ONNX
import Support
import Tensors

/// What comes of DynamicQuantizeLinear, whose scale depends on the data: it cancels out of the network.
///
/// Levels stand for `source / scale + zero`, and the product of levels less their zero for `product / scale`; the
/// product of scales that follows takes the scale away again. So the network works on the reals themselves, and
/// `quantize` chooses one set of parameters for all samples.
enum DynamicEntry {
  /// The levels of `source`.
  case levels(source: ValueID, token: Int)
  /// The zero point.
  case zero
  /// The product of the scales `tokens` and of `factor`.
  case scale(tokens: [Int], factor: ValueID?)
  /// `value` divided by the scales `tokens`.
  case sums(value: ValueID, tokens: [Int])

  /// The value that has the shape of the entry, or nil for a single number.
  var value: ValueID? {
    switch self {
    case .levels(let source, _): source
    case .sums(let value, _): value
    case .zero, .scale: nil
    }
  }
}

extension ImportContext {
  /// The source of dynamic levels at input `index`, or nil.
  func dynamicLevels(_ node: ONNXNode, _ index: Int) -> (value: ValueID, token: Int)? {
    guard hasInput(node, index), case .dynamic(.levels(let source, let token))? = entry(node.inputs[index])
    else {
      return nil
    }
    return (source, token)
  }

  fileprivate func dynamicScale(_ node: ONNXNode, _ index: Int) -> (tokens: [Int], factor: ValueID?)? {
    guard hasInput(node, index), case .dynamic(.scale(let tokens, let factor))? = entry(node.inputs[index])
    else {
      return nil
    }
    return (tokens, factor)
  }

  fileprivate func dynamicSums(_ node: ONNXNode, _ index: Int) -> (value: ValueID, tokens: [Int])? {
    guard hasInput(node, index), case .dynamic(.sums(let value, let tokens))? = entry(node.inputs[index])
    else {
      return nil
    }
    return (value, tokens)
  }

  /// An error about a use of dynamic levels that does not take their scale away.
  func dynamicFailure(_ name: String, _ node: ONNXNode) -> Diagnostic {
    failure(
      "dynamic-quantization", "'\(name)' depends on a scale that is computed at run time", node,
      help:
        "after DynamicQuantizeLinear only ConvInteger, MatMulInteger, Cast and the products with its scale are"
        + " supported; quantize the model statically, or take the float model")
  }
}

@Sendable func importDynamicQuantizeLinear(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  let source = try context.value(node, 0)
  let token = source.index
  let entries: [DynamicEntry] = [
    .levels(source: source, token: token), .scale(tokens: [token], factor: nil), .zero,
  ]
  for (name, entry) in zip(node.outputs, entries) { context.bind(name, .dynamic(entry)) }
}

/// DequantizeLinear of dynamic levels by their own scale is the source; false for other inputs.
func bindDynamicSource(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) -> Bool {
  guard let levels = context.dynamicLevels(node, 0) else { return false }
  guard let scale = context.dynamicScale(node, 1), scale.tokens == [levels.token], scale.factor == nil else {
    throw context.dynamicFailure(node.inputs[0], node)
  }
  try context.bindOutput(node, levels.value)
  return true
}

/// A cast of dynamic sums leaves them as they are; false for other inputs.
func bindDynamicSums(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) -> Bool {
  guard let sums = context.dynamicSums(node, 0) else { return false }
  context.bind(node.outputs.first ?? "", .dynamic(.sums(value: sums.value, tokens: sums.tokens)))
  return true
}

/// The weights of an Integer operator whose input is dynamic: levels less their zero points, as floats that `quantize`
/// knows as levels.
func dynamicWeights(_ context: inout ImportContext, _ node: ONNXNode, columnAxis: Int) throws(Diagnostic)
  -> ValueID
{
  let zeros = try context.zeros(node, 3)?.values ?? [0]
  let q = try context.centeredLevels(node, 1, zeros, axis: columnAxis, turned: false)
  return try context.dequantized(q, .unit, axis: 0, name: "\(node.inputs[1]).reals", node)
}

/// Makes output 0 of `node` the product of `operands` divided by the scales `tokens`.
func bindDynamicProduct(
  _ context: inout ImportContext, _ node: ONNXNode, _ opcode: Opcode, _ operands: [ValueID],
  _ attributes: [NamedAttribute], _ tokens: [Int]
) throws(Diagnostic) {
  let name = node.outputs.first ?? node.op
  let value = try context.emitInner(opcode, operands, attributes, name: name, for: node)
  context.bind(name, .dynamic(.sums(value: value, tokens: tokens.sorted())))
}

/// A product in which a dynamic scale takes part; false where none does.
func multiplyDynamicScales(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) -> Bool {
  let output = node.outputs.first ?? ""
  for (first, second) in [(0, 1), (1, 0)] {
    guard let scale = context.dynamicScale(node, first) else { continue }
    if let sums = context.dynamicSums(node, second) {
      guard sums.tokens == scale.tokens else { throw context.dynamicFailure(node.inputs[second], node) }
      guard let factor = scale.factor else {
        try context.bindOutput(node, sums.value)
        return true
      }
      try context.emit(.binary(.multiply), [sums.value, factor], for: node)
      return true
    }
    if let other = context.dynamicScale(node, second) {
      let factors = [scale.factor, other.factor].compactMap { $0 }
      let factor =
        factors.count < 2
        ? factors.first : try context.emitInner(.multiply, factors, name: "\(output).factor", for: node)
      context.bind(output, .dynamic(.scale(tokens: (scale.tokens + other.tokens).sorted(), factor: factor)))
      return true
    }
    var factor = try context.value(node, second)
    if let old = scale.factor {
      factor = try context.emitInner(.multiply, [old, factor], name: "\(output).factor", for: node)
    }
    context.bind(output, .dynamic(.scale(tokens: scale.tokens, factor: factor)))
    return true
  }
  return false
}
