import Hardware
import IR
import Mapping
import Support
import Tensors

/// The least important crossbar rows are empty and left out: first those whose loss frees a crossbar (crossbar-grained
/// pruning, ASP-DAC 2019; reference: section 4.4).
///
/// A crossbar row is a wordline of a block; its saliency is the sum of the magnitudes that it holds. A block of x rows
/// takes `ceil(x / L)` crossbars of L rows, so losing `x mod L` rows frees one. The layer's matrix becomes the pruned
/// one. Spec: ir-spec.md, `prune-crossbar-rows`.
struct PruneCrossbarRows: LayerPass {
  typealias L = CrossbarLevel
  static let name = "prune-crossbar-rows"
  static let summary =
    "prunes the crossbar rows of least saliency, first those whose removal frees a crossbar"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.bounded(
    "the weights of the pruned rows are lost, at most the given share of a layer's crossbar rows"
  )

  private static let ratioOption = PassOption.float(
    "ratio", default: 0.1, "the share of each layer's crossbar rows to prune, 0 to 1")
  private static let untilOption = PassOption.choice(
    "until", default: Until.ratio, "prune the whole share, or stop when no further crossbar would be freed")
  static let options = [ratioOption.spec, untilOption.spec]

  private enum Until: String, OptionWord { case ratio, freed }

  private let ratio: Float
  private let stopsWhenFreed: Bool

  init(_ options: PassOptions) throws(Diagnostic) {
    ratio = options[Self.ratioOption]
    stopsWhenFreed = options[Self.untilOption] == .freed
    guard 0...1 ~= ratio else {
      throw Diagnostic("prune-crossbar-rows.ratio", "ratio is \(ratio), expected a number from 0 to 1")
    }
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let height = try setting.requiredMachine().array.rows
    try layer.requireOpenLines(PruneCrossbarRows.name, at: setting.location)
    guard layer.coding.signs == .differential else {
      throw Diagnostic(
        "prune-crossbar-rows.encoding", "empty cells of @\(layer.name) are no weights of 0",
        at: setting.location, notes: ["use slice-bits(signs: differential)"])
    }
    var ranking = RowRanking(layer.blocks, height: height)
    // In binary32, so that 0.7 of 10 rows are 7.
    let budget = Int(ratio * Float(ranking.count))
    ranking.removeFreeing(budget)
    if !stopsWhenFreed { ranking.removeLeast(budget) }
    let result = pruned(layer, ranking)
    guard let weights = result.weights?.integers, fit(weights, layer.weightBits) else {
      throw Diagnostic(
        "prune-crossbar-rows.range", "what is left of @\(layer.name) does not fit \(layer.weightBits) bits",
        at: setting.location)
    }
    layer = result.withWeights(weights)
    return [("crossbar-rows-removed", ranking.removed), ("crossbar-heights-freed", ranking.freedCrossbars)]
  }

  /// The layer without the rows that are gone; the type of its weights is that of before, whether they fit it or not.
  private func pruned(_ layer: Layer, _ ranking: RowRanking) -> Layer {
    guard let weights = layer.weights else { return layer }
    var result = layer
    var matrix = weights.integers
    result.blocks = layer.blocks.indices.compactMap { index in
      let block = layer.blocks[index]
      let lost = ranking.removedRows(of: index)
      if lost.isEmpty { return block }
      block.decode(lost.sorted(), times: -1, into: &matrix, columns: layer.columns)
      let kept = block.rows.indices.filter { !lost.contains($0) }
      if kept.isEmpty { return nil }
      var rest = block.keeping(rows: kept, columns: Array(block.columns.indices))
      rest.rowIndex = block.inputCoding(of: kept)
      rest.columnIndex = block.columnIndex
      return rest
    }
    result.weights = Tensor(weights.shape, .i64(matrix))
    return result
  }
}

/// The rows of a layer's blocks by their saliency.
private struct RowRanking {
  /// For each block, its rows, the least salient first.
  private let order: [[(row: Int, saliency: Double)]]
  /// For each block, how many of these are gone.
  private var gone: [Int]
  private let height: Int
  /// All rows.
  let count: Int
  /// Crossbars, one above the other, that the blocks need no more.
  private(set) var freedCrossbars = 0

  init(_ blocks: [Block], height: Int) {
    self.height = height
    order = blocks.map { block in
      block.rows.indices.map { (row: $0, saliency: block.saliency($0)) }
        .sorted { ($0.saliency, $0.row) < ($1.saliency, $1.row) }
    }
    gone = blocks.map { _ in 0 }
    count = blocks.reduce(0) { $0 + $1.rows.count }
  }

  /// Rows removed.
  var removed: Int { gone.reduce(0, +) }

  /// The rows of block number `block` that are gone.
  func removedRows(of block: Int) -> Set<Int> { Set(order[block].prefix(gone[block]).map(\.row)) }

  /// Rows whose loss frees a crossbar of a block.
  private struct Step {
    let block: Int
    /// The rows of the block that are gone then.
    let end: Int
    let rows: Int
    let cost: Double
  }

  /// Removes rows that free crossbars, the cheapest crossbar first, while `budget` rows in all are enough. The steps of
  /// a block grow in rows and cost, so one that is too large ends its block.
  mutating func removeFreeing(_ budget: Int) {
    var left = budget
    for step in order.indices.flatMap(steps).sorted(by: {
      ($0.cost, $0.block, $0.end) < ($1.cost, $1.block, $1.end)
    })
    where step.rows <= left && gone[step.block] == step.end - step.rows {
      gone[step.block] = step.end
      left -= step.rows
      freedCrossbars += 1
    }
  }

  private func steps(of block: Int) -> [Step] {
    let rows = order[block]
    var ends = Array(stride(from: rows.count % height, through: rows.count, by: height))
    if ends.first == 0 { ends.removeFirst() }
    var start = 0
    return ends.map { end in
      defer { start = end }
      return Step(
        block: block, end: end, rows: end - start, cost: rows[start..<end].reduce(0) { $0 + $1.saliency })
    }
  }

  /// Removes the least salient rows of all blocks until `budget` rows in all are gone.
  mutating func removeLeast(_ budget: Int) {
    let rest = order.indices.flatMap { block in
      order[block].dropFirst(gone[block]).map { (saliency: $0.saliency, block: block, row: $0.row) }
    }
    let least = rest.sorted { ($0.saliency, $0.block, $0.row) < ($1.saliency, $1.block, $1.row) }
    for entry in least.prefix(max(0, budget - removed)) { gone[entry.block] += 1 }
  }
}

/// Whether all `values` are integers of `bits` bits.
private func fit(_ values: [Int64], _ bits: Int) -> Bool {
  let type = ElementType.integer(bits: bits, signed: true)
  return values.allSatisfy { $0 >= type.lowest && $0 <= type.highest }
}

extension Block {
  /// The sum of the magnitudes that wordline `row` holds.
  fileprivate func saliency(_ row: Int) -> Double {
    columns.indices.reduce(0) { sum, column in
      let level = Int64(cells[row * columns.count + column])
      return sum + Double(level << Int64(columns[column].shift + rows[row].shift))
    }
  }
}

extension Layer {
  /// The layer with `values` as its matrix, in the type of its weights.
  fileprivate func withWeights(_ values: [Int64]) -> Layer {
    var result = self
    result.weights = Tensor([rows, columns], values, as: .integer(bits: weightBits, signed: true))
    return result
  }
}
