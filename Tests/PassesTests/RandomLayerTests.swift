import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// Random layers through the passes of the crossbar level, against an oracle that knows neither blocks nor cells.
@Suite("Random layers")
struct RandomLayerTests {
  /// The sums of the layer and how many conversions saturated.
  private func evaluate(_ sample: LayerSample, adc: Int?) throws -> (sums: [Int64], saturations: Int) {
    var context = PassContext()
    let placed = try run(sample.pipeline(adc: adc), on: AnyModule(sample.module), in: &context).crossbarModule
    var sums: [Int64] = []
    let result = try Interpreter(placed).evaluate([sample.graphInput]) { id, tensor in
      if placed.values[id].name == "sums" { sums = tensor.integers }
    }
    return (sums, result.saturations["layer"] ?? -1)
  }

  @Test func losslessConvertersGiveTheProduct() throws {
    var random = SeededGenerator(seed: 11)
    var wrong: [Int] = []
    for number in 0..<2000 {
      let sample = randomLayerSample(number, &random)
      let product = sample.product
      let (sums, saturations) = try evaluate(sample, adc: nil)
      let oracle = sample.convert(adc: 16)
      if sums != product || oracle.sums != product || saturations != 0 { wrong.append(number) }
    }
    #expect(wrong.isEmpty)
  }

  @Test func narrowConvertersSaturateAsInTheOracle() throws {
    var random = SeededGenerator(seed: 12)
    var wrong: [Int] = []
    var saturated = 0
    for number in 0..<2000 {
      let sample = randomLayerSample(number, &random)
      let adc = random.inside(1...8)
      let (sums, saturations) = try evaluate(sample, adc: adc)
      let oracle = sample.convert(adc: adc)
      if sums != oracle.sums || saturations != oracle.saturations { wrong.append(number) }
      if saturations > 0 { saturated += 1 }
    }
    #expect(wrong.isEmpty)
    #expect(saturated > 500, "the converters must be narrow enough to matter")
  }

  /// The decode invariant once more, by loops of the test.
  @Test func cellsDecodeToTheWeights() throws {
    var random = SeededGenerator(seed: 13)
    var wrong: [Int] = []
    for number in 0..<600 {
      let sample = randomLayerSample(number, &random)
      var context = PassContext()
      let module = try run(sample.pipeline(), on: AnyModule(sample.module), in: &context).crossbarModule
      if try decoded(#require(module.layers.first).layer, sample) != sample.weights { wrong.append(number) }
    }
    #expect(wrong.isEmpty)
  }

  private func decoded(_ layer: Layer, _ sample: LayerSample) -> [Int64]? {
    var sums = [Int64](repeating: -layer.coding.offset, count: sample.rows * sample.columns)
    for block in layer.blocks {
      guard block.rows.count <= sample.array.rows, block.columns.count <= sample.array.columns else {
        return nil
      }
      for (r, row) in block.rows.enumerated() {
        for (c, column) in block.columns.enumerated() {
          let level = Int64(block.cells[r * block.columns.count + c])
          guard level < 1 << sample.array.cellBits else { return nil }
          sums[row.input * sample.columns + column.output] +=
            (column.negative ? -level : level) << (column.shift + row.shift)
        }
      }
    }
    return sums
  }

  @Test func samplesCoverTheirSpace() {
    var random = SeededGenerator(seed: 11)
    var seen: Set<String> = []
    for number in 0..<2000 {
      let sample = randomLayerSample(number, &random)
      seen.insert(sample.signs.rawValue)
      seen.formUnion([
        sample.order, sample.placement, "cell \(sample.array.cellBits)", "dac \(sample.array.dacBits)",
      ])
      seen.formUnion(["weight \(sample.weightBits)", "input \(sample.inputs)"])
      if sample.weights.contains(-(1 << Int64(sample.weightBits - 1))) { seen.insert("lowest weight") }
      if sample.rows == 1 && sample.columns == 1 { seen.insert("one cell") }
      if sample.rows > 256 { seen.insert("tall") }
    }
    // 3 encodings, 2 orders, 2 placements, 8 cells, 4 drivers, 15 weights, 16 + 15 inputs, 3 marks.
    #expect(seen.count == 3 + 2 + 2 + 8 + 4 + 15 + 31 + 3)
  }
}
