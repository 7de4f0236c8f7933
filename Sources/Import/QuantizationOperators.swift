import IR
import ONNX
import Support
import Tensors

/// Quantized networks: QDQ pairs, the QLinear operators, and products of integers.
let quantizationImporters: [String: OperatorImporter] = [
  "QuantizeLinear": importQuantizeLinear, "DequantizeLinear": importDequantizeLinear,
  "QLinearConv": importQLinearConv, "QLinearMatMul": importQLinearMatMul, "ConvInteger": importConvInteger,
  "MatMulInteger": importMatMulInteger, "DynamicQuantizeLinear": importDynamicQuantizeLinear,
]

/// The rows of docs/operators.md for these.
let quantizationSupport: [OperatorSupport] = [
  OperatorSupport(
    "QuantizeLinear", .exact, "per tensor, and along an axis with one zero point; output_dtype",
    integers: "yes, as the rounding of a layer's sums", digital: "elsewhere",
    notes: "scale and zero point known at import; no block_size"),
  OperatorSupport(
    "DequantizeLinear", .exact, "per tensor and along an axis",
    crossbars: "as the weights or the input of a layer", integers: "yes", digital: "elsewhere",
    notes: "scale and zero point known at import; no block_size"),
  OperatorSupport(
    "QLinearConv", .exact, "as `Conv`; scales per tensor or per output, zero points, int32 bias",
    crossbars: "yes, one layer for each group", integers: "yes", digital: "no",
    notes: "weights and bias must be constants"),
  OperatorSupport(
    "QLinearMatMul", .exact, "scales per tensor or per column",
    crossbars: "yes, with a constant matrix on the right", integers: "yes", digital: "two computed sides"),
  OperatorSupport(
    "ConvInteger", .exact, "as `Conv`; zero points", crossbars: "yes, one layer for each group",
    integers: "yes", digital: "no", notes: "weights must be constants; sums go to floats by `Cast`"),
  OperatorSupport(
    "MatMulInteger", .exact, "zero points, also per column",
    crossbars: "yes, with a constant matrix on the right", integers: "yes",
    digital: "two sides from DynamicQuantizeLinear",
    notes: "weights must be constants; sums go to floats by `Cast`"),
  OperatorSupport(
    "DynamicQuantizeLinear", .gone,
    "before `MatMulInteger` and `ConvInteger` that have a product with its scale behind them",
    notes: "the products work on floats, which take one grid for all samples"),
]

/// The default type of levels.
private let byte = ElementType.integer(bits: 8, signed: false)

@Sendable func importQuantizeLinear(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  try refuseBlocks(context, node)
  var element = byte
  if let code = try node.int("output_dtype"), code != 0 {
    guard let type = ONNXElementType(rawValue: code), let levels = ElementType(levels: type), type != .int32
    else {
      throw context.failure(
        "quantization", "levels of type \(code) are not supported", node,
        help: "integers of 2, 4, 8 and 16 bits are")
    }
    element = levels
  }
  let grid = try LevelGrid(context, node, scale: 1, zero: 2, element: element)
  let x = try context.value(node, 0)
  let axis = try node.int("axis") ?? 1
  try context.bindOutput(
    node, try context.quantized(x, grid, axis: axis, name: node.outputs.first ?? "levels", node))
}

@Sendable func importDequantizeLinear(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  try refuseBlocks(context, node)
  if try bindDynamicSource(&context, node) { return }
  let q = try context.integerValue(node, 0)
  let grid = try LevelGrid(context, node, scale: 1, zero: 2, element: byte)
  let axis = try node.int("axis") ?? 1
  try context.bindOutput(
    node, try context.dequantized(q, grid, axis: axis, name: node.outputs.first ?? "reals", node))
}

private func refuseBlocks(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) {
  guard try node.int("block_size") ?? 0 == 0 else {
    throw context.failure(
      "quantization-blocks", "scales for blocks of an axis are not supported", node,
      help: "quantize per tensor or per output channel: a crossbar sums a whole column with one scale")
  }
}

/// Integers of any kind as floats; false where the input is none.
func castLevels(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic) -> Bool {
  if try bindDynamicSums(&context, node) { return true }
  guard let name = node.inputs.first else { return false }
  switch context.entry(name) {
  case .value(let id)? where !context.builder.type(id).element.isFloat: break
  case .initializer? where context.isLevels(node, 0): break
  default: return false
  }
  let q = try context.integerValue(node, 0)
  try context.emit(.dequantize(scale: 1, zero: 0), [q], for: node)
  return true
}

// MARK: Products of integers

@Sendable private func importQLinearConv(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic)
{
  let product = try QuantizedProduct(&context, node, weights: 3, columnAxis: 0)
  let output = try LevelGrid(context, node, scale: 6, zero: 7, element: product.input.element)
  let sums = try product.convolution(&context, node, bias: 8)
  try product.finish(sums, output, axis: 1, &context, node)
}

