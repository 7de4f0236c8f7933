import Support

/// The machine that a program is compiled for: sizes, widths, hierarchy, timing and component costs. Data only.
public struct Machine: Equatable, Sendable {
  /// The name of the target, such as `sre`.
  public var name: String
  /// What it stands for, with its source.
  public var summary: String
  /// The array and its converters.
  public var array: ArrayDescription
  /// Widths of the operands as published; the defaults of `quantize`.
  public var operands: OperandWidths
  /// How crossbars are grouped.
  public var hierarchy: Hierarchy
  /// Time.
  public var timing: Timing
  /// Energy per event.
  public var energy: EnergyTable
  /// Silicon area per component.
  public var area: AreaTable
  /// Memories and their clock; nil where the source gives none.
  public var memory: MemorySystem?
  /// What it takes to write cells; nil where no source gives it.
  public var writing: WriteFigures?

  /// Creates a machine.
  public init(
    name: String, summary: String, array: ArrayDescription, operands: OperandWidths, hierarchy: Hierarchy,
    timing: Timing, energy: EnergyTable, area: AreaTable, memory: MemorySystem? = nil,
    writing: WriteFigures? = nil
  ) {
    self.name = name
    self.summary = summary
    self.array = array
    self.operands = operands
    self.hierarchy = hierarchy
    self.timing = timing
    self.energy = energy
    self.area = area
    self.memory = memory
    self.writing = writing
  }
}

/// A crossbar with its drivers and converters.
public struct ArrayDescription: Equatable, Sendable {
  /// Wordlines of a crossbar, 1 ... 4096.
  public var rows: Int
  /// Bitlines of a crossbar, 1 ... 4096.
  public var columns: Int
  /// Bits of a cell, 1 ... 8.
  public var cellBits: Int
  /// Wordlines of an operation unit; the crossbar's rows for a whole-array design.
  public var unitHeight: Int
  /// Bitlines of an operation unit.
  public var unitWidth: Int
  /// Bits that a wordline driver presents at once, 1 ... 8.
  public var dacBits: Int
  /// Resolution of the converters, 1 ... 16.
  public var adcBits: Int

  /// Creates a description.
  public init(
    rows: Int, columns: Int, cellBits: Int, unitHeight: Int, unitWidth: Int, dacBits: Int, adcBits: Int
  ) {
    self.rows = rows
    self.columns = columns
    self.cellBits = cellBits
    self.unitHeight = unitHeight
    self.unitWidth = unitWidth
    self.dacBits = dacBits
    self.adcBits = adcBits
  }
}

/// Widths of weights and inputs, in bits.
public struct OperandWidths: Equatable, Sendable {
  /// Bits of a weight, sign included.
  public var weightBits: Int
  /// Bits of an input.
  public var inputBits: Int

  /// Creates widths.
  public init(weightBits: Int, inputBits: Int) {
    self.weightBits = weightBits
    self.inputBits = inputBits
  }
}

/// How crossbars form compute units, these tiles, these the chip.
public struct Hierarchy: Equatable, Sendable {
  /// Crossbars of a compute unit.
  public var crossbarsPerComputeUnit: Int
  /// Compute units of a tile.
  public var computeUnitsPerTile: Int
  /// Tiles of the chip; 0 where the source gives no number (then there is no limit).
  public var tiles: Int

  /// Creates a hierarchy.
  public init(crossbarsPerComputeUnit: Int, computeUnitsPerTile: Int, tiles: Int) {
    self.crossbarsPerComputeUnit = crossbarsPerComputeUnit
    self.computeUnitsPerTile = computeUnitsPerTile
    self.tiles = tiles
  }
}

/// Time of a step.
public struct Timing: Equatable, Sendable {
  /// Time of one operation-unit activation with its conversions, in nanoseconds.
  public var cycleNanoseconds: Double
  /// Cycles that a position needs beyond its activations, to fill and drain the pipeline.
  public var pipelineCycles: Int

  /// Creates a timing.
  public init(cycleNanoseconds: Double, pipelineCycles: Int) {
    self.cycleNanoseconds = cycleNanoseconds
    self.pipelineCycles = pipelineCycles
  }
}

extension Hierarchy {
  /// How many crossbars the chip has; nil where there is no limit.
  public var crossbars: Int? {
    tiles > 0 ? checkedProduct([tiles, computeUnitsPerTile, crossbarsPerComputeUnit]) : nil
  }
}

