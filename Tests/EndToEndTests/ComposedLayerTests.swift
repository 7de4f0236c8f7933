import CodeGen
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

/// Layers whose digits are composed before one conversion, through the program binary and the executor (reference:
/// section 4.9, 5).
@Suite("Composed layers, end to end")
struct ComposedLayerTests {
  /// A sample whose digits of a weight are neighbors in whole units, and how many they are.
  private func composable(_ number: Int, _ random: inout SeededGenerator) -> (LayerSample, digits: Int) {
    var sample = randomLayerSample(number, &random)
    sample.weightBits = min(sample.weightBits, 8)
    let half = Int64(1) << Int64(sample.weightBits - 1)
    sample.weights = sample.weights.map { $0 < 0 ? max($0 % half, 1 - half) : $0 % half }
    sample.signs = random.chance(0.6) ? .differential : .offset
    (sample.order, sample.placement) = ("weight-major", "intra")
    let bits = sample.signs == .offset ? sample.weightBits : sample.weightBits - 1
    let digits = (bits + sample.array.cellBits - 1) / sample.array.cellBits
    sample.array.unitHeight = min(sample.array.unitHeight, 16)
    sample.array.unitWidth = digits * random.inside(1...4)
    sample.array.columns = sample.array.unitWidth * random.inside(1...3)
    return (sample, digits)
  }

  private func pipeline(_ sample: LayerSample, units: String, compose: String?) -> String {
    let passes = [
      "slice-bits(signs: \(sample.signs.rawValue))", "form-units(units: \(units))", compose, "place-blocks",
      "schedule",
    ]
    return passes.compactMap { $0 }.joined(separator: ", ")
  }

  private struct Outcome {
    let layer: Layer
    let program: Program
    let run: RunResult
    let reference: EvaluationResult
  }

  private func execute(_ sample: LayerSample, units: String = "fixed", compose: String?) throws -> Outcome {
    let placed = try apply(
      pipeline(sample, units: units, compose: compose), to: AnyModule(sample.module))
    guard case .crossbar(let module) = placed, let layer = module.layers.first?.layer else {
      throw Diagnostic("test.level", "no layer at crossbar level")
    }
    let program = try program(of: placed)
    return Outcome(
      layer: layer, program: program,
      run: try ExecutablePlan(program).run(inputs: [sample.graphInput.floats], samples: 1, threads: 1),
      reference: try Interpreter(module).evaluate([sample.graphInput]))
  }

  @Test func losslessCompositionGivesTheProduct() throws {
    var random = SeededGenerator(seed: 71)
    var wrong: [String] = []
    for number in 0..<500 {
      let (sample, digits) = composable(number, &random)
      let units = ["fixed", "zero-skipping", "dynamic"][number % 3]
      let outcome = try execute(sample, units: units, compose: "compose-analog")
      let plain = try execute(sample, units: units, compose: nil)
      let product = sample.product.map { Float($0) }
      if outcome.run.outputs[0] != product || outcome.reference.outputs[0].floats != product {
        wrong.append("\(number) \(units): outputs")
      }
      if outcome.run.total.adcSaturations != 0 { wrong.append("\(number) \(units): saturations") }
      // One conversion instead of one for each digit; everything else stays.
      if outcome.run.total.adcConversions * digits != plain.run.total.adcConversions
        || outcome.run.total.shiftAdds != outcome.run.total.adcConversions
        || outcome.run.total.ouActivations != plain.run.total.ouActivations
        || outcome.run.total.cellReads != plain.run.total.cellReads
        || outcome.run.total.cycles != plain.run.total.cycles
      {
        wrong.append("\(number) \(units): events")
      }
      if try emitProgram(liftProgram(outcome.program)) != outcome.program { wrong.append("\(number): text") }
    }
    #expect(wrong.isEmpty)
  }

  @Test func coarseConvertersStayWithinTheBound() throws {
    var random = SeededGenerator(seed: 72)
    var wrong: [String] = []
    var (rounded, saturated) = (0, 0)
    for number in 0..<500 {
      let (sample, _) = composable(number, &random)
      let adc = random.inside(1...9)
      let given = random.chance(0.5) ? random.inside(1...max(1, Int(sample.largestComposedSum))) : nil
      let outcome = try execute(
        sample, units: number % 2 == 0 ? "fixed" : "zero-skipping",
        compose: "compose-analog(adc: \(adc), full-scale: \(given.map { "\($0)" } ?? "auto"))")
      let fullScale = given.map { Int64($0) } ?? max(1, sample.largestComposedSum)
      if outcome.layer.readout?.fullScale != Int(fullScale) { wrong.append("\(number): full scale") }
      let codes = Int64(1) << Int64(adc) - 1
      let step = max(1, (fullScale + codes - 1) / codes)
      let oracle = sample.convertComposed(adc: adc, step: step)
      if outcome.run.outputs[0] != oracle.sums.map({ Float($0) })
        || outcome.reference.outputs[0].floats != outcome.run.outputs[0]
        || outcome.run.total.adcSaturations != oracle.saturations
        || outcome.reference.saturations["layer"] != oracle.saturations
      {
        wrong.append("\(number): \(sample.pipeline(adc: adc))")
      }
      if given == nil && oracle.saturations > 0 { wrong.append("\(number): auto saturates") }
      if oracle.saturations == 0 {
        let bound = bound(sample, step: step)
        let errors = zip(oracle.sums, sample.product).map { ($0 - $1).magnitude }
        if errors.contains(where: { $0 > bound }) { wrong.append("\(number): bound") }
        if errors.contains(where: { $0 > 0 }) { rounded += 1 }
      } else {
        saturated += 1
      }
    }
    #expect(wrong.isEmpty)
    #expect(rounded > 100 && saturated > 30)
  }

  /// Half a step for each conversion of an output, with the weight of its digit; nothing where the step is 1.
  private func bound(_ sample: LayerSample, step: Int64) -> UInt64 {
    guard case .integer(let width, _) = sample.inputs, step > 1 else { return 0 }
    let bits = sample.isSigned ? width - 1 : width
    let digits = stride(from: 0, to: bits, by: sample.array.dacBits).reduce(UInt64(0)) {
      $0 + 1 << UInt64($1)
    }
    let conversions = sample.units.count * (sample.signs == .differential ? 2 : 1) * (sample.isSigned ? 2 : 1)
    return UInt64(step / 2) * UInt64(conversions) * digits
  }

  /// Composed levels of 16 bits need lanes of their own.
  @Test func weightsOfSixteenBitsAreComposed() throws {
    var random = SeededGenerator(seed: 73)
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits) = (40, 3, 16)
    sample.array.cellBits = 1
    (sample.array.unitWidth, sample.array.columns) = (16, 96)
    sample.signs = .offset
    sample.weights = (0..<120).map { _ in Int64(random.inside(-32768...32767)) }
    sample.x = (0..<40).map { _ in Int64(random.below(256)) }
    let step = (sample.largestComposedSum + 65534) / 65535
    let outcome = try execute(sample, compose: "compose-analog(adc: 16)")
    let oracle = sample.convertComposed(adc: 16, step: step)
    #expect(step > 1 && outcome.layer.bitlinesPerConversion == 16)
    #expect(outcome.run.outputs[0] == oracle.sums.map { Float($0) })
    #expect(outcome.reference.outputs[0].floats == outcome.run.outputs[0])
  }
}