@Sendable private func importQLinearMatMul(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  let output = try LevelGrid(context, node, scale: 6, zero: 7, element: byte)
  if context.isInitializer(node, 3), try context.shape(node, 3).count == 2 {
    let product = try QuantizedProduct(&context, node, weights: 3, columnAxis: 1)
    let sums = try product.product(&context, node, bias: nil)
    return try product.finish(sums, output, axis: -1, &context, node)
  }
  var operands: [ValueID] = []
  for first in [0, 3] {
    let grid = try LevelGrid(context, node, scale: first + 1, zero: first + 2, element: byte)
    let q = try context.integerValue(node, first)
    operands.append(
      try context.dequantized(q, grid, axis: -1, name: "\(node.inputs[first]).reals", node))
  }
  let name = node.outputs.first ?? "product"
  let product = try context.emitInner(.matmul, operands, name: "\(name).reals", for: node)
  try context.bindOutput(node, try context.quantized(product, output, axis: -1, name: name, node))
}

@Sendable private func importConvInteger(_ context: inout ImportContext, _ node: ONNXNode) throws(Diagnostic)
{
  if let source = context.dynamicLevels(node, 0) {
    let weights = try dynamicWeights(&context, node, columnAxis: 0)
    let shapes = (context.builder.type(source.value).shape ?? [], context.builder.type(weights).shape ?? [])
    let attributes = try convAttributes(context, node, shapes.0, shapes.1)
    return try bindDynamicProduct(&context, node, .conv, [source.value, weights], attributes, [source.token])
  }
  let product = try QuantizedProduct(integers: &context, node, columnAxis: 0)
  try context.bindOutput(node, try product.convolution(&context, node, bias: nil))
}

@Sendable private func importMatMulInteger(_ context: inout ImportContext, _ node: ONNXNode)
  throws(Diagnostic)
{
  if let source = context.dynamicLevels(node, 0) {
    if let other = context.dynamicLevels(node, 1) {
      return try bindDynamicProduct(
        &context, node, .matmul, [source.value, other.value], [], [source.token, other.token])
    }
    let weights = try dynamicWeights(&context, node, columnAxis: 1)
    let isMatrix = context.builder.type(weights).shape?.count == 2
    return try bindDynamicProduct(
      &context, node, isMatrix ? .gemm : .matmul, [source.value, weights], [], [source.token])
  }
  let product = try QuantizedProduct(integers: &context, node, columnAxis: 1)
  try context.bindOutput(node, try product.product(&context, node, bias: nil))
}

/// Levels times constant levels: the integer sums of a convolution or a product, and what they stand for.
struct QuantizedProduct {
  /// The scale, zero point and type of the inputs.
  let input: LevelGrid
  /// The levels, whose type has the input's zero point.
  let x: ValueID
  /// The constant weights less their zero points.
  let weights: ValueID
  /// The scales of the weights: one, or one for each output.
  let scales: [Float]

  /// Reads the inputs `x, scale, zero, w, scale, zero` of a QLinear operator, the weights from input `weights` on.
  init(
    _ context: inout ImportContext, _ node: ONNXNode, weights index: Int, columnAxis: Int,
    turned: Bool = false
  )
    throws(Diagnostic)
  {
    let input = try LevelGrid(context, node, scale: 1, zero: 2, element: byte)
    let grid = try LevelGrid(context, node, scale: index + 1, zero: index + 2, element: byte)
    try self.init(&context, node, input, grid, weights: index, columnAxis, turned)
  }

  /// Reads the inputs `x, w, zero of x, zero of w` of an Integer operator; 1 stands for 1.
  init(integers context: inout ImportContext, _ node: ONNXNode, columnAxis: Int) throws(Diagnostic) {
    var grids: [LevelGrid] = []
    for index in 2...3 {
      var grid = LevelGrid.unit
      if let zeros = try context.zeros(node, index) {
        (grid.zeros, grid.element) = (zeros.values, zeros.element)
      }
      grids.append(grid)
    }
    try self.init(&context, node, grids[0], grids[1], weights: 1, columnAxis, false)
  }

  private init(
    _ context: inout ImportContext, _ node: ONNXNode, _ input: LevelGrid, _ grid: LevelGrid,
    weights index: Int, _ columnAxis: Int, _ turned: Bool
  ) throws(Diagnostic) {
    guard let quantization = input.single else {
      throw context.failure(
        "quantization", "inputs with several scales or zero points are not supported", node,
        help: "quantize activations per tensor")
    }
    self.input = input
    x = try context.integerValue(node, 0, zero: quantization.zero)
    weights = try context.centredLevels(node, index, grid.zeros, axis: columnAxis, turned: turned)
    scales = grid.scales
    let shape = context.builder.type(weights).shape ?? []
    let outputs = turned ? shape.last : shape.indices.contains(columnAxis) ? shape[columnAxis] : nil
    guard scales.count == 1 || scales.count == outputs else {
      throw context.failure(
        "quantization", "\(scales.count) scales of weights for \(outputs ?? 0) outputs", node,
        help: "check the model with onnx.checker")
    }
  }

