import Hardware
import IR
import LayerSamples
import Evaluator
import Mapping
import Support
import Tensors
import Testing

@testable import Passes

/// The examples of the reference, section 4.9, and what holds of every clustered layer.
@Suite("cluster-columns")
struct ClusterColumnsTests {
  /// A layer of one bitline for each output in crossbars of `side`: offset encoding of 2-bit weights in 2-bit cells, so
  /// that the weight -2 is an empty cell.
  private func cells(_ rows: Int, _ columns: Int, side: Int, _ level: (Int, Int) -> Int) -> LayerSample {
    var sample = LayerSample()
    (sample.rows, sample.columns, sample.weightBits, sample.signs) = (rows, columns, 2, .offset)
    sample.weights = (0..<rows * columns).map { Int64(level($0 / columns, $0 % columns) - 2) }
    (sample.array.rows, sample.array.columns) = (side, side)
    (sample.array.unitHeight, sample.array.unitWidth) = (side, side)
    sample.inputs = .integer(bits: 4, signed: false)
    sample.x = (0..<rows).map { Int64($0 % 16) }
    return sample
  }

  private func module(_ passes: String, _ sample: LayerSample, threads: Int = 1) throws -> Module<
    CrossbarLevel
  > {
    var context = PassContext(threads: threads)
    let slices =
      "slice-bits(signs: \(sample.signs.rawValue), order: \(sample.order), placement: \(sample.placement))"
    return try run("\(slices), \(passes)", on: AnyModule(sample.module), in: &context).crossbarModule
  }

  private func layer(_ passes: String, _ sample: LayerSample, threads: Int = 1) throws -> Layer {
    try #require(try module(passes, sample, threads: threads).layers.first).layer
  }

  /// Crossbars after units are formed, each block in one of its own.
  private func crossbars(_ passes: String, _ sample: LayerSample) throws -> Int {
    let placed = try layer("\(passes), form-units(lossless: true), place-blocks", sample)
    return Set(placed.blocks.compactMap(\.placement?.crossbar)).count
  }

  private func outputs(_ passes: String, _ sample: LayerSample) throws -> [Float] {
    try Interpreter(try module("\(passes), form-units(lossless: true), place-blocks", sample))
      .evaluate([sample.graphInput]).outputs[0].floats
  }

  // MARK: Examples

  /// Supports of columns as lists of wordlines.
  private func example(_ supports: [[Int]]) -> LayerSample {
    cells(8, supports.count, side: 4) { row, column in supports[column].contains(row) ? 1 : 0 }
  }

  @Test(arguments: ["kmeans", "greedy"], [1, 2, 3, 77])
  func halves(_ order: String, _ seed: Int) throws {
    let sample = example((0..<8).map { $0 % 2 == 0 ? [0, 1, 2, 3] : [4, 5, 6, 7] })
    #expect(try crossbars("encode-indices", sample) == 4)
    #expect(try crossbars("cluster-columns(order: original)", sample) == 4)
    let pass = "cluster-columns(order: \(order), seed: \(seed))"
    #expect(try crossbars(pass, sample) == 2)
    let blocks = try layer(pass, sample).blocks.sorted { $0.rows[0].input < $1.rows[0].input }
    #expect(blocks.map { $0.columns.map(\.output) } == [[0, 2, 4, 6], [1, 3, 5, 7]])
    #expect(blocks.map { $0.rows.map(\.input) } == [[0, 1, 2, 3], [4, 5, 6, 7]])
    #expect(blocks.allSatisfy { $0.rowIndex == .absolute(bits: 3, first: 0) })
    #expect(blocks.allSatisfy { $0.columnIndex == .absolute(bits: 3, first: 0) })
    #expect(try outputs(pass, sample) == sample.product.map { Float($0) })
  }

  @Test(arguments: ["kmeans", "greedy"])
  func unevenColumns(_ order: String) throws {
    let sample = example([[0, 1], [4, 5], [0, 2], [4, 7], [1, 2], [5, 6], [0, 1, 2], [6, 7]])
    #expect(try crossbars("cluster-columns(order: original)", sample) == 4)
    let original = try layer("cluster-columns(order: original)", sample)
    #expect(original.blocks.map(\.rows.count) == [6, 6])
    let pass = "cluster-columns(order: \(order))"
    let blocks = try layer(pass, sample).blocks.sorted { $0.rows[0].input < $1.rows[0].input }
    #expect(blocks.map { $0.columns.map(\.output) } == [[0, 2, 4, 6], [1, 3, 5, 7]])
    #expect(blocks.map { $0.rows.map(\.input) } == [[0, 1, 2], [4, 5, 6, 7]])
    #expect(try crossbars(pass, sample) == 2)
    #expect(try outputs(pass, sample) == sample.product.map { Float($0) })
  }

