import IR
import Support
import Tensors

/// Integers that stand for the weights of a layer.
struct WeightLevels {
  /// The integers.
  let tensor: Tensor
  /// Their type, signed.
  let element: ElementType
  /// What 1 stands for: one scale, or one for each output.
  let scales: [Float]
  /// Whether the file gives them.
  let isGiven: Bool
}

// Levels that the file gives: quantize and dequantize operations, integer products, weights of scaled integers.
extension Quantizer {
  // MARK: Values

  /// The levels that the file asks for; sums are rounded to them, and clamped where a ReLU stood before.
  mutating func quantizeOperator(_ op: Op) throws(Diagnostic) {
    let (x, result) = (op.operands[0], op.results[0])
    var grid = Grid(
      type: source.values[result].type.element,
      quantization: Quantization(scale: op[.scale], zero: op[.zero]),
      low: op[.low], high: op[.high])
    guard case .integer(1...16, _) = grid.type,
      grid.type.lowest...grid.type.highest ~= grid.quantization.zero,
      grid.quantization.scale > 0, grid.quantization.scale.isFinite
    else {
      let (scale, zero) = (grid.quantization.scale, grid.quantization.zero)
      throw levelFailure(op, "of type \(grid.type), scale \(scale), zero \(zero)")
    }
    if let behind = forms[x.index].sums?.behind, !behind.moves.contains(where: { $0.opcode == .pad }) {
      grid.low = grid.level(behind.low)
    }
    let given = pass.grid(given: grid)
    if let known = forms[x.index].grid, let levels = forms[x.index].quantized,
      known.grid.holds(given.grid, given.offset - known.offset)
    {
      forms[result.index].quantized = levels
      forms[result.index].grid = known
      return
    }
    forms[result.index].quantized = try levels(x, given.grid, Behind(), named: name(result), for: op)
    forms[result.index].grid = given
  }

  /// What levels stand for: constants keep their integers, sums get a factor, values keep their levels.
  mutating func dequantizeOperator(_ op: Op) throws(Diagnostic) {
    let (x, result) = (op.operands[0], op.results[0])
    let (scale, zero) = (op[.scale], op[.zero])
    if let levels = constant(x) {
      forms[result.index].given = ScaledLevels(
        levels, element: source.values[x].type.element, scale: scale, zero: zero)
    } else if var sums = forms[x.index].sums {
      guard zero == 0, scale > 0, scale.isFinite else {
        throw levelFailure(op, "of sums with the zero point \(zero)")
      }
      for k in sums.scales.indices { sums.scales[k] *= Double(scale) }
      forms[result.index].sums = sums
    } else if let levels = forms[x.index].quantized, let known = forms[x.index].grid {
      let (moved, overflow) = zero.addingReportingOverflow(known.offset)
      if overflow { throw levelFailure(op, "with the zero point \(zero)") }
      var grid = known.grid
      grid.quantization = Quantization(scale: scale, zero: moved)
      if grid == known.grid {
        forms[result.index].quantized = levels
      } else {
        forms[result.index].float = builder.emit(
          .dequantize(scale: scale, zero: moved), [levels], type: ValueType(.float32, shape(result)),
          name: name(result), origin: op.origin)
        setRange(result)
      }
      let isGrid = grid.type.lowest...grid.type.highest ~= moved && scale > 0 && scale.isFinite
      forms[result.index].grid = isGrid ? GivenGrid(grid: grid, offset: known.offset) : nil
    } else {
      throw levelFailure(op, "that nothing in the network gives")
    }
  }

  /// A positive factor for each output behind sums of given weights becomes part of their scales; so does one of a
  /// constant.
  mutating func scaleOperator(_ op: Op) throws(Diagnostic) {
    let result = op.results[0]
    for (first, second) in [(0, 1), (1, 0)] {
      guard let factors = constant(op.operands[second]) else { continue }
      let operand = forms[op.operands[first].index]
      if let given = operand.given?.after(op, others: [factors], shape: shape(result)) {
        forms[result.index].given = given
        return
      }
      if var sums = operand.sums, sums.isGiven, sums.behind.isPlain,
        shape(result) == shape(op.operands[first]),
        let scales = sums.scaled(by: factors, rank: shape(result).count)
      {
        sums.scales = scales
        forms[result.index].sums = sums
        return
      }
    }
    try floatOperator(op)
  }

