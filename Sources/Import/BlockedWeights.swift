import IR
import ONNX
import Support
import Tensors

/// A matrix of levels with a scale for each block of neighbors along an axis, as 4-bit quantizers of large products
/// write it.
///
/// A column of a crossbar has one scale, so each block is a layer of its own: the product is the sum of the products of
/// the blocks with their parts of the input, and all integers stay what they are.
struct BlockedWeights {
  /// What the levels of each block stand for, of one scale for each of its columns or rows.
  var parts: [ValueID]
  /// The axis that the blocks cut.
  var axis: Int
  /// The shape of the whole.
  var shape: [Int]
}

extension ImportContext {
  /// The blocks that input `index` is cut into, or nil.
  func blocks(_ node: ONNXNode, _ index: Int) -> BlockedWeights? {
    guard hasInput(node, index), case .blocks(let weights)? = entry(node.inputs[index]) else { return nil }
    return weights
  }

  /// An error about weights in blocks where no product takes them.
  func blockFailure(_ node: ONNXNode, _ what: String) -> Diagnostic {
    failure(
      "quantization-blocks", "scales for blocks \(what) are not supported", node,
      help:
        "blocks along the inputs of a MatMul or a Gemm are; others: quantize per tensor or per output channel"
    )
  }

  /// `x` times weights that are cut along their first axis.
  mutating func product(_ x: ValueID, _ weights: BlockedWeights, _ node: ONNXNode) throws(Diagnostic)
    -> ValueID
  {
    let shape = shape(of: x)
    guard weights.axis == 0, let inner = shape.last, inner == weights.shape.first else {
      throw blockFailure(node, "along the outputs of a product")
    }
    let name = node.outputs.first ?? node.op
    var (start, end) = (shape.map { _ in 0 }, shape)
    var sum: ValueID?
    for (number, part) in weights.parts.enumerated() {
      end[shape.count - 1] = start[shape.count - 1] + (self.shape(of: part).first ?? 0)
      let piece =
        weights.parts.count == 1 ? x : try apply(.slice(start: start, end: end), x, for: node)
      let product = try emitInner(
        .gemm, [piece, part], [NamedAttribute(.part, "block\(number)")],
        name: "\(name).block\(number)", for: node)
      sum =
        try sum.map { (known) throws(Diagnostic) in try apply(.add, known, product, for: node) } ?? product
      start[shape.count - 1] = end[shape.count - 1]
    }
    guard let sum else { throw blockFailure(node, "of no elements") }
    return sum
  }

  /// The transpose of weights in blocks.
  mutating func transposed(_ weights: BlockedWeights, _ node: ONNXNode) throws(Diagnostic) -> BlockedWeights {
    var turned: [ValueID] = []
    for part in weights.parts { turned.append(try apply(.transpose([1, 0]), part, for: node)) }
    return BlockedWeights(parts: turned, axis: 1 - weights.axis, shape: weights.shape.reversed())
  }
}

/// DequantizeLinear with a `block_size`, of a matrix that the file gives.
func importBlocks(_ context: inout ImportContext, _ node: ONNXNode, size: Int) throws(Diagnostic) {
  guard context.isLevels(node, 0) else { throw context.blockFailure(node, "of computed levels") }
  let (values, shape, element) = try context.levels(node, 0)
  guard shape.count == 2, shape.allSatisfy({ $0 > 0 }) else {
    throw context.blockFailure(node, "of anything but matrices, found \(shape),")
  }
  let axis = try context.axis(node, default: 1, rank: 2)
  let count = ceilDivide(shape[axis], max(1, size))
  var cut = shape
  cut[axis] = count
  let scales = try context.scales(node, 1)
  let zeros = try context.zeros(node, 2)?.values ?? [Int64](repeating: 0, count: scales.count)
  guard size > 0, try context.shape(node, 1) == cut, zeros.count == scales.count else {
    throw context.failure(
      "quantization", "\(scales.count) scales and \(zeros.count) zero points, expected \(cut)", node,
      help: "check the model with onnx.checker")
  }
  let lines = shape[1 - axis]
  let name = node.outputs.first ?? node.op
  var parts: [ValueID] = []
  for block in 0..<count {
    let length = min(size, shape[axis] - block * size)
    let own = axis == 0 ? [length, lines] : [lines, length]
    func place(_ line: Int) -> Int { axis == 0 ? block * lines + line : line * count + block }
    var levels: [Int64] = []
    levels.reserveCapacity(length * lines)
    for row in 0..<own[0] {
      for column in 0..<own[1] {
        let (along, line) = axis == 0 ? (row, column) : (column, row)
        let k = axis == 0 ? (block * size + along) * lines + line : line * shape[1] + block * size + along
        levels.append(values[k] - zeros[place(line)])
      }
    }
    let signed = element.signed(holding: levels)
    guard case .integer(2...16, _) = signed else {
      throw context.failure(
        "quantization", "weights less their zero points need \(signed), more than 16 bits", node,
        help: "use signed weights, or a zero point in the middle of the range")
    }
    let constant = context.constant(
      Tensor(own, levels, as: signed), element: signed, name: "\(name).block\(block)")
    let parameters = QuantizationParameters(
      scales: (0..<lines).map { scales[place($0)] }, zeros: [0], element: signed)
    parts.append(
      try context.dequantized(constant, parameters, axis: 1 - axis, name: "\(name).block\(block).reals", node)
    )
  }
  context.bind(name, .blocks(BlockedWeights(parts: parts, axis: axis, shape: shape)))
}
