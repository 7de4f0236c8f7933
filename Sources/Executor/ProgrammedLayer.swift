import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import Support

/// A trial of a device: cells as they were programmed, and converters with their errors.
public struct ProgrammedDevice: Sendable {
  let device: Device
  let seed: UInt64
  let trial: Int
  let layers: [ProgrammedLayer]
  /// Whether codes are compared with those of an ideal device.
  let measures: Bool

  /// The same with codes compared, or not, with those of an ideal device.
  public func measuring(_ measures: Bool) -> ProgrammedDevice {
    ProgrammedDevice(device: device, seed: seed, trial: trial, layers: layers, measures: measures)
  }
}

/// A layer's cells and converters in a trial.
struct ProgrammedLayer: Sendable {
  /// Where codes are drawn from; nil where currents are sensed.
  let table: LayerTable?
  /// Patterns with their strips, numbered over the whole layer.
  let patterns: [(pattern: AnalogPattern, strips: [ProgrammedStrip])]
}

/// An error table as kernels take it.
struct LayerTable: Sendable {
  let starts: [UInt32]
  let entries: [xbar_table_entry]
  /// The first two entries of all sums, where kernels look first.
  let likely: [UInt32]
  /// Sums for each number of active wordlines.
  let sums: Int
  let seesEmptyUnits: Bool

  init(_ table: ErrorTable) {
    starts = table.starts
    entries = table.entries.map { xbar_table_entry(bound: $0.bound, code: $0.code) }
    sums = table.height * table.highestLevel + 1
    likely = LayerTable.likely(table, 0) + LayerTable.likely(table, 1)
    seesEmptyUnits = table.seesEmptyUnits
  }

  /// Entry number `number` of each sum as `bound | code - sum + 512`; 0 for none, and for the last ones, which all
  /// words lead to, the largest bound.
  private static func likely(_ table: ErrorTable, _ number: Int) -> [UInt32] {
    let sums = table.height * table.highestLevel + 1
    return (0..<(table.height + 1) * sums).map { place in
      let index = Int(table.starts[place]) + number
      guard index < Int(table.starts[place + 1]) else { return 0 }
      let entry = table.entries[index]
      let difference = Int(entry.code) - place % sums + 512
      return (0...1023).contains(difference) ? entry.bound & ~1023 | UInt32(difference) : 0
    }
  }
}

/// Up to 64 bitlines with the currents that their cells pass.
struct ProgrammedStrip: Sendable {
  /// The strip's number in its layer.
  let number: Int
  /// Bitlines, filled up to a multiple of 16.
  let width: Int
  /// `[wordlines][width]`: what a digit of 1 passes, in steps of a level.
  let cells: [Float]
  /// The sums of the squares of what cells pass; empty where that does not matter.
  let squares: [Float]
  /// The levels of an ideal device.
  let levels: [Float]
  let lines: [SenseLine]
  /// The lines' properties as kernels take them.
  let properties: [Float]
  let outputs: [UInt32]
  let weights: [Int64]
  /// Whether units without a digit other than 0 are converted too.
  let convertsAll: Bool
}

/// Programs the layers of a trial.
struct DeviceProgrammer: Sendable {
  let program: Program
  let device: Device
  let faults: FaultMap
  /// For each layer, where codes are drawn from; empty where currents are sensed.
  let tables: [LayerTable]
  private let cells: CellProgrammer
  private let errors: SenseErrors

  init(
    _ program: Program, _ device: Device, _ faults: FaultMap, tables: [LayerTable] = [], seed: UInt64,
    trial: Int
  ) {
    self.program = program
    self.tables = tables
    self.device = device
    self.faults = faults
    let device = tables.isEmpty ? device : .ideal
    cells = CellProgrammer(device, levels: 1 << program.machine.array.cellBits, seed: seed, trial: trial)
    errors = SenseErrors(device, seed: seed, trial: trial)
  }

  private var array: ArrayDescription { program.machine.array }

  /// What the cells of a crossbar pass: as programmed, stuck and drifted, with IR drop and at the voltages of their
  /// bitlines.
  func currents(_ crossbar: Int) -> [Float] {
    var values = cells.conductances(program.crossbars[crossbar].cells, crossbar: crossbar)
    for cell in faults.cells[crossbar] ?? [] {
      let level = min(cell.level ?? .max, cells.nominal.count - 1)
      values[cell.row * array.columns + cell.column] = cells.nominal[level]
    }
    if device.isOn(.irDrop) { values = withIRDrop(values) }
    let factors = errors.clampFactors(of: crossbar, count: array.columns)
    for index in values.indices { values[index] *= factors[index % array.columns] }
    return values
  }

