import IR
import ONNX
import Support
import Tensors

/// Sums, products and comparisons of two or more tensors.
let arithmeticImporters: [String: OperatorImporter] = [
  "Add": binary(.add), "Sub": binary(.subtract), "Mul": binary(.multiply), "Div": binary(.divide),
  "Max": variadic(.maximum), "Min": variadic(.minimum), "Sum": variadic(.add),
]

private func binary(_ function: BinaryFunction) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in
    if try foldIntegers(function, &context, node) { return }
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

/// Shape arithmetic: both inputs are integers known at import. Returns whether it was.
private func foldIntegers(_ function: BinaryFunction, _ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic) -> Bool
{
  guard let a = context.knownIntegers(node, 0), let b = context.knownIntegers(node, 1) else { return false }
  let count = max(a.values.count, b.values.count)
  guard a.values.count == count || a.values.count == 1, b.values.count == count || b.values.count == 1 else {
    return false
  }
  var values: [Int64] = []
  for k in 0..<count {
    let (x, y) = (a.values[a.values.count == 1 ? 0 : k], b.values[b.values.count == 1 ? 0 : k])
    guard let value = combine(function, x, y) else {
      throw context.failure(
        "integer", "integer arithmetic overflows or divides by zero", node, help: "check the model")
    }
    values.append(value)
  }
  let shape = a.values.count == count ? a.shape : b.shape
  context.bind(node.outputs.first ?? "", .integers(values: values, shape: shape))
  return true
}

private func combine(_ function: BinaryFunction, _ x: Int64, _ y: Int64) -> Int64? {
  func checked(_ result: (partialValue: Int64, overflow: Bool)) -> Int64? {
    result.overflow ? nil : result.partialValue
  }
  switch function {
  case .add: return checked(x.addingReportingOverflow(y))
  case .subtract: return checked(x.subtractingReportingOverflow(y))
  case .multiply: return checked(x.multipliedReportingOverflow(by: y))
  case .divide: return checked(x.dividedReportingOverflow(by: y))
  case .maximum: return max(x, y)
  case .minimum: return min(x, y)
  }
}
