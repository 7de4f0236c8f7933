public import Hardware
import IR
public import Mapping
import Support

/// How full the bit planes of a layer are and what freeing the highest of them would cost, as the slides of SME (ICCD
/// 2021) plot it.
public struct PlaneStatistics: Equatable, Sendable {
  /// The share of nonzero wordlines, plane by plane from the lowest, over all crossbars.
  public let occupiedRows: [Double]
  /// For 0, 1, 2 ... planes freed, what is left and what is lost.
  public let squeezes: [Squeeze]

  /// A layer after its highest planes were freed.
  public struct Squeeze: Equatable, Sendable {
    /// Planes freed.
    public let freed: Int
    /// Crossbars that the planes left take, each plane cut to crossbars of its own.
    public let crossbars: Int
    /// The largest shift of a wordline, which is how many cycles inputs of one bit at a time take longer.
    public let largestShift: Int
    /// Bits of the shift tables: for each wordline of each group of planes as many as its group's largest shift needs.
    public let shiftBits: Int
    /// The root of the squared errors of all weights relative to that of the squared weights.
    public let error: Double
  }

  /// Nil where the blocks of `layer` are no bit planes.
  public init?(of layer: Layer, machine: Machine) {
    guard let tiles = layer.bitPlanes(.crossbar, machine.array), let first = tiles.first else { return nil }
    let rows = tiles.map { $0.blocks[0].rows.count }
    let total = Double(max(1, rows.reduce(0, +)))
    occupiedRows = first.blocks.indices.map { plane in
      zip(tiles, rows).reduce(0) { $0 + $1.0.occupiedRows[plane] * Double($1.1) } / total
    }
    squeezes = first.blocks.indices.map { freed in
      let shifts = tiles.map { $0.shifts(freeing: freed) }
      let largest = shifts.map { $0.max() ?? 0 }
      return Squeeze(
        freed: freed, crossbars: tiles.count * (first.blocks.count - freed), largestShift: largest.max() ?? 0,
        shiftBits: zip(rows, largest).reduce(0) { $0 + $1.0 * bitWidth(of: $1.1) },
        error: relativeLoss(tiles, freeing: freed))
    }
  }
}
