public import Support
public import Tensors

/// What each operation makes of the types of its operands.
extension Module {
  /// The type of the single result of `op`: the shape computed from the operands, the element computed where the
  /// operation determines it and taken from the declared result otherwise.
  ///
  /// Returns nil where the operation has no result or its type is declared freely, and where an operand has no
  /// shape yet. Throws where the operands do not go together.
  public func resultType(of op: Op) throws(Diagnostic) -> ValueType? {
    if op.opcode == .constant { return op.results.first.map { values[$0].type } }
    let operands = op.operands.map { values[$0].type }
    let shapes = operands.compactMap(\.shape)
    guard shapes.count == operands.count, let first = operands.first else { return nil }
    do throws(Diagnostic) {
      guard let type = try type(of: op, first, operands, shapes) else { return nil }
      guard let shape = type.shape, isComputable(shape) else { throw mismatch(op, shapes) }
      return type
    } catch {
      var located = error
      if located.location == .none { located.location = op.location }
      throw located
    }
  }

  private func type(of op: Op, _ first: ValueType, _ operands: [ValueType], _ shapes: [[Int]])
    throws(Diagnostic) -> ValueType?
  {
    switch op.opcode.kind {
    case .conv: return try convType(op, operands, shapes)
    case .gemm: return try gemmType(op, operands, shapes)
    case .batchNorm:
      let x = shapes[0]
      guard x.count >= 2, shapes.dropFirst().allSatisfy({ $0 == [x[1]] }) else { throw mismatch(op, shapes) }
      return ValueType(.float32, x)
    case .window:
      guard let window = op.window, window.inputCount == checkedProduct(shapes[0]) else {
        throw mismatch(op, shapes)
      }
      return ValueType(first.element, [window.positions, window.length])
    case .carry: return first
    case .yield:
      guard first.element == operands[1].element, shapes[0] == shapes[1] else { throw mismatch(op, shapes) }
      return first
    case .scanSlice, .scanOutput: return try partType(op, first, shapes[0])
    case .mvm: return try mvmType(op, shapes[0])
    case .col2im: return try col2imType(op, shapes)
    case .digital: return try digitalType(op, operands, shapes)
    case .input, .output, .constant, .layer, .block, .buffer, .crossbar, .load, .drive, .convert, .accumulate,
      .store, .repeat, .scan:
      return nil
    }
  }

  private func mismatch(_ op: Op, _ shapes: [[Int]]) -> Diagnostic {
    let text = shapes.map { "[\($0.map(String.init).joined(separator: ", "))]" }.joined(separator: ", ")
    return Diagnostic(
      "verify.shape", "\(op.opcode.rawValue) cannot work on the shapes \(text)", at: op.location)
  }

  private func convType(_ op: Op, _ operands: [ValueType], _ shapes: [[Int]]) throws(Diagnostic) -> ValueType
  {
    guard let window = convWindow(op, input: shapes[0], weights: shapes[1]),
      shapes.count < 3 || shapes[2] == [shapes[1][0]]
    else { throw mismatch(op, shapes) }
    let outputs = shapes[0].count == 3 ? [window.outWidth] : [window.outHeight, window.outWidth]
    return ValueType(productElement(operands), [window.batch, shapes[1][0]] + outputs)
  }

  private func gemmType(_ op: Op, _ operands: [ValueType], _ shapes: [[Int]]) throws(Diagnostic) -> ValueType
  {
    let (x, w) = (shapes[0], shapes[1])
    guard x.count >= 1, w.count == 2, !w.contains(0), x.last == w[0], shapes.count < 3 || shapes[2] == [w[1]]
    else {
      throw mismatch(op, shapes)
    }
    return ValueType(productElement(operands), x.dropLast() + [w[1]])
  }

  private func productElement(_ operands: [ValueType]) -> ElementType {
    operands[0].element.isFloat ? .float32 : .accumulator
  }

  /// A scan slice has the parts-th part of its axis, a scan output as many times as much.
  private func partType(_ op: Op, _ type: ValueType, _ shape: [Int]) throws(Diagnostic) -> ValueType {
    let (axis, parts) = (op[.axis], op[.parts])
    guard shape.indices.contains(axis), parts > 0 else { throw mismatch(op, [shape]) }
    var result = shape
    if op.opcode == .scanOutput {
      let (length, overflow) = shape[axis].multipliedReportingOverflow(by: parts)
      guard !overflow else { throw mismatch(op, [shape]) }
      result[axis] = length
    } else {
      guard shape[axis] % parts == 0 else { throw mismatch(op, [shape]) }
      result[axis] = shape[axis] / parts
    }
    return ValueType(type.element, result, type.quantization)
  }

