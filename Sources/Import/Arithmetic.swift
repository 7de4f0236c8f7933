import IR
import ONNX
import Support
import Tensors

/// Sums, products, extremes and means of two or more tensors.
let arithmeticOperators: [SupportedOperator] = [
  SupportedOperator("Add", binary(.add), .exact, "broadcasting"),
  SupportedOperator("Sub", binary(.subtract), .exact, "broadcasting"),
  SupportedOperator("Mul", binary(.multiply), .exact, "broadcasting"),
  SupportedOperator("Div", binary(.divide), .exact, "broadcasting"),
  SupportedOperator(
    "Max", variadic(.maximum), .exact, "any number of inputs, broadcasting", notes: "floats, or integers"),
  SupportedOperator(
    "Min", variadic(.minimum), .exact, "any number of inputs, broadcasting", notes: "floats, or integers"),
  SupportedOperator(
    "Sum", variadic(.add), .exact, "any number of inputs, broadcasting", notes: "floats, or integers"),
  SupportedOperator("Mean", importMean, .exact, "any number of inputs, broadcasting"),
]

private func binary(_ function: BinaryFunction) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    let isFolded = try context.foldIntegers(node) { (known: [Tensor]) throws(Diagnostic) in
      try combined(function, known[0], known[known.count - 1])
    }
    if isFolded { return }
    if function == .multiply, try multiplyDynamicScales(&context, node) { return }
    // Integer quotients have no rest.
    if function != .divide, context.areWhole(node, node.inputs.indices) {
      return try combineWhole(function, &context, node)
    }
    let operands = [try context.value(node, 0), try context.value(node, 1)]
    try context.emit(.binary(function), operands, for: node)
  }
}

private func variadic(_ function: BinaryFunction) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    let isFolded = try context.foldIntegers(node) { (all: [Tensor]) throws(Diagnostic) in
      var result = all[0]
      for next in all.dropFirst() { result = try combined(function, result, next) }
      return result
    }
    if isFolded { return }
    if context.areWhole(node, node.inputs.indices) { return try combineWhole(function, &context, node) }
    var result = try context.value(node, 0)
    for index in node.inputs.indices.dropFirst() {
      let next = try context.value(node, index)
      let opcode = Opcode(OperatorCatalog.entry(of: function))
      let name = node.outputs.first ?? node.op
      result = try context.emitInner(opcode, [result, next], name: name, for: node)
    }
    try context.bindOutput(node, result)
  }
}

/// Whole numbers that are computed, with known integers among them.
private func combineWhole(_ function: BinaryFunction, _ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  var result = try context.number(node, 0)
  for index in node.inputs.indices.dropFirst() {
    result = try context.apply(function, result, context.number(node, index), for: node)
  }
  try context.bindOutput(node, whole: result)
}

@Sendable private func importMean(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  var sum = try context.value(node, 0)
  for index in node.inputs.indices.dropFirst() {
    sum = try context.apply(.add, sum, try context.value(node, index), for: node)
  }
  try context.bindOutput(node, try context.apply(.divide, sum, Float(node.inputs.count), for: node))
}
