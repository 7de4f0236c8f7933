import IR
import ONNX
import Support
import Tensors

/// Operators that exporters write to make first states and to cut constants.
let exporterImporters: [String: OperatorImporter] = [
  "ConstantOfShape": importConstantOfShape, "Expand": importExpand, "Slice": importSlice,
]

/// Elements that an array may have which the importer makes itself: 2^26.
let largestConstant = 1 << 26

/// An array of one number, 0 unless given, whose shape is known at import.
@Sendable private func importConstantOfShape(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  let shape = try context.integers(node, 0).values.map { Int(clamping: $0) }
  guard shape.allSatisfy({ $0 >= 0 }), isComputable(shape), let count = checkedProduct(shape),
    count <= largestConstant
  else {
    throw context.failure(
      "size", "a constant of the shape \(shape)", node, help: "at most 2^26 elements are supported")
  }
  let number = try node.tensor("value")
  if let number, number.elementType.isInteger {
    let value = try number.int64s().first ?? 0
    return context.bind(node, integers: Tensor(shape, [Int64](repeating: value, count: count)))
  }
  let value = try number?.floats().first ?? 0
  let id = context.constant(
    Tensor(shape, [Float](repeating: value, count: count)), name: node.outputs.first ?? node.op)
  try context.bindOutput(node, id)
}

/// Floats or known integers repeated along axes of length 1; the shape is known at import.
@Sendable private func importExpand(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let wish = try context.integers(node, 1).values.map { Int(clamping: $0) }
  guard wish.allSatisfy({ $0 >= 1 }), isComputable(wish), let count = checkedProduct(wish),
    count <= largestConstant
  else {
    throw context.failure(
      "size", "an array of the shape \(wish)", node, help: "at most 2^26 elements are supported")
  }
  if let known = context.knownIntegers(node, 0) {
    do throws(Diagnostic) {
      let operands = [
        Tensor(known.shape, known.values), Tensor(wish, [Int64](repeating: 1, count: count)),
      ]
      return context.bind(node, integers: try DigitalOperator.binary(.multiply).apply(to: operands))
    } catch {
      throw context.failure("integer", error.message, node, help: "check the model with onnx.checker")
    }
  }
  let x = try context.value(node, 0)
  if try context.shape(node, 0) == wish { return try context.bindOutput(node, x) }
  // A product with 1 keeps every number.
  let ones = context.constant(
    Tensor(wish, [Float](repeating: 1, count: count)), name: "\(node.outputs.first ?? node.op).ones")
  try context.emit(.binary(.multiply), [x, ones], for: node)
}

/// A part of floats or of known integers; its place is known at import, and its steps are 1. It is given as attributes up to
/// opset 9 and as inputs from 10 on.
@Sendable private func importSlice(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  func list(_ index: Int, _ name: String) throws(Diagnostic) -> [Int]? {
    if context.hasInput(node, index) {
      return try context.integers(node, index).values.map { Int(clamping: $0) }
    }
    return try node.ints(name)
  }
  let (starts, ends) = (try list(1, "starts") ?? [], try list(2, "ends") ?? [])
  let given = try list(3, "axes") ?? Array(starts.indices)
  let steps = try list(4, "steps") ?? starts.map { _ in 1 }
  var (start, end) = (shape.map { _ in 0 }, shape)
  guard starts.count == ends.count, given.count == starts.count, steps.count == starts.count,
    steps.allSatisfy({ $0 == 1 })
  else {
    throw context.failure(
      "slice", "a slice from \(starts) to \(ends) in steps \(steps) is not supported", node,
      help: "slices in steps of 1 are")
  }
  for (index, axis) in given.enumerated() {
    let place = try normalizedAxes([axis], rank: shape.count, context, node)[0]
    func position(_ number: Int) -> Int {
      max(
        0, min(shape[place], number < 0 ? number.addingReportingOverflow(shape[place]).partialValue : number))
    }
    (start[place], end[place]) = (position(starts[index]), position(ends[index]))
  }
  guard zip(start, end).allSatisfy({ $0 < $1 }) else {
    throw context.failure(
      "slice", "the slice \(start) to \(end) of \(shape) is empty", node, help: "check the model")
  }
  let slice = DigitalOperator.slice(start: start, end: end)
  guard let known = context.knownIntegers(node, 0) else {
    return try context.emit(slice, [try context.value(node, 0)], for: node)
  }
  do throws(Diagnostic) {
    context.bind(node, integers: try slice.apply(to: [Tensor(known.shape, known.values)]))
  } catch {
    throw context.failure("slice", error.message, node, help: "check the model with onnx.checker")
  }
}
