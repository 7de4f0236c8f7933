import IR
import ONNX
import Support
import Tensors

/// Numbers that are known at import: constants, lengths and ranges.
let constantOperators: [SupportedOperator] = [
  SupportedOperator("Shape", importShape, .folded, "start, end", notes: "gives known integers"),
  SupportedOperator(
    "Constant", importConstant, .folded, "numbers in every form", notes: "no texts, no sparse tensors"),
  SupportedOperator(
    "ConstantOfShape", importConstantOfShape, .folded, "floats and integers",
    notes: "the shape must be known at import"),
  SupportedOperator(
    "Range", importRange, .folded, "of integers and floats", notes: "bounds must be known at import"),
  SupportedOperator("Size", importSize, .folded, notes: "gives a known integer"),
]

@Sendable private func importConstant(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let output = node.outputs.first ?? ""
  if let tensor = try? node.tensor("value") {
    context.bind(output, .initializer(tensor))
  } else if let value = try? node.int("value_int") {
    context.bind(output, .integers(values: [Int64(value)], shape: []))
  } else if let values = try? node.ints("value_ints") {
    context.bind(output, .integers(values: values.map { Int64($0) }, shape: [values.count]))
  } else if let value = try? node.float("value_float") {
    context.bind(output, .initializer(try floatTensor([], [value])))
  } else if let values = try? node.floats("value_floats") {
    context.bind(output, .initializer(try floatTensor([values.count], values)))
  } else {
    throw context.failure(
      "constant", "this form of Constant is not supported", node,
      help: "dense numbers are; sparse tensors and texts are not")
  }
}

/// A float tensor without a name.
func floatTensor(_ shape: [Int], _ values: [Float]) throws(Diagnostic) -> ONNXTensor {
  let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
  return try ONNXTensor(name: "", shape: shape, elementType: .float, bytes: bytes)
}

@Sendable private func importShape(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  func position(_ axis: Int) -> Int { max(0, min(shape.count, axis < 0 ? axis + shape.count : axis)) }
  let start = position(try node.int("start") ?? 0)
  let end = position(try node.int("end") ?? shape.count)
  let values = start < end ? shape[start..<end].map { Int64($0) } : []
  context.bind(node, integers: Tensor([values.count], values))
}

@Sendable private func importConstantOfShape(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  let shape = try context.integers(node, 0).values.map { Int(clamping: $0) }
  guard isComputable(shape), shape.reduce(1, *) <= longestList else {
    throw context.failure(
      "size", "a constant has the shape \(shape)", node, help: "export the model with other lengths")
  }
  let count = shape.reduce(1, *)
  let value = try node.tensor("value")
  guard value?.count ?? 1 == 1, value?.elementType.isInteger ?? false || value?.elementType.isFloat ?? true
  else {
    throw context.failure(
      "constant", "this form of ConstantOfShape is not supported", node,
      help: "one number, float or integer, is")
  }
  if let value, value.elementType.isInteger {
    let number = try value.int64s().first ?? 0
    return context.bind(node, integers: Tensor(shape, [Int64](repeating: number, count: count)))
  }
  let number = try value?.floats().first ?? 0
  let id = context.constant(
    Tensor(shape, [Float](repeating: number, count: count)), name: node.outputs.first ?? node.op)
  try context.bindOutput(node, id)
}

@Sendable private func importRange(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  if let floats = try floatRange(context, node) {
    let name = node.outputs.first ?? node.op
    return try context.bindOutput(node, context.constant(Tensor([floats.count], floats), name: name))
  }
  var bounds: [Int] = []
  for index in 0..<3 { bounds.append(Int(clamping: try context.integers(node, index).values.first ?? 0)) }
  let limit = 1 << 40
  guard bounds[2] != 0, bounds.allSatisfy({ -limit...limit ~= $0 }),
    (bounds[1] - bounds[0]) / bounds[2] <= 1 << 24
  else {
    throw context.failure(
      "range", "a range of \(bounds) is not supported", node, help: "check the model with onnx.checker")
  }
  let values = stride(from: bounds[0], to: bounds[1], by: bounds[2]).map { Int64($0) }
  context.bind(node, integers: Tensor([values.count], values))
}

/// `start + k * delta` before the limit; nil where the bounds are no floats known at import.
private func floatRange(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) -> [Float]? {
  var bounds: [Float] = []
  for index in 0..<3 {
    guard let known = try context.knownFloats(node, index)?.floats.first else { return nil }
    bounds.append(known)
  }
  let count = ((bounds[1] - bounds[0]) / bounds[2]).rounded(.up)
  guard bounds.allSatisfy(\.isFinite), count >= 1, count <= 0x1p24 else {
    throw context.failure(
      "range", "a range of \(bounds) is not supported", node, help: "check the model with onnx.checker")
  }
  return (0..<Int(count)).map { bounds[0] + Float($0) * bounds[2] }
}

@Sendable private func importSize(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  context.bind(node, integers: Tensor([], [Int64(try context.shape(node, 0).reduce(1, *))]))
}