  @Test func denseMatricesGainNothing() throws {
    var random = SeededGenerator(seed: 61)
    var sample = LayerSample()
    (sample.rows, sample.columns) = (70, 24)
    sample.weights = (0..<70 * 24).map { _ in Int64(random.chance(0.5) ? -90 : 90) }
    sample.x = [Int64](repeating: 1, count: 70)
    (sample.array.rows, sample.array.columns) = (32, 32)
    for order in ColumnOrder.allCases {
      // Two signs, 70 wordlines and four bitlines of 24 outputs.
      #expect(try crossbars("cluster-columns(order: \(order))", sample) == 2 * 3 * 3)
    }
    // Without signs as many as without the pass.
    let full = cells(70, 90, side: 32) { _, _ in 3 }
    #expect(try crossbars("cluster-columns", full) == 9)
    #expect(try crossbars("encode-indices", full) == 9)
  }

  @Test func everyInputEnds() throws {
    let levels: [(String, Int, Int, (Int, Int) -> Int, Int)] = [
      ("nothing", 9, 30, { _, _ in 0 }, 0), ("one column", 9, 1, { row, _ in row % 2 }, 1),
      ("few columns", 9, 3, { _, _ in 1 }, 3), ("duplicates", 9, 40, { row, _ in row < 4 ? 2 : 0 }, 10),
      ("one cell", 1, 1, { _, _ in 1 }, 1), ("diagonal", 16, 16, { $0 == $1 ? 1 : 0 }, 4),
    ]
    for (name, rows, columns, level, expected) in levels {
      for order in ColumnOrder.allCases {
        let sample = cells(rows, columns, side: 4, level)
        let pass = "cluster-columns(order: \(order))"
        #expect(try crossbars(pass, sample) == expected, "\(name), \(order)")
        #expect(try outputs(pass, sample) == sample.product.map { Float($0) }, "\(name), \(order)")
      }
    }
  }

  // MARK: Units and splits

  @Test func digitsOfAWeightStayTogether() throws {
    var random = SeededGenerator(seed: 62)
    var sample = LayerSample()
    (sample.rows, sample.columns) = (40, 30)
    sample.weights = (0..<40 * 30).map { _ in random.chance(0.1) ? Int64(random.inside(-127...127)) : 0 }
    sample.x = [Int64](repeating: 1, count: 40)
    (sample.array.rows, sample.array.columns, sample.array.unitHeight, sample.array.unitWidth) = (
      16, 16, 16, 16
    )
    for block in try layer("cluster-columns", sample).blocks {
      #expect(Set(block.columns.map(\.negative)).count == 1 && block.columns.count <= 16)
      for start in stride(from: 0, to: block.columns.count, by: 4) {
        let digits = block.columns[start..<start + 4]
        #expect(digits.map(\.shift) == [0, 2, 4, 6] && Set(digits.map(\.output)).count == 1)
      }
    }
    for block in try layer("cluster-columns(signs: together)", sample).blocks {
      #expect(block.columns.count % 8 == 0 && Set(block.columns.map(\.negative)).count == 2)
    }
    // Single bitlines can only fit better.
    let cells = try crossbars("cluster-columns(order: original, unit: cell)", sample)
    #expect(cells <= (try crossbars("cluster-columns(order: original)", sample)))
  }

