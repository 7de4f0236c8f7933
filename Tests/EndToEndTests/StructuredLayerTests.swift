import CodeGen
import Evaluation
import Report
import DeviceModel
import Driver
import Executor
import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import ProgramFormat
import Evaluator
import RunDriver
import Support
import Tensors
import Testing

/// Layers whose inputs and outputs are left out as a whole, with a bit for each (ReCom; reference: sections 5.2 and
/// 5.7).
@Suite("Structured layers, end to end")
struct StructuredLayerTests {
  /// A layer with whole inputs and outputs without weights.
  private func structured(_ number: Int, _ random: inout SeededGenerator) -> LayerSample {
    var sample = sparseLayerSample(number, &random)
    (sample.placement, sample.order) = ("intra", "weight-major")
    let (rowShare, columnShare) = (random.unit(), random.unit())
    let rows = (0..<sample.rows).map { _ in random.chance(rowShare) }
    let columns = (0..<sample.columns).map { _ in random.chance(columnShare) }
    for place in sample.weights.indices
    where !rows[place / sample.columns] || !columns[place % sample.columns] {
      sample.weights[place] = 0
    }
    return sample
  }

  private func placed(_ sample: LayerSample, _ scope: String?, _ tail: String) throws -> AnyModule {
    let removing = scope.map { "remove-zero-lines(scope: \($0)), " } ?? ""
    let text =
      "slice-bits(signs: \(sample.signs.rawValue), order: \(sample.order)), \(removing)\(tail), place-blocks, schedule"
    return try apply(text, to: AnyModule(sample.module))
  }

  private func execute(_ module: AnyModule, _ input: [Float]) throws -> RunResult {
    try ExecutablePlan(try program(of: module)).run(inputs: [input], samples: 1, threads: 1)
  }

  @Test func outputsAreThoseOfTheDenseLayer() throws {
    var random = SeededGenerator(seed: 101)
    var (wrong, dropped) = ([String](), 0)
    for number in 0..<500 {
      let sample = structured(number, &random)
      let units = ["fixed", "zero-skipping", "dynamic"][number % 3]
      let cut = random.chance(0.5) ? "even" : "full"
      let module = try placed(sample, "layer", "form-units(units: \(units), cut: \(cut), lossless: true)")
      let product = sample.product.map { Float($0) }
      let run = try execute(module, sample.graphInput.floats)
      guard case .crossbar(let crossbars) = module, let layer = crossbars.layers.first?.layer else {
        continue
      }
      let reference = try Interpreter(crossbars).evaluate([sample.graphInput])
      if run.outputs[0] != product || reference.outputs[0].floats != product {
        wrong.append("\(number): outputs")
      }
      // With sparsity masks a position reads one bit for each input and output, whatever the blocks are.
      if run.total.indexBits != sample.positions * (sample.rows + sample.columns) {
        wrong.append("\(number): bits")
      }
      let used = (0..<sample.rows).filter { row in
        sample.signs == .offset
          || (0..<sample.columns).contains { sample.weights[row * sample.columns + $0] != 0 }
      }
      if sample.signs == .differential && layer.masks.usedInputs != used {
        wrong.append("\(number): inputs")
      }
      dropped += sample.rows - layer.masks.usedInputs.count
    }
    #expect(wrong.isEmpty)
    #expect(dropped > 5000)
  }

  /// With converters that saturate, units of the lines that are left are what counts: executor and evaluator agree.
  @Test func saturationsAreThoseOfTheEvaluator() throws {
    var random = SeededGenerator(seed: 102)
    var saturated = 0
    for number in 0..<200 {
      let sample = structured(number, &random)
      let module = try placed(sample, "layer", "form-units(adc: \(random.inside(1...3)))")
      guard case .crossbar(let crossbars) = module else { continue }
      let reference = try Interpreter(crossbars).evaluate([sample.graphInput])
      let run = try execute(module, sample.graphInput.floats)
      #expect(run.outputs[0] == reference.outputs[0].floats, "\(number)")
      #expect(run.total.adcSaturations == reference.saturations["layer"], "\(number)")
      saturated += run.total.adcSaturations
    }
    #expect(saturated > 1000)
  }

