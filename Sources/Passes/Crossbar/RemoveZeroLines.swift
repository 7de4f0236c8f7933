import Hardware
import IR
import Mapping
import Support

/// No block has a wordline or a bitline without a level other than 0: whole lines are left out, of the matrix or of
/// each crossbar's share of it (the naive use of weight sparsity; reference: section 2.3).
///
/// Or inputs and outputs of the whole layer are left out, with all their lines, and sparsity masks tell which stay
/// (ReCom, DATE 2018; reference: section 5.2). Zero blocks are dropped. Spec: ir-spec.md, `remove-zero-lines`.
struct RemoveZeroLines: LayerPass {
  typealias L = CrossbarLevel
  static let name = "remove-zero-lines"
  static let summary = "zero wordlines and bitlines are removed from every block"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")

  private static let scopeOption = PassOption.choice(
    "scope", default: LineScope.matrix,
    "whether wordlines and bitlines are removed from the whole matrix, or from each crossbar's share of it, with index tables for each block; "
      + "or inputs and outputs from the whole layer, with sparsity masks")
  private static let linesOption = PassOption.choice(
    "lines", default: Lines.both, "what may be removed: wordlines, bitlines or both")
  static let options = [scopeOption.spec, linesOption.spec]

  private enum Lines: String, OptionWord { case both, rows, columns }

  private enum LineScope: String, OptionWord {
    case matrix, crossbar, layer

    var scope: Scope? {
      switch self {
      case .matrix: return .matrix
      case .crossbar: return .crossbar
      case .layer: return nil
      }
    }
  }

  /// Nil where inputs and outputs of the whole layer are left out.
  private let scope: Scope?
  private let removesRows: Bool
  private let removesColumns: Bool

  init(_ options: PassOptions) {
    scope = options[Self.scopeOption].scope
    removesRows = options[Self.linesOption] != .columns
    removesColumns = options[Self.linesOption] != .rows
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let array = try setting.requiredMachine().array
    try layer.requireOpenLines(RemoveZeroLines.name, at: setting.location)
    let (rows, columns) = (lineCount(layer, \.rows.count), lineCount(layer, \.columns.count))
    let result = scope.map { withoutLines(layer, $0, array) } ?? withoutInputsAndOutputs(layer)
    guard let result else {
      throw Diagnostic(
        "remove-zero-lines.order",
        "the bitlines of @\(layer.name) are not in blocks in the order of the column layout",
        at: setting.location,
        notes: ["use slice-bits(placement: intra), or another scope"])
    }
    layer = result
    return [
      ("wordlines-removed", rows - lineCount(result, \.rows.count)),
      ("bitlines-removed", columns - lineCount(result, \.columns.count)),
    ]
  }

  private func lineCount(_ layer: Layer, _ count: KeyPath<Block, Int>) -> Int {
    layer.blocks.reduce(0) { $0 + $1[keyPath: count] }
  }

  private func withoutLines(_ layer: Layer, _ scope: Scope, _ array: ArrayDescription) -> Layer {
    let numbering = layer.numbering
    var result = layer
    result.blocks = scope.blocks(of: layer, array).compactMap { block in
      let lines = removesRows ? block.occupiedRows(on: block.columns.indices) : Array(block.rows.indices)
      let bitlines =
        removesColumns ? block.occupiedColumns(on: block.rows.indices) : Array(block.columns.indices)
      return remove(block, lines, bitlines, numbering)
    }
    return result
  }

  /// Lines that all stay keep the index table that they have.
  private func remove(
    _ block: Block, _ lines: [Int], _ bitlines: [Int], _ numbering: ColumnNumbering?
  ) -> Block? {
    guard !lines.isEmpty, !bitlines.isEmpty else { return nil }
    var kept = block.keeping(rows: lines, columns: bitlines)
    kept.rowIndex =
      lines.count == block.rows.count ? block.rowIndex : block.inputCoding(of: lines)
    kept.columnIndex =
      bitlines.count == block.columns.count
      ? block.columnIndex : block.bitlineCoding(of: bitlines, numbering)
    return kept
  }

  // MARK: Inputs and outputs of the layer

  /// The layer without the inputs and outputs that are zero in all blocks; nil where its blocks are no runs of lines
  /// then.
  private func withoutInputsAndOutputs(_ layer: Layer) -> Layer? {
    var (isInput, isOutput) = (
      [Bool](repeating: !removesRows, count: layer.rows),
      [Bool](repeating: !removesColumns, count: layer.columns)
    )
    for block in layer.blocks {
      for row in block.occupiedRows(on: block.columns.indices) { isInput[block.rows[row].input] = true }
      for column in block.occupiedColumns(on: block.rows.indices) {
        isOutput[block.columns[column].output] = true
      }
    }
    var result = layer
    result.hasMasks = true
    result.blocks = layer.blocks.compactMap { block in
      let lines = block.rows.indices.filter { isInput[block.rows[$0].input] }
      let bitlines = block.columns.indices.filter { isOutput[block.columns[$0].output] }
      return lines.isEmpty || bitlines.isEmpty ? nil : block.keeping(rows: lines, columns: bitlines)
    }
    let runs = MaskRuns(result.masks)
    let areRuns = result.blocks.allSatisfy {
      runs.start(of: $0.rows) != nil && runs.start(of: $0.columns) != nil
    }
    return areRuns ? result : nil
  }
}
