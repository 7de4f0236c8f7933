/// How signed weights become levels of cells, which are never negative.
public enum SignCoding: String, Hashable, Sendable, CaseIterable {
  /// Magnitudes in cells; positive and negative weights in columns of their own that add or subtract.
  case differential
  /// A column for the sign bit that subtracts, and columns for the other bits.
  case twosComplement = "twos-complement"
  /// Weights plus an excess, which is subtracted digitally.
  case offset
}

/// How the weights of a layer are written as cells: what blocks decode to.
///
/// Decode invariant: for every input `i` and output `o`, the sum over blocks and cells of `sign * 2^(k + s) * cell` is
/// `W[i][o] + excess(of: o)`.
public struct WeightCoding: Hashable, Sendable {
  /// How signs are coded; nil before `slice-bits`, and in a program, where maps tell it.
  public var signs: SignCoding?
  /// Bits of a cell; nil before `slice-bits`, and in a program, where the machine tells it.
  public var cellBits: Int?
  /// What the cells hold in excess of every weight.
  public var offset: Int64 = 0
  /// What the cells of each output hold in excess of its weights; empty where it is `offset` for all of them.
  public var offsets: [Int64] = []
  /// The bitlines that the whole matrix takes, in their order, before any is left out: what column index tables number.
  /// Empty before `slice-bits`.
  public var columnLayout: [ColumnEntry] = []

  /// The coding of a layer without cells.
  public init() {}

  /// Whether cells hold more than the weights.
  public var hasExcess: Bool { offset != 0 || offsets.contains { $0 != 0 } }

  /// What the cells hold in excess of each weight of output `output`: `excess * sum(x)` is subtracted digitally.
  public func excess(of output: Int) -> Int64 { offsets.isEmpty ? offset : offsets[output] }

  /// The largest magnitude of an excess.
  public var largestExcess: Double { Double(max(offset.magnitude, offsets.map(\.magnitude).max() ?? 0)) }
}
