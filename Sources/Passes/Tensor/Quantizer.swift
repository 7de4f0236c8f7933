import IR
import Support
import Tensors

/// The work of `quantize`: builds the module anew and keeps, for every value of the old one, the forms in which the
/// new one has it.
struct Quantizer {
  /// Exact integer sums that stand for real numbers, not yet rounded to the next input's grid.
  struct Sums {
    var value: ValueID
    /// What 1 stands for: one scale, or one for each output.
    var scales: [Double]
    /// The axis of the outputs.
    var axis: Int
    /// Clamps that a ReLU or a clip behind the sums asked for.
    var low = -Float.infinity
    var high = Float.infinity
    /// Max-pools and shape operations behind the sums, which do the same before and after rounding and clamping.
    var moves: [Op] = []
    /// Whether the file gives the weights as integers.
    var isGiven = false

    /// Whether nothing was asked for yet.
    var isPlain: Bool { low == -.infinity && high == .infinity && moves.isEmpty }
  }

  /// The forms of one value.
  struct Forms {
    var float: ValueID?
    var quantized: ValueID?
    var sums: Sums?
    /// The levels that the file gives the value, and what was added to their numbers.
    var grid: (grid: Grid, offset: Int64)?
    /// The integers of the file behind a constant of floats.
    var given: ScaledLevels?
    /// The range that calibration saw.
    var range: [Float]?
    /// The constant behind the value.
    var constant: Op?
    /// Whether the value exists inside of a loop only; all others get their forms before the loop.
    var isOfLoop = false
  }

  let source: Module<TensorLevel>
  let pass: Quantize
  var forms: [Forms]
  var builder: Builder<TensorLevel>
  /// The relative error of each layer's weights.
  var weightErrors: [(layer: String, error: Double)] = []
  /// How many layers have weights that the file gives as integers.
  var givenLayers = 0

  init(_ source: Module<TensorLevel>, _ pass: Quantize) {
    self.source = source
    self.pass = pass
    forms = Array(repeating: Forms(), count: source.values.count)
    var empty = Module<TensorLevel>(name: source.name, facts: source.facts, machine: source.machine)
    empty.info = source.info
    builder = Builder(empty)
  }

  mutating func run() throws(Diagnostic) {
    for op in source.bodyOps { try rewrite(op) }
  }

  private mutating func rewrite(_ op: Op) throws(Diagnostic) {
    if let result = op.results.first {
      forms[result.index].range = op["range"]?.asFloats
      forms[result.index].isOfLoop = builder.isInLoop && op.opcode != .next && op.opcode != .stack
    }
    switch op.opcode {
    case .loop:
      builder.openLoop(count: op.int("count"), origin: op.origin)
      for id in op.body { try rewrite(source.ops[id]) }
      builder.closeLoop()
    case .constant: forms[op.results[0].index].constant = op
    case .quantize: try quantizeOperator(op)
    case .dequantize: try dequantizeOperator(op)
    case .multiply: try scaleOperator(op)
    case .conv, .gemm:
      try source.values[op.operands[0]].type.element.isFloat ? matrixOperator(op) : integerOperator(op)
    case .relu: try clamp(op, low: 0, high: .infinity)
    case .clip: try clamp(op, low: op.float("low"), high: op.float("high"))
    case .maxPool, .reshape, .transpose: try moveOperator(op)
    case .output: try output(op)
    case .batchNorm:
      throw Diagnostic(
        "quantize.batch-norm", "a batch normalization is left", at: op.location,
        notes: ["run fold-batchnorm before quantize"])
    default: try floatOperator(op)
    }
  }

  /// Lets `body` make a form of value `id` where it can be used from everywhere that sees the value.
  private mutating func form(
    of id: ValueID, _ body: (inout Quantizer) throws(Diagnostic) -> ValueID
  ) throws(Diagnostic) -> ValueID {
    guard !forms[id.index].isOfLoop else { return try body(&self) }
    let waiting = builder.leaveLoop()
    defer { builder.enterLoop(waiting) }
    return try body(&self)
  }

  func name(_ id: ValueID) -> String { source.values[id].name }
  func shape(_ id: ValueID) -> [Int] { source.values[id].type.shape ?? [] }

