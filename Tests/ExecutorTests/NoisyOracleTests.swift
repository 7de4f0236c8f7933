import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Testing

@testable import Executor

extension LevelTests {
  /// Layers and programs on devices with random effects give, to the bit, what conversions one after the other give.
  @Suite(.serialized) struct NoisyOracleTests {
    @Test func layersAgreeWithTheOracle() throws {
      defer { xbar_use_level(xbar_best_level()) }
      var seen = Seen()
      for seed in 0..<400 {
        var random = SeededGenerator(seed: UInt64(seed) + 5000)
        let sample = LayerCase(seed: UInt64(seed))
        let program = withConverters(sample.program, &random)
        let device = try randomDevice(&random)
        let faults = randomFaults(program, &random)
        guard let plan = try followed(program, device, faults) else { continue }
        let run = NoisyRun(
          plan, inputs: sample.inputs.map { [$0] }, seed: random.next(), trial: seed, measured: 1)
        let expected = try run.oracle()
        for level in Int32(0)...xbar_best_level() {
          xbar_use_level(level)
          let result = try run.result(threads: 1)
          expected.compare(result, "seed \(seed) level \(level) \(device)")
        }
        try seen.add(device, expected, plan)
      }
      seen.check()
    }

    /// Devices with numbers at the ends of what is allowed: whatever they give, they give it at every level, and it
    /// does not depend on threads.
    @Test func extremeDevicesAreFollowed() throws {
      defer { xbar_use_level(xbar_best_level()) }
      var followed = 0
      for seed in 0..<300 {
        var random = SeededGenerator(seed: UInt64(seed) + 5500)
        let sample = LayerCase(seed: UInt64(seed))
        let device = try extremeDevice(&random)
        guard let plan = try ExecutorTests.followed(sample.program, device, FaultMap()) else { continue }
        let run = NoisyRun(
          plan, inputs: sample.inputs.map { [$0] }, seed: random.next(), trial: seed, measured: 1)
        let expected = try run.oracle()
        for level in Int32(0)...xbar_best_level() {
          xbar_use_level(level)
          expected.compare(try run.result(threads: 1), "seed \(seed) level \(level) \(device)")
        }
        followed += 1
      }
      #expect(followed > 150)
    }

    /// Rounds of loops, several drives of a layer and recurrent layers: noise follows from where a conversion stands.
    @Test func programsAgreeWithTheOracle() throws {
      var compared = 0
      for seed in 0..<60 {
        var random = SeededGenerator(seed: UInt64(seed) + 6000)
        let program = withConverters(ProgramSampler.program(seed: UInt64(seed)), &random)
        let device = try randomDevice(&random)
        guard let plan = try followed(program, device, randomFaults(program, &random)) else { continue }
        let inputs = randomInputs(program, samples: 3, seed: UInt64(seed)).samples
        let run = NoisyRun(plan, inputs: inputs, seed: random.next(), trial: seed, measured: 2)
        guard let expected = try? run.oracle() else {
          #expect(throws: Diagnostic.self, "seed \(seed)") { try run.result(threads: 1) }
          continue
        }
        for threads in [1, 3] { expected.compare(try run.result(threads: threads), "seed \(seed)") }
        compared += expected.oracle.conversions.single
      }
      #expect(compared > 10_000)
    }

    @Test func threadsAndBatchesDoNotMatter() throws {
      for seed in 0..<20 {
        var random = SeededGenerator(seed: UInt64(seed) + 7000)
        let program = withConverters(ProgramSampler.program(seed: UInt64(seed)), &random)
        guard let plan = try followed(program, try randomDevice(&random), FaultMap()) else { continue }
        let inputs = randomInputs(program, samples: 70, seed: 1).samples
        let run = NoisyRun(plan, inputs: inputs, seed: 1, trial: 0, measured: 30)
        let expected = try? run.result(threads: 1)
        for threads in [2, 3, 7, 70] {
          let result = try? run.result(threads: threads)
          #expect(result?.total == expected?.total, "seed \(seed) \(threads) threads")
          #expect(result?.layers.map(\.partialSums) == expected?.layers.map(\.partialSums))
          #expect(bits(result) == bits(expected), "seed \(seed) \(threads) threads")
        }
      }
    }