extension Machine {
  /// The silicon area of `crossbars` crossbars with their drivers and converters, and of the compute units and tiles
  /// that they take, in square micrometers.
  public func area(crossbars: Int) -> Double {
    let perCrossbar =
      area.crossbar + area.adc * area.adcsPerCrossbar + area.dac * Double(array.rows)
      + area.sampleHold * Double(array.columns) + area.shiftAdd
    let units = (crossbars + hierarchy.crossbarsPerComputeUnit - 1) / hierarchy.crossbarsPerComputeUnit
    let tiles = (units + hierarchy.computeUnitsPerTile - 1) / hierarchy.computeUnitsPerTile
    return Double(crossbars) * perCrossbar + Double(units) * area.registers + Double(tiles)
      * area.tileOverhead
  }
}

/// Energy per event in picojoules.
public struct EnergyTable: Equatable, Sendable {
  /// One conversion at the array's resolution.
  public var adcConversion: Double
  /// One wordline driven with a digit other than 0.
  public var wordlineDrive: Double
  /// One cell on an active wordline and a converted bitline.
  public var cellRead: Double
  /// One bitline held for conversion.
  public var sampleHold: Double
  /// One shift and add of a conversion's result.
  public var shiftAdd: Double
  /// One value written to or read from a compute unit's input register.
  public var inputRegister: Double
  /// One value written to or read from a compute unit's output register.
  public var outputRegister: Double
  /// One bit read from or written to the tile's buffer (eDRAM or SRAM).
  public var bufferBit: Double
  /// One value on the bus between buffer and compute unit.
  public var busValue: Double
  /// One value through the activation or requantization unit.
  public var activation: Double
  /// One value compared in a max-pool unit.
  public var pool: Double
  /// One 32-bit flit through a router.
  public var routerFlit: Double
  /// One bit read from memory outside of the chip.
  public var dramReadBit: Double
  /// One bit written to memory outside of the chip.
  public var dramWriteBit: Double
  /// One bit of an index table read.
  public var indexBit: Double

  /// Field names, in the order of the declaration, with the place of each.
  public static var fields: [(name: String, path: WritableKeyPath<EnergyTable, Double>)] {
    [
      ("adcConversion", \.adcConversion), ("wordlineDrive", \.wordlineDrive), ("cellRead", \.cellRead),
      ("sampleHold", \.sampleHold), ("shiftAdd", \.shiftAdd), ("inputRegister", \.inputRegister),
      ("outputRegister", \.outputRegister), ("bufferBit", \.bufferBit), ("busValue", \.busValue),
      ("activation", \.activation), ("pool", \.pool), ("routerFlit", \.routerFlit),
      ("dramReadBit", \.dramReadBit), ("dramWriteBit", \.dramWriteBit), ("indexBit", \.indexBit),
    ]
  }

  /// A table of zeros.
  public init() {
    adcConversion = 0
    wordlineDrive = 0
    cellRead = 0
    sampleHold = 0
    shiftAdd = 0
    inputRegister = 0
    outputRegister = 0
    bufferBit = 0
    busValue = 0
    activation = 0
    pool = 0
    routerFlit = 0
    dramReadBit = 0
    dramWriteBit = 0
    indexBit = 0
  }
}

/// Silicon area per component in square micrometers; 0 where the source gives none.
public struct AreaTable: Equatable, Sendable {
  /// One crossbar with its cells.
  public var crossbar: Double
  /// One converter.
  public var adc: Double
  /// How many converters serve a crossbar.
  public var adcsPerCrossbar: Double
  /// One wordline driver.
  public var dac: Double
  /// One sample-and-hold circuit.
  public var sampleHold: Double
  /// Shift-and-add logic of a crossbar.
  public var shiftAdd: Double
  /// Registers of a compute unit.
  public var registers: Double
  /// The rest of a tile: buffer, bus, activation, router.
  public var tileOverhead: Double

  /// Field names, in the order of the declaration, with the place of each.
  public static var fields: [(name: String, path: WritableKeyPath<AreaTable, Double>)] {
    [
      ("crossbar", \.crossbar), ("adc", \.adc), ("adcsPerCrossbar", \.adcsPerCrossbar), ("dac", \.dac),
      ("sampleHold", \.sampleHold), ("shiftAdd", \.shiftAdd), ("registers", \.registers),
      ("tileOverhead", \.tileOverhead),
    ]
  }

  /// A table of zeros.
  public init() {
    crossbar = 0
    adc = 0
    adcsPerCrossbar = 0
    dac = 0
    sampleHold = 0
    shiftAdd = 0
    registers = 0
    tileOverhead = 0
  }
}
