import IR
import Support
import Tensors

// Levels that the file gives, moved, chosen and joined: they stay what they are.
extension Quantizer {
  /// A max-pool or a shape operation works on given levels as it does on what they stand for; false where there are
  /// none, and where a pad adds what is no level.
  mutating func moveLevels(_ op: Op) throws(Diagnostic) -> Bool {
    let (x, result) = (op.operands[0], op.results[0])
    guard [.maxPool, .reshape, .transpose, .slice, .take, .pad].contains(op.opcode),
      let known = forms[x.index].grid
    else { return false }
    let type = ValueType(known.grid.type, shape(result), known.grid.quantization)
    if op.opcode == .pad, !source.values[x].type.element.isFloat {
      return try padLevels(op, known, type)
    }
    if op.opcode == .pad {
      let (value, grid) = (op[.padValue], known.grid)
      let step = grid.level(value) - grid.quantization.zero
      guard Float(step) * grid.quantization.scale == value else { return false }
    }
    let levels = try quantized(x, for: op)
    forms[result.index].quantized = emit(op, levels, type, on: known.grid)
    forms[result.index].grid = known
    return true
  }

  /// A pad of levels adds a level, under the number that it has here.
  private mutating func padLevels(
    _ op: Op, _ known: GivenGrid, _ type: ValueType
  ) throws(Diagnostic) -> Bool {
    guard let level = Int64(exactly: op[.padValue]),
      known.grid.type.lowest...known.grid.type.highest ~= level + known.offset
    else {
      throw Diagnostic(
        "quantize.levels", "a pad adds what is no level", at: op.location,
        notes: ["pad with a level of the input's type"])
    }
    var padded = known
    padded.grid.low = min(known.grid.low, level + known.offset)
    padded.grid.high = max(known.grid.high, level + known.offset)
    let levels = try quantized(op.operands[0], for: op)
    var pad = op
    pad[.padValue] = Float(level + known.offset)
    let result = op.results[0]
    forms[result.index].quantized = builder.emit(
      .pad, [levels], pad.attributes.without(.range), type: type, name: name(result), origin: op.origin)
    forms[result.index].grid = padded
    return true
  }

  /// What a ReLU gives are levels of its input.
  mutating func keepGrid(_ op: Op) {
    guard op.opcode == .relu, var known = forms[op.operands[0].index].grid else { return }
    known.grid.low = max(known.grid.low, min(known.grid.quantization.zero, known.grid.high))
    forms[op.results[0].index].grid = known
  }

  /// Levels of one scale and zero point that are joined are levels of the whole; false where a part has none, or others.
  mutating func joinLevels(_ op: Op) throws(Diagnostic) -> Bool {
    let parts = op.operands.compactMap { forms[$0.index].grid }
    guard parts.count == op.operands.count, let joined = GivenGrid.union(parts) else { return false }
    let result = op.results[0]
    var moved: [ValueID] = []
    for (operand, part) in zip(op.operands, parts) {
      let levels = try quantized(operand, for: op)
      moved.append(renumbered(levels, part, to: joined, named: "\(name(result)).part", op))
    }
    let type = ValueType(joined.grid.type, shape(result), joined.grid.quantization)
    forms[result.index].quantized = builder.emit(
      .concat, moved, op.attributes.without(.range), type: type, name: name(result),
      origin: op.origin)
    forms[result.index].grid = joined
    return true
  }

  /// The same levels under the numbers and in the type of `target`, by a table.
  private mutating func renumbered(
    _ levels: ValueID, _ known: GivenGrid, to target: GivenGrid, named name: String, _ op: Op
  ) -> ValueID {
    let shift = target.offset - known.offset
    if known.grid.type == target.grid.type && shift == 0 { return levels }
    let (lowest, highest) = (known.grid.type.lowest, known.grid.type.highest)
    let bounds = target.grid.type.lowest...target.grid.type.highest
    let table = (lowest...highest).map { max(bounds.lowerBound, min(bounds.upperBound, $0 + shift)) }
    let type = ValueType(target.grid.type, builder.type(levels).shape, target.grid.quantization)
    return builder.emit(
      .lookup(table: table, first: lowest), [levels], type: type, name: name, origin: op.origin)
  }
}

/// Levels that the file gives a value.
struct GivenGrid {
  /// The levels as they are numbered here.
  var grid: Grid
  /// What was added to the numbers of the file.
  var offset: Int64

  /// The numbers of the file that the type holds.
  private var span: ClosedRange<Int64> { grid.type.lowest - offset...grid.type.highest - offset }

  /// The one of `parts` whose type holds the levels of all, with their bounds; nil where scales or zero points differ.
  static func union(_ parts: [GivenGrid]) -> GivenGrid? {
    let widest = parts.max { $0.span.count < $1.span.count }
    guard var result = widest else { return nil }
    for part in parts {
      let (low, high) = (part.grid.low - part.offset, part.grid.high - part.offset)
      guard part.grid.quantization.scale == result.grid.quantization.scale,
        part.grid.quantization.zero - part.offset == result.grid.quantization.zero - result.offset,
        result.span.contains(low), result.span.contains(high)
      else { return nil }
      result.grid.low = min(result.grid.low, low + result.offset)
      result.grid.high = max(result.grid.high, high + result.offset)
    }
    return result
  }
}
