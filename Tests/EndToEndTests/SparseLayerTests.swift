import DeviceModel
import Executor
import Hardware
import IR
import LayerSamples
import Mapping
import ProgramFormat
import Evaluator
import Support
import Tensors
import Testing

/// Sparse layers through every scheme of SRE: the program binary and the executor against the integer product, the
/// interpreter, and counts from the weights and inputs alone (reference: section 2.8).
@Suite("Sparse layers, end to end")
struct SparseLayerTests {
  private func execute(_ sample: LayerSample, _ scheme: SchemeSample, adc: Int?) throws -> (
    placed: AnyModule, run: RunResult
  ) {
    let placed = try apply(scheme.pipeline(sample, adc: adc), to: AnyModule(sample.module))
    let plan = try ExecutablePlan(try program(of: placed))
    return (placed, try plan.run(inputs: [sample.graphInput.floats], samples: 1, threads: 1))
  }

  @Test func losslessSchemesGiveTheProductWithTheUnitsCounted() throws {
    var random = SeededGenerator(seed: 31)
    var wrong: [String] = []
    var skipped = 0
    for number in 0..<1000 {
      let sample = sparseLayerSample(number, &random)
      let product = sample.product.map { Float($0) }
      for name in SchemeSample.names {
        let scheme = SchemeSample(name, &random)
        let (placed, run) = try execute(sample, scheme, adc: nil)
        guard case .crossbar(let module) = placed else { continue }
        let reference = try Interpreter(module).evaluate([sample.graphInput])
        let expected = sample.activations(scheme)
        if run.outputs[0] != product || reference.outputs[0].floats != product
          || run.total.adcSaturations != 0 || run.total.ouActivations != expected
        {
          wrong.append(
            "\(number) \(name): \(run.total.ouActivations) activations, expected \(expected) \(scheme)")
        }
        if name == "sre" && run.total.ouActivations == 0 { skipped += 1 }
      }
    }
    #expect(wrong.isEmpty)
    #expect(skipped > 100)
  }

  @Test func narrowConvertersSaturateAsInTheEvaluator() throws {
    var random = SeededGenerator(seed: 32)
    var wrong: [String] = []
    var saturated = 0
    for number in 0..<1000 {
      let sample = sparseLayerSample(number, &random)
      let adc = random.inside(1...4)
      for name in SchemeSample.names {
        let scheme = SchemeSample(name, &random)
        let (placed, run) = try execute(sample, scheme, adc: adc)
        guard case .crossbar(let module) = placed else { continue }
        let reference = try Interpreter(module).evaluate([sample.graphInput])
        if run.outputs[0] != reference.outputs[0].floats
          || run.total.adcSaturations != reference.saturations["layer"] ?? 0
        {
          wrong.append("\(number) \(name)")
        }
        if run.total.adcSaturations > 0 { saturated += 1 }
      }
    }
    #expect(wrong.isEmpty)
    #expect(saturated > 500)
  }

  /// Dense 128x128 cells with dense inputs take 64 units of 16x16 and 15 * 16 of 9x8 for each input bit, whatever the
  /// scheme (reference: 2.8, 3).
  @Test(arguments: [(16, 16, 64), (9, 8, 240)])
  func denseLayersGainNothing(_ height: Int, _ width: Int, _ expected: Int) throws {
    var random = SeededGenerator(seed: 33)
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits) = (128, 128, 2)
    // Offset cells of 2-bit weights: one bitline for each output, none of them 0.
    sample.signs = .offset
    sample.weights = (0..<128 * 128).map { _ in Int64(random.inside(-1...1)) }
    sample.inputs = .integer(bits: 4, signed: false)
    sample.x = [Int64](repeating: 15, count: 128)
    (sample.array.unitHeight, sample.array.unitWidth) = (height, width)
    for name in SchemeSample.names {
      var scheme = SchemeSample(name, &random)
      scheme.isEven = false
      let (_, run) = try execute(sample, scheme, adc: nil)
      #expect(run.total.ouActivations == 4 * expected, "\(name)")
      #expect(run.outputs[0] == sample.product.map { Float($0) })
    }
  }

  /// A fraction of zero rows leaves the same fraction of units out (reference: 2.8, 5).
  @Test func zeroRowsLeaveTheirUnitsOut() throws {
    var random = SeededGenerator(seed: 34)
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits) = (400, 8, 8)
    let kept = (0..<400).map { $0 % 8 < 3 }
    sample.weights = (0..<400 * 8).map { kept[$0 / 8] ? Int64(random.inside(1...127)) : 0 }
    sample.x = (0..<400).map { _ in 255 }
    var scheme = SchemeSample("orc", &random)
    (scheme.perCrossbar, scheme.gapBits) = (false, nil)
    let (_, run) = try execute(sample, scheme, adc: nil)
    // 150 rows are 10 units high; 8 outputs of 8 bitlines are 4 strips, read for 8 input bits. Negative digits are
    // zero.
    #expect(run.total.ouActivations == 10 * 4 * 8)
    #expect(run.outputs[0] == sample.product.map { Float($0) })
  }
}
