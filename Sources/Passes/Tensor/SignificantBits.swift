/// The code of `value` that has at most `window` significant bits among `bits` fraction bits: a signed multiple of
/// `2^-bits` whose set positions lie in `window` consecutive ones.
///
/// For the magnitude `a` of `value` let `e` be the leading position, the smallest integer from 1 on with
/// `2^-e <= a`, and `l = min(bits, e + window - 1)` the last position of the window. Then
/// `code = min(k << (bits - l), top)` with `k = floor(a * 2^l + 1/2)` and `top` the `window` leading positions set.
/// The code is a nearest one, the larger of two magnitudes that are equally near; codes are odd in `value`, and NaN
/// counts as 0. The arithmetic is exact. `window` is at least 1 and `bits` in 1 ... 62; a window wider than `bits`
/// is as wide as `bits`.
///
/// For `a <= 1` and `S = min(window, bits)` the code is off by at most `max(a * 2^-S, 2^-(bits + 1))`, below `top`
/// even by at most `max(a / (2^S + 1), 2^-(bits + 1))`.
///
/// Source: SME, ICCD 2021 (arXiv 2103.01705), quantization to significant bits; rounding to nearest follows from
/// its example, 0.618 to 0.625.
public func significantBitCode(of value: Double, window: Int, bits: Int) -> Int64 {
  let magnitude = abs(value)
  guard magnitude > 0 else { return 0 }
  let width = min(window, bits)
  var code = (Int64(1) << Int64(width) - 1) << Int64(bits - width)
  if magnitude < 1 {
    let leading = -Int(magnitude.exponent)
    let last = min(bits, leading + width - 1)
    let scaled = Double(sign: .plus, exponent: last, significand: magnitude)
    code = min(code, Int64(scaled.rounded(.toNearestOrAwayFromZero)) << Int64(bits - last))
  }
  return value < 0 ? -code : code
}
