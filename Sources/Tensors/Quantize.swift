/// Floats to quantized values in the smallest container for `low ... high`.
///
/// `clamp(roundHalfToEven(x / scale) + zero, low, high)` with the division in binary32 and the rest exact; NaN counts
/// as 0 and infinities are clamped.
func quantizedValues(_ x: [Float], scale: Float, zero: Int64, low: Int64, high: Int64) -> TensorData {
  let rule = FloatRounding(scale: scale, zero: zero, low: low, high: high)
  switch Container(low: low, high: high) {
  case .i8: return .i8(rule.round(x))
  case .u8: return .u8(rule.round(x))
  case .i16: return .i16(rule.round(x))
  case .u16: return .u16(rule.round(x))
  case .i32: return .i32(rule.round(x))
  case .i64, .f32: return .i64(rule.round(x))
  }
}

private struct FloatRounding {
  let scale: Float
  let zero: Int64
  let low: Int64
  let high: Int64

  func round<T: FixedWidthInteger & BitwiseCopyable>(_ x: [Float]) -> [T] {
    let isSmall = low - zero >= -(1 << 21) && high - zero <= 1 << 21
    return [T](unsafeUninitializedCapacity: x.count) { result, used in
      x.withUnsafeBufferPointer { x in
        if isSmall { roundSmall(x, result) } else { roundWide(x, result) }
      }
      used = x.count
    }
  }

  /// Clamps first, which gives the same as clamping last since rounding is monotone and keeps whole numbers; then
  /// adds 1.5 * 2^23, whose last place is 1, so that the sum's low bits are the rounded value.
  @inline(__always)
  private func roundSmall<T: FixedWidthInteger>(
    _ x: UnsafeBufferPointer<Float>, _ result: UnsafeMutableBufferPointer<T>
  ) {
    let magic: Float = 0x1.8p23
    let bias = Int32(truncatingIfNeeded: Int64(magic.bitPattern) - zero)
    let (lowest, highest) = (Float(low - zero), Float(high - zero))
    for k in 0..<x.count {
      let quotient = x[k] / scale
      let number = quotient == quotient ? quotient : 0
      let above = number > lowest ? number : lowest
      let clamped = above < highest ? above : highest
      let bits = Int32(bitPattern: (clamped + magic).bitPattern)
      result[k] = T(truncatingIfNeeded: bits &- bias)
    }
  }

  /// Beyond 2^62 the clamps, which are within 2^61, decide for every zero point.
  @inline(__always)
  private func roundWide<T: FixedWidthInteger>(
    _ x: UnsafeBufferPointer<Float>, _ result: UnsafeMutableBufferPointer<T>
  ) {
    for k in 0..<x.count {
      let quotient = (x[k] / scale).rounded(.toNearestOrEven)
      let number = quotient == quotient ? quotient : 0
      let whole = Int64(max(-0x1p62, min(0x1p62, number)))
      result[k] = T(truncatingIfNeeded: max(low, min(high, whole + zero)))
    }
  }
}

/// Accumulators to quantized values in the smallest container for the clamps; exact for every accumulator.
func requantizedValues(_ x: [Int64], _ shape: [Int], _ rule: Requantization) -> TensorData {
  switch Container(low: rule.low, high: rule.high) {
  case .i8: return .i8(requantized(x, shape, rule))
  case .u8: return .u8(requantized(x, shape, rule))
  case .i16: return .i16(requantized(x, shape, rule))
  case .u16: return .u16(requantized(x, shape, rule))
  case .i32: return .i32(requantized(x, shape, rule))
  case .i64, .f32: return .i64(requantized(x, shape, rule))
  }
}

private func requantized<T: FixedWidthInteger & BitwiseCopyable>(
  _ x: [Int64], _ shape: [Int], _ rule: Requantization
) -> [T] {
  let channels = rule.multipliers.count
  let inner = channels == 1 ? x.count : shape[(rule.axis + 1)...].reduce(1, *)
  let isNear = rule.low - rule.zero >= -(1 << 50) && rule.high - rule.zero <= 1 << 50
  return [T](unsafeUninitializedCapacity: x.count) { result, used in
    x.withUnsafeBufferPointer { x in
      for start in stride(from: 0, to: x.count, by: max(1, inner)) {
        let channel = start / inner % channels
        let (factor, shift) = (rule.multipliers[channel], rule.shifts[channel])
        let run = start..<start + inner
        if isNear && isSmall(x[run]) {
          scaleSmall(x, result, run, factor, shift, rule)
        } else {
          for k in run { result[k] = T(truncatingIfNeeded: scaleWide(x[k], factor, shift, rule)) }
        }
      }
    }
    used = x.count
  }
}

/// Whether all elements are in -2^31 ..< 2^31.
@inline(__always)
private func isSmall(_ x: Slice<UnsafeBufferPointer<Int64>>) -> Bool {
  var bits: Int64 = 0
  for value in x { bits |= value ^ (value &>> 63) }
  return bits < 1 << 31
}

/// The scaled value in 64 bits: the product is below 2^62 and the addend at most 2^61. The clamps in binary64, which
/// has them without a branch that most data would mispredict: it holds every whole number between the clamps, which
/// are within 2^50, and rounds those beyond to numbers beyond. Adding 1.5 * 2^52 puts the value into the low bits.
@inline(__always)
private func scaleSmall<T: FixedWidthInteger>(
  _ x: UnsafeBufferPointer<Int64>, _ result: UnsafeMutableBufferPointer<T>, _ run: Range<Int>,
  _ factor: Int64,
  _ shift: Int64, _ rule: Requantization
) {
  let half: Int64 = 1 &<< (shift &- 1)
  let (low, high) = (Double(rule.low - rule.zero), Double(rule.high - rule.zero))
  let magic = 0x1.8p52
  let start = rule.zero &- Int64(bitPattern: magic.bitPattern)
  for k in run {
    let value = Double((x[k] &* factor &+ half) &>> shift)
    let above = value > low ? value : low
    let clamped = above < high ? above : high
    result[k] = T(truncatingIfNeeded: Int64(bitPattern: (clamped + magic).bitPattern) &+ start)
  }
}

/// In 128 bits: the product is below 2^94.
@inline(never)
private func scaleWide(_ acc: Int64, _ factor: Int64, _ shift: Int64, _ rule: Requantization) -> Int64 {
  let sum = Int128(acc) * Int128(factor) + Int128(1) << Int128(shift - 1)
  let value = sum >> Int128(shift) + Int128(rule.zero)
  return Int64(truncatingIfNeeded: max(Int128(rule.low), min(Int128(rule.high), value)))
}
