import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Support
import Tensors
import Testing

/// What `compose-analog` sets, whatever the sample.
@Suite("compose-analog")
struct ComposeAnalogTests {
  private func layer(_ pipeline: String, _ sample: LayerSample) throws -> Layer {
    var context = PassContext()
    let result = try run(pipeline, on: AnyModule(sample.module), in: &context)
    return try #require(result.crossbarModule.layers.first).layer
  }

  private func weights(_ matrix: [Int64]) -> LayerSample {
    var sample = LayerSample()
    (sample.rows, sample.weights, sample.x) = (matrix.count, matrix, matrix.map { _ in 1 })
    return sample
  }

  /// The four largest of gathered wordlines, or four neighbors.
  @Test(arguments: [("fixed", 10), ("zero-skipping", 10), ("dynamic", 19)])
  func fullScaleIsWhatAUnitCanReach(_ units: String, _ expected: Int) throws {
    let sample = weights([1, 9, 0, 0, 3, 1, -7, 6, 0, 1])
    let form = "slice-bits, form-units(units: \(units), height: 4)"
    #expect(try layer("\(form), compose-analog", sample).readout?.fullScale == expected)
    let doubled = try layer(
      "slice-bits, form-units(units: \(units), height: 4, dac: 2), compose-analog", sample)
    #expect(doubled.readout?.fullScale == 3 * expected)
  }

  @Test(arguments: [("differential", 1, 7), ("differential", 2, 4), ("offset", 2, 4), ("offset", 4, 2)])
  func groupsAreTheDigitsOfAWeight(_ signs: String, _ cell: Int, _ digits: Int) throws {
    var sample = weights([100, -3])
    sample.array.cellBits = cell
    let composed = try layer(
      "slice-bits(signs: \(signs)), form-units(width: \(2 * digits)), compose-analog", sample)
    #expect(composed.bitlinesPerConversion == digits)
  }

  @Test func nothingNeedsAConverterOfOneBit() throws {
    let layer = try layer("slice-bits, form-units, compose-analog", weights([0, 0]))
    #expect(layer.readout?.fullScale == 1 && layer.adcBits == 1)
  }

  @Test func signBitsArePartOfNoGroup() throws {
    expectFailure("compose-analog.groups") {
      _ = try layer("slice-bits(signs: twos-complement), form-units, compose-analog", weights([5, -3]))
    }
  }

  @Test func composingTwiceChangesNothing() throws {
    let sample = weights([100, -3])
    let once = try layer("slice-bits, form-units, compose-analog(adc: 3)", sample)
    #expect(try layer("slice-bits, form-units, compose-analog, compose-analog(adc: 3)", sample) == once)
  }
}
