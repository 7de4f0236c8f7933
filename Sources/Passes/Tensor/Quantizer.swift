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
    var grid: GivenGrid?
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
      forms[result.index].range = op.find(.range)
      forms[result.index].isOfLoop = builder.isInLoop && op.opcode != .next && op.opcode != .stack
    }
    switch op.opcode.kind {
    case .loop:
      builder.openLoop(count: op[.rounds], origin: op.origin)
      for id in op.body { try rewrite(source.ops[id]) }
      builder.closeLoop()
    case .constant: forms[op.results[0].index].constant = op
    case .digital(let code): try digitalOperator(op, code)
    case .conv, .gemm:
      try source.values[op.operands[0]].type.element.isFloat ? matrixOperator(op) : integerOperator(op)
    case .output: try output(op)
    case .batchNorm:
      throw Diagnostic(
        "quantize.batch-norm", "a batch normalization is left", at: op.location,
        notes: ["run fold-batchnorm before quantize"])
    case .input, .state, .step, .next, .stack, .window, .mvm, .arrange, .layer, .block, .buffer, .crossbar,
      .load, .drive, .convert, .accumulate, .store, .repeat:
      try floatOperator(op)
    }
  }

  private mutating func digitalOperator(_ op: Op, _ code: OperatorCode) throws(Diagnostic) {
    switch code {
    case .unary where op.opcode == .relu: try clamp(op, low: 0, high: .infinity)
    case .unary where op.opcode == .clip: try clamp(op, low: op[.clipLow], high: op[.clipHigh])
    case .binary where op.opcode == .multiply: try scaleOperator(op)
    case .maxPool, .reshape, .transpose, .slice, .take, .pad: try moveOperator(op)
    case .concat: try concatenation(op)
    case .quantize: try quantizeOperator(op)
    case .dequantize: try dequantizeOperator(op)
    case .unary, .binary, .softmax, .matmul, .averagePool, .mean, .argMax, .requantize, .addBias, .lookup:
      try floatOperator(op)
    }
  }

  /// Lets `body` make a form of value `id` where it can be used from everywhere that sees the value.
  mutating func form(
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

  /// Sums that are joined go to the grid of the whole, each by its own factor; levels of one grid stay levels.
  private mutating func concatenation(_ op: Op) throws(Diagnostic) {
    guard op.operands.contains(where: { forms[$0.index].sums != nil || forms[$0.index].joined != nil }) else {
      if try joinLevels(op) { return }
      return try floatOperator(op)
    }
    forms[op.results[0].index].joined = Joined(concat: op)
  }
}