  /// The sums of a convolution; input `bias` holds integers to add.
  func convolution(_ context: inout ImportContext, _ node: ONNXNode, bias: Int?) throws(Diagnostic) -> ValueID
  {
    let shapes = (context.builder.type(x).shape ?? [], context.builder.type(weights).shape ?? [])
    let attributes = try convAttributes(context, node, shapes.0, shapes.1)
    let operands = [x, weights] + (try biasOperand(&context, node, bias))
    return try context.emitInner(.conv, operands, attributes, name: sumsName(node), for: node)
  }

  /// The sums of a product; input `bias` holds integers to add.
  func product(_ context: inout ImportContext, _ node: ONNXNode, bias: Int?) throws(Diagnostic) -> ValueID {
    let operands = [x, weights] + (try biasOperand(&context, node, bias))
    return try context.emitInner(.gemm, operands, name: sumsName(node), for: node)
  }

  private func sumsName(_ node: ONNXNode) -> String { "\(node.outputs.first ?? node.op).sums" }

  private func biasOperand(_ context: inout ImportContext, _ node: ONNXNode, _ index: Int?) throws(Diagnostic)
    -> [ValueID]
  {
    guard let index, context.hasInput(node, index) else { return [] }
    let (values, _, _) = try context.levels(node, index)
    let name = node.inputs[index]
    return [context.constant(Tensor([values.count], values), element: .accumulator, name: name)]
  }

  /// The sums as real numbers, the columns of the weights being on `axis`: `sums * (scale of x * scale of w)`, the
  /// factor rounded to binary32.
  func reals(
    _ sums: ValueID, times factor: Float = 1, axis: Int, _ context: inout ImportContext, _ node: ONNXNode
  )
    throws(Diagnostic) -> ValueID
  {
    let factors = scales.map { factor * input.scales[0] * $0 }
    guard factors.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw context.failure(
        "quantization", "the product of two scales leaves binary32", node, help: "check the model")
    }
    var grid = LevelGrid.unit
    grid.scales = factors
    return try context.dequantized(
      sums, grid, axis: axis, name: "\(node.outputs.first ?? node.op).reals", node)
  }

  /// Output 0 of `node`: the sums on the grid `output`.
  func finish(
    _ sums: ValueID, _ output: LevelGrid, axis: Int, _ context: inout ImportContext, _ node: ONNXNode
  ) throws(Diagnostic) {
    let reals = try reals(sums, axis: axis, &context, node)
    let name = node.outputs.first ?? node.op
    try context.bindOutput(node, try context.quantized(reals, output, axis: axis, name: name, node))
  }
}

extension LevelGrid {
  /// Levels that stand for themselves.
  static let unit = LevelGrid(scales: [1], zeros: [0], element: byte)

  init(scales: [Float], zeros: [Int64], element: ElementType) {
    self.scales = scales
    self.zeros = zeros
    self.element = element
  }
}

extension ImportContext {
  /// The levels of input `index`, as a value whose type says that `zero` stands for 0.
  fileprivate mutating func integerValue(_ node: ONNXNode, _ index: Int, zero: Int64) throws(Diagnostic)
    -> ValueID
  {
    let id = try integerValue(node, index)
    let type = builder.type(id)
    guard case .integer(...16, _) = type.element else {
      throw failure(
        "quantization", "levels of type \(type.element) are not supported as inputs", node,
        help: "round sums to levels of up to 16 bits before they are multiplied again")
    }
    if type.quantization?.zero ?? 0 == zero { return id }
    let grid = LevelGrid(scales: [1], zeros: [zero], element: type.element)
    let reals = try dequantized(id, grid, axis: 0, name: "\(node.inputs[index]).reals", node)
    return try quantized(reals, grid, axis: 0, name: "\(node.inputs[index]).moved", node)
  }

  /// The integers of input `index` less their zero points, which lie on `axis`, as a constant of signed integers;
  /// `turned` gives the transpose of a matrix.
  mutating func centredLevels(
    _ node: ONNXNode, _ index: Int, _ zeros: [Int64], axis: Int, turned: Bool
  ) throws(Diagnostic) -> ValueID {
    let (values, shape, element) = try levels(node, index)
    let inner = shape.dropFirst(axis + 1).reduce(1, *)
    guard zeros.count == 1 || shape.indices.contains(axis) && shape[axis] == zeros.count else {
      throw failure(
        "quantization", "\(zeros.count) zero points do not fit weights \(shape)", node,
        help: "check the model with onnx.checker")
    }
    var centred = values
    for k in centred.indices { centred[k] -= zeros[zeros.count == 1 ? 0 : k / max(1, inner) % zeros.count] }
    let signed = element.signed(holding: centred)
    guard case .integer(2...16, _) = signed else {
      throw failure(
        "quantization", "weights less their zero points need \(signed), more than 16 bits", node,
        help: "use signed weights, or a zero point in the middle of the range")
    }
    var tensor = Tensor(shape, centred, as: signed)
    if turned {
      do throws(Diagnostic) {
        tensor = try DigitalOperator.transpose([1, 0]).apply(to: [tensor])
      } catch {
        throw failure("shape", error.message, node, help: "check the model with onnx.checker")
      }
    }
    return constant(tensor, element: signed, name: node.inputs[index])
  }
}
