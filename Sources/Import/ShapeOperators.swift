import IR
import ONNX
import Support
import Tensors

/// Operators that move elements without changing them, and constants.
let shapeImporters: [String: OperatorImporter] = [
  "Identity": alias, "Dropout": importDropout, "Cast": importCast, "Constant": importConstant,
  "Reshape": importReshape, "Flatten": importFlatten, "Squeeze": importSqueeze, "Unsqueeze": importUnsqueeze,
  "Transpose": importTranspose, "Concat": importConcat, "Pad": importPad, "Shape": importShape,
  "Gather": importGather,
]

/// The rows of docs/operators.md for these.
let shapeSupport: [OperatorSupport] = [
  OperatorSupport(
    "Reshape", .exact, "0, -1, allowzero; also of known integers", integers: "yes",
    notes: "the shape must be known at import"),
  OperatorSupport("Flatten", .exact, "axis; also of known integers", integers: "yes"),
  OperatorSupport(
    "Squeeze", .exact, "axes; also of known integers", integers: "yes", notes: "axes must be known at import"),
  OperatorSupport(
    "Unsqueeze", .exact, "axes; also of known integers", integers: "yes",
    notes: "axes must be known at import"),
  OperatorSupport("Transpose", .exact, "perm", integers: "yes"),
  OperatorSupport("Concat", .exact, "axis; also of known integers", notes: "at most 4096 inputs"),
  OperatorSupport(
    "Pad", .exact, "pads and value",
    notes: "constant mode, all axes, no negative amounts; amounts must be known at import"),
  OperatorSupport("Shape", .gone, "start, end", notes: "gives known integers"),
  OperatorSupport(
    "Gather", .exact, "of known integers; one place on an axis of floats",
    notes: "a list of integers along its axis; a place known at import"),
  OperatorSupport(
    "Slice", .exact, "starts, ends, axes; also of known integers",
    notes: "steps of 1; places must be known at import"),
  OperatorSupport(
    "Expand", .exact, "also of known integers", digital: "yes, as a product with ones",
    notes: "the shape must be known at import, at most 2^26 elements"),
  OperatorSupport(
    "ConstantOfShape", .gone, "value", notes: "the shape must be known at import, at most 2^26 elements"),
  OperatorSupport(
    "Cast", .gone, "between floats, of known integers, and of levels and their sums to floats",
    notes: "integers to int32 and int64 only; floats stay binary32"),
  OperatorSupport("Constant", .gone, "numbers in every form", notes: "no texts, no sparse tensors"),
  OperatorSupport("Identity", .gone),
  OperatorSupport("Dropout", .gone, "inference", notes: "the mask may not be used"),
]

/// Output 0 is input 0 under another name.
@Sendable private func alias(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  guard let input = node.inputs.first, let entry = context.entry(input), let output = node.outputs.first
  else {
    throw context.failure(
      "undefined", "the input is not defined", node, help: "check the model with onnx.checker")
  }
  context.bind(output, entry)
}

@Sendable private func importDropout(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  if context.hasInput(node, 2), try context.integers(node, 2).values != [0] {
    throw context.failure(
      "dropout", "Dropout in training mode is not supported", node, help: "export the model in inference mode"
    )
  }
  try alias(&context, node)
}

@Sendable private func importCast(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let target = ONNXElementType(rawValue: try node.int("to") ?? 0)
  if target?.isFloat == true, try castLevels(&context, node) { return }
  let fits: Bool
  if let known = context.knownIntegers(node, 0) {
    let isSmall = known.values.allSatisfy { Int64(Int32.min)...Int64(Int32.max) ~= $0 }
    fits = target == .int64 || target == .int32 && isSmall
  } else {
    fits = target?.isFloat == true
  }
  guard fits else {
    throw context.failure(
      "cast", "a cast between floats and integers, or to narrow integers, is not supported", node,
      help: "only casts that keep floats floats, and shapes integers, are")
  }
  try alias(&context, node)
}

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

