import IR
import Support
import Tensors

/// Exact integer sums that stand for real numbers, not yet rounded to the integers of the next input.
struct Accumulators {
  var value: ValueID
  /// What 1 stands for: one scale, or one for each output.
  var scales: [Double]
  /// The axis of the outputs.
  var axis: Int
  /// What is deferred after the sums.
  var epilogue = Epilogue()
  /// Whether the file gives the weights as integers.
  var isPrequantized = false

  /// The scales times positive `factors` that broadcast along the axis of the outputs; nil for others.
  func scaled(by factors: Tensor, rank: Int) -> [Double]? {
    let values = factors.floats
    let long = factors.shape.indices.filter { factors.shape[$0] != 1 }
    guard factors.data.isFloat, long.count <= 1, values.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      return nil
    }
    if let only = long.first {
      guard only + rank - factors.shape.count == axis, scales.count == 1 || scales.count == values.count
      else {
        return nil
      }
    }
    return (0..<max(scales.count, values.count)).map {
      scales[scales.count == 1 ? 0 : $0] * Double(values[values.count == 1 ? 0 : $0])
    }
  }

  /// The rule that takes the sums to `parameters`, clamped as `clamps` says.
  func requantization(
    to parameters: QuantizationParameters, _ clamps: Epilogue, at location: Location
  ) throws(Diagnostic) -> Requantization {
    let quantization = parameters.quantization
    var (multipliers, shifts): ([Int64], [Int64]) = ([], [])
    for scale in scales {
      guard let factor = fixedPoint(scale / Double(quantization.scale)) else {
        throw Diagnostic(
          "quantize.factor",
          "the factor \(scale / Double(quantization.scale)) between two layers is too large",
          at: location, notes: ["check the calibration samples: a value's range is close to 0"])
      }
      multipliers.append(factor.multiplier)
      shifts.append(factor.shift)
    }
    func level(_ real: Float, _ unclamped: Int64) -> Int64 {
      guard real.isFinite else { return unclamped }
      let level = (Double(real) / Double(quantization.scale)).rounded() + Double(quantization.zero)
      return Int64(max(Double(parameters.low), min(Double(parameters.high), level)))
    }
    return Requantization(
      multipliers: multipliers, shifts: shifts, zero: quantization.zero,
      low: level(clamps.low, parameters.low), high: level(clamps.high, parameters.high), axis: axis)
  }
}

/// The fixed-point form of a positive real factor: `multiplier / 2^shift` with a multiplier of 31 bits.
///
/// The relative error is at most 2^-31 for factors in 2^-32 ..< 2^29; smaller factors lose precision
/// gradually. Returns nil for factors of 2^30 and more.
func fixedPoint(_ factor: Double) -> (multiplier: Int64, shift: Int64)? {
  guard factor > 0, factor < 0x1p30 else { return factor == 0 ? (0, 1) : nil }
  var shift = min(62, 30 - Int64(factor.exponent))
  var multiplier = Int64((factor * Double(sign: .plus, exponent: Int(shift), significand: 1)).rounded())
  if multiplier == 1 << 31 {
    multiplier >>= 1
    shift -= 1
  }
  return shift >= 1 ? (multiplier, shift) : nil
}
