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
  OperatorSupport("Max", .exact, "any number of inputs, broadcasting", notes: "floats"),
  OperatorSupport("Min", .exact, "any number of inputs, broadcasting", notes: "floats"),
  OperatorSupport("Sum", .exact, "any number of inputs, broadcasting", notes: "floats"),
]

private func binary(_ function: BinaryFunction) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    if try foldIntegers(function, &context, node) { return }
    if function == .multiply, try multiplyDynamicScales(&context, node) { return }
    let operands = [try context.value(node, 0), try context.value(node, 1)]
    try context.emit(.binary(function), operands, for: node)
  }
}

private func variadic(_ function: BinaryFunction) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    var result = try context.value(node, 0)
    for index in node.inputs.indices.dropFirst() {
      let next = try context.value(node, index)
      let opcode = Opcode(rawValue: function.rawValue) ?? .add
      let name = node.outputs.first ?? node.op
      result = try context.emitInner(opcode, [result, next], name: name, for: node)
    }
    try context.bindOutput(node, result)
  }
}

/// Shape arithmetic: both inputs are integers known at import. Returns whether they were.
private func foldIntegers(_ function: BinaryFunction, _ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic) -> Bool
{
  guard let a = context.knownIntegers(node, 0), let b = context.knownIntegers(node, 1) else { return false }
  do throws(Diagnostic) {
    let operands = [Tensor(a.shape, a.values), Tensor(b.shape, b.values)]
    context.bind(node, integers: try DigitalOperator.binary(function).apply(to: operands))
  } catch {
    throw context.failure("integer", error.message, node, help: "check the model with onnx.checker")
  }
  return true
}