private func floatTensor(_ shape: [Int], _ values: [Float]) throws(Diagnostic) -> ONNXTensor {
  let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
  return try ONNXTensor(name: "", shape: shape, elementType: .float, bytes: bytes)
}

@Sendable private func importReshape(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let input = try context.shape(node, 0)
  let wish = try context.integers(node, 1).values
  let keepsZeros = try node.int("allowzero") ?? 0 != 0
  var shape: [Int] = []
  for (axis, length) in wish.enumerated() {
    if length == 0 && !keepsZeros && axis < input.count {
      shape.append(input[axis])
    } else {
      shape.append(Int(clamping: length))
    }
  }
  let open = shape.indices.filter { shape[$0] == -1 }
  if open.count == 1, let rest = checkedProduct(shape.filter { $0 != -1 }), rest > 0 {
    shape[open[0]] = input.reduce(1, *) / rest
  }
  guard isComputable(shape), shape.reduce(1, *) == input.reduce(1, *) else {
    throw context.failure(
      "reshape", "the shape \(wish) does not go with \(input)", node,
      help: "check the model with onnx.checker")
  }
  try reshapeEntry(&context, node, to: shape)
}

@Sendable private func importFlatten(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let input = try context.shape(node, 0)
  let axis = try node.int("axis") ?? 1
  guard -input.count...input.count ~= axis else {
    throw context.failure(
      "axis", "axis \(axis) is outside of \(input.count) axes", node,
      help: "check the model with onnx.checker")
  }
  let split = axis < 0 ? axis + input.count : axis
  try reshapeEntry(&context, node, to: [input[..<split].reduce(1, *), input[split...].reduce(1, *)])
}

/// Axes are an attribute up to opset 12 and an input from 13 on.
private func axesOf(_ node: ONNXNode, _ context: ImportContext) throws(Diagnostic) -> [Int]? {
  if context.hasInput(node, 1) { return try context.integers(node, 1).values.map { Int(clamping: $0) } }
  return try node.ints("axes")
}

@Sendable private func importSqueeze(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let input = try context.shape(node, 0)
  let given = try axesOf(node, context) ?? input.indices.filter { input[$0] == 1 }
  let axes = try normalizedAxes(given, rank: input.count, context, node)
  guard axes.allSatisfy({ input[$0] == 1 }) else {
    throw context.failure(
      "squeeze", "only axes of length 1 can go, the shape is \(input)", node,
      help: "check the model with onnx.checker")
  }
  try reshapeEntry(&context, node, to: input.indices.filter { !axes.contains($0) }.map { input[$0] })
}

@Sendable private func importUnsqueeze(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let input = try context.shape(node, 0)
  let given = try axesOf(node, context) ?? []
  let axes = try normalizedAxes(given, rank: input.count + given.count, context, node)
  guard axes.count == given.count else {
    throw context.failure(
      "axis", "axes \(given) name one twice", node, help: "check the model with onnx.checker")
  }
  var shape = input
  for axis in axes { shape.insert(1, at: axis) }
  try reshapeEntry(&context, node, to: shape)
}

/// Gives floats or known integers another shape.
private func reshapeEntry(_ context: inout ImportContext, _ node: ONNXNode, to shape: [Int])
  throws(Diagnostic)
{
  if !context.isLevels(node, 0), let known = context.knownIntegers(node, 0) {
    context.bind(node, integers: Tensor(shape, known.values))
  } else {
    try context.emit(.reshape(shape), [try context.movable(node, 0)], for: node)
  }
}

@Sendable private func importTranspose(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let rank = try context.shape(node, 0).count
  let order = try node.ints("perm") ?? Array((0..<rank).reversed())
  try context.emit(.transpose(order), [try context.movable(node, 0)], for: node)
}

