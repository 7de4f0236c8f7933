import IR

/// What is deferred after sums until it is known whether integers or floats are asked for: clamps, then moves of
/// elements.
struct Epilogue {
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
  func allows(_ clamps: Epilogue) -> Bool {
    moves.allSatisfy {
      $0.opcode != .pad || (clamps.low <= $0[.padValue] && $0[.padValue] <= clamps.high)
    }
  }

  /// Clamps further; false, and nothing done, where the bounds are none or the clamp would change what a pad
  /// adds.
  mutating func clamp(low: Float, high: Float) -> Bool {
    guard low <= high, allows(Epilogue(low: low, high: high)) else { return false }
    self.low = min(max(self.low, low), high)
    self.high = min(max(self.high, low), high)
    return true
  }
}
