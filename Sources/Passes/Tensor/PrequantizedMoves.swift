import IR
import Support
import Tensors

/// Prequantized values, moved, chosen, clamped and joined: they stay what they are.
enum PrequantizedMoves {
  /// A max-pool or a shape operation works on prequantized integers as on the numbers they stand for; false where
  /// there are none, and where a pad adds what is no level.
  static func move(_ op: Op, _ values: inout QuantizedValues) throws(Diagnostic) -> Bool {
    let (x, result) = (op.operands[0], op.results[0])
    guard [.maxPool, .reduceMax, .reshape, .transpose, .slice, .gather, .pad].contains(op.opcode),
      let known = values[x].prequantized
    else { return false }
    let parameters = known.parameters
    let type = ValueType(parameters.type, values.shape(result), parameters.quantization)
    if op.opcode == .pad, !values.source.values[x].type.element.isFloat {
      return try padLevels(op, known, type, &values)
    }
    if op.opcode == .pad {
      let value = op[.padValue]
      let step = parameters.level(value) - parameters.quantization.zero
      guard Float(step) * parameters.quantization.scale == value else { return false }
    }
    let levels = try values.quantized(x, for: op)
    values[result].quantized = values.emit(op, levels, type, to: parameters)
    values[result].prequantized = known
    return true
  }

  /// A pad of levels adds a level, under the number that it has here.
  private static func padLevels(
    _ op: Op, _ known: PrequantizedParameters, _ type: ValueType, _ values: inout QuantizedValues
  ) throws(Diagnostic) -> Bool {
    let parameters = known.parameters
    guard let level = Int64(exactly: op[.padValue]),
      parameters.type.lowest...parameters.type.highest ~= level + known.offset
    else {
      throw Diagnostic(
        "quantize.levels", "a pad adds what is no level", at: op.location,
        notes: ["pad with a level of the input's type"])
    }
    var padded = known
    padded.parameters.low = min(parameters.low, level + known.offset)
    padded.parameters.high = max(parameters.high, level + known.offset)
    let levels = try values.quantized(op.operands[0], for: op)
    var pad = op
    pad[.padValue] = Float(level + known.offset)
    let result = op.results[0]
    values[result].quantized = values.builder.emit(
      .pad, [levels], pad.attributes.without(.range), type: type, name: values.name(result),
      origin: op.origin)
    values[result].prequantized = padded
    return true
  }

  /// What a ReLU gives are levels of its input.
  static func clamp(_ op: Op, _ values: inout QuantizedValues) {
    guard op.opcode == .relu, var known = values[op.operands[0]].prequantized else { return }
    let parameters = known.parameters
    known.parameters.low = max(parameters.low, min(parameters.quantization.zero, parameters.high))
    values[op.results[0]].prequantized = known
  }

  /// Levels of one scale and zero point that are joined are levels of the whole; false where a part has none,
  /// or others.
  static func join(_ op: Op, _ values: inout QuantizedValues) throws(Diagnostic) -> Bool {
    let parts = op.operands.compactMap { values[$0].prequantized }
    guard parts.count == op.operands.count, let joined = PrequantizedParameters.union(parts) else {
      return false
    }
    let result = op.results[0]
    let name = values.name(result)
    var moved: [ValueID] = []
    for (operand, part) in zip(op.operands, parts) {
      let levels = try values.quantized(operand, for: op)
      moved.append(renumbered(levels, part, to: joined, named: "\(name).part", op, &values))
    }
    let type = ValueType(joined.parameters.type, values.shape(result), joined.parameters.quantization)
    values[result].quantized = values.builder.emit(
      .concat, moved, op.attributes.without(.range), type: type, name: name, origin: op.origin)
    values[result].prequantized = joined
    return true
  }

  /// The same levels under the numbers and in the type of `target`, by a table.
  private static func renumbered(
    _ levels: ValueID, _ known: PrequantizedParameters, to target: PrequantizedParameters,
    named name: String, _ op: Op, _ values: inout QuantizedValues
  ) -> ValueID {
    let (source, result) = (known.parameters.type, target.parameters.type)
    let shift = target.offset - known.offset
    if source == result && shift == 0 { return levels }
    let table = (source.lowest...source.highest).map {
      max(result.lowest, min(result.highest, $0 + shift))
    }
    let type = ValueType(result, values.builder.type(levels).shape, target.parameters.quantization)
    return values.builder.emit(
      .lookup(table: table, first: source.lowest), [levels], type: type, name: name, origin: op.origin)
  }
}
