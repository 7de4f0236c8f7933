/// Resistances of the wires of a crossbar.
///
/// A wordline runs from its driver on the left past the cells of its columns, a bitline from the top past the cells of
/// its rows to a virtual ground at the bottom. Every cell is one segment after its neighbor, the first cell of a
/// wordline one segment after the output of the driver, the virtual ground one segment after the last cell of a
/// bitline.
public struct Wires: Hashable, Sendable {
  /// Ohms of a wordline's segment.
  public var wordlineOhms: Double
  /// Ohms of a bitline's segment.
  public var bitlineOhms: Double
  /// Ohms of a wordline driver's output, in series with the first segment.
  public var driverOhms: Double
  /// Ohms of the circuit that senses a bitline, in series with the last segment.
  public var senseOhms: Double

  /// Cells of a crossbar up to which the network is solved exactly; larger ones are approximated.
  public var exactCells = 4096.0

  /// Creates wires; resistances are finite and not negative.
  public init(
    wordlineOhms: Double = 0, bitlineOhms: Double = 0, driverOhms: Double = 0, senseOhms: Double = 0
  ) {
    self.wordlineOhms = wordlineOhms
    self.bitlineOhms = bitlineOhms
    self.driverOhms = driverOhms
    self.senseOhms = senseOhms
  }

  /// Wires without resistance.
  public static let ideal = Wires()

  /// Whether no wire has a resistance.
  public var isIdeal: Bool {
    wordlineOhms == 0 && bitlineOhms == 0 && driverOhms == 0 && senseOhms == 0
  }
}

/// The effective conductances of a crossbar with IR drop, row-major in siemens: exact up to `wires.exactCells` cells,
/// approximate above.
///
/// See `effectiveConductances(_:rows:columns:wires:)` for what they are and
/// `approximateConductances(_:rows:columns:wires:)` for the errors of the approximation.
public func conductancesWithIRDrop(_ g: [Double], rows: Int, columns: Int, wires: Wires) -> [Double] {
  Double(g.count) <= wires.exactCells
    ? effectiveConductances(g, rows: rows, columns: columns, wires: wires)
    : approximateConductances(g, rows: rows, columns: columns, wires: wires)
}
