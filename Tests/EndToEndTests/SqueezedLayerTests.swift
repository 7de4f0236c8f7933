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

/// Squeezed layers through the program binary and the executor (reference: section 3.8).
@Suite("Squeezed layers, end to end")
struct SqueezedLayerTests {
  /// A differential sample in planes; converters are lossless, units the machine's or whole crossbars.
  private func planeSample(_ number: Int, _ random: inout SeededGenerator) -> LayerSample {
    var sample = sparseLayerSample(number, &random)
    (sample.signs, sample.placement, sample.order) = (.differential, "inter", "weight-major")
    return sample
  }

  /// The matrix without the bits that fall out when `freed` planes go: wordline by wordline, in each crossbar's share
  /// or in all of it.
  private func squeezed(_ sample: LayerSample, _ freed: Int, _ planes: Int, perCrossbar: Bool) -> [Int64] {
    let left = (planes - freed) * sample.array.cellBits
    // Two bitlines for each output in a plane.
    let width = perCrossbar ? sample.array.columns : 2 * sample.columns
    var matrix = sample.weights
    for row in 0..<sample.rows {
      for start in stride(from: 0, to: 2 * sample.columns, by: width) {
        let bitlines = start..<min(start + width, 2 * sample.columns)
        // Bitline 2o adds the positive part of weight o, bitline 2o + 1 subtracts the negative one.
        let codes = bitlines.map { bitline in
          let weight = sample.weights[row * sample.columns + bitline / 2]
          return max(0, bitline % 2 == 0 ? weight : -weight)
        }
        var shift = 0
        while (codes.max() ?? 0) >> Int64(shift) >= 1 << Int64(left) { shift += 1 }
        for (bitline, code) in zip(bitlines, codes) {
          let lost = code % (1 << Int64(shift))
          matrix[row * sample.columns + bitline / 2] -= bitline % 2 == 0 ? lost : -lost
        }
      }
    }
    return matrix
  }

  @Test func executorInterpreterAndProductOfTheSqueezedMatrixAgree() throws {
    var random = SeededGenerator(seed: 61)
    var wrong: [String] = []
    var lossy = 0
    for number in 0..<1000 {
      var sample = planeSample(number, &random)
      let half = Int64(1) << Int64(sample.weightBits - 1)
      let bits = sample.weights.contains(-half) ? sample.weightBits : sample.weightBits - 1
      let planes = (bits + sample.array.cellBits - 1) / sample.array.cellBits
      let freed = number % 4 == 0 ? 0 : random.below(planes)
      let perCrossbar = random.chance(0.5)
      let whole = random.chance(0.5) && sample.array.rows * 255 < 1 << 15 ? ", whole: true" : ""
      let compress = random.chance(0.3) ? "compress-rows, encode-indices(bits: 2), " : ""
      let units = random.chance(0.3) ? "units: dynamic, " : ""
      let pipeline =
        "slice-bits(placement: inter), squeeze-bits(planes: \(freed), scope: \(perCrossbar ? "crossbar" : "matrix")), "
        + "\(compress)form-units(\(units)lossless: true\(whole)), place-blocks, schedule"
      let expected = squeezed(sample, freed, planes, perCrossbar: perCrossbar)
      let placed = try apply(pipeline, to: AnyModule(sample.module))
      guard case .crossbar(let module) = placed else { continue }
      let run = try ExecutablePlan(try program(of: placed)).run(
        inputs: [sample.graphInput.floats], samples: 1, threads: 1)
      let reference = try Interpreter(module).evaluate([sample.graphInput])
      if expected != sample.weights { lossy += 1 }
      if freed == 0 && expected != sample.weights { wrong.append("\(number): lossy without freed planes") }
      sample.weights = expected
      let product = sample.product.map { Float($0) }
      if run.outputs[0] != product || reference.outputs[0].floats != product || run.total.adcSaturations != 0
        || module.layers.first?.layer.weights?.integers != expected
      {
        wrong.append("\(number): \(pipeline)")
      }
    }
    #expect(wrong.isEmpty)
    #expect(lossy > 200)
  }

  /// Inputs of a wordline shifted by k take k cycles more: `inputBits + largest shift` activations of each plane's
  /// unit.
  @Test func freedPlanesSaveCrossbarsAndTakeCycles() throws {
    var random = SeededGenerator(seed: 62)
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits) = (128, 64, 9)
    sample.array.cellBits = 1
    sample.weights = (0..<128 * 64).map { _ in Int64(random.inside(-255...255)) }
    sample.x = (0..<128).map { _ in Int64(random.below(256)) }
    for freed in 0..<8 {
      let placed = try apply(
        "slice-bits(placement: inter), squeeze-bits(planes: \(freed)), form-units(whole: true, lossless: true), "
          + "place-blocks, schedule", to: AnyModule(sample.module))
      let program = try program(of: placed)
      let run = try ExecutablePlan(program).run(inputs: [sample.graphInput.floats], samples: 1, threads: 1)
      #expect(program.crossbars.count == 8 - freed)
      #expect(run.total.ouActivations == (8 - freed) * (8 + freed))
      #expect(run.total.adcConversions == (8 - freed) * (8 + freed) * 128)
      #expect(run.total.cycles == 8 + freed + sample.machine.timing.pipelineCycles)
      // One shift table for all planes, as wide as the largest shift needs.
      let bits = [0, 1, 2, 2, 3, 3, 3, 3][freed]
      #expect(run.total.indexBits == 128 * bits)
    }
  }
}