  @Test func tablesCountFromTheirSplitBlock() throws {
    let sample = cells(20, 12, side: 4) { row, column in (row + column) % 5 == 0 ? 1 : 0 }
    let blocks = try layer("cluster-columns(split: 8x6)", sample).blocks
    for block in blocks {
      let row = try #require(block.rows.first).input / 8
      let column = try #require(block.columns.first).output / 6
      #expect(
        block.rows.allSatisfy { $0.input / 8 == row } && block.columns.allSatisfy { $0.output / 6 == column })
      #expect(block.rowIndex == .absolute(bits: row == 2 ? 2 : 3, first: 8 * row))
      #expect(block.columnIndex == .absolute(bits: 3, first: 6 * column))
    }
    #expect(Set(blocks.map { [$0.rows[0].input / 8, $0.columns[0].output / 6] }).count == 6)
  }

  // MARK: Random layers

  /// A sparse layer with up to 40 outputs.
  private func sparse(_ number: Int, _ random: inout SeededGenerator) -> LayerSample {
    var sample = sparseLayerSample(number, &random)
    guard number % 2 == 1 else { return sample }
    let half = 1 << (sample.weightBits - 1)
    sample.columns = random.inside(1...40)
    let density = [0.02, 0.05, 0.1, 0.3][random.below(4)]
    sample.weights = (0..<sample.rows * sample.columns).map { _ in
      random.chance(density) ? Int64(random.inside(-half...half - 1)) : 0
    }
    return sample
  }

  private func options(_ random: inout SeededGenerator) -> String {
    let split = ["auto", "search", "\(random.inside(1...60))x\(random.inside(1...30))"][random.below(3)]
    return
      "split: \(split), restarts: \(random.inside(1...3)), seed: \(random.below(1000)), "
      + "signs: \(random.chance(0.6) ? "separate" : "together"), unit: \(random.chance(0.7) ? "weight" : "cell")"
  }

  @Test func randomLayersStayExactAndNeedNoMoreCrossbars() throws {
    var random = SeededGenerator(seed: 63)
    var saved = 0
    for number in 0..<500 {
      let sample = sparse(number, &random)
      let options = options(&random)
      let original = try crossbars("cluster-columns(order: original, \(options))", sample)
      for order in ["kmeans", "greedy"] {
        let pass = "cluster-columns(order: \(order), \(options))"
        let found = try crossbars(pass, sample)
        #expect(found <= original, "\(number) \(pass)")
        saved += original - found
        #expect(try outputs(pass, sample) == sample.product.map { Float($0) }, "\(number) \(pass)")
      }
    }
    #expect(saved > 100)
  }

  /// Every nonzero bitline in a split block stands in one set of it, and the bitlines of a column together.
  @Test func setsAreAPartition() throws {
    var random = SeededGenerator(seed: 64)
    for number in 0..<500 {
      var sample = sparse(number, &random)
      sample.placement = "intra"
      let (rows, isSeparate) = (random.inside(1...60), random.chance(0.5))
      let signs = isSeparate ? "separate" : "together"
      let found = try layer("cluster-columns(split: \(rows)x1000, signs: \(signs))", sample)
      let sliced = try #require(try layer("encode-indices", sample).blocks.first)
      var seen: [[Int]: Int] = [:]
      for (set, block) in found.blocks.enumerated() {
        let share = try #require(block.rows.first).input / rows
        #expect(block.rows.allSatisfy { $0.input / rows == share })
        for column in block.columns {
          let key = [share, column.output, isSeparate && column.negative ? 1 : 0]
          #expect((seen[key] ?? set) == set, "\(number): \(column) stands in two sets")
          seen[key] = set
        }
        // No wordline of a set is empty.
        #expect(block.occupiedRows(on: block.columns.indices).count == block.rows.count)
      }
      for (row, entry) in sliced.rows.enumerated() {
        for (place, column) in sliced.columns.enumerated()
        where sliced.cells[row * sliced.columns.count + place] != 0 {
          #expect(seen[[entry.input / rows, column.output, isSeparate && column.negative ? 1 : 0]] != nil)
        }
      }
    }
  }

  @Test func threadsDoNotMatter() throws {
    var random = SeededGenerator(seed: 65)
    for number in 0..<40 {
      let sample = sparse(2 * number + 1, &random)
      let pass = "cluster-columns(\(options(&random)))"
      let one = try layer(pass, sample)
      for threads in 2...3 { #expect(try layer(pass, sample, threads: threads) == one) }
    }
  }

  @Test func sharesAreCutToTheBit() {
    var random = SeededGenerator(seed: 66)
    for _ in 0..<200 {
      let (height, count) = (random.inside(1...300), random.inside(1...6))
      var columns = BitColumns(height: height, count: count)
      for row in 0..<height {
        for column in 0..<count where random.chance(0.4) { columns.insert(row: row, column: column) }
      }
      let (top, left) = (random.below(height), random.below(count))
      let (bottom, right) = (random.inside(top + 1...height), random.inside(left + 1...count))
      let share = columns.part(rows: top..<bottom, columns: left..<right)
      for column in left..<right {
        let expected = (top..<bottom).filter { columns.contains(row: $0, column: column) }.map { $0 - top }
        #expect(share.rows(of: column - left) == expected && share.weight(column - left) == expected.count)
      }
    }
  }
}