@Sendable private func importConcat(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let rank = try context.shape(node, 0).count
  let axis = try normalizedAxes([try node.int("axis") ?? 0], rank: rank, context, node)[0]
  let known = node.inputs.indices.compactMap { context.knownIntegers(node, $0) }
  if known.count == node.inputs.count {
    do throws(Diagnostic) {
      let operands = known.map { Tensor($0.shape, $0.values) }
      return context.bind(node, integers: try DigitalOperator.concat(axis: axis).apply(to: operands))
    } catch {
      throw context.failure("integer", error.message, node, help: "check the model with onnx.checker")
    }
  }
  var operands: [ValueID] = []
  for index in node.inputs.indices { operands.append(try context.value(node, index)) }
  try context.emit(.concat(axis: axis), operands, for: node)
}

/// Constant mode; pads are attributes up to opset 10 and inputs from 11 on.
@Sendable private func importPad(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let mode = try node.string("mode") ?? "constant"
  let rank = try context.shape(node, 0).count
  let isNew = context.hasInput(node, 1)
  let pads =
    isNew ? try context.integers(node, 1).values.map { Int(clamping: $0) } : try node.ints("pads") ?? []
  let value = context.hasInput(node, 2) ? try context.scalar(node, 2) : try node.float("value") ?? 0
  guard mode == "constant", pads.count == 2 * rank, pads.allSatisfy({ 0..<(1 << 20) ~= $0 }),
    !context.hasInput(node, 3)
  else {
    throw context.failure(
      "pad", "padding in mode '\(mode)' by \(pads) is not supported", node,
      help: "padding of all axes with a constant, by no negative amount, is")
  }
  let digital = DigitalOperator.pad(
    before: Array(pads.prefix(rank)), after: Array(pads.suffix(rank)), value: value)
  try context.emit(digital, [try context.value(node, 0)], for: node)
}

@Sendable private func importShape(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let shape = try context.shape(node, 0)
  func position(_ axis: Int) -> Int { max(0, min(shape.count, axis < 0 ? axis + shape.count : axis)) }
  let start = position(try node.int("start") ?? 0)
  let end = position(try node.int("end") ?? shape.count)
  let values = start < end ? shape[start..<end].map { Int64($0) } : []
  context.bind(node, integers: Tensor([values.count], values))
}

/// One place on an axis of floats, as exporters write `x[:, -1]`.
private func importPick(_ context: inout ImportContext, _ node: ONNXNode, _ index: Int64, shape: [Int])
  throws(Diagnostic)
{
  let input = try context.shape(node, 0)
  let axis = try normalizedAxes([try node.int("axis") ?? 0], rank: input.count, context, node)[0]
  let place = Int(clamping: index) + (index < 0 ? input[axis] : 0)
  guard 0..<input[axis] ~= place else {
    throw context.failure(
      "gather", "index \(index) is outside of an axis of \(input[axis])", node, help: "check the model")
  }
  var (start, end) = (input.map { _ in 0 }, input)
  (start[axis], end[axis]) = (place, place + 1)
  let part = try context.emitInner(
    .slice(start: start, end: end), [try context.value(node, 0)],
    name: "\(node.outputs.first ?? node.op).slice", for: node)
  try context.emit(.reshape(input[..<axis] + shape + input[(axis + 1)...]), [part], for: node)
}

/// Elements of known integers, as exporters write it to take a length out of a shape.
@Sendable private func importGather(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  if context.knownIntegers(node, 0) == nil, let index = context.knownIntegers(node, 1),
    index.values.count == 1
  {
    return try importPick(&context, node, index.values[0], shape: index.shape)
  }
  guard let data = context.knownIntegers(node, 0), data.shape.count == 1, try -1...0 ~= node.int("axis") ?? 0
  else {
    throw context.failure(
      "gather", "Gather is supported on shapes only", node,
      help: "gathering of computed values is not supported yet")
  }
  let (indices, shape) = try context.integers(node, 1)
  var values: [Int64] = []
  for index in indices {
    let at = index < 0 ? index + Int64(data.values.count) : index
    guard 0..<Int64(data.values.count) ~= at else {
      throw context.failure("gather", "index \(index) is outside of the shape", node, help: "check the model")
    }
    values.append(data.values[Int(at)])
  }
  context.bind(node, integers: Tensor(shape, values))
}