  // MARK: Products

  /// A product of integers stays as it is.
  mutating func integerOperator(_ op: Op) throws(Diagnostic) {
    let x = op.operands[0]
    guard let levels = forms[x.index].quantized, let known = forms[x.index].grid,
      source.values[x].type.quantization?.zero ?? 0 == known.grid.quantization.zero - known.offset
    else { throw levelFailure(op, "whose zero point is not that of their type") }
    var operands = [levels]
    for (operand, part) in zip(op.operands.dropFirst(), ["weights", "bias"]) {
      guard let tensor = constant(operand) else {
        throw Diagnostic(
          "quantize.weights", "the \(part) are not constant", at: op.location,
          notes: ["run fold-constants first"])
      }
      operands.append(
        builder.constant(
          tensor, element: source.values[operand].type.element, name: "\(layerName(op)).\(part)",
          origin: op.origin))
    }
    countGiven(layerName(op))
    emitSums(op, operands, [1], isGiven: true)
  }

  /// The integers of the file less their zero point.
  mutating func weightLevels(_ op: Op, _ given: ScaledLevels, _ base: String) throws(Diagnostic)
    -> WeightLevels
  {
    let outputAxis = op.opcode == .conv ? 0 : 1
    guard given.scales.count == 1 || given.axis == outputAxis else {
      throw Diagnostic(
        "quantize.weight-scales", "the scales of the weights differ along another axis than the outputs",
        at: op.location,
        notes: ["a column of a crossbar has one scale: quantize per tensor or per output channel"])
    }
    guard let (values, element) = given.centred, case .integer(2...16, _) = element else {
      throw Diagnostic(
        "quantize.weights", "weights less their zero point need more than 16 bits", at: op.location,
        notes: ["use signed weights, or a zero point in the middle of the range"])
    }
    countGiven(base)
    return WeightLevels(
      tensor: Tensor(given.levels.shape, values, as: element), element: element, scales: given.scales,
      isGiven: true)
  }

  private mutating func countGiven(_ layer: String) {
    givenLayers += 1
    weightErrors.append((layer, 0))
  }

  /// A bias whose 1 stands for what sums stand for keeps its integers; another is rounded to sums.
  mutating func bias(
    _ given: ScaledLevels, _ scales: [Double], name: String, count: Int, _ op: Op
  ) throws(Diagnostic) -> ValueID {
    guard let (values, _) = given.centred, values.count == count, given.levels.shape == [count] else {
      throw Diagnostic("quantize.bias", "the bias is not one integer for each output", at: op.location)
    }
    let levels = values.enumerated().map { k, value in
      let (own, sums) = (Double(given.scale(of: k)), scales[scales.count == 1 ? 0 : k])
      let isSame = abs(own / sums - 1) < 0x1p-20 && abs(value) <= 1 << 50
      return isSame ? value : biasLevel(Double(value) * own, sums)
    }
    return builder.constant(Tensor([count], levels), element: .accumulator, name: name, origin: op.origin)
  }

  private func levelFailure(_ op: Op, _ what: String) -> Diagnostic {
    Diagnostic(
      "quantize.levels", "levels \(what) are not supported", at: op.location,
      notes: ["levels are integers of up to 16 bits with a positive scale and a zero point of their type"])
  }
}

extension Grid {
  /// Whether each level here is one of `other`, whose numbers are `offset` higher.
  fileprivate func holds(_ other: Grid, _ offset: Int64) -> Bool {
    quantization.scale == other.quantization.scale
      && quantization.zero == other.quantization.zero - offset && low >= other.low - offset
      && high <= other.high - offset
  }
}

extension Quantizer.Sums {
  /// The scales times positive `factors` that broadcast along the axis of the outputs; nil for others.
  fileprivate func scaled(by factors: Tensor, rank: Int) -> [Double]? {
    let values = factors.floats
    let long = factors.shape.indices.filter { factors.shape[$0] != 1 }
    guard factors.data.isFloat, long.count <= 1, values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      return nil
    }
    if let only = long.first {
      guard only + rank - factors.shape.count == axis, scales.count == 1 || scales.count == values.count
      else {
        return nil
      }
    }
    return (0..<max(scales.count, values.count)).map {
      scales[scales.count == 1 ? 0 : $0] * Double(values[values.count == 1 ? 0 : $0])
    }
  }
}
