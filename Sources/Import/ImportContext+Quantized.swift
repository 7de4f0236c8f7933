import IR
import ONNX
import Support
import Tensors

extension ImportContext {
  /// The positive numbers of input `index`, in any shape.
  func scales(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> [Float] {
    let name = try inputName(node, index)
    guard case .initializer(let tensor)? = entry(name), tensor.elementType.isFloat else {
      throw failure(
        "quantization", "the scale '\(name)' is no float known at compile time", node,
        help: "scales that are computed are supported only after DynamicQuantizeLinear")
    }
    let values = try tensor.floats()
    guard !values.isEmpty, values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw failure("quantization", "a scale in '\(name)' is not above 0", node, help: "check the model")
    }
    return values
  }

  /// The zero points of input `index` with their type, or nil where the node has none.
  func zeros(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> (values: [Int64], element: ElementType)? {
    guard hasInput(node, index) else { return nil }
    let levels = try levels(node, index)
    guard !levels.values.isEmpty else {
      throw failure(
        "quantization", "the zero point '\(node.inputs[index])' is empty", node, help: "check the model")
    }
    return (levels.values, levels.element)
  }

  /// The integers of input `index`, which must be known at import, with their type.
  func levels(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> (
    values: [Int64], shape: [Int], element: ElementType
  ) {
    let name = try inputName(node, index)
    guard case .initializer(let tensor)? = entry(name) else {
      throw failure(
        "quantization", "'\(name)' must be integers known at compile time", node,
        help: "give them as an initializer or a Constant node")
    }
    guard let element = ElementType(levels: tensor.elementType) else {
      throw failure(
        "quantization", "levels of type \(tensor.elementType.name) are not supported", node,
        help: "integers of 2, 4, 8 and 16 bits are, and sums of 32 bits")
    }
    return (try tensor.int64s(), try checked(tensor.shape, node), element)
  }

  /// Whether input `index` is levels of the file: integers that are too short for a shape.
  func isLevels(_ node: ONNXNode, _ index: Int) -> Bool {
    guard hasInput(node, index), case .initializer(let tensor)? = entry(node.inputs[index]),
      case .integer(...16, _)? = ElementType(levels: tensor.elementType)
    else { return false }
    return true
  }

  /// Whether input `index` is levels that are computed, or sums of them.
  func holdsLevels(_ node: ONNXNode, _ index: Int) -> Bool {
    guard hasInput(node, index), case .value(let id)? = entry(node.inputs[index]) else { return false }
    return !builder.type(id).element.isFloat
  }

  /// Input `index` as levels: a value of integers, or integers of the file.
  mutating func integerValue(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> ValueID {
    let name = try inputName(node, index)
    switch entry(name) {
    case .value(let id)? where !builder.type(id).element.isFloat: return id
    case .initializer?:
      let (values, shape, element) = try levels(node, index)
      let id = constant(Tensor(shape, values, as: element), element: element, name: name)
      bindConstant(name, id)
      return id
    case .dynamic?: throw dynamicFailure(name, node)
    case .value?, .whole?, .integers?, .blocks?, .failed?, nil:
      throw failure(
        "quantization", "input '\(name)' holds no integers", node,
        help: "put a QuantizeLinear before it; integers as graph inputs are not supported")
    }
  }

  /// Input `index` for an operator that only moves or compares elements: floats, levels, or whole numbers.
  mutating func movable(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> ValueID {
    let name = try inputName(node, index)
    switch entry(name) {
    case .value(let id)?, .whole(let id)?: return id
    case .initializer(let tensor)? where ElementType(levels: tensor.elementType) != nil:
      return try integerValue(node, index)
    case .initializer?, .integers?, .blocks?, .dynamic?, .failed?, nil: return try value(node, index)
    }
  }

  /// `x` on `parameters`, whose slices lie on `axis`.
  mutating func quantized(
    _ x: ValueID, _ parameters: QuantizationParameters, axis: Int, name: String, _ node: ONNXNode
  )
    throws(Diagnostic) -> ValueID
  {
    var (x, quantization) = (x, Quantization(scale: 1, zero: parameters.zeros[0]))
    if let single = parameters.single {
      quantization = single
    } else {
      let scales = constant(
        Tensor(try slices(parameters.scales, of: x, axis, node), parameters.scales), name: "\(name).scales")
      x = try emitInner(.divide, [x, scales], name: "\(name).steps", for: node)
      if Set(parameters.zeros).count > 1 {
        // Whole steps, so that halves are even ones before the zero points are added.
        x = try emitInner(.round, [x], name: "\(name).rounded", for: node)
        let shape = try slices(parameters.zeros.map { Float($0) }, of: x, axis, node)
        let zeros = constant(Tensor(shape, parameters.zeros.map { Float($0) }), name: "\(name).zeros")
        x = try emitInner(.add, [x, zeros], name: "\(name).shifted", for: node)
        quantization.zero = 0
      }
    }
    let digital = DigitalOperator.quantize(
      scale: quantization.scale, zero: quantization.zero, low: parameters.element.lowest,
      high: parameters.element.highest
    )
    let (opcode, attributes) = builder.module.encoding(of: digital, name: name)
    return try emitInner(
      opcode, [x], attributes, name: name, levels: (parameters.element, quantization), for: node)
  }

  /// The real numbers that the levels `q` stand for on `parameters`, whose slices lie on `axis`.
  mutating func dequantized(
    _ q: ValueID, _ parameters: QuantizationParameters, axis: Int, name: String, _ node: ONNXNode
  )
    throws(Diagnostic) -> ValueID
  {
    let isUniform = Set(parameters.zeros).count == 1
    let scale = parameters.scales.count == 1 && isUniform ? parameters.scales[0] : 1
    var result = try emitInner(
      .dequantize,
      [q],
      [NamedAttribute(.scale, scale), NamedAttribute(.zero, isUniform ? parameters.zeros[0] : 0)],
      name: name, for: node)
    if !isUniform {
      let shape = try slices(parameters.zeros.map { Float($0) }, of: q, axis, node)
      let zeros = constant(Tensor(shape, parameters.zeros.map { Float($0) }), name: "\(name).zeros")
      result = try emitInner(.subtract, [result, zeros], name: name, for: node)
    }
    if parameters.scales.count > 1 || !isUniform {
      let shape = try slices(parameters.scales, of: q, axis, node)
      let scales = constant(Tensor(shape, parameters.scales), name: "\(name).scales")
      result = try emitInner(.multiply, [result, scales], name: name, for: node)
    }
    return result
  }

  /// The shape that broadcasts one number for each slice of `axis`.
  private func slices(_ list: [Float], of id: ValueID, _ axis: Int, _ node: ONNXNode) throws(Diagnostic)
    -> [Int]
  {
    let shape = builder.type(id).shape ?? []
    if list.count == 1 { return [] }
    let position = axis < 0 ? axis + shape.count : axis
    guard shape.indices.contains(position), shape[position] == list.count else {
      throw failure(
        "quantization", "\(list.count) scales or zero points do not fit axis \(axis) of \(shape)", node,
        help: "check the model with onnx.checker")
    }
    return [list.count] + [Int](repeating: 1, count: shape.count - 1 - position)
  }
}
