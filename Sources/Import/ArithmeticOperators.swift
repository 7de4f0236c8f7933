import IR
import ONNX
import Support
import Tensors

/// Sums, products and comparisons of two or more tensors.
let arithmeticImporters: [String: OperatorImporter] = [
  "Add": binary(.add), "Sub": binary(.subtract), "Mul": binary(.multiply), "Div": binary(.divide),
  "Max": variadic(.maximum), "Min": variadic(.minimum), "Sum": variadic(.add),
]

/// The rows of docs/operators.md for these.
let arithmeticSupport: [OperatorSupport] = [
  OperatorSupport("Add", .exact, "broadcasting"),
  OperatorSupport("Sub", .exact, "broadcasting"),
  OperatorSupport("Mul", .exact, "broadcasting"),
  OperatorSupport("Div", .exact, "broadcasting"),
  OperatorSupport("Max", .exact, "any number of inputs, broadcasting", notes: "floats, or integers"),
  OperatorSupport("Min", .exact, "any number of inputs, broadcasting", notes: "floats, or integers"),
  OperatorSupport("Sum", .exact, "any number of inputs, broadcasting", notes: "floats, or integers"),
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
      let opcode = Opcode(OperatorCatalogue.entry(of: function))
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
