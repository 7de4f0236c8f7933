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
    /// What stands behind the sums.
    var behind = Behind()
    /// Whether the file gives the weights as integers.
    var isGiven = false
  }

  /// Values that a concatenation joins, of which one at least is sums.
  struct Joined {
    var concat: Op
    /// What stands behind the concatenation.
    var behind = Behind()
  }

  /// The forms of one value.
  struct Forms {
    var float: ValueID?
    var quantized: ValueID?
    var sums: Sums?
    var joined: Joined?
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
    case .maxPool, .reshape, .transpose, .slice, .take, .pad: try moveOperator(op)
    case .concat: try concatenation(op)
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
    try wait(op) { behind in
      behind.moves.append(op)
      return true
    }
  }

  /// A clamp behind sums costs nothing: the requantization clamps anyway.
  private mutating func clamp(_ op: Op, low: Float, high: Float) throws(Diagnostic) {
    try wait(op) { $0.clamp(low: low, high: high) }
    keepGrid(op)
  }

  /// Puts `op` behind the sums that its operand is; where that cannot be, it works on floats.
  private mutating func wait(_ op: Op, _ add: (inout Behind) -> Bool) throws(Diagnostic) {
    let (operand, result) = (op.operands[0].index, op.results[0].index)
    if var sums = forms[operand].sums, add(&sums.behind) {
      forms[result].sums = sums
    } else if var joined = forms[operand].joined, add(&joined.behind) {
      forms[result].joined = joined
    } else if try !moveLevels(op) {
      try floatOperator(op)
    }
  }

  /// Sums that are joined go to the grid of the whole, each by its own factor.
  private mutating func concatenation(_ op: Op) throws(Diagnostic) {
    guard op.operands.contains(where: { forms[$0.index].sums != nil || forms[$0.index].joined != nil }) else {
      return try floatOperator(op)
    }
    forms[op.results[0].index].joined = Joined(concat: op)
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
    let shared = outputsPerScale(op, outputs)
    func slot(_ k: Int) -> Int { (isConv ? k / max(1, run) : k % outputs) / shared }
    let slots = ceilDivide(outputs, shared)
    var (levels, scales) = pass.weights.integers(for: weights.floats, slots: slots, slot: slot)
    weightErrors.append((base, pass.weights.relativeError(of: weights.floats, scales: scales, slot: slot)))
    if slots > 1 && shared > 1 { scales = (0..<outputs).map { scales[$0 / shared] } }
    let element = ElementType.integer(bits: pass.weights.weightBits, signed: true)
    return WeightLevels(
      tensor: Tensor(weights.shape, levels, as: element), element: element, scales: scales, isGiven: false)
  }

  /// How many neighbouring outputs of `op` have one weight scale, at least 1.
  private func outputsPerScale(_ op: Op, _ outputs: Int) -> Int {
    switch pass.weightScale {
    case .tensor: return max(1, outputs)
    case .group: return max(1, outputs / (op.opcode == .conv ? max(1, op.int("groups")) : 1))
    case .output: return 1
    }
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
    } else if let joined = forms[id.index].joined {
      result = try form(of: id) { (quantizer) throws(Diagnostic) in try quantizer.joined(joined, id, op) }
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
      .dequantize(scale: grid.quantization.scale, zero: grid.quantization.zero), [levels],
      type: ValueType(.float32, builder.type(levels).shape), name: name(id), origin: op.origin)
    setRange(id)
    return result
  }

  /// Sums times their scale, clamped where a ReLU stood behind them, and moved.
  private mutating func scaled(_ sums: Sums, _ id: ValueID, _ op: Op) -> ValueID {
    let type = ValueType(.float32, builder.type(sums.value).shape)
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
    return moved(result, sums.behind, type, id, op)
  }

  /// Floats of all parts joined, clamped and moved.
  private mutating func joined(_ joined: Joined, _ id: ValueID, _ op: Op) throws(Diagnostic) -> ValueID {
    var parts: [ValueID] = []
    for part in joined.concat.operands { parts.append(try float(part, for: joined.concat)) }
    let type = ValueType(.float32, shape(joined.concat.results[0]))
    let whole = builder.emit(
      .concat, parts, joined.concat.attributes.filter { $0.name != "range" }, type: type, name: name(id),
      origin: joined.concat.origin)
    setRange(id)
    return moved(whole, joined.behind, type, id, op)
  }

  /// Floats clamped and moved as `behind` says.
  private mutating func moved(
    _ value: ValueID, _ behind: Behind, _ type: ValueType, _ id: ValueID, _ op: Op
  ) -> ValueID {
    var (result, type) = (value, type)
    if behind.low > -.infinity || behind.high < .infinity {
      result = builder.emit(
        .unary(.clip(low: behind.low, high: behind.high)), [result], type: type, name: name(id),
        origin: op.origin)
      setRange(id)
    }
    for move in behind.moves {
      type.shape = shape(move.results[0])
      result = emit(move, result, type)
      setRange(id)
    }
    return result
  }

  /// The operation on another form of its operand; what a pad adds is of that form too.
  mutating func emit(_ move: Op, _ operand: ValueID, _ type: ValueType, on grid: Grid? = nil)
    -> ValueID
  {
    var attributes = builder.module.adopt(move.attributes.filter { $0.name != "range" }, from: source)
    if let grid, move.opcode == .pad {
      attributes = attributes.map {
        $0.name == "value" ? NamedAttribute("value", .float(Float(grid.level(move.float("value"))))) : $0
      }
    }
    return builder.emit(
      move.opcode, [operand], attributes, type: type, name: name(move.results[0]), origin: move.origin)
  }

  /// Puts the calibrated range on the operation that was emitted last.
  mutating func setRange(_ id: ValueID) {
    guard let last = builder.last, let range = forms[id.index].range else { return }
    builder.module.ops[last]["range"] = .floats(range)
  }

  /// The value as integers: those that the file gives, or on the grid of its calibrated range.
  private mutating func quantized(_ id: ValueID, for op: Op) throws(Diagnostic) -> ValueID {
    if let found = forms[id.index].quantized { return found }
    let result = try form(of: id) { (quantizer) throws(Diagnostic) in try quantizer.rounded(id, for: op) }
    forms[id.index].quantized = result
    return result
  }

  private mutating func rounded(_ id: ValueID, for op: Op) throws(Diagnostic) -> ValueID {
    let form = forms[id.index]
    guard let grid = form.grid?.grid ?? form.range.flatMap({ pass.inputType(for: $0) }) else {
      throw Diagnostic(
        "quantize.range", "%\(name(id)) has no range that \(pass.inputBits) bits can hold", at: op.location,
        notes: ["constants as inputs are not supported; signed inputs need 2 bits or a zero point"])
    }
    return try levels(id, grid, Behind(), named: "\(name(id)).q", for: op)
  }

  /// The value on `grid`, clamped as `outer` says, which has no moves.
  mutating func levels(
    _ id: ValueID, _ grid: Grid, _ outer: Behind, named name: String, for op: Op
  ) throws(Diagnostic) -> ValueID {
    var type = ValueType(grid.type, shape(id), grid.quantization)
    let form = forms[id.index]
    var (result, behind): (ValueID, Behind)
    if let sums = form.sums, sums.behind.allows(outer) {
      behind = sums.behind
      _ = behind.clamp(low: outer.low, high: outer.high)
      let rule = try requantization(sums, behind, grid, op)
      type.shape = builder.type(sums.value).shape
      result = builder.emit(.requantize(rule), [sums.value], type: type, name: name, origin: op.origin)
    } else if let joined = form.joined, joined.behind.allows(outer) {
      behind = joined.behind
      _ = behind.clamp(low: outer.low, high: outer.high)
      let clamps = Behind(low: behind.low, high: behind.high)
      var parts: [ValueID] = []
      for part in joined.concat.operands {
        parts.append(try levels(part, grid, clamps, named: "\(self.name(part)).q", for: op))
      }
      type.shape = shape(joined.concat.results[0])
      result = builder.emit(
        .concat, parts, joined.concat.attributes.filter { $0.name != "range" }, type: type,
        name: name, origin: joined.concat.origin)
    } else {
      return builder.emit(
        .quantize(
          scale: grid.quantization.scale, zero: grid.quantization.zero,
          low: outer.low > -.infinity ? grid.level(outer.low) : grid.low,
          high: outer.high < .infinity ? grid.level(outer.high) : grid.high), [try float(id, for: op)],
        type: type, name: name, origin: op.origin)
    }
    for move in behind.moves {
      type.shape = shape(move.results[0])
      result = emit(move, result, type, on: grid)
    }
    return result
  }

  private func requantization(
    _ sums: Sums, _ clamps: Behind, _ grid: Grid, _ op: Op
  ) throws(Diagnostic) -> Requantization {
    var (multipliers, shifts): ([Int64], [Int64]) = ([], [])
    for scale in sums.scales {
      guard let factor = fixedPoint(scale / Double(grid.quantization.scale)) else {
        throw Diagnostic(
          "quantize.factor",
          "the factor \(scale / Double(grid.quantization.scale)) between two layers is too large",
          at: op.location, notes: ["check the calibration samples: a value's range is close to 0"])
      }
      multipliers.append(factor.multiplier)
      shifts.append(factor.shift)
    }
    func level(_ real: Float, _ unclamped: Int64) -> Int64 {
      guard real.isFinite else { return unclamped }
      let level = (Double(real) / Double(grid.quantization.scale)).rounded() + Double(grid.quantization.zero)
      return Int64(max(Double(grid.low), min(Double(grid.high), level)))
    }
    return Requantization(
      multipliers: multipliers, shifts: shifts, zero: grid.quantization.zero,
      low: level(clamps.low, grid.low),
      high: level(clamps.high, grid.high), axis: sums.axis)
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
