/// Resistances of the wires of a crossbar, and of what drives and senses them, in ohm.
public struct Wires: Hashable, Sendable {
  /// Of a wordline between neighbouring cells.
  public var wordlineOhms = 0.0
  /// Of a bitline between neighbouring cells.
  public var bitlineOhms = 0.0
  /// Of a wordline driver.
  public var driverOhms = 0.0
  /// Of a sense circuit.
  public var senseOhms = 0.0

  /// Wires without resistance.
  public init() {}

  /// Whether nothing has resistance.
  public var isIdeal: Bool { self == Wires() }
}