  /// The same where wires have resistance.
  private func withIRDrop(_ currents: [Float]) -> [Float] {
    let step = device.cell.step(levels: 1 << array.cellBits)
    return conductancesWithIRDrop(
      currents.map { Double($0) * step }, rows: array.rows, columns: array.columns, wires: device.wires
    ).map { Float($0 / step) }
  }

  /// Programs a layer, its crossbars on up to `threads` threads.
  func program(_ index: Int, _ patterns: [AnalogPattern], threads: Int) throws(Diagnostic) -> ProgrammedLayer
  {
    let layer = program.layers[index]
    let table = tables.isEmpty ? nil : tables[index]
    let numbers = crossbarPlaces(layer, program).keys.sorted()
    let count = max(1, Int(program.machine.area.adcsPerCrossbar.rounded()))
    let draws = try parallelMap(numbers.count, threads: threads) { index throws(Diagnostic) in
      CrossbarDraw(
        currents: currents(numbers[index]), converters: errors.converters(of: numbers[index], count: count))
    }
    let crossbars = Dictionary(uniqueKeysWithValues: zip(numbers, draws))
    var number = 0
    return ProgrammedLayer(
      table: table,
      patterns: patterns.map { pattern in
        let strips = pattern.strips.map { bitlines in
          defer { number += 1 }
          return strip(bitlines, number, pattern, layer, crossbars, table)
        }
        return (pattern, strips)
      })
  }

  private func strip(
    _ bitlines: [AnalogBitline], _ number: Int, _ pattern: AnalogPattern, _ layer: Layer,
    _ crossbars: [Int: CrossbarDraw], _ table: LayerTable?
  ) -> ProgrammedStrip {
    let width = (bitlines.count + 15) / 16 * 16
    let rows = pattern.map.rows.count
    let needsSquares = table == nil && device.isOn(.readNoise)
    var cells = [Float](repeating: 0, count: rows * width)
    var levels = cells
    var squares = needsSquares ? cells : []
    for (lane, bitline) in bitlines.enumerated() {
      for member in bitline.members {
        let block = layer.blocks[member.block]
        guard let draw = crossbars[block.crossbar] else { continue }
        let corner = block.row * array.columns + block.column + member.place
        for row in 0..<rows {
          let source = corner + row * array.columns
          let current = member.weight * draw.currents[source]
          cells[row * width + lane] += current
          if needsSquares { squares[row * width + lane] += current * current }
          levels[row * width + lane] += member.weight * Float(program.crossbars[block.crossbar].cells[source])
        }
      }
    }
    let lines = bitlines.map { line(of: $0, pattern, layer, crossbars) }
    return ProgrammedStrip(
      number: number, width: width, cells: cells, squares: squares, levels: levels, lines: lines,
      properties: properties(of: lines, width: width),
      outputs: bitlines.map { UInt32(truncatingIfNeeded: $0.output) },
      weights: bitlines.map(\.weight),
      convertsAll: pattern.map.units.isFixed
        && (table?.seesEmptyUnits ?? lines.contains(where: \.seesEmptyUnits)))
  }

  private func line(
    of bitline: AnalogBitline, _ pattern: AnalogPattern, _ layer: Layer, _ crossbars: [Int: CrossbarDraw]
  ) -> SenseLine {
    let member = bitline.members[0]
    let block = layer.blocks[member.block]
    let converters = crossbars[block.crossbar]?.converters ?? [ConverterDraw()]
    let place = (block.column + member.place) * converters.count / array.columns
    let weight = bitline.isPair ? 1 : bitline.members.reduce(0) { $0 + Int($1.weight) }
    return SenseLine(
      tables.isEmpty ? device : .ideal, levels: 1 << array.cellBits, weight: weight, height: pattern.height,
      converter: layer.converter,
      paired: bitline.isPair, errors: converters[min(place, converters.count - 1)])
  }
}

/// One array after the other, in the order of `XBAR_PROPERTIES`, each filled up to `width`.
private func properties(of lines: [SenseLine], width: Int) -> [Float] {
  let paths: [KeyPath<SenseLine, Float>] = [
    \.first, \.leak, \.second, \.gain, \.offset, \.bow, \.cellVariance,
  ]
  let rest = [Float](repeating: 0, count: width - lines.count)
  return paths.flatMap { path in lines.map { $0[keyPath: path] } + rest } + lines.map { _ in 1 } + rest
}

/// What was drawn for a crossbar.
private struct CrossbarDraw: Sendable {
  let currents: [Float]
  let converters: [ConverterDraw]
}
