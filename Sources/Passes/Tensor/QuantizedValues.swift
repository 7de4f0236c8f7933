import IR
import Support
import Tensors

/// The forms of one value of the old module in the new one.
struct ValueForms {
  /// Values that a concatenation joins, of which one at least is sums.
  struct Joined {
    var concat: Op
    /// What is deferred after the concatenation.
    var epilogue = Epilogue()
  }

  var float: ValueID?
  var quantized: ValueID?
  var sums: Accumulators?
  var joined: Joined?
  /// The prequantized integers of the value.
  var prequantized: PrequantizedParameters?
  /// The prequantized integers of a float constant.
  var prequantizedConstant: PrequantizedConstant?
  /// The range that calibration saw.
  var range: [Float]?
  /// The constant that the value is.
  var constant: Op?
  /// Whether the value exists inside a scan only; all others get their forms before the scan.
  var isOfScan = false
}

/// The values of a module whose products become integers: for each the forms in which the new module has it
/// so far, floats or integers, which are made when they are asked for.
struct QuantizedValues {
  let source: Module<TensorLevel>
  private let inputs: InputQuantization
  /// Builds the new module.
  var builder: Builder<TensorLevel>
  private var forms: [ValueForms]

  init(of source: Module<TensorLevel>, inputs: InputQuantization) {
    self.source = source
    self.inputs = inputs
    forms = Array(repeating: ValueForms(), count: source.values.count)
    var empty = Module<TensorLevel>(name: source.name, facts: source.facts, machine: source.machine)
    empty.info = source.info
    builder = Builder(empty)
  }

  subscript(id: ValueID) -> ValueForms {
    get { forms[id.index] }
    set { forms[id.index] = newValue }
  }

  func name(_ id: ValueID) -> String { source.values[id].name }

  func shape(_ id: ValueID) -> [Int] { source.values[id].type.shape ?? [] }

  /// The numbers of a constant; nil for other values.
  func constant(_ id: ValueID) -> Tensor? {
    guard let op = self[id].constant else { return nil }
    let type = source.values[id].type
    return source.tensor(op.find(.value), element: type.element, shape: type.shape ?? [])
  }

  /// Lets `body` make a form of value `id` where it can be used from everywhere that sees the value.
  private mutating func form(
    of id: ValueID, _ body: (inout QuantizedValues) throws(Diagnostic) -> ValueID
  ) throws(Diagnostic) -> ValueID {
    guard !self[id].isOfScan else { return try body(&self) }
    let waiting = builder.leaveScan()
    defer { builder.enterScan(waiting) }
    return try body(&self)
  }

  /// The operation on another form of its operand; what a pad adds is of that form too.
  mutating func emit(
    _ move: Op, _ operand: ValueID, _ type: ValueType, to parameters: QuantizationParameters? = nil
  ) -> ValueID {
    var move = move
    if let parameters, move.opcode == .pad { move[.padValue] = Float(parameters.level(move[.padValue])) }
    let attributes = builder.module.importAttributes(move.attributes.without(.range), from: source)
    return builder.emit(
      move.opcode, [operand], attributes, type: type, name: name(move.results[0]), origin: move.origin)
  }

  /// Puts the calibrated range on the operation that was emitted last.
  mutating func setRange(_ id: ValueID) {
    guard let last = builder.last, let range = self[id].range else { return }
    builder.module.ops[last][.range] = range
  }

  // MARK: Floats

  /// The value as floats.
  mutating func float(_ id: ValueID, for op: Op) throws(Diagnostic) -> ValueID {
    if let found = self[id].float { return found }
    let result: ValueID
    if let tensor = constant(id) {
      result = builder.constant(
        tensor, element: .float32, name: name(id), origin: self[id].constant?.origin)
    } else if let given = self[id].prequantizedConstant {
      result = builder.constant(try given.reals(), element: .float32, name: name(id), origin: op.origin)
    } else if let sums = self[id].sums {
      result = try form(of: id) { (values) throws(Diagnostic) in values.scaled(sums, id, op) }
    } else if let joined = self[id].joined {
      result = try form(of: id) { (values) throws(Diagnostic) in try values.joined(joined, id, op) }
    } else if let levels = self[id].quantized,
      let quantization = self[id].prequantized?.parameters.quantization
    {
      result = try form(of: id) { (values) throws(Diagnostic) in
        values.dequantized(levels, quantization, id, op)
      }
    } else {
      throw Diagnostic("quantize.value", "%\(name(id)) has no form", at: op.location)
    }
    self[id].float = result
    return result
  }

  /// What levels stand for.
  private mutating func dequantized(
    _ levels: ValueID, _ quantization: Quantization, _ id: ValueID, _ op: Op
  ) -> ValueID {
    let result = builder.emit(
      .dequantize(scale: quantization.scale, zero: quantization.zero), [levels],
      type: ValueType(.float32, builder.type(levels).shape), name: name(id), origin: op.origin)
    setRange(id)
    return result
  }

