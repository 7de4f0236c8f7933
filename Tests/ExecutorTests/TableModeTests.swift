import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Tensors
import Testing

@testable import Executor

/// Codes drawn from error tables and codes of sensed currents, for one unit whose inputs and cells are known.
@Suite struct TableModeTests {
  /// A program of one unit of 9 wordlines and 64 bitlines, each an output of its own, so that outputs are codes.
  private static func program(cellBits: Int, _ random: inout SeededGenerator) -> Program {
    var machine = sampleMachine(
      rows: 9, columns: 64, cellBits: cellBits, unitHeight: 9, unitWidth: 64, adcBits: 5)
    machine.area.adcsPerCrossbar = 64
    let block = Block(
      crossbar: 0, row: 0, column: 0, rows: (0..<9).map { RowEntry(input: $0) },
      columns: (0..<64).map { ColumnEntry(output: $0, shift: 0) }, units: .fixed(height: 9, width: 64))
    let layer = Layer(
      name: "unit", inputs: 9, outputs: 64, inputBits: 1, inputSigned: false, dacBits: 1, adcBits: 5,
      offset: 0,
      blocks: [])
    let cells = (0..<576).map { _ in UInt8(random.below(1 << cellBits)) }
    return LayerCase.program(
      machine, [Crossbar(cells: cells)], layer, [block], .integer(bits: 1, signed: false), rows: 1)
  }

  /// For each number of active wordlines and each sum, how often each code was seen in `trials` trials.
  private static func histograms(
    _ program: Program, _ plan: DevicePlan, trials: Range<Int>, _ random: inout SeededGenerator
  ) throws -> [[Int]: [Int]] {
    var counts: [[Int]: [Int]] = [:]
    let cells = program.crossbars[0].cells
    for trial in trials {
      let input = (0..<9).map { _ in Float(random.below(2)) }
      let result = try plan.run(
        plan.program(seed: 5, trial: trial), inputs: [input], samples: 1, threads: 1)
      let active = input.count { $0 == 1 }
      for bitline in 0..<64 {
        let sum = (0..<9).reduce(0) { $0 + Int(input[$1]) * Int(cells[$1 * 64 + bitline]) }
        counts[[active, sum], default: [Int](repeating: 0, count: 32)][Int(result.outputs[0][bitline])] += 1
      }
    }
    return counts
  }

  @Test(arguments: [
    ("ratio10", 1, "input-aware"), ("ratio10", 1, "fixed"), ("ratio6", 1, "input-aware"),
    ("ratio50-fine", 2, "input-aware"), ("issc18", 1, "input-aware"), ("dlrsim", 2, "fixed"),
  ])
  func tablesAgreeWithCurrents(_ name: String, _ cellBits: Int, _ references: String) throws {
    var random = SeededGenerator(seed: 11)
    let program = Self.program(cellBits: cellBits, &random)
    let device = try Device.file(named: name).device.setting("sensing.references", to: references)
      .setting("readNoise.cell", to: "0.05")
    let direct = try DevicePlan(program, device: device)
    let table = try DevicePlan(program, device: device, mode: .table, seed: 9)
    let seen = try Self.histograms(program, direct, trials: 0..<2500, &random)
    let drawn = try Self.histograms(program, table, trials: 0..<2500, &random)
    var (tests, smallest, wrong) = (0, 1.0, 0)
    for (key, counts) in seen.sorted(by: { ($0.key[0], $0.key[1]) < ($1.key[0], $1.key[1]) }) {
      wrong += counts.reduce(0, +) - counts[min(key[1], 31)]
      guard let others = drawn[key], counts.reduce(0, +) > 500, others.reduce(0, +) > 500 else { continue }
      let test = ChiSquareTest(counts, others)
      if test.degreesOfFreedom == 0 { continue }
      tests += 1
      smallest = min(smallest, test.pValue)
      #expect(test.pValue > 1e-5, "active \(key[0]), sum \(key[1]): \(counts) and \(others)")
    }
    #expect(tests > 5 && wrong > 500, "\(tests) tests, \(wrong) wrong codes, smallest p \(smallest)")
  }

  @Test func whatTablesCannotFollowIsRefused() throws {
    var random = SeededGenerator(seed: 12)
    let program = Self.program(cellBits: 1, &random)
    let device = try Device.file(named: "ratio10").device
    var faults = FaultMap()
    faults.add(FaultMap.Cell(row: 0, column: 0, level: 0), crossbar: 0)
    let wired = try device.setting("wires.bitlineOhms", to: "1")
    let paired = try device.setting("sensing.pairs", to: "analog")
    for (device, faults) in [(device, faults), (wired, FaultMap()), (paired, FaultMap())] {
      #expect(throws: Diagnostic.self) {
        _ = try DevicePlan(program, device: device, faults: faults, mode: .table)
      }
    }
  }
}