  private func mvmType(_ op: Op, _ shape: [Int]) throws(Diagnostic) -> ValueType {
    guard let id = symbol(op[.layer]), ops[id].opcode == .layer else {
      throw Diagnostic("verify.symbol", "no layer is called @\(op[.layer])", at: op.location)
    }
    guard shape.count == 2, shape[1] == ops[id][.rows] else { throw mismatch(op, [shape]) }
    return ValueType(.accumulator, [shape[0], ops[id][.columns]])
  }

  /// The declared result says how many images there are.
  private func col2imType(_ op: Op, _ shapes: [[Int]]) throws(Diagnostic) -> ValueType {
    guard let result = op.results.first, let declared = values[result].type.shape, declared.count >= 2,
      let rows = shapes.first?.first, shapes.allSatisfy({ $0.count == 2 && $0[0] == rows }),
      checkedProduct(declared) == checkedProduct([rows, shapes.reduce(0) { $0 + $1[1] }]),
      declared[1] == shapes.reduce(0, { $0 + $1[1] })
    else { throw mismatch(op, shapes) }
    return ValueType(.accumulator, declared)
  }

  private func digitalType(_ op: Op, _ operands: [ValueType], _ shapes: [[Int]]) throws(Diagnostic)
    -> ValueType
  {
    guard let digital = digitalOperator(of: op) else {
      throw Diagnostic(
        "verify.attribute", "an attribute of \(op.opcode.rawValue) does not fit", at: op.location)
    }
    let shape = try digital.resultShape(of: shapes)
    let declared = op.results.first.map { values[$0].type } ?? operands[0]
    switch digital.entry.elements {
    case .floatsToIntegers, .accumulatorsToIntegers, .integers:
      return ValueType(declared.element, shape, declared.quantization)
    case .integersToFloats: return ValueType(.float32, shape)
    case .accumulators: return ValueType(.accumulator, shape)
    case .floats, .numbers, .kept: return ValueType(operands[0].element, shape, operands[0].quantization)
    }
  }
}

/// The geometry of a convolution on `[batch, channels, (height,) width]` with weights
/// `[filters, channels / groups, (kernelHeight,) kernelWidth]`; nil where they do not go together.
public func convWindow(_ op: Op, input x: [Int], weights w: [Int]) -> Window? {
  let spatial = x.count - 2
  let (strides, pads, dilations) = (op[.strides], op[.pads], op[.dilations])
  let groups = op[.groups]
  guard spatial == 1 || spatial == 2, w.count == x.count, strides.count == spatial,
    dilations.count == spatial,
    pads.count == 2 * spatial, groups >= 1, x[1] % groups == 0, w[0] >= 1, w[0] % groups == 0,
    w[1] == x[1] / groups, (strides + dilations).allSatisfy({ $0 >= 1 }),
    pads.allSatisfy({ 0..<(1 << 30) ~= $0 })
  else { return nil }
  func lifted(_ list: [Int], _ filler: Int) -> [Int] { spatial == 1 ? [filler] + list : list }
  let size = lifted(Array(x[2...]), 1)
  let kernel = lifted(Array(w[2...]), 1)
  let (step, spread) = (lifted(strides, 1), lifted(dilations, 1))
  let begin = lifted(Array(pads.prefix(spatial)), 0)
  let end = lifted(Array(pads.suffix(spatial)), 0)
  guard let outHeight = windowCount(size[0], begin[0] + end[0], kernel[0], step[0], spread[0]),
    let outWidth = windowCount(size[1], begin[1] + end[1], kernel[1], step[1], spread[1])
  else { return nil }
  return Window(numbers: [
    x[0], x[1], size[0], size[1], 0, x[1], kernel[0], kernel[1], step[0], step[1], begin[0], begin[1],
    spread[0],
    spread[1], outHeight, outWidth,
  ])
}

/// How many windows of `kernel` taps fit into `size` elements with `padding` more; nil where none does.
public func windowCount(_ size: Int, _ padding: Int, _ kernel: Int, _ step: Int, _ spread: Int) -> Int? {
  let limit = 1 << 31
  guard 1..<limit ~= size, 0..<limit ~= padding, 1..<limit ~= kernel, 1..<limit ~= step, 1..<limit ~= spread
  else {
    return nil
  }
  let (reach, overflow) = (kernel - 1).multipliedReportingOverflow(by: spread)
  guard !overflow, size + padding > reach else { return nil }
  return (size + padding - reach - 1) / step + 1
}
