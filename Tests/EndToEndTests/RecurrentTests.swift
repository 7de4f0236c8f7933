import CodeGen
import DeviceModel
import Executor
import Hardware
import IR
import Import
import Mapping
import Passes
import ProgramFormat
import Evaluator
import Support
import Tensors
import Testing

/// LSTM, GRU and RNN from the model to the executor, against the formulas of the ONNX operators.
@Suite("Recurrent networks, end to end")
struct RecurrentTests {
  private func distance(_ a: Tensor, _ b: Tensor) -> Float {
    guard a.shape == b.shape else { return .infinity }
    return zip(a.floats, b.floats).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 0
  }

  @Test func floatsFollowTheFormulas() throws {
    var random = SeededGenerator(seed: 31)
    var seen: Set<String> = []
    for number in 0..<600 {
      let sample = RecurrentSample(number, &random)
      let module = try importModel(sample.model())
      #expect(verify(module).isEmpty, "\(number): \(verify(module))")
      #expect(try parseModule(module.text, resources: { module.resource($0)?.tensor }).text == module.text)
      let inputs = sample.graphInputs(&random)
      let found = try Interpreter(module).evaluate(inputs).outputs
      let expected = sample.expected(inputs)
      #expect(found.count == expected.count)
      for (a, b) in zip(found, expected) {
        #expect(distance(a, b) < 1e-4, "\(number): \(sample)\n\(a)\n\(b)")
      }
      seen.insert("\(sample.kind) \(sample.direction) \(sample.layout)")
      seen.formUnion((sample.activations ?? []).map { "\(sample.kind) \($0.name)" })
      if sample.lengths != nil { seen.insert("\(sample.kind) lengths") }
      if sample.weights["P"] != nil { seen.insert("peepholes") }
      if sample.couplesForget { seen.insert("input_forget") }
      if sample.resetsProduct { seen.insert("linear_before_reset") }
    }
    #expect(seen.count == 18 + 3 * RecurrentSample.functionNames.count + 3 + 3)
  }

  /// A quantized module with its calibration samples.
  private func quantized(_ sample: RecurrentSample, _ calibration: [[Tensor]], _ options: String) throws -> (
    module: Module<TensorLevel>, context: PassContext
  ) {
    var module = try importModel(sample.model())
    module.machine = try Machine.target(named: "sre")
    var context = PassContext(calibration: calibration)
    let result = try apply("fold-constants, calibrate, quantize(\(options))", to: .tensor(module), &context)
    guard case .tensor(let tensor) = result else { throw Diagnostic("test.level", "another level") }
    return (tensor, context)
  }

  private func apply(_ pipeline: String, to module: AnyModule, _ context: inout PassContext) throws
    -> AnyModule
  {
    var current = module
    for call in try parsePipeline(pipeline) {
      current = try PassRegistry.standard.entry(named: call.name).apply(
        to: current, call.options, in: &context)
      #expect(verify(current).isEmpty, "after \(call.name): \(verify(current))")
    }
    return current
  }

  /// Tensor level, crossbar level and executor agree to the bit, for several samples in lockstep.
  @Test func allLevelsAgree() throws {
    var random = SeededGenerator(seed: 32)
    for number in 0..<90 {
      let sample = RecurrentSample(number, &random)
      let samples = (0..<3).map { _ in sample.graphInputs(&random) }
      let options = ["", "signed: zero-point", "scale: output", "weights: 5, inputs: 6"][random.below(4)]
      var (tensor, context) = try quantized(sample, samples, options)
      let placed = try apply(
        "lower-to-crossbar, fold-constant-inputs, slice-bits, form-units(lossless: true), place-blocks, schedule",
        to: .tensor(tensor), &context)
      guard case .crossbar(let crossbar) = placed else { continue }
      let program = try program(of: placed)
      let plan = try ExecutablePlan(program)
      let joined = samples[0].indices.map { port in samples.flatMap { $0[port].floats } }
      let run = try plan.run(inputs: joined, samples: samples.count, threads: 2)
      for (index, inputs) in samples.enumerated() {
        let expected = try Interpreter(tensor).evaluate(inputs).outputs
        let found = try Interpreter(crossbar).evaluate(inputs).outputs
        #expect(found == expected, "\(number): \(sample)")
        for (port, output) in expected.enumerated() {
          let count = output.count
          let part = Array(run.outputs[port][index * count..<(index + 1) * count])
          #expect(part == output.floats, "\(number), output \(port): \(sample)")
        }
      }
      // The text of the program is the program.
      let lifted = liftProgram(program)
      let again = try parseModule(lifted.text, resources: { lifted.resource($0)?.tensor })
      guard case .program(let parsed) = again else { continue }
      #expect(try emitProgram(parsed) == program)
      try checkPositions(run, program, sample, samples.count)
    }
  }