  /// Sums times their scale, clamped where a ReLU followed them, and moved.
  private mutating func scaled(_ sums: Accumulators, _ id: ValueID, _ op: Op) -> ValueID {
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
    return finished(result, sums.epilogue, type, id, op)
  }

  /// Floats of all parts joined, clamped and moved.
  private mutating func joined(_ joined: ValueForms.Joined, _ id: ValueID, _ op: Op) throws(Diagnostic)
    -> ValueID
  {
    var parts: [ValueID] = []
    for part in joined.concat.operands { parts.append(try float(part, for: joined.concat)) }
    let type = ValueType(.float32, shape(joined.concat.results[0]))
    let whole = builder.emit(
      .concat, parts, joined.concat.attributes.without(.range), type: type, name: name(id),
      origin: joined.concat.origin)
    setRange(id)
    return finished(whole, joined.epilogue, type, id, op)
  }

  /// Floats clamped and moved as `epilogue` says.
  private mutating func finished(
    _ value: ValueID, _ epilogue: Epilogue, _ type: ValueType, _ id: ValueID, _ op: Op
  ) -> ValueID {
    var (result, type) = (value, type)
    if epilogue.low > -.infinity || epilogue.high < .infinity {
      result = builder.emit(
        .unary(.clip(low: epilogue.low, high: epilogue.high)), [result], type: type, name: name(id),
        origin: op.origin)
      setRange(id)
    }
    for move in epilogue.moves {
      type.shape = shape(move.results[0])
      result = emit(move, result, type)
      setRange(id)
    }
    return result
  }

  // MARK: Integers

  /// The value as integers: those that the file gives, or those of its calibrated range.
  mutating func quantized(_ id: ValueID, for op: Op) throws(Diagnostic) -> ValueID {
    if let found = self[id].quantized { return found }
    let result = try form(of: id) { (values) throws(Diagnostic) in try values.rounded(id, for: op) }
    self[id].quantized = result
    return result
  }

  private mutating func rounded(_ id: ValueID, for op: Op) throws(Diagnostic) -> ValueID {
    let form = self[id]
    guard
      let parameters = form.prequantized?.parameters
        ?? form.range.flatMap({ inputs.parameters(for: $0) })
    else {
      throw Diagnostic(
        "quantize.range", "%\(name(id)) has no range that \(inputs.bits) bits can hold", at: op.location,
        notes: ["constants as inputs are not supported; signed inputs need 2 bits or a zero point"])
    }
    return try levels(id, parameters, named: "\(name(id)).q", for: op)
  }

  /// The value as levels of `parameters`, clamped as `outer` says, which has no moves.
  mutating func levels(
    _ id: ValueID, _ parameters: QuantizationParameters, clamps outer: Epilogue = Epilogue(),
    named name: String, for op: Op
  ) throws(Diagnostic) -> ValueID {
    var type = ValueType(parameters.type, shape(id), parameters.quantization)
    let form = self[id]
    var (result, epilogue): (ValueID, Epilogue)
    if let sums = form.sums, sums.epilogue.allows(outer) {
      epilogue = sums.epilogue
      _ = epilogue.clamp(low: outer.low, high: outer.high)
      let rule = try sums.requantization(to: parameters, epilogue, at: op.location)
      type.shape = builder.type(sums.value).shape
      result = builder.emit(.requantize(rule), [sums.value], type: type, name: name, origin: op.origin)
    } else if let joined = form.joined, joined.epilogue.allows(outer) {
      epilogue = joined.epilogue
      _ = epilogue.clamp(low: outer.low, high: outer.high)
      let clamps = Epilogue(low: epilogue.low, high: epilogue.high)
      var parts: [ValueID] = []
      for part in joined.concat.operands {
        parts.append(
          try levels(part, parameters, clamps: clamps, named: "\(self.name(part)).q", for: op))
      }
      type.shape = shape(joined.concat.results[0])
      result = builder.emit(
        .concat, parts, joined.concat.attributes.without(.range), type: type,
        name: name, origin: joined.concat.origin)
    } else {
      return builder.emit(
        .quantize(
          scale: parameters.quantization.scale, zero: parameters.quantization.zero,
          low: outer.low > -.infinity ? parameters.level(outer.low) : parameters.low,
          high: outer.high < .infinity ? parameters.level(outer.high) : parameters.high),
        [try float(id, for: op)], type: type, name: name, origin: op.origin)
    }
    for move in epilogue.moves {
      type.shape = shape(move.results[0])
      result = emit(move, result, type, to: parameters)
    }
    return result
  }
}
