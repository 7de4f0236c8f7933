import Hardware
import IR
import Mapping

/// How full crossbars are: how many of them have up to 10 %, 20 % ... 100 % of their cells in use (the histogram of
/// ASP-DAC 2019, Fig. 4).
public struct Utilization: Equatable, Sendable {
  /// Crossbars by the share of cells that lie in blocks, in tenths.
  public private(set) var mapped = [Int](repeating: 0, count: 10)
  /// Crossbars by the share of cells that hold a level other than 0, in tenths.
  public private(set) var occupied = [Int](repeating: 0, count: 10)

  /// No crossbars.
  public init() {}

  /// The crossbars of a placed layer.
  init(_ layer: Layer, _ array: ArrayDescription) {
    var cells: [Int: (mapped: Int, occupied: Int)] = [:]
    for block in layer.blocks {
      guard let crossbar = block.placement?.crossbar else { continue }
      cells[crossbar, default: (0, 0)].mapped += block.cells.count
      cells[crossbar, default: (0, 0)].occupied += block.cells.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }
    }
    let size = array.rows * array.columns
    for count in cells.values {
      mapped[Utilization.tenth(count.mapped, of: size)] += 1
      occupied[Utilization.tenth(count.occupied, of: size)] += 1
    }
  }

  /// The tenth in which `part` lies: 0 up to 10 %, 9 above 90 %.
  private static func tenth(_ part: Int, of size: Int) -> Int {
    max(0, min(9, (10 * part - 1) / max(1, size)))
  }

  /// Adds other crossbars.
  mutating func add(_ other: Utilization) {
    for bin in mapped.indices {
      mapped[bin] += other.mapped[bin]
      occupied[bin] += other.occupied[bin]
    }
  }
}
