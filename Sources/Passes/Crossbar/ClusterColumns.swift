import Hardware
import IR
import Mapping
import Support

/// Every block is a set of columns that are nonzero on the same wordlines, as many as a crossbar has room for, with
/// only these wordlines (Lin et al., ASP-DAC 2019, Algorithm 1 with a last step that makes it end; reference: section
/// 4.2).
///
/// The matrix is cut into blocks, and the columns of each go to sets by k-means on their binary supports with Hamming
/// distance. Zero columns go to no set. No block takes more crossbars than its columns in the order of the column
/// layout. Spec: ir-spec.md, `cluster-columns`.
struct ClusterColumns: LayerPass {
  typealias L = CrossbarLevel
  static let name = "cluster-columns"
  static let summary = "every block is a set of columns with only its nonzero wordlines"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")

  private static let orderOption = PassOption.choice(
    "order", default: ColumnOrder.kmeans,
    "k-means clusters; sets that grow by the column that adds the fewest wordlines; or columns in their original order"
  )
  private static let restartsOption = PassOption.int(
    "restarts", 1...1000, default: 4, "restarts of k-means; the result with the fewest crossbars is kept")
  private static let seedOption = PassOption.int(
    "seed", 0...Int.max, default: 1, "seed of the initial centers of k-means")
  private static let splitOption = PassOption.size(
    "split", orDefault: SplitWord.auto,
    "wordlines x columns of a split block; auto reads them from a measured table, search tries them on the matrix"
  )
  private static let signsOption = PassOption.choice(
    "signs", default: Signs.separate,
    "bitlines that add and those that subtract are clustered separately, or together as one column")
  private static let unitOption = PassOption.choice(
    "unit", default: ColumnUnit.weight, "a column is all bitlines of one output, or a single bitline")
  static let options = [
    orderOption.spec, restartsOption.spec, seedOption.spec, splitOption.spec, signsOption.spec,
    unitOption.spec,
  ]

  private enum Signs: String, OptionWord { case separate, together }
  private enum ColumnUnit: String, OptionWord { case weight, cell }

  private let order: ColumnOrder
  private let restarts: Int
  private let seed: UInt64
  private let split: SplitChoice
  private let isSeparate: Bool
  private let isCell: Bool

  init(_ options: PassOptions) {
    order = options[Self.orderOption]
    restarts = options[Self.restartsOption]
    seed = UInt64(options[Self.seedOption])
    split = SplitChoice(options[Self.splitOption])
    isSeparate = options[Self.signsOption] == .separate
    isCell = options[Self.unitOption] == .cell
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let array = try setting.requiredMachine().array
    try layer.requireOpenLines(ClusterColumns.name, at: setting.location)
    var sets = 0
    let numbering = layer.numbering
    var blocks: [Block] = []
    for block in layer.blocks {
      let numbers = numbering?.numbers(of: block.columns)
      for columns in unitColumns(of: block) {
        let matrix = block.support(of: columns)
        let parts = try columnSetting(columns, array).parts(of: matrix, split, threads: setting.threads)
        sets += parts.setCount
        blocks += parts.flatMap { block.blocks(of: $0, columns, matrix, numbers) }
      }
    }
    layer.blocks = blocks
    return [("column-sets", sets)]
  }

  /// The columns that are clustered together, each with the places of its bitlines in the block.
  private func unitColumns(of block: Block) -> [[[Int]]] {
    let sides =
      isSeparate
      ? [false, true].map { side in block.columns.indices.filter { block.columns[$0].negative == side } }
      : [Array(block.columns.indices)]
    return sides.filter { !$0.isEmpty }.map { side in
      isCell ? side.map { [$0] } : block.columnsOfOutputs(side)
    }
  }

  private func columnSetting(_ columns: [[Int]], _ array: ArrayDescription) -> ColumnSetting {
    let width = columns.map(\.count).max() ?? 1
    return ColumnSetting(
      size: max(1, array.columns / width), height: array.rows, breadth: array.columns,
      width: ceilDivide(width, array.columns), order: order, restarts: restarts, seed: seed)
  }
}

/// How a split block is chosen where its size is not given.
private enum SplitWord: String, OptionWord { case auto, search }

extension SplitChoice {
  fileprivate init(_ option: SizeOr<SplitWord>) {
    switch option {
    case .size(let rows, let columns): self = .given(ColumnSplit(rows: rows, columns: columns))
    case .word(.auto): self = .measured
    case .word(.search): self = .searched
    }
  }
}

extension Block {
  /// The bitlines `places` of each output together, in the order in which outputs first occur.
  fileprivate func columnsOfOutputs(_ places: [Int]) -> [[Int]] {
    var numbers: [Int: Int] = [:]
    var result: [[Int]] = []
    for place in places {
      if let number = numbers[columns[place].output] {
        result[number].append(place)
      } else {
        numbers[columns[place].output] = result.count
        result.append([place])
      }
    }
    return result
  }

  /// Which wordlines are nonzero in each of `unitColumns`.
  fileprivate func support(of unitColumns: [[Int]]) -> BitColumns {
    var owners = [Int?](repeating: nil, count: columns.count)
    for (number, places) in unitColumns.enumerated() { for place in places { owners[place] = number } }
    var support = BitColumns(height: rows.count, count: unitColumns.count)
    for row in rows.indices {
      for (place, owner) in owners.enumerated() {
        if let owner, cells[row * columns.count + place] != 0 { support.insert(row: row, column: owner) }
      }
    }
    return support
  }

  /// A block for each set of `part`, with index tables that count from the first lines of the part. `numbers` are those
  /// of the bitlines.
  fileprivate func blocks(
    of part: ColumnPart, _ unitColumns: [[Int]], _ matrix: BitColumns, _ numbers: [Int]?
  ) -> [Block] {
    let inputs = rows[part.rows].map(\.input)
    let bitlineNumbers = numbers.map { numbers in
      unitColumns[part.columns].joined().map { numbers[$0] }.sorted()
    }
    let share = matrix.part(rows: part.rows, columns: part.columns)
    return part.sets.sets.map { set in
      let lines = share.rows(of: set).map { part.rows.lowerBound + $0 }
      let bitlines = set.flatMap { unitColumns[part.columns.lowerBound + $0] }.sorted()
      var block = keeping(rows: lines, columns: bitlines)
      block.rowIndex =
        lines.count == rows.count ? rowIndex : .absolute(lines.map { rows[$0].input }, of: inputs)
      block.columnIndex =
        bitlines.count == columns.count
        ? columnIndex
        : numbers.flatMap { numbers in .absolute(bitlines.map { numbers[$0] }, of: bitlineNumbers ?? []) }
      return block
    }
  }
}
