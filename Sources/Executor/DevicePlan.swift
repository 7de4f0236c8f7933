public import DeviceModel
import Hardware
import Mapping
public import ProgramFormat
public import Support

/// A program prepared for trials on a device that is not ideal.
///
/// A trial programs all cells once and draws the errors of converters and bitlines; noise is drawn anew for every
/// conversion. All random numbers follow from the seed, the trial and where they are used, so that results do not
/// depend on threads or batches.
public struct DevicePlan: Sendable {
  /// The program.
  public let program: Program
  /// The device.
  public let device: Device
  /// Cells that are known to be stuck.
  public let faults: FaultMap
  /// How codes are found.
  public let mode: Mode
  private let plan: ExecutablePlan
  private let patterns: [[AnalogPattern]]
  private let tables: [LayerTable]

  /// How the codes of conversions are found.
  public enum Mode: String, Hashable, Sendable, CaseIterable {
    /// Currents of the programmed cells are summed and sensed, conversion by conversion.
    case direct
    /// Codes are drawn from an error table for each layer, so that cells are in effect programmed anew at every access.
    case table
  }

  /// Prepares `program` for `device`.
  ///
  /// Error tables are drawn with `seed`, from `tableSamples` units for each number of active wordlines.
  ///
  /// Throws what `validate(_:)` throws, `faults.range` for a stuck cell that the program does not have, `device.sum`
  /// where sums are too large for binary32, and `device.table` for what error tables cannot follow: wires, a fault map,
  /// analog pairs, composed bitlines and digits of more than a bit.
  public init(
    _ program: Program, device: Device, faults: FaultMap = FaultMap(), mode: Mode = .direct,
    tableSamples: Int = 32_000, seed: UInt64 = 0
  ) throws(Diagnostic) {
    plan = try ExecutablePlan(program, values: .elsewhere)
    try checkFaults(faults, program)
    self.program = program
    self.device = device
    self.faults = faults
    let levels = 1 << program.machine.array.cellBits
    let leakage = device.cell.conductance(of: 0, levels: levels) / device.cell.step(levels: levels)
    var patterns: [[AnalogPattern]] = []
    for layer in program.layers {
      patterns.append(
        try analogPatterns(layer, program, paired: device.sensing.pairs == .analog, leakage: leakage))
    }
    self.patterns = patterns
    self.mode = mode
    tables =
      mode == .direct
      ? [] : try layerTables(program, patterns, device, faults, samples: tableSamples, seed: seed)
  }

  /// Pairs of bitlines whose currents are subtracted before one conversion.
  public var pairs: Int {
    patterns.joined().reduce(0) { $0 + $1.strips.joined().count { $0.isPair } }
  }

  /// Programs the cells of a trial, on up to `threads` threads.
  public func program(seed: UInt64, trial: Int, threads: Int = 1) throws(Diagnostic) -> ProgrammedDevice {
    let programmer = DeviceProgrammer(
      program, device, faults, tables: tables, seed: seed, trial: trial)
    var layers: [ProgrammedLayer] = []
    for (index, patterns) in patterns.enumerated() {
      layers.append(try programmer.program(index, patterns, threads: threads))
    }
    return ProgrammedDevice(device: device, seed: seed, trial: trial, layers: layers, measures: false)
  }

  /// Runs `samples` samples in a trial that this plan programmed; the codes of the first `measured` samples are
  /// compared with those of an ideal device. Otherwise like `ExecutablePlan.run(inputs:samples:threads:progress:)`.
  public func run(
    _ trial: ProgrammedDevice, inputs: [[Float]], samples: Int, measured: Int = 0, threads: Int,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws(Diagnostic) -> RunResult {
    try plan.checkInputs(inputs, samples)
    let measured = max(0, min(measured, samples))
    let first = try plan.runParts(
      inputs, 0..<measured, threads: threads, on: trial.measuring(true), progress)
    let rest = try plan.runParts(
      inputs, measured..<samples, threads: threads, on: trial.measuring(false), progress)
    return plan.merge(first + rest, samples: samples)
  }
}

/// An error table for each layer: its converters, its highest unit, and the shares of the levels in its cells.
private func layerTables(
  _ program: Program, _ patterns: [[AnalogPattern]], _ device: Device, _ faults: FaultMap, samples: Int,
  seed: UInt64
) throws(Diagnostic) -> [LayerTable] {
  try checkTables(program, device, faults)
  return zip(program.layers, patterns).map { layer, patterns in
    let height = patterns.map { min($0.height, $0.map.rows.count) }.max() ?? 0
    return LayerTable(
      ErrorTable(
        device, shares: levelShares(layer, program), height: height,
        ladderHeight: patterns.map(\.height).max(), converter: layer.converter, samples: samples,
        seed: seed))
  }
}

private func checkTables(_ program: Program, _ device: Device, _ faults: FaultMap) throws(Diagnostic) {
  var reasons: [String] = []
  if device.isOn(.irDrop) { reasons.append("IR drop depends on a cell's place") }
  if device.isOn(.analogPairs) { reasons.append("pairs of bitlines are read as one") }
  if faults.count > 0 { reasons.append("a fault map names single cells") }
  if let layer = program.layers.first(where: { $0.bitlinesPerConversion > 1 }) {
    reasons.append("layer '\(layer.name)' composes bitlines")
  }
  if let layer = program.layers.first(where: { $0.dacBits > 1 }) {
    reasons.append("layer '\(layer.name)' has digits of \(layer.dacBits) bits")
  }
  guard let reason = reasons.first else { return }
  throw Diagnostic(
    "device.table", "an error table cannot follow this: \(reason)", notes: ["run in the mode 'direct'"])
}

/// The share of each level among the cells of a layer's blocks.
private func levelShares(_ layer: Layer, _ program: Program) -> [Double] {
  var counts = [Double](repeating: 0, count: 1 << program.machine.array.cellBits)
  for block in layer.blocks {
    let cells = program.crossbars[block.crossbar].cells
    for row in block.row..<block.row + block.rows.count {
      let first = row * program.machine.array.columns + block.column
      for place in first..<first + block.columns.count { counts[Int(cells[place])] += 1 }
    }
  }
  return counts
}

/// Throws `faults.range` where a stuck cell is none of the program's.
private func checkFaults(_ faults: FaultMap, _ program: Program) throws(Diagnostic) {
  let array = program.machine.array
  for (crossbar, cells) in faults.cells.sorted(by: { $0.key < $1.key }) {
    for cell in cells {
      guard program.crossbars.indices.contains(crossbar), (0..<array.rows).contains(cell.row),
        (0..<array.columns).contains(cell.column), (0..<1 << array.cellBits).contains(cell.level ?? 0)
      else {
        throw Diagnostic(
          "faults.range",
          "crossbar \(crossbar), row \(cell.row), column \(cell.column)"
            + (cell.level.map { ", level \($0)" } ?? "") + " is no cell of the program",
          notes: [
            "it has \(program.crossbars.count) crossbars of \(array.rows)x\(array.columns) cells with levels up to "
              + "\((1 << array.cellBits) - 1)"
          ])
      }
    }
  }
}