  // MARK: Operators

  mutating func floatOperator(_ op: Op) throws(Diagnostic) {
    var operands: [ValueID] = []
    for operand in op.operands { operands.append(try float(operand, for: op)) }
    let result = op.results[0]
    let attributes = builder.module.adopt(op.attributes, from: source)
    forms[result.index].float = builder.emit(
      op.opcode, operands, attributes, type: source.values[result].type, name: name(result),
      origin: op.origin)
  }

  private mutating func output(_ op: Op) throws(Diagnostic) {
    let value = try float(op.operands[0], for: op)
    builder.append(Op(.output, operands: [value], attributes: op.attributes, origin: op.origin))
  }

  /// Behind sums a max-pool or a shape operation waits until it is known whether integers or floats are asked for.
  private mutating func moveOperator(_ op: Op) throws(Diagnostic) {
    guard var sums = forms[op.operands[0].index].sums else {
      return try moveLevels(op) ? () : floatOperator(op)
    }
    sums.moves.append(op)
    forms[op.results[0].index].sums = sums
  }

  /// A clamp behind sums costs nothing: the requantization clamps anyway.
  private mutating func clamp(_ op: Op, low: Float, high: Float) throws(Diagnostic) {
    guard var sums = forms[op.operands[0].index].sums, low <= high else {
      try floatOperator(op)
      return keepGrid(op)
    }
    sums.low = min(max(sums.low, low), high)
    sums.high = min(max(sums.high, low), high)
    forms[op.results[0].index].sums = sums
  }

  private mutating func matrixOperator(_ op: Op) throws(Diagnostic) {
    let isConv = op.opcode == .conv
    let base = layerName(op)
    let weights = try weightLevels(op, base)
    let outputs = isConv ? weights.tensor.shape[0] : weights.tensor.shape[1]
    let x = try quantized(op.operands[0], for: op)
    let inputScale = Double(builder.type(x).quantization?.scale ?? 1)
    let scales = weights.scales.map { Double($0) * inputScale }
    let quantization = scales.count == 1 ? Quantization(scale: weights.scales[0], zero: 0) : nil
    var operands = [
      x,
      builder.constant(
        weights.tensor, element: weights.element, name: "\(base).weights", quantization: quantization,
        origin: op.origin),
    ]
    if op.operands.count > 2 { operands.append(try bias(op, scales, name: "\(base).bias", count: outputs)) }
    emitSums(op, operands, scales, isGiven: weights.isGiven)
  }

  /// Appends the exact product that `op` is.
  mutating func emitSums(_ op: Op, _ operands: [ValueID], _ scales: [Double], isGiven: Bool) {
    let result = op.results[0]
    let sums = builder.emit(
      op.opcode, operands, op.attributes.filter { $0.name != "range" },
      type: ValueType(.accumulator, shape(result)), name: "\(name(result)).sums", origin: op.origin)
    let axis = op.opcode == .conv ? 1 : shape(result).count - 1
    forms[result.index].sums = Sums(value: sums, scales: scales, axis: axis, isGiven: isGiven)
  }

  func layerName(_ op: Op) -> String {
    let (node, part) = (op.origin.map(\.name).flatMap { $0.isEmpty ? nil : $0 }, op.string("part"))
    return node.map { part.isEmpty ? $0 : "\($0).\(part)" } ?? name(op.results[0])
  }

