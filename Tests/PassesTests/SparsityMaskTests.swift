import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Support
import Tensors
import Testing

/// `remove-zero-lines(scope: layer)` and the sparsity masks of ReCom (reference: sections 5.2 and 5.7).
@Suite("Sparsity masks")
struct SparsityMaskTests {
  /// Weights of one cell each, so that an output has one bitline of each sign, in crossbars of 64x64.
  private func sample(_ rows: Int, _ columns: Int, _ weight: (Int, Int) -> Int) -> LayerSample {
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits) = (rows, columns, 2)
    sample.weights = (0..<rows * columns).map { Int64(weight($0 / columns, $0 % columns)) }
    sample.x = [Int64](repeating: 0, count: rows)
    (sample.array.rows, sample.array.columns, sample.array.unitHeight, sample.array.unitWidth) = (
      64, 64, 64, 64
    )
    return sample
  }

  private func layer(_ passes: String, _ sample: LayerSample) throws -> Layer {
    var context = PassContext()
    return try #require(
      run("slice-bits, \(passes)", on: AnyModule(sample.module), in: &context).crossbarModule.layers.first
    ).layer
  }

  @Test func inputsAndOutputsGoWithAllTheirLines() throws {
    let sample = sample(6, 5) { row, column in row % 2 == 0 && column != 3 ? (row == 4 ? -1 : 1) : 0 }
    let layer = try layer("remove-zero-lines(scope: layer)", sample)
    let block = try #require(layer.blocks.first)
    #expect(layer.hasMasks && layer.blocks.count == 1)
    #expect(layer.masks.inputs == [true, false, true, false, true, false])
    #expect(layer.masks.outputs == [true, true, true, false, true])
    #expect(block.rows.map(\.input) == [0, 2, 4] && block.rowIndex == nil && block.columnIndex == nil)
    // Both signs of an output stay, even where one is zero.
    #expect(block.columns.map(\.output) == [0, 0, 1, 1, 2, 2, 4, 4])
    #expect(layer.indexBits == 11 && layer.indexEntries == 11)
    let rows = try self.layer("remove-zero-lines(scope: layer, lines: rows)", sample)
    #expect(rows.masks.outputs == [Bool](repeating: true, count: 5) && rows.blocks[0].rows.count == 3)
    let columns = try self.layer("remove-zero-lines(scope: layer, lines: columns)", sample)
    #expect(columns.masks.inputs.allSatisfy { $0 } && columns.blocks[0].columns.count == 8)
  }

  /// Storage of ReCom: a bit for each filter and filter position. LeNet conv2: 50 + 500; AlexNet conv3: 384 + 2304.
  @Test(arguments: [(500, 50, 550), (2304, 384, 2688)])
  func storage(_ rows: Int, _ columns: Int, _ bits: Int) throws {
    let layer = try layer("remove-zero-lines(scope: layer)", sample(rows, columns) { row, _ in row % 2 })
    #expect(layer.indexBits == bits)
  }

  /// Crossbars of 64x64, a bitline for each weight, without and with the pass: only the first inputs and outputs are
  /// nonzero.
  private func crossbars(_ rows: Int, _ columns: Int, _ keptRows: Int, _ keptColumns: Int) throws -> [Int] {
    // Offset encoding takes one bitline for each weight of two bits; -2 is an empty cell.
    var sample = sample(rows, columns) { row, column in row < keptRows && column < keptColumns ? 1 : -2 }
    sample.signs = .offset
    return try ["", "remove-zero-lines(scope: layer), "].map { passes in
      var context = PassContext()
      let text = "slice-bits(signs: offset), \(passes)form-units(lossless: true), place-blocks"
      let module = try run(text, on: AnyModule(sample.module), in: &context).crossbarModule
      return Set(try #require(module.layers.first).layer.blocks.compactMap(\.placement?.crossbar)).count
    }
  }

  /// By ReCom's sparsities: LeNet conv2 with 26 of 500 positions, a group of AlexNet conv4 with 259 of 1728 positions
  /// and 103 of 192 filters.
  @Test(arguments: [(500, 50, 26, 50, 8, 1), (1728, 192, 259, 103, 81, 10)])
  func tiles(_ rows: Int, _ columns: Int, _ keptRows: Int, _ keptColumns: Int, _ before: Int, _ after: Int)
    throws
  {
    #expect(try crossbars(rows, columns, keptRows, keptColumns) == [before, after])
  }

  /// ReCom's sparsities of CaffeNet's five convolutions, of one group each, leave 1 / 1.36 of the crossbars on average
  /// (section 5.5).
  @Test func tilesOfCaffeNet() throws {
    let layers: [(positions: Int, filters: Int, rows: Double, columns: Double, gain: Double)] = [
      (363, 96, 0, 0, 1.0), (1200, 128, 0, 0.235, 1.27), (2304, 384, 0.0157, 0.39, 1.64),
      (1728, 192, 0.0286, 0.385, 1.59), (1728, 128, 0, 0.245, 1.29),
    ]
    var sum = 0.0
    for layer in layers {
      let positions = Int((Double(layer.positions) * (1 - layer.columns)).rounded())
      let filters = Int((Double(layer.filters) * (1 - layer.rows)).rounded())
      let counts = try crossbars(layer.positions, layer.filters, positions, filters)
      let gain = Double(counts[0]) / Double(counts[1])
      #expect(abs(gain - layer.gain) < 0.005, "\(counts)")
      sum += gain
    }
    #expect(sum / 5 > 1.355 && sum / 5 < 1.39)
  }

  @Test func emptyLayersHaveNoBlocks() throws {
    let layer = try layer(
      "remove-zero-lines(scope: layer), form-units, place-blocks", sample(9, 4) { _, _ in 0 })
    #expect(layer.blocks.isEmpty && layer.hasMasks && layer.indexBits == 13)
  }

  /// Pieces for crossbars are runs of the lines in use.
  @Test func piecesStayRuns() throws {
    var random = SeededGenerator(seed: 111)
    for _ in 0..<50 {
      let sample = sample(random.inside(1...300), random.inside(1...100)) { _, _ in
        random.chance(0.02) ? 1 : 0
      }
      let cut = random.chance(0.5) ? "even" : "full"
      let layer = try layer("remove-zero-lines(scope: layer), form-units(cut: \(cut)), place-blocks", sample)
      let runs = MaskRuns(layer.masks)
      #expect(layer.blocks.allSatisfy { runs.start(of: $0.rows) != nil && runs.start(of: $0.columns) != nil })
      #expect(layer.masks.usedInputs == layer.masks.inputs.indices.filter { layer.masks.inputs[$0] })
    }
  }

  @Test func whatDoesNotGoTogetherIsRefused() throws {
    let sample = sample(9, 4) { row, _ in row % 2 }
    for pass in [
      "compress-rows", "compress-columns", "cluster-columns", "encode-indices", "remove-zero-lines",
      "prune-crossbar-rows", "remove-zero-lines(scope: layer)",
    ] {
      expectFailure("pass.masks") { _ = try layer("remove-zero-lines(scope: layer), \(pass)", sample) }
    }
    expectFailure("remove-zero-lines.order") {
      _ = try layer(
        "compress-rows, remove-zero-lines(scope: layer)", self.sample(9, 40) { $0 == $1 % 9 ? 1 : 0 })
    }
  }

  /// Masks and the runs in them, by hand.
  @Test func runs() {
    let bitlines = (0..<3).flatMap { output in
      [false, true].map { ColumnEntry(output: output, shift: 0, negative: $0) }
    }
    let vectors = SparsityMasks(
      inputs: [true, false, true, true], outputs: [true, false, true], columnLayout: bitlines)
    #expect(vectors.usedInputs == [0, 2, 3] && vectors.bits == 7)
    #expect(vectors.usedColumns == [bitlines[0], bitlines[1], bitlines[4], bitlines[5]])
    let runs = MaskRuns(vectors)
    #expect(runs.start(of: [RowEntry(input: 2), RowEntry(input: 3)]) == 1)
    #expect(runs.start(of: [RowEntry(input: 0), RowEntry(input: 3)]) == nil)
    #expect(runs.start(of: [RowEntry(input: 3), RowEntry(input: 0)]) == nil)
    #expect(runs.start(of: [RowEntry(input: 1)]) == nil && runs.start(of: [RowEntry]()) == nil)
    #expect(runs.start(of: [RowEntry(input: 2, shift: 1)]) == nil)
    #expect(runs.start(of: [bitlines[1], bitlines[4]]) == 1)
    #expect(runs.start(of: [bitlines[0], bitlines[4]]) == nil && runs.start(of: [bitlines[2]]) == nil)
    #expect(runs.start(of: [bitlines[5], bitlines[0]]) == nil)
  }
}
