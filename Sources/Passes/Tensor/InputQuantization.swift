import IR
import Tensors

/// How `quantize` makes integers of the inputs of products.
struct InputQuantization {
  /// Bits of an input.
  let bits: Int
  /// Whether inputs that can be negative get a zero point.
  let usesZeroPoint: Bool

  /// The integers for values in `range`, or nil where there are too few bits for a sign.
  func parameters(for range: [Float]) -> QuantizationParameters? {
    let low = Double(min(range[0], 0))
    let high = Double(max(range[1], 0))
    let top = Int64(1) << Int64(bits) - 1
    if low == 0 || usesZeroPoint {
      let scale = usableScale((high - low) / Double(top))
      let zero = Int64(min((-low / Double(scale)).rounded(), Double(top)))
      return QuantizationParameters(
        type: .integer(bits: bits, signed: false), quantization: Quantization(scale: scale, zero: zero),
        low: 0, high: top)
    }
    guard bits >= 2 else { return nil }
    let limit = Int64(1) << Int64(bits - 1) - 1
    let scale = usableScale(max(-low, high) / Double(limit))
    return QuantizationParameters(
      type: .integer(bits: bits, signed: true), quantization: Quantization(scale: scale, zero: 0),
      low: -limit, high: limit)
  }

  /// Prequantized inputs, under other numbers where crossbars ask for it: an offset is added to
  /// each.
  ///
  /// Signed levels whose zero point is not 0 become unsigned. Where it is 0 they stay signed, with a bit more
  /// for the lowest one, unless a zero point is asked for or none of them is negative.
  func parameters(prequantized given: QuantizationParameters) -> PrequantizedParameters {
    guard case .integer(let bits, signed: true) = given.type else {
      return PrequantizedParameters(parameters: given, offset: 0)
    }
    var result = given
    let isSymmetric = given.quantization.zero == 0
    if isSymmetric && given.low >= 0 && bits > 1 {
      result.type = .integer(bits: bits - 1, signed: false)
      return PrequantizedParameters(parameters: result, offset: 0)
    }
    if isSymmetric && !usesZeroPoint {
      result.type = .integer(bits: given.low > given.type.lowest ? bits : bits + 1, signed: true)
      return PrequantizedParameters(parameters: result, offset: 0)
    }
    let offset = -given.type.lowest
    result.type = .integer(bits: bits, signed: false)
    result.quantization.zero += offset
    result.low += offset
    result.high += offset
    return PrequantizedParameters(parameters: result, offset: offset)
  }
}
