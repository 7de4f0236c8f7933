import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Tensors
import Testing

@testable import Executor

@Suite struct BaselineTests {
  private func run(_ program: Program, samples: Int, seed: UInt64) throws -> RunResult {
    var random = SeededGenerator(seed: seed)
    let element = program.buffers[1].element
    let low = element.lowest < 0 ? -element.highest : 0
    let inputs = (0..<samples * program.buffers[0].count).map { _ in
      random.chance(0.4) ? 0 : Float(random.inside(Int(low)...Int(element.highest)))
    }
    return try ExecutablePlan(program).run(inputs: [inputs], samples: samples, threads: 1)
  }

  /// A program that is the dense mapping is its own baseline, count for count and, with converters no wider than its
  /// units need, to the last bit of its cost.
  @Test func denseProgramsAreTheirOwnBaseline() throws {
    var random = SeededGenerator(seed: 41)
    for seed in 0..<80 {
      var machine = sampleMachine(
        rows: random.inside(1...60), columns: random.inside(1...60), dacBits: random.inside(1...4),
        adcBits: 12)
      machine.array.unitHeight = random.inside(1...machine.array.rows)
      machine.array.unitWidth = random.inside(1...machine.array.columns)
      let sample = SparseLayer(
        inputs: random.inside(1...150), outputs: random.inside(1...20), zeros: random.unit(),
        seed: UInt64(seed))
      let signed = random.chance(0.5)
      let program = sample.dense(
        machine, units: .fixed(height: machine.array.unitHeight, width: machine.array.unitWidth),
        rows: random.inside(1...5),
        inputBits: random.inside((signed ? 2 : 1)...9), inputSigned: signed)
      let result = try run(program, samples: 2, seed: UInt64(seed))
      let dense = try #require(try result.baselines(of: program).first)
      #expect(dense.name == "dense" && dense.machine == machine)
      #expect(dense.layers.map(\.events) == result.layers.map(\.events), "seed \(seed)")
      #expect(dense.total == result.total)
      #expect(dense.crossbars == program.crossbars.count)
      var total = cost(of: result.digital, machine: machine)
      for layer in result.layers {
        let digit = (1 << program.layers[0].dacBits) - 1
        let largest = machine.array.unitHeight * ((1 << machine.array.cellBits) - 1) * digit
        let bits = (1...12).first { largest < 1 << $0 }
        total += cost(of: layer.events, machine: machine, adcBits: bits ?? 12)
      }
      #expect(dense.totalCost == total)
    }
  }

  /// Strips of the same matrix have the same baselines as the matrix.
  @Test func baselinesDoNotDependOnTheMapping() throws {
    let sample = SparseLayer(inputs: 150, outputs: 9, zeros: 0.8, seed: 5)
    let machine = sampleMachine(rows: 64, columns: 48, unitHeight: 9, unitWidth: 8, dacBits: 2, adcBits: 8)
    let dense = sample.dense(machine, units: .fixed(height: 9, width: 8), rows: 3)
    let strips = sample.strips(machine, width: 16, units: .dynamic(height: 9, width: 8), rows: 3)
    let expected = try run(dense, samples: 2, seed: 6)
    let found = try run(strips, samples: 2, seed: 6)
    #expect(found.outputs == expected.outputs && found.total != expected.total)
    #expect(try found.baselines(of: strips) == expected.baselines(of: dense))
  }

  /// 130 x 72 bitlines on ISAAC's crossbars: two of them, one below the other, each one unit wide and high.
  @Test func idealizedUnitsAreWholeCrossbars() throws {
    let sample = SparseLayer(inputs: 130, outputs: 9, zeros: 0.5, seed: 5)
    let program = sample.strips(
      sampleMachine(adcBits: 8), width: 16, units: .dynamic(height: 16, width: 16), rows: 3)
    let result = try run(program, samples: 1, seed: 7)
    let ideal = try #require(try result.baselines(of: program).last)
    let isaac = try Machine.target(named: "isaac")
    #expect(ideal.name == "idealized" && ideal.crossbars == 2)
    let events = ideal.layers[0].events
    #expect(events.ouActivations == 3 * 8 * 2)
    #expect(events.cycles == 3 * (8 + isaac.timing.pipelineCycles))
    #expect(events.adcConversions == 3 * 8 * 2 * 72)
    #expect(events.wordlineDrives == result.layers[0].inputDigits)
    #expect(events.cellReads == 72 * result.layers[0].inputDigits)
    #expect(events.inputFetches.buffer == 3 * 130)
    #expect(
      ideal.totalCost.latencyNanoseconds == Double(events.cycles) * isaac.timing.cycleNanoseconds)
    #expect(ideal.machine.operands == program.machine.operands)
  }

  @Test func layersWithoutBitlinesHaveNone() throws {
    var program = SparseLayer(inputs: 10, outputs: 2, zeros: 0.5, seed: 5).dense(
      sampleMachine(), units: .fixed(height: 16, width: 16), rows: 1)
    program.layers[0].coding.columnLayout = []
    #expect(try run(program, samples: 1, seed: 1).baselines(of: program).isEmpty)
  }

  /// Digits of the inputs are counted by definition, whatever the blocks are.
  @Test func inputDigitsAreCounted() throws {
    for seed in 0..<60 {
      let sample = LayerCase(seed: UInt64(seed))
      let layer = sample.program.layers[0]
      let result = try ExecutablePlan(sample.program).run(
        inputs: [sample.inputs.flatMap { $0 }], samples: sample.inputs.count, threads: 1)
      var expected = 0
      for value in sample.inputs.joined() {
        var rest = Int(value.magnitude)
        while rest > 0 {
          if rest % (1 << layer.dacBits) != 0 { expected += 1 }
          rest >>= layer.dacBits
        }
      }
      #expect(result.layers[0].inputDigits == expected, "seed \(seed)")
    }
  }
}
