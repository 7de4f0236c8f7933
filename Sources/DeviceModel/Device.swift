/// What the cells, wires and converters of a crossbar do beyond the meaning of a program.
///
/// Every effect is off where its numbers are 0, so that each has a switch of its own. Currents are taken in steps of a
/// level: a cell of level l, without leakage and variation, passes l steps for a digit of 1. `docs/devices.md` has the
/// chain of effects with its formulas.
public struct Device: Hashable, Sendable {
  /// The name, such as that of a preset.
  public var name: String
  /// What it stands for and the range in which its numbers hold.
  public var summary: String
  /// Resistances of the levels.
  public var cell: CellResistances
  /// How a programmed cell differs from its level.
  public var variation: Variation
  /// How a cell differs from one access to the next.
  public var readNoise: ReadNoise
  /// Cells that cannot be programmed.
  public var stuckCells: StuckCells
  /// How conductances fall with time.
  public var drift: Drift
  /// How currents are compared with references.
  public var sensing: Sensing
  /// What converters add.
  public var converter: ConverterErrors
  /// Resistances of wires, drivers and sense circuits.
  public var wires: Wires

  /// The device without any effect: cells hold their levels and converters give what the program means.
  public static let ideal = Device(
    name: "ideal", summary: "Cells hold their levels and converters give what the program means",
    cell: CellResistances(), variation: Variation(), readNoise: ReadNoise(), stuckCells: StuckCells(),
    drift: Drift(), sensing: Sensing(), converter: ConverterErrors(), wires: Wires())

  /// Whether no effect is on.
  public var isIdeal: Bool { Nonideality.allCases.allSatisfy { !isOn($0) } }
}

/// Resistances between which the levels of a cell lie.
public struct CellResistances: Hashable, Sendable {
  /// How levels lie between the lowest conductance and the highest one.
  public enum Spacing: String, Hashable, Sendable, CaseIterable {
    /// At equal steps of conductance.
    case conductance
    /// At equal steps of resistance.
    case resistance
    /// At equal ratios.
    case logarithm
  }

  /// Resistance of the highest level in ohm.
  public var onResistance = 10_000.0
  /// Resistance of level 0 in ohm; infinite where it passes no current.
  public var offResistance = Double.infinity
  /// How levels lie between them.
  public var spacing = Spacing.conductance

  /// Creates resistances without leakage.
  public init() {}

  /// The conductance of a level in siemens, the source of every current: `1 / onResistance` for `levels - 1`,
  /// `1 / offResistance` for 0, where a cell has `levels` levels. Spaces other than equal steps of conductance need a
  /// finite `offResistance`, else level 0 counts as 10^6 times `onResistance`.
  public func conductance(of level: Int, levels: Int) -> Double {
    let (on, off) = (1 / onResistance, 1 / offResistance)
    guard level > 0 else { return off }
    let share = Double(level) / Double(max(1, levels - 1))
    let leastOff = off > 0 ? off : on * 1e-6
    switch spacing {
    case .conductance: return off + share * (on - off)
    case .resistance: return 1 / (1 / leastOff + share * (onResistance - 1 / leastOff))
    case .logarithm: return leastOff * power(on / leastOff, share)
    }
  }

  /// What a level adds to the conductance in siemens: the unit of all currents.
  public func step(levels: Int) -> Double {
    (1 / onResistance - 1 / offResistance) / Double(max(1, levels - 1))
  }
}

/// How a programmed cell differs from its level.
public struct Variation: Hashable, Sendable {
  /// The distribution of programmed conductances.
  public enum Distribution: String, Hashable, Sendable, CaseIterable {
    /// `G * exp(-sigma * N)`, so that the resistance is lognormal and its median is that of the level.
    case lognormal
    /// `G * max(0, 1 + sigma * N)`.
    case normal
  }

  /// The distribution.
  public var distribution = Distribution.lognormal
  /// Sigma of the highest level; levels between have a sigma between.
  public var on = 0.0
  /// Sigma of level 0.
  public var off = 0.0

  /// No variation.
  public init() {}

  /// Sigma of a level of a cell with `levels` levels.
  public func sigma(of level: Int, levels: Int) -> Double {
    off + (on - off) * Double(level) / Double(max(1, levels - 1))
  }
}

/// How a cell differs from one access to the next.
public struct ReadNoise: Hashable, Sendable {
  /// Standard deviation of a cell's current relative to the current, drawn anew at every access.
  public var cell = 0.0

  /// No noise.
  public init() {}
}

/// Cells that cannot be programmed.
public struct StuckCells: Hashable, Sendable {
  /// Share of cells that hold the highest level, exactly.
  public var on = 0.0
  /// Share of cells that hold level 0, exactly.
  public var off = 0.0

  /// No stuck cells.
  public init() {}
}

/// How conductances fall with time: `G(t) = G * (t / t0)^-v` from t0 on, with v drawn for every cell from a normal
/// distribution; a v below 0 counts as 0, so that no conductance rises.
public struct Drift: Hashable, Sendable {
  /// Time since programming in seconds.
  public var seconds = 0.0
  /// Time t0 in seconds at which cells have their programmed conductances.
  public var referenceSeconds = 1.0
  /// Mean exponent of the highest level; levels between have one between.
  public var on = 0.0
  /// Mean exponent of level 0.
  public var off = 0.0
  /// Standard deviation of exponents from cell to cell.
  public var spread = 0.0

  /// No drift.
  public init() {}

  /// `ln(t / t0)`, and 0 up to t0.
  public var logarithm: Double {
    seconds > referenceSeconds ? naturalLogarithm(seconds / referenceSeconds) : 0
  }

  /// The mean exponent of a level of a cell with `levels` levels.
  public func exponent(of level: Int, levels: Int) -> Double {
    off + (on - off) * Double(level) / Double(max(1, levels - 1))
  }
}

/// What converters add to what they compare.
public struct ConverterErrors: Hashable, Sendable {
  /// Standard deviation of the offset of a converter in steps of its smallest sum.
  public var offset = 0.0
  /// Standard deviation of the relative gain error of a converter.
  public var gain = 0.0
  /// Standard deviation of the bow of a converter (its integral nonlinearity): the error in the middle of its range, in
  /// steps; the error is a parabola that is 0 at both ends.
  public var inl = 0.0
  /// Standard deviation of what is added to every conversion, in steps, drawn anew.
  public var noise = 0.0

  /// No errors.
  public init() {}
}
