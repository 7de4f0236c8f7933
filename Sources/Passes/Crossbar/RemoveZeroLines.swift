import Hardware
import IR
import Support

/// No block has a wordline or a bitline without a level other than 0: whole lines are left out, of the matrix (as ReCom,
/// DATE 2018, does) or of each crossbar's share of it (the naive use of weight sparsity; reference: section 2.3).
///
/// Blocks that hold nothing are dropped. Spec: ir-spec.md, `remove-zero-lines`.
struct RemoveZeroLines: Pass {
  typealias L = CrossbarLevel
  static let name = "remove-zero-lines"
  static let summary = "no block has a line that holds nothing"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")
  static let options = [
    Scope.option,
    PassOption(
      "lines", .word(["both", "rows", "columns"]), default: .word("both"), "which lines may be left out"),
  ]

  private let scope: Scope
  private let removesRows: Bool
  private let removesColumns: Bool

  init(_ options: PassOptions) {
    scope = Scope(options)
    removesRows = options.word("lines") != "columns"
    removesColumns = options.word("lines") != "rows"
  }

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    let array = try module.requiredMachine().array
    var layers: [(OpID, LayerView)] = []
    var removed = (rows: 0, columns: 0)
    for (id, layer) in module.layers {
      try layer.requireNoUnits(RemoveZeroLines.name, at: module.ops[id].location)
      let numbering = layer.numbering
      var result = layer
      result.blocks = scope.blocks(of: layer, array).compactMap { block in
        let lines = removesRows ? block.occupiedRows(on: block.columns.indices) : Array(block.rows.indices)
        let bitlines =
          removesColumns ? block.occupiedColumns(on: block.rows.indices) : Array(block.columns.indices)
        removed.rows += block.rows.count - lines.count
        removed.columns += block.columns.count - bitlines.count
        return remove(block, lines, bitlines, numbering)
      }
      layers.append((id, result))
    }
    module.replaceLayers(layers)
    context.count("wordlines-removed", removed.rows)
    context.count("bitlines-removed", removed.columns)
  }

  /// Lines that all stay keep the index table that they have.
  private func remove(
    _ block: BlockView, _ lines: [Int], _ bitlines: [Int], _ numbering: BitlineNumbering?
  ) -> BlockView? {
    guard !lines.isEmpty, !bitlines.isEmpty else { return nil }
    var kept = block.keeping(rows: lines, columns: bitlines)
    kept.rowIndex =
      lines.count == block.rows.count ? block.rowIndex : block.inputCoding(of: lines)
    kept.columnIndex =
      bitlines.count == block.columns.count
      ? block.columnIndex : block.bitlineCoding(of: bitlines, numbering)
    return kept
  }
}