    /// The first samples of a run give the same whatever follows them.
    @Test func laterSamplesDoNotMatter() throws {
      let device = try Device.ideal.setting("converter.noise", to: "0.7")
      let program = DenseBuilder.leNet(seed: 1)
      let plan = try DevicePlan(program, device: device)
      let trial = try plan.program(seed: 3, trial: 1)
      let images = blobImages(5, seed: 2)
      let all = try plan.run(trial, inputs: [images], samples: 5, threads: 2)
      let some = try plan.run(trial, inputs: [Array(images[..<(2 * 784)])], samples: 2, threads: 1)
      #expect(all.outputs[0].prefix(20) == some.outputs[0][...])
    }

    /// Runs are repeated by their seed and trial, and differ for other ones.
    @Test func seedsAndTrialsMatter() throws {
      var random = SeededGenerator(seed: 8000)
      let program = withConverters(DenseBuilder.leNet(seed: 1), &random)
      let device = try ["variation.on": "0.1", "converter.noise": "0.3"].reduce(Device.ideal) {
        try $0.setting($1.key, to: $1.value)
      }
      let plan = try DevicePlan(program, device: device)
      let images = blobImages(4, seed: 2)
      func outputs(seed: UInt64, trial: Int, threads: Int) throws -> [Float] {
        try plan.run(
          plan.program(seed: seed, trial: trial), inputs: [images], samples: 4, threads: threads
        ).outputs[0]
      }
      let expected = try outputs(seed: 1, trial: 0, threads: 1)
      #expect(try outputs(seed: 1, trial: 0, threads: 1) == expected)
      #expect(try outputs(seed: 1, trial: 0, threads: 4) == expected)
      let others = [
        try outputs(seed: 2, trial: 0, threads: 4), try outputs(seed: 1, trial: 1, threads: 4),
        try outputs(seed: 1 << 32 | 1, trial: 0, threads: 4),
      ]
      #expect(Set(others + [expected]).count == 4)
    }
  }
}

private func bits(_ result: RunResult?) -> [[UInt32]]? { result?.outputs.map { $0.map(\.bitPattern) } }

/// What the compared layers had.
private struct Seen {
  private var effects: [Nonideality: Int] = [:]
  private var (layers, nibbles, lists) = (0, 0, 0)
  private var widths: [Int: Int] = [:]
  private var (single, composed, pairs, empty) = (0, 0, 0, 0)
  private var (saturations, compared, wrong) = (0, 0, 0)

  mutating func add(_ device: Device, _ expected: ExpectedNoise, _ plan: DevicePlan) throws {
    for effect in Nonideality.allCases where device.isOn(effect) { effects[effect, default: 0] += 1 }
    layers += 1
    for (pattern, strips) in try plan.program(seed: 0, trial: 0).layers.flatMap(\.patterns) {
      for strip in strips { widths[strip.width, default: 0] += 1 }
      if pattern.method == .nibbles { nibbles += 1 } else { lists += 1 }
    }
    let counts = expected.oracle.conversions
    single += counts.single
    composed += counts.composed
    pairs += counts.pairs
    empty += counts.empty
    saturations += expected.oracle.saturations
    for errors in expected.oracle.partialSums {
      compared += errors.compared
      wrong += errors.wrong
    }
  }

