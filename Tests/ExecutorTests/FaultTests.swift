import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Tensors
import Testing

@testable import Executor

/// Stuck cells change what the arithmetic says they change, and nothing else.
@Suite struct FaultTests {
  /// A random layer, with converters of 16 bits that no sum saturates; nil where sums are larger.
  private func sample(_ seed: Int) -> (program: Program, inputs: [[Float]])? {
    let sample = LayerCase(seed: UInt64(seed))
    var program = sample.program
    guard !program.crossbars.isEmpty else { return nil }
    program.layers[0].readout?.adcBits = 16
    program.layers[0].readout?.fullScale = nil
    let layer = program.layers[0]
    let largest = program.blocks.map { block in
      let count = layer.bitlinesPerConversion
      let weights = block.columns.indices.map {
        1 << (block.columns[$0].shift - block.columns[$0 - $0 % count].shift)
      }
      let group = stride(from: 0, to: weights.count, by: count).map {
        weights[$0..<$0 + count].reduce(0, +)
      }
      return block.formedUnits.height * (1 << layer.dacBits - 1) * (1 << program.machine.array.cellBits - 1)
        * (group.max() ?? 1)
    }
    return (largest.max() ?? 0) <= 65_535 ? (program, sample.inputs) : nil
  }

  /// Stuck cells at distinct places.
  private func faults(_ program: Program, count: Int, _ random: inout SeededGenerator) -> FaultMap {
    var (map, seen) = (FaultMap(), Set<[Int]>())
    let array = program.machine.array
    for _ in 0..<count {
      // Mostly cells of blocks, as the others change nothing.
      var place = [
        random.below(program.crossbars.count), random.below(array.rows), random.below(array.columns),
      ]
      if let block = program.blocks.randomElement(using: &random), random.chance(0.9) {
        place = [
          block.crossbar, block.row + random.below(block.rows.count),
          block.column + random.below(block.columns.count),
        ]
      }
      guard seen.insert(place).inserted else { continue }
      let level = random.chance(0.4) ? nil : random.chance(0.5) ? 0 : random.below(1 << array.cellBits)
      map.add(FaultMap.Cell(row: place[1], column: place[2], level: level), crossbar: place[0])
    }
    return map
  }

  @Test func changesAreThoseOfTheCells() throws {
    var (changed, wrong, kept) = (0, 0, 0)
    for seed in 0..<400 {
      guard let sample = sample(seed) else { continue }
      var random = SeededGenerator(seed: UInt64(seed) + 900)
      let map = faults(sample.program, count: 1 + seed % 20, &random)
      let inputs = sample.inputs.flatMap { $0 }
      let healthy = try ExecutablePlan(sample.program).run(
        inputs: [inputs], samples: sample.inputs.count, threads: 1)
      let prediction = FaultPrediction(sample.program, map, inputs)
      let plan = try DevicePlan(sample.program, device: .ideal, faults: map)
      let result = try plan.run(
        plan.program(seed: 1, trial: 0), inputs: [inputs], samples: sample.inputs.count,
        measured: sample.inputs.count, threads: 1)
      #expect(healthy.outputs[0] == prediction.outputs.map { Float($0) }, "seed \(seed)")
      let expected = zip(prediction.outputs, prediction.changes).map { Float($0 + $1) }
      #expect(result.outputs[0] == expected, "seed \(seed)")
      let errors = result.layers[0].partialSums
      #expect(errors.wrong == prediction.errors.wrong, "seed \(seed)")
      #expect(errors.error == prediction.errors.error && errors.squareError == prediction.errors.squareError)
      #expect(result.total.adcSaturations == 0)
      changed += prediction.changes.count { $0 != 0 }
      kept += prediction.changes.count { $0 == 0 }
      wrong += errors.wrong
    }
    #expect(changed > 2000 && wrong > 5000 && kept > 1000, "\(changed) \(wrong) \(kept)")
  }

  /// A stuck cell of a known layer: one wordline of input 3 at bit 1 of a digit, one bitline of weight 4.
  @Test func oneCellByHand() throws {
    let array = sampleMachine(rows: 2, columns: 2)
    let block = Block(
      crossbar: 0, row: 0, column: 0, rows: [RowEntry(input: 0), RowEntry(input: 1)],
      columns: [ColumnEntry(output: 0, shift: 0), ColumnEntry(output: 0, shift: 2, negative: true)],
      units: .fixed(height: 2, width: 2))
    let layer = Layer(
      name: "hand", inputs: 2, outputs: 1, inputBits: 3, inputSigned: false, dacBits: 1, adcBits: 6,
      offset: 0,
      blocks: [])
    let program = LayerCase.program(
      array, [Crossbar(cells: [1, 2, 3, 0])], layer, [block], .integer(bits: 3, signed: false), rows: 1)
    func run(_ faults: String) throws -> RunResult {
      let plan = try DevicePlan(
        program, device: .ideal, faults: FaultMap(csv: Array(faults.utf8), file: "x"))
      return try plan.run(
        plan.program(seed: 1, trial: 0), inputs: [[5, 3]], samples: 1, measured: 1, threads: 1)
    }
    // 5 * (1 - 4 * 2) + 3 * (3 - 4 * 0)
    #expect(try run("").outputs[0] == [-26])
    // The second wordline's second cell holds 3 for 0: -3 * 4 * 3 more, in two of the digits.
    let stuck = try run("0,1,1,on")
    #expect(stuck.outputs[0] == [-62] && stuck.layers[0].partialSums.wrong == 2)
    #expect(stuck.layers[0].partialSums.error == 6 && stuck.layers[0].partialSums.squareError == 18)
    // Three digits of two bitlines; the empty unit of a digit would give 0 as well.
    #expect(stuck.layers[0].partialSums.compared == 6)
    #expect(try run("0,0,1,off").outputs[0] == [14] && run("0,0,0,3").outputs[0] == [-16])
  }

  @Test(arguments: [
    (2, 0, 0, 0), (-1, 0, 0, 0), (0, 40, 0, 0), (0, -1, 0, 0), (0, 0, 40, 0), (0, 0, -1, 0), (0, 0, 0, 4),
    (0, 0, 0, -1),
  ])
  func refusesCellsThatTheProgramDoesNotHave(_ crossbar: Int, _ row: Int, _ column: Int, _ level: Int) throws
  {
    let machine = sampleMachine(rows: 40, columns: 40)
    let cells = Crossbar(cells: [UInt8](repeating: 0, count: 1600))
    let layer = Layer(
      name: "empty", inputs: 1, outputs: 1, inputBits: 3, inputSigned: false, dacBits: 1, adcBits: 6,
      offset: 0,
      blocks: [])
    let program = LayerCase.program(
      machine, [cells, cells], layer, [], .integer(bits: 3, signed: false), rows: 1)
    var map = FaultMap()
    map.add(FaultMap.Cell(row: 39, column: 39, level: 3), crossbar: 1)
    _ = try DevicePlan(program, device: .ideal, faults: map)
    map.add(FaultMap.Cell(row: row, column: column, level: level), crossbar: crossbar)
    do throws(Diagnostic) {
      _ = try DevicePlan(program, device: .ideal, faults: map)
      Issue.record("it was taken")
    } catch {
      #expect(error.id == "faults.range", "\(error)")
    }
  }
}
