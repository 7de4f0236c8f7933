/// A converter by its definition: it knows the multiples of the smallest step with which its codes reach the
/// full scale.
public struct NaiveConverter {
  /// What a code stands for.
  public let step: Int
  /// The largest code: `bits` ones.
  public let largestCode: Int

  /// A converter of `bits` bits.
  public init(bits: Int, fullScale: Int? = nil) {
    var code = 0
    for _ in 0..<bits { code = 2 * code + 1 }
    largestCode = code
    var step = 1
    while step * code < fullScale ?? 0 { step += 1 }
    self.step = step
  }

  /// The value of the nearest code, of two the larger one, and whether only a larger code would have been
  /// nearest.
  public func convert(_ sum: Int) -> (value: Int, saturates: Bool) {
    var code = 0
    while abs((code + 1) * step - sum) <= abs(code * step - sum) { code += 1 }
    return code > largestCode ? (largestCode * step, true) : (code * step, false)
  }
}
