import IR
import Support
import Tensors

// Values as integers: on the grid of their calibrated range, or on one that the file gives.
extension Quantizer {
  /// The value as integers: those that the file gives, or on the grid of its calibrated range.
  mutating func quantized(_ id: ValueID, for op: Op) throws(Diagnostic) -> ValueID {
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
        .concat, parts, joined.concat.attributes.without(.range), type: type,
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
