import CodeGen
import Executor
import Hardware
import IR
import Import
import Mapping
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// Networks that were quantized elsewhere: their integers reach the crossbars, and the results are those of the
/// formulas.
@Suite("Quantized networks")
struct QuantizedNetworkTests {
  private static let pipelines = [
    "", "quantize(weights: 3, inputs: 3, scale: output)", "quantize(signed: zero-point)",
    "slice-bits(signs: twos-complement)", "slice-bits(signs: offset, order: slice-major)",
    "slice-bits(signs: offset, offset: output)",
  ]

  /// The module before and after the passes up to the program, without calibration.
  private func compiled(_ network: QuantizedNetwork, _ notation: QuantizedNetwork.Notation, _ options: String)
    throws -> (tensor: Module<TensorLevel>, crossbar: Module<CrossbarLevel>, context: PassContext)
  {
    var imported = try importModel(try QuantizedNetworkFile.model(network, notation))
    imported.machine = try Machine.target(named: "sre")
    var module = AnyModule(imported)
    var context = PassContext()
    var quantized: Module<TensorLevel>?
    let overrides = try parsePipeline("form-units(lossless: true)" + (options.isEmpty ? "" : ", \(options)"))
    for call in try scheme(named: "dense").calls(overriding: overrides) where call.name != "lower-to-program"
    {
      module = try PassRegistry.standard.entry(named: call.name).apply(to: module, call.options, in: &context)
      if call.name == "quantize" { quantized = module.module(at: TensorLevel.self) }
    }
    return (try #require(quantized), try #require(module.module(at: CrossbarLevel.self)), context)
  }

  @Test(arguments: QuantizedNetwork.Notation.allCases) func levelsAreThoseOfTheFile(
    notation: QuantizedNetwork.Notation
  ) throws {
    var random = SeededGenerator(seed: 31)
    var (close, compared) = (0, 0)
    for number in 0..<60 {
      var network = QuantizedNetwork(&random, wide: number % 3 != 0)
      if notation == .linear { for k in network.layers.indices { network.layers[k].hasRelu = false } }
      let options = Self.pipelines[number % Self.pipelines.count]
      let (tensor, crossbar, context) = try compiled(network, notation, options)
      #expect(context.warnings.isEmpty, "no calibration is asked for")
      expectLevels(crossbar, network, "\(number), \(options)")
      let plan = try ExecutablePlan(try program(of: AnyModule(crossbar)))
      for sample in network.samples {
        let x = Tensor(network.inputShape, sample)
        let found = try Interpreter(tensor).evaluate([x]).outputs[0].floats
        #expect(try Interpreter(crossbar).evaluate([x]).outputs[0].floats == found)
        #expect(try plan.run(inputs: [sample], samples: 1, threads: 1).outputs[0] == found)
        let expected = network.reals(sample, notation)
        if expected.isClose {
          close += 1
        } else {
          compared += 1
          #expect(found == expected.outputs, "\(number), \(options)")
        }
      }
    }
    #expect(compared > 10 * close, "\(close) samples are too close to the middle of two levels")
  }

  private func expectLevels(_ module: Module<CrossbarLevel>, _ network: QuantizedNetwork, _ what: String) {
    let layers = module.layers.map(\.layer)
    let matrices = network.layers.flatMap { layer in (0..<layer.groups).map { layer.matrix(group: $0) } }
    #expect(layers.map { $0.weights?.integers ?? [] } == matrices, "\(what)")
  }

  /// The float evaluator and the integers agree within a level where nothing is close; that is what `--validate` shows.
  @Test func theImportedNetworkMeansTheSame() throws {
    var random = SeededGenerator(seed: 32)
    for _ in 0..<20 {
      let network = QuantizedNetwork(&random, wide: false)
      let imported = try importModel(try QuantizedNetworkFile.model(network, .pairs))
      let step = network.layers[2].output.scale
      for sample in network.samples {
        let found = try Interpreter(imported).evaluate([Tensor(network.inputShape, sample)]).outputs[0].floats
        let expected = network.reals(sample, .pairs)
        if expected.isClose { continue }
        for (a, b) in zip(found, expected.outputs) { #expect(abs(a - b) <= step * 1.001) }
      }
    }
  }
}
