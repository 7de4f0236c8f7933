import Hardware
import IR
import Support
import Tensors

/// The least important crossbar rows are empty and left out: first those whose loss frees a crossbar (crossbar-grained
/// pruning, ASP-DAC 2019; reference: section 4.4).
///
/// A crossbar row is a wordline of a block; its saliency is the sum of the magnitudes that it holds. A block of x rows takes
/// `ceil(x / L)` crossbars of L rows, so losing `x mod L` rows frees one. The layer's matrix becomes the pruned one.
/// Spec: ir-spec.md, `prune-crossbar-rows`.
struct PruneCrossbarRows: Pass {
  typealias L = CrossbarLevel
  static let name = "prune-crossbar-rows"
  static let summary = "the least important rows of crossbars are left out, those first that free a crossbar"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.bounded(
    "the magnitudes that the left-out rows held are lost, at most the stated share of the crossbar rows of a layer"
  )
  static let options = [
    PassOption(
      "ratio", .float, default: .float(0.1), "the share of each layer's crossbar rows to leave out, 0 to 1"),
    PassOption(
      "until", .word(["ratio", "freed"]), default: .word("ratio"),
      "leave out all of the share, or stop where no more crossbar would be free"),
  ]

  private let ratio: Double
  private let stopsWhenFreed: Bool

  init(_ options: PassOptions) throws(Diagnostic) {
    ratio = Double(options.float("ratio"))
    stopsWhenFreed = options.word("until") == "freed"
    guard 0...1 ~= ratio else {
      throw Diagnostic("prune-crossbar-rows.ratio", "ratio is \(ratio), expected a number from 0 to 1")
    }
  }

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    let height = try module.requiredMachine().array.rows
    var layers: [(OpID, LayerView)] = []
    var (removed, freed) = (0, 0)
    for (id, layer) in module.layers {
      try layer.requireNoUnits(PruneCrossbarRows.name, at: module.ops[id].location)
      var ranking = RowRanking(layer.blocks, height: height)
      let budget = Int(ratio * Double(ranking.count))
      ranking.removeFreeing(budget)
      if !stopsWhenFreed { ranking.removeLeast(budget) }
      removed += ranking.removed
      freed += ranking.freedCrossbars
      layers.append((id, pruned(layer, ranking)))
    }
    module.replaceLayers(layers)
    context.count("crossbar-rows-removed", removed)
    context.count("crossbar-heights-freed", freed)
  }

  private func pruned(_ layer: LayerView, _ ranking: RowRanking) -> LayerView {
    guard let weights = layer.weights else { return layer }
    var result = layer
    var matrix = weights.integers
    result.blocks = layer.blocks.indices.compactMap { index in
      let block = layer.blocks[index]
      let kept = block.rows.indices.filter { !ranking.isRemoved(block: index, row: $0) }
      let lost = block.rows.indices.filter { ranking.isRemoved(block: index, row: $0) }
      if lost.isEmpty { return block }
      block.subtract(lost, from: &matrix, columns: layer.columns)
      if kept.isEmpty { return nil }
      var rest = block.keeping(rows: kept, columns: Array(block.columns.indices))
      rest.rowIndex = block.inputCoding(of: kept)
      rest.columnIndex = block.columnIndex
      return rest
    }
    result.weights = Tensor(weights.shape, matrix, as: .integer(bits: layer.weightBits, signed: true))
    return result
  }
}

/// The rows of a layer's blocks by their saliency.
private struct RowRanking {
  private let height: Int
  /// For each block, its rows that are left, the least salient first.
  private var left: [[(row: Int, saliency: Int64)]]
  private var gone: [Set<Int>]
  /// All rows.
  let count: Int
  /// Rows removed.
  private(set) var removed = 0
  /// Crossbars, one above the other, that the blocks need no more.
  private(set) var freedCrossbars = 0

  init(_ blocks: [BlockView], height: Int) {
    self.height = height
    left = blocks.map { block in
      block.rows.indices.map { (row: $0, saliency: block.saliency($0)) }
        .sorted { ($0.saliency, $0.row) < ($1.saliency, $1.row) }
    }
    gone = blocks.map { _ in [] }
    count = blocks.reduce(0) { $0 + $1.rows.count }
  }

  func isRemoved(block: Int, row: Int) -> Bool { gone[block].contains(row) }

  /// Removes rows that free crossbars, the cheapest crossbar first, while `budget` rows in all are enough.
  mutating func removeFreeing(_ budget: Int) {
    while let best = cheapest(budget - removed) {
      remove(best.rows, from: best.block)
      freedCrossbars += 1
    }
  }

  /// The block that frees a crossbar at the least saliency, by at most `most` rows.
  private func cheapest(_ most: Int) -> (block: Int, rows: Int)? {
    var best: (block: Int, rows: Int)?
    var least = Int64.max
    for (block, rows) in left.enumerated() where !rows.isEmpty {
      let needed = rows.count % height == 0 ? height : rows.count % height
      let cost = rows.prefix(needed).reduce(0) { $0 + $1.saliency }
      if needed <= most && cost < least { (best, least) = ((block, needed), cost) }
    }
    return best
  }

  /// Removes the least salient rows of all blocks until `budget` rows in all are gone.
  mutating func removeLeast(_ budget: Int) {
    let order = left.enumerated().flatMap { block, rows in
      rows.map { (block: block, row: $0.row, saliency: $0.saliency) }
    }
    .sorted { ($0.saliency, $0.block, $0.row) < ($1.saliency, $1.block, $1.row) }
    var counts = [Int](repeating: 0, count: left.count)
    for entry in order.prefix(max(0, budget - removed)) { counts[entry.block] += 1 }
    for (block, rows) in counts.enumerated() { remove(rows, from: block) }
  }

  private mutating func remove(_ rows: Int, from block: Int) {
    for entry in left[block].prefix(rows) { gone[block].insert(entry.row) }
    left[block].removeFirst(rows)
    removed += rows
  }
}

extension BlockView {
  /// Takes what the wordlines `lines` stand for from `matrix`, row-major with `width` columns.
  fileprivate func subtract(_ lines: [Int], from matrix: inout [Int64], columns width: Int) {
    for line in lines {
      for (c, column) in columns.enumerated() {
        let value = Int64(cells[line * columns.count + c]) << Int64(column.shift + rows[line].shift)
        matrix[rows[line].input * width + column.output] -= column.negative ? -value : value
      }
    }
  }

  /// The sum of the magnitudes that wordline `row` holds.
  fileprivate func saliency(_ row: Int) -> Int64 {
    columns.indices.reduce(0) { sum, column in
      sum + Int64(cells[row * columns.count + column]) << Int64(columns[column].shift + rows[row].shift)
    }
  }
}
