import CodeGen
import Hardware
import IR
import LayerSamples
import Mapping
import Passes
import Support
import Tensors
import Testing

@Suite("compress-rows, compress-columns, remove-zero-lines, encode-indices")
struct SparsePassTests {
  /// A layer of one bitline for each output: offset encoding of 2-bit weights in 2-bit cells, so that the weight -2 is
  /// an empty cell.
  private func cells(_ rows: Int, _ columns: Int, _ level: (Int, Int) -> Int) -> LayerSample {
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits, sample.signs) = (rows, columns, 2, .offset)
    sample.weights = (0..<rows * columns).map { Int64(level($0 / columns, $0 % columns) - 2) }
    sample.x = [Int64](repeating: 0, count: rows)
    return sample
  }

  private func layer(_ pipeline: String, _ sample: LayerSample) throws -> Layer {
    var context = PassContext()
    let text = "slice-bits(signs: offset), \(pipeline)"
    return try #require(run(text, on: AnyModule(sample.module), in: &context).crossbarModule.layers.first)
      .layer
  }

  /// Of cells that are 0 with probability p, a strip of w bitlines keeps the share 1 - p^w of its wordlines (reference:
  /// 2.8, 4, whose percentages stand here).
  @Test(arguments: [
    (16, 0.8, 97.2), (16, 0.9, 81.5), (16, 0.95, 56.0), (16, 0.99, 14.9), (8, 0.9, 57.0),
  ])
  func keptRowsOfRandomCells(_ width: Int, _ sparsity: Double, _ percent: Double) throws {
    var random = SeededGenerator(seed: 41)
    let sample = cells(2000, 256) { _, _ in random.chance(sparsity) ? 0 : random.inside(1...3) }
    let layer = try layer("compress-rows(width: \(width))", sample)
    let strips = 256 / width
    let kept = Double(layer.blocks.reduce(0) { $0 + $1.rows.count }) / Double(2000 * strips)
    let share = percent / 100
    // Four standard deviations, and half of the last digit that is printed.
    let tolerance = 4 * (share * (1 - share) / Double(2000 * strips)).squareRoot() + 0.0005
    #expect(abs(kept - share) < tolerance, "\(kept), expected \(share)")
  }

  @Test func stripsBeginAnewInEveryCrossbar() throws {
    var sample = cells(3, 20) { _, _ in 1 }
    (sample.array.columns, sample.array.unitWidth) = (8, 3)
    #expect(try layer("compress-rows", sample).blocks.map(\.columns.count) == [3, 3, 2, 3, 3, 2, 3, 1])
    var tall = cells(20, 3) { _, _ in 1 }
    (tall.array.rows, tall.array.unitHeight) = (8, 3)
    #expect(try layer("compress-columns", tall).blocks.map(\.rows.count) == [3, 3, 2, 3, 3, 2, 3, 1])
  }

  @Test func emptyMatricesHaveNoBlocks() throws {
    for pass in [
      "compress-rows", "compress-columns", "remove-zero-lines", "remove-zero-lines(scope: crossbar)",
    ] {
      let layer = try layer("\(pass), encode-indices, form-units, place-blocks", cells(9, 4) { _, _ in 0 })
      #expect(layer.blocks.isEmpty && layer.coding.columnLayout.count == 4)
    }
  }

  @Test func sharesOfCrossbarsCountFromTheirFirstLine() throws {
    var sample = cells(20, 4) { row, _ in row % 8 == 5 ? 3 : 0 }
    (sample.array.rows, sample.array.unitHeight) = (8, 8)
    let layer = try layer("compress-rows(scope: crossbar)", sample)
    #expect(layer.blocks.map { $0.rows.map(\.input) } == [[5], [13]])
    #expect(layer.blocks.map(\.rowIndex) == [.absolute(bits: 3, first: 0), .absolute(bits: 3, first: 8)])
    let whole = try self.layer("compress-rows", sample)
    #expect(whole.blocks.map { $0.rows.map(\.input) } == [[5, 13]])
    #expect(whole.blocks.map(\.rowIndex) == [.absolute(bits: 5, first: 0)])
  }

  @Test func removingKeepsWhatAnyLineNeeds() throws {
    let sample = cells(6, 5) { row, column in row % 2 == 0 && column != 3 ? 1 : 0 }
    let both = try #require(try layer("remove-zero-lines", sample).blocks.first)
    #expect(both.rows.map(\.input) == [0, 2, 4] && both.columns.map(\.output) == [0, 1, 2, 4])
    #expect(both.rowIndex == .absolute(bits: 3, first: 0) && both.columnIndex == .absolute(bits: 3, first: 0))
    let rows = try #require(try layer("remove-zero-lines(lines: rows)", sample).blocks.first)
    #expect(rows.rows.count == 3 && rows.columns.count == 5 && rows.columnIndex == nil)
    let columns = try #require(try layer("remove-zero-lines(lines: columns)", sample).blocks.first)
    #expect(columns.rows.count == 6 && columns.columns.count == 4 && columns.rowIndex == nil)
  }

  /// A pass that leaves out lines of one side keeps the table of the other.
  @Test func tablesOfBothSidesStay() throws {
    let sample = cells(6, 5) { row, column in row % 2 == 0 && column != 3 ? 1 : 0 }
    let columns = try #require(
      try layer("remove-zero-lines(lines: columns), compress-rows", sample).blocks.first)
    #expect(columns.rows.count == 3 && columns.columns.count == 4)
    #expect(columns.columnIndex == .absolute(bits: 3, first: 0) && columns.rowIndex != nil)
    let rows = try #require(
      try layer("remove-zero-lines(lines: rows), compress-columns", sample).blocks.first)
    #expect(rows.rows.count == 3 && rows.columns.count == 4)
    #expect(rows.rowIndex == .absolute(bits: 3, first: 0) && rows.columnIndex != nil)
  }

  /// A matrix whose strips all differ.
  private func sparse(_ seed: UInt64) -> LayerSample {
    var random = SeededGenerator(seed: seed)
    return cells(random.inside(50...400), 64) { _, _ in random.chance(0.97) ? 0 : 2 }
  }

  @Test func tablesTakeWhatTheStorageSays() throws {
    for seed in 1...20 {
      let sample = sparse(UInt64(seed))
      for pass in ["compress-rows", "compress-columns(scope: crossbar)", "remove-zero-lines"] {
        let storage = IndexStorage.table(of: try layer(pass, sample))
        let codings = (1...8).map { "\($0)" } + ["absolute"]
        #expect(storage.map(\.coding) == (1...8).map { "delta(\($0))" } + ["absolute"])
        for (choice, expected) in zip(codings, storage) {
          let coded = try layer("\(pass), encode-indices(bits: \(choice))", sample)
          #expect(coded.blocks.reduce(0) { $0 + $1.indexBits } == expected.bits)
          #expect(coded.blocks.reduce(0) { $0 + $1.indexEntries } == expected.entries)
        }
      }
    }
  }

  /// Narrow gaps over a wide matrix would take more padding than is allowed.
  @Test func paddingIsBounded() throws {
    var sample = cells(40_000, 1) { row, _ in row == 39_999 ? 1 : 0 }
    sample.array.unitWidth = 1
    var wide = Layer(
      name: "layer", rows: 40_000, columns: 30_000, inputs: .unsigned(bits: 1), weightBits: 2,
      weights: nil)
    wide.coding.cellBits = 2
    wide.coding.signs = .differential
    let columns = (0..<30_000).map { ColumnEntry(output: $0, shift: 0) }
    var block = Block(
      rows: [RowEntry(input: 39_999)], columns: columns, cells: [UInt8](repeating: 0, count: 30_000))
    block.rowIndex = .absolute(bits: 16, first: 0)
    wide.blocks = [block]
    var module = Module<CrossbarLevel>(name: "wide", facts: [], machine: sample.machine)
    let encoded = module.encode(wide, origin: nil)
    module.append(encoded)
    module.facts = [.shaped, .sliced]
    var context = PassContext()
    // Only the size is looked at before any cell is made, so the matrix itself may be missing.
    let entry = try PassRegistry.standard.entry(named: "encode-indices")
    expectFailure("encode-indices.size") {
      _ = try entry.apply(to: AnyModule(module), [NamedAttribute("bits", .int(1))], in: &context)
    }
    #expect(try layer("compress-rows, encode-indices(bits: 1)", sample).blocks.first?.rows.count == 20_000)
  }

  @Test func autoTakesTheFewestBits() throws {
    for seed in 1...20 {
      let sample = sparse(UInt64(seed))
      let storage = IndexStorage.table(of: try layer("compress-rows", sample))
      let fewest = try #require(storage.map(\.bits).min())
      let coded = try layer("compress-rows, encode-indices(bits: auto)", sample)
      #expect(coded.blocks.reduce(0) { $0 + $1.indexBits } == fewest)
    }
  }

  @Test func autoPadsNoMoreThanItMay() throws {
    for padding in [0, 5, 50] {
      let sample = sparse(7)
      let absolute = try layer("compress-rows", sample).blocks.reduce(0) { $0 + $1.rows.count }
      let coded = try layer("compress-rows, encode-indices(padding: \(padding))", sample)
      let entries = coded.blocks.reduce(0) { $0 + $1.rows.count }
      #expect(entries * 100 <= absolute * (100 + padding) && entries >= absolute)
    }
  }

  /// A block is cut after its table was coded: the table of a piece goes on where the one before it ended.
  @Test func piecesContinueTheirTables() throws {
    var sample = cells(40, 3) { row, _ in row % 3 == 0 ? 1 : 0 }
    (sample.array.rows, sample.array.unitHeight) = (8, 4)
    let full = try layer("compress-rows, encode-indices(bits: 2), form-units", sample)
    #expect(full.blocks.map(\.rows.count) == [8, 6])
    #expect(full.blocks.map(\.rowIndex) == [.delta(bits: 2, first: 0), .delta(bits: 2, first: 22)])
    let even = try layer("compress-rows, encode-indices(bits: 2), form-units(cut: even)", sample)
    #expect(even.blocks.map(\.rows.count) == [8, 6])
    sample.array.unitHeight = 1
    let fine = try layer("compress-rows, encode-indices(bits: absolute), form-units(cut: even)", sample)
    #expect(fine.blocks.map(\.rows.count) == [7, 7])
    #expect(fine.blocks.map(\.rowIndex) == [.absolute(bits: 6, first: 0), .absolute(bits: 6, first: 0)])
  }

  @Test func evenCutsReadNoMoreUnits() throws {
    var random = SeededGenerator(seed: 42)
    for _ in 0..<200 {
      var sample = cells(random.inside(1...300), 1) { _, _ in 1 }
      sample.array.rows = random.inside(1...64)
      sample.array.unitHeight = random.inside(1...sample.array.rows)
      let counts = try ["full", "even"].map { cut in
        try layer("form-units(cut: \(cut))", sample).blocks.map {
          ($0.rows.count + sample.array.unitHeight - 1) / sample.array.unitHeight
        }
      }
      // Even pieces need no more crossbars, no more units where these fit crossbars exactly, and no fuller crossbar.
      #expect(counts[1].count <= counts[0].count + 1)
      if sample.array.rows % sample.array.unitHeight == 0 {
        #expect(counts[1].reduce(0, +) == counts[0].reduce(0, +) && counts[1].count <= counts[0].count)
      }
      #expect(counts[1].max() ?? 0 <= counts[0].max() ?? 0)
    }
  }

  // MARK: place-blocks

  private func corners(_ packing: String, _ sample: LayerSample, _ pass: String) throws -> [[Int]] {
    try layer("\(pass), form-units, place-blocks(packing: \(packing))", sample).blocks.map {
      [$0.crossbar, $0.row, $0.column]
    }
  }

  @Test func stripsShareCrossbars() throws {
    // Five strips of two bitlines with 4, 4, 3, 3 and 3 wordlines, in crossbars of 8x4.
    var sample = cells(4, 10) { row, column in row < (column < 4 ? 4 : 3) ? 1 : 0 }
    (sample.array.rows, sample.array.columns, sample.array.unitHeight, sample.array.unitWidth) = (8, 4, 2, 2)
    #expect(try corners("exclusive", sample, "compress-rows") == (0..<5).map { [$0, 0, 0] })
    // Three crossbars; the strips have as many units each and are dealt out forth and back.
    #expect(
      try corners("side-by-side", sample, "compress-rows") == [
        [0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 0, 2], [1, 0, 2],
      ])
    #expect(
      try corners("stacked", sample, "compress-rows") == [
        [0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 3, 0], [1, 4, 0],
      ])
    #expect(
      try corners("shelf", sample, "compress-rows") == [
        [0, 0, 0], [0, 0, 2], [0, 4, 0], [0, 4, 2], [1, 0, 0],
      ])
  }

  @Test func crossbarsOfALayerHaveNearlyTheSameToDo() throws {
    // Strips of one bitline with 1 ... 12 units of one wordline, four to a crossbar.
    var sample = cells(12, 12) { row, column in row <= column ? 1 : 0 }
    (sample.array.rows, sample.array.columns, sample.array.unitHeight, sample.array.unitWidth) = (12, 4, 1, 1)
    let layer = try layer("compress-rows, form-units, place-blocks(packing: side-by-side)", sample)
    var units = [Int](repeating: 0, count: 3)
    for block in layer.blocks { units[try #require(block.placement).crossbar] += block.rows.count }
    #expect(units == [26, 26, 26])
  }

  /// Long and short blocks that fill crossbars only in their order keep it.
  @Test func blocksThatCannotBeDealtOutKeepTheirOrder() throws {
    // Dealt out to three crossbars of 4 bitlines, the first would get 4 + 1 + 1 of them.
    let widths = [4, 2, 2, 1, 1, 1, 1]
    var sample = cells(7, 4) { row, column in column < widths[row] ? 1 : 0 }
    (sample.array.rows, sample.array.columns, sample.array.unitHeight, sample.array.unitWidth) = (7, 4, 1, 1)
    let layer = try layer("compress-columns, form-units, place-blocks(packing: side-by-side)", sample)
    #expect(layer.blocks.map(\.crossbar) == [0, 1, 1, 2, 2, 2, 2])
  }

  @Test func aGatheringOfStripsOfWordlinesIsRefused() throws {
    expectFailure("form-units.gathered") {
      _ = try layer("compress-columns, form-units(units: dynamic)", cells(4, 4) { _, _ in 1 })
    }
    expectFailure("pass.units") {
      _ = try layer("form-units, form-units(units: dynamic)", cells(4, 4) { _, _ in 1 })
    }
    let skipping = try layer("compress-columns, form-units(units: zero-skipping)", cells(4, 4) { _, _ in 1 })
    #expect(skipping.blocks.allSatisfy { $0.units == .zeroSkipping(height: 16, width: 16) })
  }
}