  /// The integers that stand for the weights of `op`, and what 1 stands for: one scale, or one for each output.
  private mutating func weightLevels(_ op: Op, _ base: String) throws(Diagnostic) -> WeightLevels {
    if let given = forms[op.operands[1].index].given { return try weightLevels(op, given, base) }
    guard let weights = constant(op.operands[1]) else {
      throw Diagnostic(
        "quantize.weights", "the weights are not constant", at: op.location,
        notes: ["run fold-constants first"])
    }
    guard weights.floats.allSatisfy(\.isFinite) else {
      throw Diagnostic(
        "quantize.weights", "a weight is not a finite number", at: op.location, notes: ["check the model"])
    }
    let isConv = op.opcode == .conv
    let outputs = isConv ? weights.shape[0] : weights.shape[1]
    let run = weights.count / max(1, outputs)
    func slot(_ k: Int) -> Int { !pass.scalePerOutput ? 0 : isConv ? k / max(1, run) : k % outputs }
    let slots = pass.scalePerOutput ? outputs : 1
    let (levels, scales) = pass.weights.integers(for: weights.floats, slots: slots, slot: slot)
    weightErrors.append((base, pass.weights.relativeError(of: weights.floats, scales: scales, slot: slot)))
    let element = ElementType.integer(bits: pass.weights.weightBits, signed: true)
    return WeightLevels(
      tensor: Tensor(weights.shape, levels, as: element), element: element, scales: scales, isGiven: false)
  }

  private mutating func bias(_ op: Op, _ scales: [Double], name: String, count: Int) throws(Diagnostic)
    -> ValueID
  {
    if let given = forms[op.operands[2].index].given {
      return try bias(given, scales, name: name, count: count, op)
    }
    guard let values = constant(op.operands[2])?.floats, values.count == count else {
      throw Diagnostic("quantize.bias", "the bias is not constant", at: op.location)
    }
    let levels = values.enumerated().map { k, value in
      biasLevel(Double(value), scales[scales.count == 1 ? 0 : k])
    }
    return builder.constant(Tensor([count], levels), element: .accumulator, name: name, origin: op.origin)
  }

  /// The nearest number of steps, within what is far beyond the sums of 16-bit weights and inputs.
  func biasLevel(_ value: Double, _ scale: Double) -> Int64 {
    Int64(max(-0x1p50, min(0x1p50, (value / scale).rounded())))
  }

  // MARK: Forms

  func constant(_ id: ValueID) -> Tensor? {
    guard let op = forms[id.index].constant else { return nil }
    let type = source.values[id].type
    return source.tensor(op["value"], element: type.element, shape: type.shape ?? [])
  }

  /// The value as floats.
  mutating func float(_ id: ValueID, for op: Op) throws(Diagnostic) -> ValueID {
    if let found = forms[id.index].float { return found }
    let result: ValueID
    if let tensor = constant(id) {
      result = builder.constant(
        tensor, element: .float32, name: name(id), origin: forms[id.index].constant?.origin)
    } else if let given = forms[id.index].given {
      result = builder.constant(try given.reals(), element: .float32, name: name(id), origin: op.origin)
    } else if let sums = forms[id.index].sums {
      result = try form(of: id) { (quantizer) throws(Diagnostic) in quantizer.scaled(sums, id, op) }
    } else if let levels = forms[id.index].quantized, let grid = forms[id.index].grid?.grid {
      result = try form(of: id) { (quantizer) throws(Diagnostic) in quantizer.real(levels, grid, id, op) }
    } else {
      throw Diagnostic("quantize.value", "%\(name(id)) has no form", at: op.location)
    }
    forms[id.index].float = result
    return result
  }

  /// What levels stand for.
  private mutating func real(_ levels: ValueID, _ grid: Grid, _ id: ValueID, _ op: Op) -> ValueID {
    let result = builder.emit(
      .dequantize(scale: grid.scale, zero: grid.zero), [levels],
      type: ValueType(.float32, builder.type(levels).shape), name: name(id), origin: op.origin)
    setRange(id)
    return result
  }

  /// Sums times their scale, clamped where a ReLU stood behind them, and moved.
  private mutating func scaled(_ sums: Sums, _ id: ValueID, _ op: Op) -> ValueID {
    var type = ValueType(.float32, builder.type(sums.value).shape)
    let single = sums.scales.count == 1
    var result = builder.emit(
      .dequantize(scale: single ? Float(sums.scales[0]) : 1, zero: 0), [sums.value], type: type,
      name: name(id), origin: op.origin)
    setRange(id)
    if !single {
      var factorShape = [Int](repeating: 1, count: type.shape?.count ?? 0)
      factorShape[sums.axis] = sums.scales.count
      let factors = builder.constant(
        Tensor(factorShape, sums.scales.map { Float($0) }), element: .float32, name: "\(name(id)).scales",
        origin: op.origin)
      result = builder.emit(
        .binary(.multiply), [result, factors], type: type, name: name(id), origin: op.origin)
      setRange(id)
    }
    if sums.low > -.infinity || sums.high < .infinity {
      result = builder.emit(
        .unary(.clip(low: sums.low, high: sums.high)), [result], type: type, name: name(id), origin: op.origin
      )
      setRange(id)
    }
    for move in sums.moves {
      type.shape = shape(move.results[0])
      result = emit(move, result, type)
      setRange(id)
    }
    return result
  }

