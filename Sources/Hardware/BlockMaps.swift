/// A wordline of a block: driven by `input << shift`.
public struct RowEntry: Hashable, Sendable {
  /// Which input of the layer, below 2^24.
  public var input: Int
  /// Left shift of the input, below 64.
  public var shift: Int

  /// Creates an entry.
  public init(input: Int, shift: Int = 0) {
    self.input = input
    self.shift = shift
  }
}

/// A bitline of a block: adds `(negative ? -1 : 1) * 2^shift * ADC(...)` to an output.
public struct ColumnEntry: Hashable, Sendable {
  /// Which output of the layer, below 2^24.
  public var output: Int
  /// Weight of the bitline as a power of two, below 64.
  public var shift: Int
  /// Whether the bitline subtracts.
  public var negative: Bool

  /// Creates an entry.
  public init(output: Int, shift: Int, negative: Bool = false) {
    self.output = output
    self.shift = shift
    self.negative = negative
  }
}
