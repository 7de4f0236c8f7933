/// Something true of a whole module, stated in its header and proved by the verifier.
public enum Fact: String, Hashable, Sendable, CaseIterable, Comparable {
  /// Every value has a shape, and it is the one that its operation computes.
  case shaped
  /// Every float value carries the range that calibration saw.
  case calibrated
  /// Every convolution and product with constant weights works on integers.
  case quantized
  /// Every layer is realized by blocks whose cells decode to its weights and fit the cell bits.
  case sliced
  /// Every block fits a crossbar and has operation units; every layer has converters.
  case partitioned
  /// Every block has a place in a crossbar, and no two overlap.
  case placed
  /// Every layer has a stage, and its segments fit the machine where there are several.
  case scheduled

  /// Orders facts as they are established.
  public static func < (a: Fact, b: Fact) -> Bool { a.rank < b.rank }

  private var rank: Int { Fact.allCases.firstIndex(of: self) ?? 0 }
}
