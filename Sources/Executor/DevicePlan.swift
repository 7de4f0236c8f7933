public import DeviceModel
import Hardware
public import ProgramFormat
public import Support

/// A program prepared for trials on a device that is not ideal.
///
/// A trial programs all cells once and draws the errors of converters and bitlines; noise is drawn anew for every
/// conversion. All random numbers follow from the seed, the trial and where they are used, so that results do not depend
/// on threads or batches.
public struct DevicePlan: Sendable {
  /// The program.
  public let program: Program
  /// The device.
  public let device: Device
  /// Cells that are known to be stuck.
  public let faults: FaultMap
  private let plan: ExecutablePlan
  private let patterns: [[AnalogPattern]]

  /// Prepares `program` for `device`.
  ///
  /// Throws what `validate(_:)` throws, `faults.range` for a stuck cell that the program does not have, and `device.sum`
  /// where sums are too large for binary32.
  public init(_ program: Program, device: Device, faults: FaultMap = FaultMap()) throws(Diagnostic) {
    plan = try ExecutablePlan(program, valuesElsewhere: true)
    try checkFaults(faults, program)
    self.program = program
    self.device = device
    self.faults = faults
    var patterns: [[AnalogPattern]] = []
    for layer in program.layers {
      patterns.append(try analogPatterns(layer, program, paired: device.sensing.pairs == .analog))
    }
    self.patterns = patterns
  }

  /// Programs the cells of a trial.
  public func program(seed: UInt64, trial: Int) -> ProgrammedDevice {
    let programmer = DeviceProgrammer(program, device, faults, seed: seed, trial: trial)
    return ProgrammedDevice(
      device: device, seed: seed, trial: trial,
      layers: zip(program.layers, patterns).map { programmer.program($0, $1) }, measures: false)
  }

  /// Runs `samples` samples in a trial that this plan programmed; the codes of the first `measured` samples are compared
  /// with those of an ideal device. Otherwise like `ExecutablePlan.run(inputs:samples:threads:progress:)`.
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
