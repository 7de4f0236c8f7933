/// The memories that feed the crossbars and the clock that they run by. A part of `Machine` where the source of the
/// target gives them.
///
/// Values come from memory outside of the chip into the SRAM, from there into an input buffer, where they are checked,
/// and from the buffer to the wordlines. Source of the structure: Ji et al., "ReCom", DATE'18.
public struct MemorySystem: Equatable, Sendable {
  /// The clock of buffers and memories, in megahertz.
  public var clockMegahertz: Double
  /// Size of the SRAM, in bytes.
  public var sramBytes: Int
  /// Size of an input buffer, in bytes.
  public var bufferBytes: Int
  /// Time of an access to the memory outside of the chip, in nanoseconds.
  public var dramLatencyNanoseconds: Double
  /// Values that enter an input buffer and are checked in a clock.
  public var valuesPerClock: Int

  /// Creates a description.
  public init(
    clockMegahertz: Double, sramBytes: Int, bufferBytes: Int, dramLatencyNanoseconds: Double,
    valuesPerClock: Int
  ) {
    self.clockMegahertz = clockMegahertz
    self.sramBytes = sramBytes
    self.bufferBytes = bufferBytes
    self.dramLatencyNanoseconds = dramLatencyNanoseconds
    self.valuesPerClock = valuesPerClock
  }

  /// Length of a clock, in nanoseconds.
  public var clockNanoseconds: Double { 1000 / clockMegahertz }

  /// The clocks in which `nanoseconds`, from 0 up, are over; at most 2^62.
  public func clocks(in nanoseconds: Double) -> Int {
    Int(min((nanoseconds / clockNanoseconds).rounded(.up), 0x1p62))
  }

  /// The smallest numbers, for a file to be read into.
  static var blank: MemorySystem {
    MemorySystem(
      clockMegahertz: 1, sramBytes: 1, bufferBytes: 1, dramLatencyNanoseconds: 0, valuesPerClock: 1)
  }
}

extension MemorySystem: CustomStringConvertible {
  /// One line, such as `1200.0 MHz, SRAM of 131072 bytes, buffers of 256 bytes, DRAM in 15.0 ns, 1 value per clock`.
  public var description: String {
    "\(clockMegahertz) MHz, SRAM of \(sramBytes) bytes, buffers of \(bufferBytes) bytes, DRAM in "
      + "\(dramLatencyNanoseconds) ns, \(valuesPerClock) \(valuesPerClock == 1 ? "value" : "values") per clock"
  }
}

extension Machine {
  /// The memories for reading and writing by field: those of the machine, or blank ones that it does not have yet.
  var memoryFigures: MemorySystem {
    get { memory ?? .blank }
    set { memory = newValue }
  }
}