  mutating func emit(_ move: Op, _ operand: ValueID, _ type: ValueType) -> ValueID {
    builder.emit(
      move.opcode, [operand], move.attributes.filter { $0.name != "range" }, type: type,
      name: name(move.results[0]), origin: move.origin)
  }

  /// Puts the calibrated range on the operation that was emitted last.
  mutating func setRange(_ id: ValueID) {
    guard let last = builder.last, let range = forms[id.index].range else { return }
    builder.module.ops[last]["range"] = .floats(range)
  }

  /// The value as integers: those that the file gives, or on the grid of its calibrated range.
  private mutating func quantized(_ id: ValueID, for op: Op) throws(Diagnostic) -> ValueID {
    if let found = forms[id.index].quantized { return found }
    guard let grid = forms[id.index].grid?.grid ?? forms[id.index].range.flatMap({ pass.grid(for: $0) })
    else {
      throw Diagnostic(
        "quantize.range", "%\(name(id)) has no range that \(pass.inputBits) bits can hold", at: op.location,
        notes: ["constants as inputs are not supported; signed inputs need 2 bits or a zero point"])
    }
    let result = try form(of: id) { (quantizer) throws(Diagnostic) in
      try quantizer.levels(of: id, on: grid, name: "\(quantizer.name(id)).q", for: op)
    }
    forms[id.index].quantized = result
    return result
  }

  /// Integers on `grid` for the real value `id`.
  mutating func levels(of id: ValueID, on grid: Grid, name result: String, for op: Op) throws(Diagnostic)
    -> ValueID
  {
    var type = ValueType(grid.element, shape(id), grid.quantization)
    guard let sums = forms[id.index].sums else {
      return builder.emit(
        .quantize(scale: grid.scale, zero: grid.zero, low: grid.low, high: grid.high),
        [try float(id, for: op)],
        type: type, name: result, origin: op.origin)
    }
    type.shape = builder.type(sums.value).shape
    var levels = builder.emit(
      .requantize(try requantization(sums, grid, op)), [sums.value], type: type, name: result,
      origin: op.origin)
    for move in sums.moves {
      type.shape = shape(move.results[0])
      levels = emit(move, levels, type)
    }
    return levels
  }

  private func requantization(_ sums: Sums, _ grid: Grid, _ op: Op) throws(Diagnostic) -> Requantization {
    var (multipliers, shifts): ([Int64], [Int64]) = ([], [])
    for scale in sums.scales {
      guard let factor = fixedPoint(scale / Double(grid.scale)) else {
        throw Diagnostic(
          "quantize.factor", "the factor \(scale / Double(grid.scale)) between two layers is too large",
          at: op.location, notes: ["check the calibration samples: a value's range is close to 0"])
      }
      multipliers.append(factor.multiplier)
      shifts.append(factor.shift)
    }
    return Requantization(
      multipliers: multipliers, shifts: shifts, zero: grid.zero, low: grid.level(of: sums.low) ?? grid.low,
      high: grid.level(of: sums.high) ?? grid.high, axis: sums.axis)
  }
}

extension Module {
  /// `attributes` of an operation of `source`, with the resources that they name copied to this module, under other
  /// names where theirs are taken.
  mutating func adopt<Source: Level>(_ attributes: [NamedAttribute], from source: Module<Source>)
    -> [NamedAttribute]
  {
    attributes.map { attribute in
      guard case .resource(let name) = attribute.value, let resource = source.resource(name) else {
        return attribute
      }
      return NamedAttribute(attribute.name, constant(resource.tensor, element: resource.element, name: name))
    }
  }
}
