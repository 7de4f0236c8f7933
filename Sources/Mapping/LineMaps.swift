/// A wordline of a block: driven by `input << shift`. Large networks have hundreds of millions of them, so an entry
/// takes 8 bytes; numbers beyond 32 bits become the nearest one of 32 bits, which no layer has.
public struct RowEntry: Hashable, Sendable {
  private var storedInput: Int32
  private var storedShift: Int32

  /// Which input of the layer, below `LayerLimits.side`.
  public var input: Int {
    get { Int(storedInput) }
    set { storedInput = Int32(clamping: newValue) }
  }

  /// Left shift of the input, at most `LayerLimits.rowShift`.
  public var shift: Int {
    get { Int(storedShift) }
    set { storedShift = Int32(clamping: newValue) }
  }

  /// Creates an entry.
  public init(input: Int, shift: Int = 0) {
    storedInput = Int32(clamping: input)
    storedShift = Int32(clamping: shift)
  }
}

/// A bitline of a block: adds `(negative ? -1 : 1) * 2^shift * ADC(...)` to an output. It takes 8 bytes, as `RowEntry`
/// does.
public struct ColumnEntry: Hashable, Sendable {
  private var storedOutput: Int32
  private var storedShift: Int16
  /// Whether the bitline subtracts.
  public var negative: Bool

  /// Which output of the layer, below `LayerLimits.side`.
  public var output: Int {
    get { Int(storedOutput) }
    set { storedOutput = Int32(clamping: newValue) }
  }

  /// Weight of the bitline as a power of two, at most `LayerLimits.columnShift`.
  public var shift: Int {
    get { Int(storedShift) }
    set { storedShift = Int16(clamping: newValue) }
  }

  /// Creates an entry.
  public init(output: Int, shift: Int, negative: Bool = false) {
    storedOutput = Int32(clamping: output)
    storedShift = Int16(clamping: shift)
    self.negative = negative
  }
}