  /// Layers of inputs and of states have a position for each step, sample of the batch and sample of the run.
  private func checkPositions(
    _ run: RunResult, _ program: Program, _ sample: RecurrentSample, _ count: Int
  ) throws {
    let matrices = sample.kind == "GRU" && !sample.resetsProduct ? 3 : 2
    #expect(run.layers.count == matrices * sample.directions)
    for layer in run.layers {
      #expect(layer.events.positions == count * sample.steps * sample.batch, "\(layer.name)")
      #expect(layer.name.hasPrefix("cell."))
    }
  }

  /// With 16-bit weights and inputs, outputs stay close to the formulas.
  @Test func wideQuantizationIsClose() throws {
    var random = SeededGenerator(seed: 33)
    for number in 0..<60 {
      var sample = RecurrentSample(number, &random)
      sample.activations = nil
      let inputs = sample.graphInputs(&random)
      let (tensor, _) = try quantized(sample, [inputs], "weights: 16, inputs: 16")
      let found = try Interpreter(tensor).evaluate(inputs).outputs
      for (a, b) in zip(found, sample.expected(inputs)) {
        #expect(distance(a, b) < 2e-3, "\(number): \(sample)")
      }
    }
  }

  /// Time is one loop in the program, however long the sequence is.
  @Test func timeIsALoop() throws {
    var random = SeededGenerator(seed: 34)
    for number in 0..<9 {
      let sample = RecurrentSample(number, &random)
      let inputs = sample.graphInputs(&random)
      var (tensor, context) = try quantized(sample, [inputs], "")
      #expect(
        tensor.bodyOps.filter { $0.opcode == .scan }.map { $0[.rounds] }
          == [Int](repeating: sample.steps, count: sample.directions))
      let placed = try apply(
        "lower-to-crossbar, slice-bits, form-units, place-blocks, schedule", to: .tensor(tensor), &context)
      let nested = try program(of: placed).code.compactMap { instruction -> Int? in
        guard case .loop(let count, let body) = instruction.operation else { return nil }
        let hasLoop = body.contains { if case .loop = $0.operation { true } else { false } }
        return hasLoop ? count : nil
      }
      #expect(nested == [Int](repeating: sample.steps, count: sample.directions))
    }
  }

  /// A placed recurrent network on machine `recom`, whose inputs are fetched from memory.
  private func fetching(_ sample: RecurrentSample, _ inputs: [Tensor]) throws -> Program {
    var module = try importModel(sample.model())
    module.machine = try Machine.target(named: "recom")
    var context = PassContext(calibration: [inputs])
    let pipeline =
      "fold-constants, calibrate, quantize, lower-to-crossbar, slice-bits, form-units(whole: true, lossless: true), "
      + "plan-fetches, place-blocks, schedule"
    return try program(of: try apply(pipeline, to: .tensor(module), &context))
  }

  /// Each round of a loop over time fetches its state anew, in the mapping and in the dense one beside it.
  @Test func fetchesAreCountedInEachRound() throws {
    var random = SeededGenerator(seed: 35)
    for number in 0..<12 {
      let sample = RecurrentSample(number, &random)
      let inputs = sample.graphInputs(&random)
      let program = try fetching(sample, inputs)
      let run = try ExecutablePlan(program).run(inputs: inputs.map(\.floats), samples: 1, threads: 1)
      let dense = try #require(try run.baselines(of: program).first)
      for (layer, other) in zip(run.layers, dense.layers) {
        let width = layer.name.hasSuffix(".input") ? sample.inputs : sample.hidden
        let values = sample.steps * sample.batch * width
        #expect(layer.events.inputFetches.dram == values, "\(layer.name)")
        #expect(other.events.inputFetches.dram == values, "\(layer.name)")
        #expect(layer.events.clocks > 0)
      }
    }
  }

  /// In a trial of a noisy device what a sample gives depends on the seed and its number, not on batches or threads.
  @Test func trialsDoNotDependOnBatches() throws {
    var random = SeededGenerator(seed: 36)
    let device = try Device.ideal.setting("converter.noise", to: "0.7")
    var changed = 0
    for number in 0..<9 {
      let sample = RecurrentSample(number, &random)
      let samples = (0..<5).map { _ in sample.graphInputs(&random) }
      var (tensor, context) = try quantized(sample, samples, "")
      let placed = try apply(
        "lower-to-crossbar, slice-bits, form-units, place-blocks, schedule", to: .tensor(tensor), &context)
      let program = try program(of: placed)
      let plan = try DevicePlan(program, device: device)
      let trial = try plan.program(seed: 5, trial: 0)
      let joined = samples[0].indices.map { port in samples.flatMap { $0[port].floats } }
      let runs = try [1, 2, 5].map { threads in
        try plan.run(trial, inputs: joined, samples: samples.count, measured: 0, threads: threads).outputs
      }
      #expect(runs[0] == runs[1] && runs[0] == runs[2], "\(number)")
      let ideal = try ExecutablePlan(program).run(inputs: joined, samples: samples.count, threads: 1).outputs
      if ideal != runs[0] { changed += 1 }
    }
    #expect(changed == 9)
  }
}
