import Support

/// Bound of clamps and zero points: sums of two such numbers and a 63-bit one cannot overflow.
private let parameterBound: ClosedRange<Int64> = -(1 << 61)...(1 << 61)

extension DigitalOperator {
  /// Throws `operator.parameter` where a parameter is out of its range for an argument of `shape`.
  func checkParameters(_ shape: [Int]) throws(Diagnostic) {
    switch self {
    case .quantize(let scale, let zero, let low, let high):
      guard scale > 0, scale.isFinite else {
        throw failure("parameter", "the scale is \(scale), not above 0")
      }
      try checkClamps(zero, low, high)
    case .dequantize(let scale, let zero):
      guard scale.isFinite else { throw failure("parameter", "the scale is \(scale)") }
      try checkClamps(zero, 0, 0)
    case .requantize(let rule): try check(rule, shape)
    case .addBias(let values, let axis):
      try checkAxis(axis, shape)
      guard values.count == shape[axis] else {
        throw failure("parameter", "\(values.count) values for \(shape[axis]) channels")
      }
    case .lookup(let table, let first):
      guard !table.isEmpty, table.count <= maximumElements else {
        throw failure("parameter", "a table of \(table.count) entries")
      }
      try checkClamps(first, 0, 0)
    case .unary, .binary, .select, .softmax, .matmul, .maxPool, .averagePool, .mean, .reduceMax, .argMax,
      .reshape, .transpose,
      .concat, .pad, .slice, .gather:
      return
    }
  }

  private func checkClamps(_ zero: Int64, _ low: Int64, _ high: Int64) throws(Diagnostic) {
    for (name, value) in [("zero", zero), ("low", low), ("high", high)] where !parameterBound.contains(value)
    {
      throw failure("parameter", "'\(name)': \(value) is not in -2^61 ... 2^61")
    }
    guard low <= high else {
      throw failure("parameter", "'low' is \(low), above 'high', \(high)")
    }
  }

  private func check(_ rule: Requantization, _ shape: [Int]) throws(Diagnostic) {
    try checkClamps(rule.zero, rule.low, rule.high)
    guard rule.multipliers.count == rule.shifts.count else {
      throw failure("parameter", "\(rule.multipliers.count) multipliers and \(rule.shifts.count) shifts")
    }
    if rule.multipliers.count != 1 {
      try checkAxis(rule.axis, shape)
      guard rule.multipliers.count == shape[rule.axis] else {
        throw failure("parameter", "\(rule.multipliers.count) multipliers for \(shape[rule.axis]) channels")
      }
    }
    guard rule.multipliers.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
      throw failure("parameter", "'multipliers': one is not in 0 ..< 2^31")
    }
    guard rule.shifts.allSatisfy({ $0 >= 1 && $0 <= 62 }) else {
      throw failure("parameter", "'shifts': one is not in 1 ... 62")
    }
  }

  /// `values[c]` added to each element of channel `c`, in 64 bits; throws `operator.overflow`.
  func biasedValues(_ x: [Int64], _ shape: [Int], values: [Int64], axis: Int) throws(Diagnostic) -> [Int64] {
    let inner = shape[(axis + 1)...].reduce(1, *)
    var overflow = false
    let result = [Int64](unsafeUninitializedCapacity: x.count) { result, used in
      x.withUnsafeBufferPointer { x in
        for start in stride(from: 0, to: x.count, by: max(1, inner)) {
          let value = values[start / inner % values.count]
          for k in start..<start &+ inner {
            let step = x[k].addingReportingOverflow(value)
            result[k] = step.partialValue
            overflow = overflow || step.overflow
          }
        }
      }
      used = x.count
    }
    if overflow { throw failure("overflow", "a sum does not fit into 64 bits") }
    return result
  }

  /// `Float(q - zero) * scale`; throws `operator.overflow` where the difference does not fit into 64 bits.
  func dequantizedValues(_ x: [Int64], scale: Float, zero: Int64) throws(Diagnostic) -> [Float] {
    var overflow = false
    let result = [Float](unsafeUninitializedCapacity: x.count) { result, used in
      x.withUnsafeBufferPointer { x in
        for k in 0..<x.count {
          let step = x[k].subtractingReportingOverflow(zero)
          overflow = overflow || step.overflow
          result[k] = Float(step.partialValue) * scale
        }
      }
      used = x.count
    }
    if overflow { throw failure("overflow", "a difference does not fit into 64 bits") }
    return result
  }

  /// `table[q - first]` in the smallest container for the whole table; throws `operator.lookup-range`.
  func lookedUpValues(_ x: [Int64], table: [Int64], first: Int64) throws(Diagnostic) -> TensorData {
    let last = first + Int64(table.count) - 1
    if let bad = x.first(where: { $0 < first || $0 > last }) {
      throw failure("lookup-range", "\(bad) is not in the table's range \(first) ... \(last)")
    }
    switch Container(low: table.min() ?? 0, high: table.max() ?? 0) {
    case .i8: return .i8(lookUp(x, table, first))
    case .u8: return .u8(lookUp(x, table, first))
    case .i16: return .i16(lookUp(x, table, first))
    case .u16: return .u16(lookUp(x, table, first))
    case .i32: return .i32(lookUp(x, table, first))
    case .i64, .f32: return .i64(lookUp(x, table, first))
    }
  }
}

/// Replaces each element by its table entry; all elements are in the table's range and all entries fit.
private func lookUp<T: FixedWidthInteger & BitwiseCopyable>(_ x: [Int64], _ table: [Int64], _ first: Int64)
  -> [T]
{
  let narrow = table.map { T(truncatingIfNeeded: $0) }
  return [T](unsafeUninitializedCapacity: x.count) { result, used in
    x.withUnsafeBufferPointer { x in
      narrow.withUnsafeBufferPointer { table in
        for k in 0..<x.count { result[k] = table[Int(truncatingIfNeeded: x[k] &- first)] }
      }
    }
    used = x.count
  }
}
