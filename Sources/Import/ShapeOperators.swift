import IR
import ONNX
import Support
import Tensors

/// Operators that move elements without changing them, and constants.
let shapeImporters: [String: OperatorImporter] = [
  "Identity": alias, "Dropout": importDropout, "Cast": importCast, "CastLike": importCastLike,
  "Reshape": importReshape, "Flatten": importFlatten, "Squeeze": importSqueeze, "Unsqueeze": importUnsqueeze,
  "Transpose": importTranspose, "Concat": importConcat, "Pad": importPad,
].merging(constantImporters) { first, _ in first }

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
  OperatorSupport("Transpose", .exact, "perm; also of known integers", integers: "yes"),
  OperatorSupport(
    "Concat", .exact, "axis; also of known integers",
    integers: "yes, where an input is that of a layer, or all are levels of one grid",
    notes: "at most 4096 inputs"),
  OperatorSupport(
    "Pad", .exact, "pads of both signs, value, axes, modes constant, reflect, edge and wrap", integers: "yes",
    notes: "amounts and value must be known at import"),
  OperatorSupport("Shape", .gone, "start, end", notes: "gives known integers"),
  OperatorSupport(
    "Cast", .exact, "between floats, integers and truth values; of levels and their sums",
    notes:
      "floats stay binary32; computed integers are floats without what stands behind the point, whatever their type: none wraps"
  ),
  OperatorSupport("CastLike", .exact, "as `Cast`, to the type of an initializer or of floats"),
  OperatorSupport("Constant", .gone, "numbers in every form", notes: "no texts, no sparse tensors"),
  OperatorSupport(
    "ConstantOfShape", .gone, "floats and integers", notes: "the shape must be known at import"),
  OperatorSupport("Range", .gone, "of integers and floats", notes: "bounds must be known at import"),
  OperatorSupport("Size", .gone, notes: "gives a known integer"),
  OperatorSupport("Identity", .gone),
  OperatorSupport("Dropout", .gone, "inference, and training with ratio 0; the mask"),
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

/// Nothing is dropped, so the mask is true everywhere.
@Sendable private func importDropout(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  var (isTraining, ratio) = (false, [0.5] as [Float])
  if context.hasInput(node, 2) { isTraining = try context.integers(node, 2).values != [0] }
  if context.hasInput(node, 1) { ratio = try context.knownFloats(node, 1)?.floats ?? [] }
  if isTraining, ratio != [0] {
    throw context.failure(
      "dropout", "Dropout in training mode is not supported", node, help: "export the model in inference mode"
    )
  }
  try alias(&context, node)
  guard node.outputs.count > 1, !node.outputs[1].isEmpty else { return }
  let shape = try context.shape(node, 0)
  guard isComputable(shape), shape.reduce(1, *) <= longestList else {
    throw context.failure(
      "size", "the mask has the shape \(shape)", node, help: "export the model in inference mode")
  }
  let mask = [Int64](repeating: 1, count: shape.reduce(1, *))
  context.bind(node.outputs[1], .integers(values: mask, shape: shape))
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
    try context.bind(node, moves: [.reshape(shape)])
  }
}

@Sendable private func importTranspose(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  let rank = try context.shape(node, 0).count
  if let blocks = context.blocks(node, 0), try node.ints("perm") ?? [1, 0] == [1, 0] {
    return context.bind(node.outputs.first ?? "", .blocks(try context.transposed(blocks, node)))
  }
  try context.bind(node, moves: [.transpose(try node.ints("perm") ?? Array((0..<rank).reversed()))])
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
  try concatenation(&context, node, axis)
}

/// Floats are joined; so are whole numbers, with known integers among them, and levels of one type.
private func concatenation(_ context: inout ImportContext, _ node: ONNXNode, _ axis: Int) throws(Diagnostic) {
  let isWhole = context.areWhole(node, node.inputs.indices)
  let areLevels = node.inputs.indices.contains { context.holdsLevels(node, $0) }
  var operands: [ValueID] = []
  for index in node.inputs.indices {
    let operand =
      try isWhole
      ? context.number(node, index)
      : areLevels ? context.integerValue(node, index) : context.value(node, index)
    operands.append(operand)
  }
  guard Set(operands.map { context.builder.type($0).element }).count == 1 else {
    throw context.failure(
      "quantization", "levels of different types cannot be joined", node,
      help: "check the model with onnx.checker")
  }
  let id = try context.emitInner(
    .concat, operands, [NamedAttribute(.axis, axis)], name: node.outputs.first ?? node.op,
    for: node)
  if isWhole { return try context.bindOutput(node, whole: id) }
  try context.bindOutput(node, id)
}
