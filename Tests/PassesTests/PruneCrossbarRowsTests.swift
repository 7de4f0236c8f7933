import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Evaluator
import Support
import Tensors
import Testing

@Suite("prune-crossbar-rows")
struct PruneCrossbarRowsTests {
  private func sample(_ matrix: [[Int64]], side: Int) -> LayerSample {
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits) = (matrix.count, matrix[0].count, 4)
    sample.weights = matrix.flatMap { $0 }
    sample.x = matrix.map { _ in 1 }
    (sample.array.rows, sample.array.columns) = (side, 64)
    (sample.array.unitHeight, sample.array.unitWidth) = (side, 64)
    return sample
  }

  private func layer(_ pipeline: String, _ sample: LayerSample) throws -> Layer {
    var context = PassContext()
    let module = try run("slice-bits, \(pipeline)", on: AnyModule(sample.module), in: &context)
    return try #require(module.crossbarModule.layers.first).layer
  }

  /// Five rows on crossbars of four take two crossbars; without the least row they take one (reference: 4.9, 6).
  @Test func theLeastRowFreesACrossbar() throws {
    let sample = sample([[7, 0], [1, 1], [3, -4], [0, 1], [5, 2]], side: 4)
    let pruned = try layer("prune-crossbar-rows(ratio: 0.2)", sample)
    #expect(pruned.blocks.map { $0.rows.map(\.input) } == [[0, 1, 2, 4]])
    #expect(pruned.blocks[0].rowIndex == .absolute(bits: 3, first: 0))
    #expect(pruned.weights?.integers == [7, 0, 1, 1, 3, -4, 0, 0, 5, 2])
    #expect(try layer("form-units", sample).blocks.count == 2)
    #expect(try layer("prune-crossbar-rows(ratio: 0.2), form-units", sample).blocks.count == 1)
  }

  @Test func rowsThatFreeCrossbarsGoFirst() throws {
    // Strips of two outputs each: the first has 4 rows, the second 5, of which one frees a crossbar.
    var sample = sample([[1, 0], [1, 7], [1, 7], [1, 6], [0, 5], [0, 4]], side: 4)
    (sample.weightBits, sample.array.cellBits) = (4, 3)
    let pruned = try layer("compress-rows(width: 2), prune-crossbar-rows(ratio: 0.12)", sample)
    // Nine rows in all, so one may go: the row of 4, although rows of 1 are less salient.
    #expect(pruned.weights?.integers == [1, 0, 1, 7, 1, 7, 1, 6, 0, 5, 0, 0])
    let more = try layer("compress-rows(width: 2), prune-crossbar-rows(ratio: 0.25)", sample)
    #expect(more.weights?.integers == [0, 0, 1, 7, 1, 7, 1, 6, 0, 5, 0, 0])
    let freed = try layer("compress-rows(width: 2), prune-crossbar-rows(ratio: 0.25, until: freed)", sample)
    #expect(freed.weights == pruned.weights)
    // Four more rows free the next crossbar: those of 1 cost least.
    let all = try layer("compress-rows(width: 2), prune-crossbar-rows(ratio: 0.6, until: freed)", sample)
    #expect(all.weights?.integers == [0, 0, 0, 7, 0, 7, 0, 6, 0, 5, 0, 0])
    #expect(all.blocks.count == 1)
  }

  @Test func nothingOrEverythingMayGo() throws {
    let sample = sample([[1, 2], [3, 4]], side: 4)
    #expect(try layer("prune-crossbar-rows(ratio: 0.0)", sample).weights?.integers == [1, 2, 3, 4])
    let empty = try layer("prune-crossbar-rows(ratio: 1.0), form-units, place-blocks", sample)
    #expect(empty.blocks.isEmpty && empty.weights?.integers == [0, 0, 0, 0])
    expectFailure("prune-crossbar-rows.ratio") { _ = try layer("prune-crossbar-rows(ratio: 1.5)", sample) }
    expectFailure("pass.units") { _ = try layer("form-units, prune-crossbar-rows", sample) }
  }

  /// Empty cells of other encodings are no zero weights, and what is left of a layer whose cells cancel may not fit.
  @Test func whatCannotBePrunedIsRefused() throws {
    var context = PassContext()
    let sample = sample([[1, 2], [3, 4]], side: 4)
    for signs in ["offset", "twos-complement"] {
      expectFailure("prune-crossbar-rows.encoding") {
        _ = try run(
          "slice-bits(signs: \(signs)), prune-crossbar-rows", on: AnyModule(sample.module), in: &context)
      }
    }
    var module = try run("slice-bits", on: AnyModule(sample.module), in: &context).crossbarModule
    var layer = try #require(module.layers.first).layer
    // The weight 1 as 1 + 5 * 3 - 5 * 3, of which the parts that subtract go.
    layer.blocks.append(
      Block(
        rows: (0..<5).map { _ in RowEntry(input: 0) }, columns: [ColumnEntry(output: 0, shift: 0)],
        cells: [3, 3, 3, 3, 3]))
    layer.blocks.append(
      Block(
        rows: [RowEntry(input: 0)],
        columns: (0..<5).map { _ in ColumnEntry(output: 0, shift: 0, negative: true) },
        cells: [3, 3, 3, 3, 3]))
    module.replaceLayers([(try #require(module.layers.first).id, layer)])
    var range: Set<String> = []
    for ratio in ["0.2", "0.4", "0.6", "0.8"] {
      do {
        _ = try run("prune-crossbar-rows(ratio: \(ratio))", on: AnyModule(module), in: &context)
      } catch let error as Diagnostic {
        range.insert(error.id)
      }
    }
    #expect(range == ["prune-crossbar-rows.range"])
  }

  /// Cells far beyond their weights, whose shifts cancel, are counted without overflow.
  @Test func theLargestShiftsHaveASaliency() throws {
    var context = PassContext()
    var module = try run(
      "slice-bits", on: AnyModule(sample([[1, 2], [3, 4]], side: 4).module), in: &context
    )
    .crossbarModule
    let first = try #require(module.layers.first)
    var layer = first.layer
    for negative in [false, true] {
      layer.blocks.append(
        Block(
          rows: (0..<4).map { _ in RowEntry(input: 0, shift: 16) },
          columns: [ColumnEntry(output: 0, shift: 24, negative: negative)], cells: [3, 3, 3, 3]))
    }
    module.replaceLayers([(first.id, layer)])
    let pruned = try run("prune-crossbar-rows(ratio: 0.2)", on: AnyModule(module), in: &context)
      .crossbarModule
    #expect(pruned.layers.first?.layer.blocks.map(\.rows.count).reduce(0, +) == 8)
  }

  /// Random layers: no more rows go than may, what goes is 0, what stays is unchanged, and the product is that of the
  /// pruned matrix (the verifier holds the cells to it).
  @Test func randomLayers() throws {
    var random = SeededGenerator(seed: 71)
    var removed = 0
    for number in 0..<300 {
      var sample = sparseLayerSample(number, &random)
      (sample.signs, sample.placement) = (.differential, "intra")
      let ratio = random.unit()
      let mapping = ["", "compress-rows, ", "remove-zero-lines, "][random.below(3)]
      let until = random.chance(0.5) ? "freed" : "ratio"
      let before = try layer("\(mapping)encode-indices(bits: absolute)", sample)
      let text = "\(mapping)prune-crossbar-rows(ratio: \(Float(ratio)), until: \(until))"
      let after = try layer(text, sample)
      let counts = [before, after].map { $0.blocks.reduce(0) { $0 + $1.rows.count } }
      #expect(counts[0] - counts[1] <= Int(Float(ratio) * Float(counts[0])))
      if until == "ratio" { #expect(counts[0] - counts[1] == Int(Float(ratio) * Float(counts[0]))) }
      removed += counts[0] - counts[1]
      for (old, new) in zip(sample.weights, try #require(after.weights).integers) {
        #expect(new.magnitude <= old.magnitude && (new == 0 || new.signum() == old.signum()))
      }
    }
    #expect(removed > 1000)
  }
}
