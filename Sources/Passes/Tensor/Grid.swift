import IR
import Tensors

/// The integers that the values of a range become, or that a file gives.
struct Grid: Equatable {
  var type: ElementType
  var quantization: Quantization
  /// The lowest level in use.
  var low: Int64
  /// The highest level in use.
  var high: Int64

  /// The level of `real`, as `quantize` computes it.
  func level(_ real: Float) -> Int64 {
    let rule = DigitalOperator.quantize(
      scale: quantization.scale, zero: quantization.zero, low: low, high: high)
    return (try? rule.apply(to: [Tensor([1], [real])]))?.integers.first ?? quantization.zero
  }
}

/// What waits behind sums until it is known whether integers or floats are asked for: clamps, then moves of elements.
struct Behind {
  /// Clamps that a ReLU or a clip asked for.
  private(set) var low: Float
  private(set) var high: Float
  /// Max-pools and shape operations, which do the same before and after rounding and clamping.
  var moves: [Op] = []

  init(low: Float = -.infinity, high: Float = .infinity) {
    (self.low, self.high) = (low, high)
  }

  /// Whether nothing waits.
  var isPlain: Bool { low == -.infinity && high == .infinity && moves.isEmpty }

  /// Whether clamping to the bounds of `clamps` keeps what the moves add.
  func allows(_ clamps: Behind) -> Bool {
    moves.allSatisfy {
      $0.opcode != .pad || (clamps.low <= $0[.padValue] && $0[.padValue] <= clamps.high)
    }
  }

  /// Clamps further; false, and nothing done, where the bounds are none or the clamp would change what a pad adds.
  mutating func clamp(low: Float, high: Float) -> Bool {
    guard low <= high, allows(Behind(low: low, high: high)) else { return false }
    self.low = min(max(self.low, low), high)
    self.high = min(max(self.high, low), high)
    return true
  }
}
