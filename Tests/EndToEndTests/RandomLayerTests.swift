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

/// Random layers through the program binary and the executor, against the interpreter and against an oracle that knows
/// neither blocks nor cells.
@Suite("Random layers, end to end")
struct RandomLayerTests {
  /// Outputs are floats: those of sums below 2^24 are exact, the others rounded in the same way everywhere.
  private func floats(_ sums: [Int64]) -> [Float] { sums.map { Float($0) } }

  private func execute(_ sample: LayerSample, adc: Int?, fullScale: Int? = nil) throws -> (
    placed: AnyModule, RunResult
  ) {
    let placed = try apply(
      sample.pipeline(adc: adc, fullScale: fullScale), to: AnyModule(sample.module))
    let plan = try ExecutablePlan(try program(of: placed))
    return (placed, try plan.run(inputs: [sample.graphInput.floats], samples: 1, threads: 1))
  }

  @Test func losslessConvertersGiveTheProduct() throws {
    var random = SeededGenerator(seed: 21)
    var wrong: [Int] = []
    var exact = 0
    for number in 0..<2000 {
      let sample = randomLayerSample(number, &random)
      let (placed, result) = try execute(sample, adc: nil)
      guard case .crossbar(let module) = placed else { continue }
      let reference = try Interpreter(module).evaluate([sample.graphInput])
      let product = sample.product
      if result.outputs[0] != floats(product) || reference.outputs[0].floats != floats(product)
        || result.total.adcSaturations != 0
      {
        wrong.append(number)
      }
      if product.allSatisfy({ $0.magnitude < 1 << 24 }) { exact += 1 }
    }
    #expect(wrong.isEmpty)
    #expect(exact > 1000)
  }

  @Test func narrowConvertersSaturateEverywhereAlike() throws {
    var random = SeededGenerator(seed: 22)
    var wrong: [Int] = []
    var saturated = 0
    for number in 0..<2000 {
      let sample = randomLayerSample(number, &random)
      let adc = random.inside(1...8)
      let (placed, result) = try execute(sample, adc: adc)
      guard case .crossbar(let module) = placed else { continue }
      let reference = try Interpreter(module).evaluate([sample.graphInput])
      let oracle = sample.convert(adc: adc)
      if result.outputs[0] != floats(oracle.sums) || reference.outputs[0].floats != floats(oracle.sums)
        || result.total.adcSaturations != oracle.saturations
        || reference.saturations["layer"] != oracle.saturations
      {
        wrong.append(number)
      }
      if oracle.saturations > 0 { saturated += 1 }
    }
    #expect(wrong.isEmpty)
    #expect(saturated > 500)
  }

  /// Converters for larger sums than they have codes round to steps, everywhere alike.
  @Test func coarseConvertersRoundEverywhereAlike() throws {
    var random = SeededGenerator(seed: 24)
    var wrong: [Int] = []
    var (coarse, saturated) = (0, 0)
    for number in 0..<1000 {
      let sample = randomLayerSample(number, &random)
      let (adc, fullScale) = (random.inside(1...8), random.inside(1...400))
      let (placed, result) = try execute(sample, adc: adc, fullScale: fullScale)
      guard case .crossbar(let module) = placed else { continue }
      let reference = try Interpreter(module).evaluate([sample.graphInput])
      let codes = 1 << adc - 1
      let step = Int64(max(1, (fullScale + codes - 1) / codes))
      let oracle = sample.convert(adc: adc, step: step)
      if result.outputs[0] != floats(oracle.sums) || reference.outputs[0].floats != floats(oracle.sums)
        || result.total.adcSaturations != oracle.saturations
        || reference.saturations["layer"] != oracle.saturations
      {
        wrong.append(number)
      }
      if step > 1 { coarse += 1 }
      if oracle.saturations > 0 { saturated += 1 }
    }
    #expect(wrong.isEmpty)
    #expect(coarse > 500 && saturated > 100, "\(coarse) \(saturated)")
  }

  /// Counts the activations and conversions of fixed units from the sample's numbers alone.
  @Test func eventsEqualAnIndependentCount() throws {
    var random = SeededGenerator(seed: 23)
    var wrong: [Int] = []
    for number in 0..<600 {
      let sample = randomLayerSample(number, &random)
      let (placed, result) = try execute(sample, adc: 4)
      guard case .crossbar(let module) = placed, let layer = module.layers.first?.layer else { continue }
      let bits = sample.isSigned ? bitCount(sample.inputs) - 1 : bitCount(sample.inputs)
      let digits = (bits + sample.array.dacBits - 1) / sample.array.dacBits
      let steps = digits * sample.positions * (sample.isSigned ? 2 : 1)
      var (units, conversions) = (0, 0)
      for block in layer.blocks {
        let vertical = (block.rows.count + sample.array.unitHeight - 1) / sample.array.unitHeight
        let horizontal = (block.columns.count + sample.array.unitWidth - 1) / sample.array.unitWidth
        units += vertical * horizontal
        conversions += vertical * block.columns.count
      }
      if result.total.ouActivations != units * steps || result.total.adcConversions != conversions * steps {
        wrong.append(number)
      }
    }
    #expect(wrong.isEmpty)
  }

  private func bitCount(_ type: ElementType) -> Int {
    if case .integer(let bits, _) = type { return bits }
    return 0
  }

  /// A dense 128x128 layer of one-bit cells, all inputs 1: 64 activations for an input bit with units of 16x16 and
  /// 240 with 9x8, where 128 wordlines are 15 units and 128 bitlines are 16.
  @Test(arguments: [(16, 16, 64), (9, 8, 240), (128, 128, 1)])
  func denseLayerCounts(height: Int, width: Int, expected: Int) throws {
    for inputBits in [1, 8] {
      var sample = LayerSample()
      sample.rows = 128
      // Offset encoding of 2-bit weights takes one 2-bit column for each output.
      sample.columns = 128
      sample.weightBits = 2
      sample.signs = .offset
      sample.weights = [Int64](repeating: 1, count: 128 * 128)
      sample.inputs = .integer(bits: inputBits, signed: false)
      sample.x = [Int64](repeating: (1 << Int64(inputBits)) - 1, count: 128)
      sample.array.unitHeight = height
      sample.array.unitWidth = width
      let (_, result) = try execute(sample, adc: nil)
      #expect(result.total.ouActivations == expected * inputBits)
      #expect(result.outputs[0] == floats(sample.product))
    }
  }
}