  /// Inputs that were left out are never read: whatever they are, outputs and events of crossbars stay.
  @Test func removedInputsAreNeverRead() throws {
    var random = SeededGenerator(seed: 103)
    var changed = 0
    for number in 0..<200 {
      var sample = structured(number, &random)
      sample.signs = .differential
      let module = try placed(sample, "layer", "form-units(lossless: true)")
      guard case .crossbar(let crossbars) = module, let layer = crossbars.layers.first?.layer else {
        continue
      }
      var other = sample.graphInput.floats
      for place in other.indices where !layer.masks.inputs[place % sample.rows] {
        let value = Float(sample.inputs.highest)
        if other[place] != value { changed += 1 }
        other[place] = value
      }
      let (a, b) = (try execute(module, sample.graphInput.floats), try execute(module, other))
      #expect(a.outputs == b.outputs && a.total == b.total, "\(number)")
    }
    #expect(changed > 1000)
  }

  /// The same bytes after disassembling and assembling, and the baselines of the dense mapping.
  @Test func programsKeepTheirVectors() throws {
    var random = SeededGenerator(seed: 104)
    for number in 0..<100 {
      let sample = structured(number, &random)
      let tail = "form-units(lossless: true)"
      let structured = try program(of: try placed(sample, "layer", tail))
      let dense = try program(of: try placed(sample, nil, tail))
      #expect(structured.layers[0].hasMasks && !dense.layers[0].hasMasks)
      let lifted = liftProgram(structured)
      #expect(try emitProgram(lifted) == structured)
      let parsed = try parseModule(AnyModule.program(lifted).text) { name in
        AnyModule.program(lifted).resources.first { $0.name == name }?.tensor
      }
      guard case .program(let module) = parsed else {
        Issue.record("the text is at another level")
        continue
      }
      #expect(try emitProgram(module) == structured)
      let input = sample.graphInput.floats
      let runs = try [structured, dense].map {
        try ExecutablePlan($0).run(inputs: [input], samples: 1, threads: 1)
      }
      #expect(try runs[0].baselines(of: structured) == runs[1].baselines(of: dense))
    }
  }

  /// On the group-lasso LeNet-5 whole channels are gone: their values are never fetched, and both vectors take as many
  /// bits as the layer has filters and filter positions.
  @Test func channelsWithoutWeightsAreNotFetched() throws {
    let options = "remove-zero-lines(scope: layer), form-units(lossless: true)"
    let passes =
      "infer-shapes, fold-constants, fold-batchnorm, calibrate, quantize, lower-to-crossbar, slice-bits, \(options), "
      + "place-blocks, schedule, lower-to-program"
    var request = request("lenet5-grouplasso", "fashion-mnist")
    request.pipeline = passes
    let compiled = try compile(request)
    let program = try decode(compiled.bytes, file: "a")
    let set = try SampleSet(input: dataPath("fashion-mnist", "test"), limit: 3, for: program.samplePorts)
    let run = try ExecutablePlan(program).run(inputs: set.inputs, samples: 3, threads: 1)
    let conv2 = try #require(compiled.record.layers.first { $0.name == "conv2" })
    #expect(conv2.indexBits == 550 && compiled.record.layers[0].indexBits == 45)
    let weights = try #require(try layerWeights("lenet5-grouplasso", "conv2"))
    let channels = (0..<20).filter { channel in
      (channel * 25..<(channel + 1) * 25).contains { row in
        weights[row * 50..<(row + 1) * 50].contains { $0 != 0 }
      }
    }
    #expect(channels.count < 20)
    let events = try #require(run.layers.first { $0.name == "conv2" }).events
    #expect(events.inputFetches.sram == 3 * 64 * 25 * channels.count)
    #expect(events.indexBits == 3 * 64 * 550)
  }

  /// The quantized matrix of a layer of a shipped model.
  private func layerWeights(_ model: String, _ name: String) throws -> [Int64]? {
    var module = try importedModule(modelPath(model))
    var context = PassContext()
    for call in try parsePipeline(
      "infer-shapes, fold-constants, fold-batchnorm, calibrate, quantize, lower-to-crossbar")
    {
      if case .tensor(var tensor) = module, tensor.machine == nil {
        tensor.machine = try Machine.target(named: "sre")
        module = .tensor(tensor)
      }
      module = try PassRegistry.standard.entry(named: call.name).apply(to: module, call.options, in: &context)
    }
    guard case .crossbar(let crossbars) = module else { return nil }
    return crossbars.layers.first { $0.layer.name == name }?.layer.weights?.integers
  }
}
