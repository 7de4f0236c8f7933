public import Hardware

/// Energy in picojoules by component.
public struct EnergyBreakdown: Equatable, Sendable {
  /// Converters.
  public var adc = 0.0
  /// Wordline drivers.
  public var dac = 0.0
  /// Cells.
  public var array = 0.0
  /// Sample-and-hold circuits.
  public var sampleHold = 0.0
  /// Shift-and-add logic.
  public var shiftAdd = 0.0
  /// Input and output registers of compute units.
  public var registers = 0.0
  /// The tile's buffer.
  public var buffer = 0.0
  /// The bus between buffer and compute units.
  public var bus = 0.0
  /// Activation, requantization and pool units.
  public var digital = 0.0
  /// Memory outside of the chip.
  public var dram = 0.0
  /// Index tables.
  public var index = 0.0
  /// Writing of cells.
  public var write = 0.0

  /// No energy.
  public init() {}

  /// The components with their names, in the order of reports.
  public static var fields: [(name: String, path: WritableKeyPath<EnergyBreakdown, Double>)] {
    [
      ("adc", \.adc), ("dac", \.dac), ("array", \.array), ("sampleHold", \.sampleHold),
      ("shiftAdd", \.shiftAdd),
      ("registers", \.registers), ("buffer", \.buffer), ("bus", \.bus), ("digital", \.digital),
      ("dram", \.dram),
      ("index", \.index), ("write", \.write),
    ]
  }

  /// The sum of all components.
  public var total: Double { EnergyBreakdown.fields.reduce(0) { $0 + self[keyPath: $1.path] } }

  /// Adds `b` component by component.
  public static func += (a: inout EnergyBreakdown, b: EnergyBreakdown) {
    for field in fields { a[keyPath: field.path] += b[keyPath: field.path] }
  }
}

/// What events cost.
public struct Cost: Equatable, Sendable {
  /// Energy by component.
  public var energyPicojoules = EnergyBreakdown()
  /// Time of the crossbars' cycles, of the clocks of layers whose fetches are planned, and of writing; digital
  /// operators are taken to keep pace with them.
  public var latencyNanoseconds = 0.0
  /// Whether cells were written on a machine that does not tell what this takes, so that energy and time leave it out.
  public var omitsWriting = false

  /// No cost.
  public init() {}

  /// Adds `b`.
  public static func += (a: inout Cost, b: Cost) {
    a.energyPicojoules += b.energyPicojoules
    a.latencyNanoseconds += b.latencyNanoseconds
    a.omitsWriting = a.omitsWriting || b.omitsWriting
  }
}

/// The cost of `events` by the machine's tables: a linear map, so that tables can be changed and applied to events
/// that were counted before. Spec: ir-spec.md, *Time and energy*.
///
/// `adcBits` is the resolution of the layer's converters. Where it is not the machine's, the energy of a conversion is
/// scaled by `(2^b / (b + 1)) / (2^B / (B + 1))`, the rule of the PP_sim simulator (github.com/WaitingLin/PP_sim), by
/// which an 8-bit converter of 2 mW becomes a 6-bit one of 0.643 mW. The amplifier that sums composed bitlines costs
/// nothing, as no source gives it an energy. Values in input registers are written once for
/// each position and read once for each drive; a graph element in memory outside of the chip has the width of the
/// machine's inputs.
public func cost(of events: Events, machine: Machine, adcBits: Int? = nil) -> Cost {
  let table = machine.energy
  func times(_ count: Int, _ energy: Double) -> Double { Double(count) * energy }
  let width = Double(machine.operands.inputBits)
  var cost = Cost()
  var energy = EnergyBreakdown()
  energy.adc =
    times(events.adcConversions, table.adcConversion)
    * converterScale(from: machine.array.adcBits, to: adcBits ?? machine.array.adcBits)
  energy.dac = times(events.wordlineDrives, table.wordlineDrive)
  energy.array = times(events.cellReads, table.cellRead)
  energy.sampleHold = times(events.adcConversions, table.sampleHold)
  energy.shiftAdd = times(events.shiftAdds, table.shiftAdd)
  energy.registers =
    times(events.inputFetches.buffer &+ events.wordlineDrives, table.inputRegister)
    + times(events.shiftAdds, table.outputRegister)
  energy.buffer = times(events.bufferBits, table.bufferBit)
  energy.bus = times(events.inputFetches.buffer &+ events.outputWrites, table.busValue)
  energy.digital = times(events.activations, table.activation) + times(events.poolComparisons, table.pool)
  energy.dram =
    times(events.inputFetches.dram, table.dramReadBit * width)
    + times(events.dramWrites, table.dramWriteBit * width)
  energy.index = times(events.indexBits, table.indexBit)
  if let writing = machine.writing {
    energy.write = times(events.cellWrites, writing.cellPicojoules)
  } else {
    cost.omitsWriting = events.cellWrites > 0
  }
  cost.energyPicojoules = energy
  cost.latencyNanoseconds =
    times(events.cycles, machine.timing.cycleNanoseconds)
    + times(events.clocks, machine.memory?.clockNanoseconds ?? 0)
    + times(events.writeSteps, machine.writing?.wordlineNanoseconds ?? 0)
  return cost
}

/// The energy of a conversion of `to` bits relative to one of `from` bits.
func converterScale(from: Int, to: Int) -> Double {
  guard from != to else { return 1 }
  func power(_ bits: Int) -> Double { Double(sign: .plus, exponent: bits, significand: 1) / Double(bits + 1) }
  return power(to) / power(from)
}