  func check() {
    for effect in Nonideality.allCases where effect != .irDrop {
      #expect(effects[effect, default: 0] > 20 && effects[effect, default: 0] < layers, "\(effect)")
    }
    for width in [16, 32, 48, 64] { #expect(widths[width, default: 0] > 5, "\(self)") }
    #expect(layers > 250 && nibbles > 50 && lists > 50, "\(self)")
    #expect(single > 50_000 && composed > 10_000 && pairs > 5000 && empty > 5000, "\(self)")
    #expect(saturations > 1000 && compared > 10_000 && wrong > 1000, "\(self)")
  }
}

/// A device with every effect on or off by chance.
func randomDevice(_ random: inout SeededGenerator) throws(Diagnostic) -> Device {
  let settings: [[(String, [String])]] = [
    [("ratio", ["3", "10", "50"])], [("cell.spacing", ["resistance", "logarithm"])],
    [("variation.on", ["0.05", "0.2"]), ("variation.off", ["0", "0.4"])],
    [("variation.distribution", ["normal"])], [("readNoise.cell", ["0.03", "0.2"])],
    [("stuckCells.on", ["0.01", "0.1"]), ("stuckCells.off", ["0", "0.1"])],
    [
      ("drift.seconds", ["1e5"]), ("drift.on", ["0.005"]), ("drift.off", ["0", "0.01"]),
      ("drift.spread", ["0.003"]),
    ],
    [("sensing.clampError", ["0.002", "0.01"])], [("sensing.referenceError", ["0.02"])],
    [("sensing.references", ["fixed"])], [("sensing.pairs", ["analog"])],
    [("converter.offset", ["0.2", "2"])], [("converter.gain", ["0.03"])], [("converter.inl", ["0.3", "3"])],
    [("converter.noise", ["0.1", "0.8"])],
  ]
  var device = Device.ideal
  for effect in settings where random.chance(0.4) {
    for (name, values) in effect { device = try device.setting(name, to: values[random.below(values.count)]) }
  }
  return device
}

/// A device with numbers at the ends of their ranges.
private func extremeDevice(_ random: inout SeededGenerator) throws(Diagnostic) -> Device {
  var device = Device.ideal
  for field in DeviceField.all where field.section != "cell" && field.section != "wires" && random.chance(0.4)
  {
    let words = field.expectation.split(separator: ", ").map(String.init)
    let bounds = field.expectation.split(separator: " ... ").map(String.init)
    let values = bounds.count == 2 ? bounds : words
    let value = values[random.below(values.count)]
    let isFull = field.path == "stuckCells.off" && device.stuckCells.on == 1
    device = try device.setting(field.path, to: isFull ? "0" : value)
  }
  if random.chance(0.5) {
    device = try device.setting("ratio", to: ["1.000001", "1.5", "1e9"][random.below(3)])
  }
  return device
}

/// The same with some number of converters for each crossbar.
private func withConverters(_ program: Program, _ random: inout SeededGenerator) -> Program {
  var program = program
  program.machine.area.adcsPerCrossbar = [0, 1, 1.6, 3, 16][random.below(5)]
  return program
}

/// Some stuck cells; none in half of the cases.
private func randomFaults(_ program: Program, _ random: inout SeededGenerator) -> FaultMap {
  var faults = FaultMap()
  let array = program.machine.array
  guard !program.crossbars.isEmpty, random.chance(0.5) else { return faults }
  for _ in 0..<20 {
    let level = random.chance(0.3) ? nil : random.below(1 << array.cellBits)
    faults.add(
      FaultMap.Cell(row: random.below(array.rows), column: random.below(array.columns), level: level),
      crossbar: random.below(program.crossbars.count))
  }
  return faults
}

/// Nil where sums are too large for binary32.
func followed(_ program: Program, _ device: Device, _ faults: FaultMap) throws(Diagnostic) -> DevicePlan? {
  do throws(Diagnostic) {
    return try DevicePlan(program, device: device, faults: faults)
  } catch {
    if error.id == "device.sum" { return nil }
    throw error
  }
}

/// A trial of a program with samples.
struct NoisyRun {
  let plan: DevicePlan
  let inputs: [[[Float]]]
  let seed: UInt64
  let trial: Int
  let measured: Int

  init(_ plan: DevicePlan, inputs: [[[Float]]], seed: UInt64, trial: Int, measured: Int) {
    self.plan = plan
    self.inputs = inputs
    self.seed = seed
    self.trial = trial
    self.measured = measured
  }

  func result(threads: Int) throws(Diagnostic) -> RunResult {
    try plan.run(
      plan.program(seed: seed, trial: trial), inputs: RandomInputs(samples: inputs).flattened,
      samples: inputs.count, measured: measured, threads: threads)
  }

  func oracle() throws(Diagnostic) -> ExpectedNoise {
    let programmer = DeviceProgrammer(plan.program, plan.device, plan.faults, seed: seed, trial: trial)
    let oracle = DeviceOracle(
      plan.program, plan.device, currents: plan.program.crossbars.indices.map(programmer.currents),
      seed: seed,
      trial: trial, measured: measured)
    var interpreter = Oracle(plan.program)
    interpreter.conversion = oracle.outputs
    var outputs = plan.program.outputs.map { _ in [UInt32]() }
    for sample in inputs {
      for (port, values) in try interpreter.run(sample).enumerated() {
        outputs[port] += values.map(\.bitPattern)
      }
    }
    return ExpectedNoise(oracle: oracle, outputs: outputs)
  }
}

/// What the oracle says about a trial.
struct ExpectedNoise {
  let oracle: DeviceOracle
  let outputs: [[UInt32]]

  /// Compares outputs, to the bit, and what is counted.
  func compare(_ result: RunResult, _ name: String) {
    #expect(bits(result) == outputs, "\(name)")
    #expect(result.layers.map(\.partialSums) == oracle.partialSums, "\(name)")
    #expect(result.total.adcSaturations == oracle.saturations, "\(name)")
  }
}
