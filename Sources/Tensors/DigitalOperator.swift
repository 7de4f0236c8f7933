/// The fixed-point rule that takes accumulators to quantized values:
/// `clamp(zero + floor((acc * multiplier[c] + 2^(shift[c] - 1)) / 2^shift[c]), low, high)`, in exact integers.
///
/// `c` is the index on the channel axis; one multiplier serves all channels where only one is given.
public struct Requantization: Hashable, Sendable {
  /// Factors in `0 ..< 2^31`, one for all or one for each channel.
  public var multipliers: [Int64]
  /// Right shifts in `1 ... 62`, as many as factors.
  public var shifts: [Int64]
  /// Zero point of the result.
  public var zero: Int64
  /// Lower clamp, in quantized units.
  public var low: Int64
  /// Upper clamp, in quantized units.
  public var high: Int64
  /// The axis that the channels lie on.
  public var axis: Int

  /// Creates a rule.
  public init(multipliers: [Int64], shifts: [Int64], zero: Int64, low: Int64, high: Int64, axis: Int) {
    self.multipliers = multipliers
    self.shifts = shifts
    self.zero = zero
    self.low = low
    self.high = high
    self.axis = axis
  }
}

/// An operator that the digital logic computes, with its meaning fixed to the bit.
///
/// The interpreter of the IR and the executor of programs both call `apply`, so they cannot disagree.
public enum DigitalOperator: Hashable, Sendable {
  /// Element by element on floats.
  case unary(UnaryFunction)
  /// Element by element on two float or two integer tensors, with broadcasting as in ONNX.
  case binary(BinaryFunction)
  /// Element by element on three float tensors, with broadcasting: the second's where the first's is not 0, else the
  /// third's. What is not chosen does not matter, also where it is infinite or NaN; NaN in the first is not 0.
  case select
  /// Softmax over `axis`, floats.
  case softmax(axis: Int)
  /// Matrix product of two float tensors, batched as in ONNX MatMul.
  case matmul
  /// Maximum over windows; floats or integers; padding and NaN never win. `Window.channels` are pooled one by one.
  case maxPool(Window)
  /// Mean over windows of floats; padding counts as zeros where `countPadding` is set.
  case averagePool(Window, countPadding: Bool)
  /// Mean of floats over `axes`, which stay with length 1.
  case mean(axes: [Int])
  /// The largest element over `axes`, which stay with length 1; floats, NaN where there is one, or integers.
  case reduceMax(axes: [Int])
  /// The place of the largest float on `axis`, which stays with length 1: the first of several, or the `last`.
  ///
  /// The places are floats, so an axis has at most 2^24 elements. NaN is larger than every
  /// number, as for numpy and so for ONNX's reference.
  case argMax(axis: Int, last: Bool)
  /// The same elements under another shape.
  case reshape([Int])
  /// Result axis `k` is argument axis `order[k]`.
  case transpose([Int])
  /// Joins the arguments along `axis`.
  case concat(axis: Int)
  /// Adds `before[k]` and `after[k]` elements of `value` at the ends of axis `k`.
  case pad(before: [Int], after: [Int], value: Float)
  /// The elements from `start[k]` on and before `end[k]` of each axis `k`; at least one of each.
  case slice(start: [Int], end: [Int])
  /// Element `j` on `axis` is the argument's element `indices[j]`; at least one.
  case gather(indices: [Int64], axis: Int)
  /// `clamp(roundHalfToEven(x / scale) + zero, low, high)` with the division in binary32.
  case quantize(scale: Float, zero: Int64, low: Int64, high: Int64)
  /// `Float(q - zero) * scale` in binary32.
  case dequantize(scale: Float, zero: Int64)
  /// Accumulators to quantized values.
  case requantize(Requantization)
  /// Adds `values[c]` to integers, `c` being the index on `axis`.
  case addBias(values: [Int64], axis: Int)
  /// Replaces integer `q` by `table[q - first]`.
  case lookup(table: [Int64], first: Int64)
}
