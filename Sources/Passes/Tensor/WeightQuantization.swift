import Support
import Tensors

/// How `quantize` makes integers of weights.
struct WeightQuantization {
  /// Which integers stand for weights.
  enum Levels {
    /// All integers of `bits` bits, sign included, except the lowest one.
    case linear(bits: Int)
    /// Those with at most `window` significant bits among `bits` bits, and a sign: `significantBitCode`.
    case significantBits(window: Int, bits: Int)
  }

  /// What a scale is chosen for.
  enum Fit: String, OptionWord {
    /// The largest magnitude stands for 1.
    case max
    /// The scale with the least mean squared error of those tried.
    case mse

    static let formerWords: [String: Fit] = ["squares": .mse]
  }

  /// Which integers stand for weights.
  let levels: Levels
  /// What a scale is chosen for.
  let fit: Fit
  /// How many threads try scales.
  var threads = 1

  /// Bits of a weight, sign included.
  var weightBits: Int {
    switch levels {
    case .linear(let bits): return bits
    case .significantBits(_, let bits): return bits + 1
    }
  }

  /// Integers for `weights`, and the scale of each slot: what 1 stands for. Weight `k` belongs to `slot(k)`,
  /// which is in `0 ..< slots`.
  func integers(for weights: [Float], slots: Int, slot: @Sendable (Int) -> Int) -> (
    values: TensorData, scales: [Float]
  ) {
    var largest = [Float](repeating: 0, count: slots)
    for (k, weight) in weights.enumerated() { largest[slot(k)] = Swift.max(largest[slot(k)], abs(weight)) }
    let scales: [Float]
    switch fit {
    case .max: scales = largest.map { scale($0, times: 1) }
    case .mse: scales = leastSquares(weights, largest, slot)
    }
    let values: TensorData =
      weightBits <= 8 ? .i8(codes(weights, scales, slot)) : .i16(codes(weights, scales, slot))
    return (values, scales)
  }

  private func codes<T: FixedWidthInteger>(_ weights: [Float], _ scales: [Float], _ slot: (Int) -> Int) -> [T]
  {
    [T](unsafeUninitializedCapacity: weights.count) { codes, count in
      for (k, weight) in weights.enumerated() {
        codes[k] = T(truncatingIfNeeded: level(weight, scales[slot(k)]))
      }
      count = weights.count
    }
  }

  /// The root of the squared errors of `weights` with these scales, relative to that of the squared weights.
  func relativeError(of weights: [Float], scales: [Float], slot: (Int) -> Int) -> Double {
    let size = weights.reduce(0.0) { $0 + Double($1) * Double($1) }
    let lost = squaredErrors(weights, scales, slot).reduce(0, +)
    return Support.relativeError(lost: lost, size: size)
  }

  /// What 1 stands for where `largest` times `factor` is full scale.
  private func scale(_ largest: Float, times factor: Double) -> Float {
    switch levels {
    case .linear(let bits): return usableScale(Double(largest / highest(bits)) * factor)
    case .significantBits(_, let bits): return usableScale(Double(largest) * factor / Double(1 << bits))
    }
  }

  /// The integer for `weight` where 1 stands for `scale`.
  private func level(_ weight: Float, _ scale: Float) -> Int64 {
    switch levels {
    case .linear(let bits):
      let level = (weight / scale).rounded(.toNearestOrAwayFromZero)
      return Int64(Swift.max(-highest(bits), min(highest(bits), level)))
    case .significantBits(let window, let bits):
      let full = Double(scale) * Double(1 << bits)
      return significantBitCode(of: Double(weight) / full, window: window, bits: bits)
    }
  }

  private func highest(_ bits: Int) -> Float { Float(Int64(1) << Int64(bits - 1) - 1) }

  /// For each slot the scale of the least squared error, of equal ones the largest.
  ///
  /// Full scale is tried at `k / 64` of the largest magnitude, from 1/2 to 2. Codes of significant bits are
  /// the same in every octave but for saturation and the last position: one bit needs 2 to hold the largest.
  private func leastSquares(_ weights: [Float], _ largest: [Float], _ slot: @Sendable (Int) -> Int) -> [Float]
  {
    var best = largest
    var least = [Double](repeating: .infinity, count: largest.count)
    let tried = parallelMap(97, threads: threads) { index in
      let scales = largest.map { scale($0, times: Double(128 - index) / 64) }
      return (scales: scales, errors: squaredErrors(weights, scales, slot))
    }
    for (scales, errors) in tried {
      for (n, error) in errors.enumerated() where error < least[n] {
        (best[n], least[n]) = (scales[n], error)
      }
    }
    return best
  }

  private func squaredErrors(_ weights: [Float], _ scales: [Float], _ slot: (Int) -> Int) -> [Double] {
    var errors = [Double](repeating: 0, count: scales.count)
    for (k, weight) in weights.enumerated() {
      let n = slot(k)
      let error = Double(weight) - Double(level(weight, scales[n])) * Double(scales[n])
      errors[n] += error * error
    }
    return errors
  }
}

/// A step as a scale: positive, finite and far from where binary32 loses digits; 1 where all values are 0.
func usableScale(_ step: Double) -> Float {
  step > 0 ? Float(min(max(step, 1e-30), Double(Float.greatestFiniteMagnitude))) : 1
}
