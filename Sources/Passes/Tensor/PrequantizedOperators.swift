import IR
import Support
import Tensors

/// The operations by which a file says which integers its values are: `quantize`, `dequantize` and products
/// with scales.
enum PrequantizedOperators {
  /// The levels that the file asks for; sums are rounded to them, and clamped where a ReLU preceded them.
  static func quantize(_ op: Op, _ inputs: InputQuantization, _ values: inout QuantizedValues)
    throws(Diagnostic)
  {
    let (x, result) = (op.operands[0], op.results[0])
    var asked = QuantizationParameters(
      type: values.source.values[result].type.element,
      quantization: Quantization(scale: op[.scale], zero: op[.zero]), low: op[.low], high: op[.high])
    let (scale, zero) = (asked.quantization.scale, asked.quantization.zero)
    guard case .integer(1...16, _) = asked.type, asked.type.lowest...asked.type.highest ~= zero, scale > 0,
      scale.isFinite
    else { throw prequantizedFailure(op, "of type \(asked.type), scale \(scale), zero \(zero)") }
    if let epilogue = values[x].sums?.epilogue, !epilogue.moves.contains(where: { $0.opcode == .pad }) {
      asked.low = asked.level(epilogue.low)
    }
    let given = inputs.parameters(prequantized: asked)
    if let known = values[x].prequantized, let levels = values[x].quantized,
      known.parameters.holds(given.parameters, given.offset - known.offset)
    {
      values[result].quantized = levels
      values[result].prequantized = known
      return
    }
    values[result].quantized = try values.levels(x, given.parameters, named: values.name(result), for: op)
    values[result].prequantized = given
  }

  /// What levels stand for: constants keep their integers, sums get a factor, values keep their levels.
  static func dequantize(_ op: Op, _ values: inout QuantizedValues) throws(Diagnostic) {
    let (x, result) = (op.operands[0], op.results[0])
    let (scale, zero) = (op[.scale], op[.zero])
    if let levels = values.constant(x) {
      values[result].prequantizedConstant = PrequantizedConstant(
        levels, element: values.source.values[x].type.element, scale: scale, zero: zero)
    } else if var sums = values[x].sums {
      guard zero == 0, scale > 0, scale.isFinite else {
        throw prequantizedFailure(op, "of sums with the zero point \(zero)")
      }
      for k in sums.scales.indices { sums.scales[k] *= Double(scale) }
      values[result].sums = sums
    } else if let levels = values[x].quantized, let known = values[x].prequantized {
      try dequantize(op, levels, known, &values)
    } else {
      throw prequantizedFailure(op, "that nothing in the network gives")
    }
  }

  private static func dequantize(
    _ op: Op, _ levels: ValueID, _ known: PrequantizedParameters, _ values: inout QuantizedValues
  ) throws(Diagnostic) {
    let (scale, result) = (op[.scale], op.results[0])
    let (zero, overflow) = op[.zero].addingReportingOverflow(known.offset)
    if overflow { throw prequantizedFailure(op, "with the zero point \(op[.zero])") }
    var parameters = known.parameters
    parameters.quantization = Quantization(scale: scale, zero: zero)
    if parameters == known.parameters {
      values[result].quantized = levels
    } else {
      values[result].float = values.builder.emit(
        .dequantize(scale: scale, zero: zero), [levels], type: ValueType(.float32, values.shape(result)),
        name: values.name(result), origin: op.origin)
      values.setRange(result)
    }
    let isUsable = parameters.type.lowest...parameters.type.highest ~= zero && scale > 0 && scale.isFinite
    values[result].prequantized =
      isUsable ? PrequantizedParameters(parameters: parameters, offset: known.offset) : nil
  }

  /// A positive factor for each output after sums of prequantized weights becomes part of their scales; so does one
  /// of a constant. False, and nothing done, for other products.
  static func scale(_ op: Op, _ values: inout QuantizedValues) -> Bool {
    let result = op.results[0]
    for (first, second) in [(0, 1), (1, 0)] {
      guard let factors = values.constant(op.operands[second]) else { continue }
      let (operand, shape) = (values[op.operands[first]], values.shape(result))
      if let given = operand.prequantizedConstant?.after(op, others: [factors], shape: shape) {
        values[result].prequantizedConstant = given
        return true
      }
      if var sums = operand.sums, sums.isPrequantized, sums.epilogue.isPlain,
        shape == values.shape(op.operands[first]),
        let scales = sums.scaled(by: factors, rank: shape.count)
      {
        sums.scales = scales
        values[result].sums = sums
        return true
      }
    }
    return false
  }
}

/// An error about integers of the file that `quantize` does not take.
func prequantizedFailure(_ op: Op, _ what: String) -> Diagnostic {
  Diagnostic(
    "quantize.levels", "levels \(what) are not supported", at: op.location,
    notes: ["levels are integers of up to 16 bits with a positive scale and a zero point of their type"])
}
