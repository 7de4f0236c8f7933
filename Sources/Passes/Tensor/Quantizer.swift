import IR
import Support
import Tensors

/// The work of `quantize`: goes over the operations of a module and gives each of their results its forms in
/// a new one.
struct Quantizer {
  private let inputs: InputQuantization
  private let quantization: LayerQuantization
  private var values: QuantizedValues
  /// The layers so far.
  private(set) var layers: [LayerQuantization.Layer] = []

  init(_ source: Module<TensorLevel>, _ inputs: InputQuantization, _ quantization: LayerQuantization) {
    self.inputs = inputs
    self.quantization = quantization
    values = QuantizedValues(of: source, inputs: inputs)
  }

  /// The new module.
  var module: Module<TensorLevel> { values.builder.module }

  mutating func run() throws(Diagnostic) {
    for op in values.source.bodyOps { try rewrite(op) }
  }

  private mutating func rewrite(_ op: Op) throws(Diagnostic) {
    if let result = op.results.first {
      values[result].range = op.find(.range)
      values[result].isOfScan = values.builder.isInScan && op.opcode != .yield && op.opcode != .scanOutput
    }
    switch op.opcode.kind {
    case .scan:
      values.builder.openScan(count: op[.rounds], origin: op.origin)
      for id in op.body { try rewrite(values.source.ops[id]) }
      values.builder.closeScan()
    case .constant: values[op.results[0]].constant = op
    case .digital(let code): try digitalOperator(op, code)
    case .conv, .gemm:
      let isFloat = values.source.values[op.operands[0]].type.element.isFloat
      layers.append(
        try isFloat ? quantization.quantize(op, &values) : quantization.keep(op, &values))
    case .output: try output(op)
    case .batchNorm:
      throw Diagnostic(
        "quantize.batch-norm", "a batch normalization is left", at: op.location,
        notes: ["run fold-batchnorm before quantize"])
    case .input, .carry, .scanSlice, .yield, .scanOutput, .window, .mvm, .col2im, .layer, .block, .buffer,
      .crossbar,
      .load, .drive, .convert, .accumulate, .store, .repeat:
      try floatOperator(op)
    }
  }

  private mutating func digitalOperator(_ op: Op, _ code: OperatorCode) throws(Diagnostic) {
    switch code {
    case .unary where op.opcode == .relu: try clamp(op, low: 0, high: .infinity)
    case .unary where op.opcode == .clip: try clamp(op, low: op[.clipLow], high: op[.clipHigh])
    case .binary where op.opcode == .multiply:
      if !PrequantizedOperators.scale(op, &values) { try floatOperator(op) }
    case .maxPool, .reduceMax, .reshape, .transpose, .slice, .gather, .pad: try moveOperator(op)
    case .concat: try concatenation(op)
    case .quantize: try PrequantizedOperators.quantize(op, inputs, &values)
    case .dequantize: try PrequantizedOperators.dequantize(op, &values)
    case .unary, .binary, .select, .softmax, .matmul, .averagePool, .mean, .argMax, .requantize, .addBias,
      .lookup:
      try floatOperator(op)
    }
  }

  private mutating func floatOperator(_ op: Op) throws(Diagnostic) {
    var operands: [ValueID] = []
    for operand in op.operands { operands.append(try values.float(operand, for: op)) }
    let result = op.results[0]
    let attributes = values.builder.module.importAttributes(op.attributes, from: values.source)
    values[result].float = values.builder.emit(
      op.opcode, operands, attributes, type: values.source.values[result].type, name: values.name(result),
      origin: op.origin)
  }

  private mutating func output(_ op: Op) throws(Diagnostic) {
    let value = try values.float(op.operands[0], for: op)
    values.builder.append(Op(.output, operands: [value], attributes: op.attributes, origin: op.origin))
  }

  /// After sums a max-pool or a shape operation waits until it is known whether integers or floats are asked
  /// for.
  private mutating func moveOperator(_ op: Op) throws(Diagnostic) {
    try wait(op) { epilogue in
      epilogue.moves.append(op)
      return true
    }
  }

  /// A clamp after sums costs nothing: the requantization clamps anyway.
  private mutating func clamp(_ op: Op, low: Float, high: Float) throws(Diagnostic) {
    try wait(op) { $0.clamp(low: low, high: high) }
    PrequantizedMoves.clamp(op, &values)
  }

  /// Puts `op` after the sums that its operand is; where that cannot be, it works on floats.
  private mutating func wait(_ op: Op, _ add: (inout Epilogue) -> Bool) throws(Diagnostic) {
    let (operand, result) = (values[op.operands[0]], op.results[0])
    if var sums = operand.sums, add(&sums.epilogue) {
      values[result].sums = sums
    } else if var joined = operand.joined, add(&joined.epilogue) {
      values[result].joined = joined
    } else if try !PrequantizedMoves.move(op, &values) {
      try floatOperator(op)
    }
  }

  /// Sums that are joined go to the integers of the whole, each by its own factor; levels of one kind stay
  /// levels.
  private mutating func concatenation(_ op: Op) throws(Diagnostic) {
    if op.operands.contains(where: { values[$0].sums != nil || values[$0].joined != nil }) {
      values[op.results[0]].joined = ValueForms.Joined(concat: op)
    } else if try !PrequantizedMoves.join(op, &values) {
      try floatOperator(op)
    }
  }
}
