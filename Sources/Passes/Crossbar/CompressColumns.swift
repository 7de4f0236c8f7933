import Hardware
import IR
import Support

/// Every block is a strip of wordlines, as high as an operation unit, with only the bitlines that hold something in the
/// strip, packed left in their natural order (OCC of SRE, ISCA 2019; reference: section 2.3).
///
/// A strip begins anew at every crossbar's first wordline, and strips that hold nothing are dropped. Each strip has
/// bitlines of its own, so its wordlines cannot be gathered with those of another strip: the units are fixed from here
/// on. Spec: ir-spec.md, `compress-columns`.
struct CompressColumns: Pass {
  typealias L = CrossbarLevel
  static let name = "compress-columns"
  static let summary = "every block is a strip of wordlines with only the bitlines that hold something there"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")
  static let options = [
    PassOption(
      "height", .int(0...4096), default: .int(0), "wordlines of a strip; 0 takes a unit's of the machine"),
    Scope.option,
  ]

  private let height: Int
  private let scope: Scope

  init(_ options: PassOptions) {
    height = options.int("height")
    scope = Scope(options)
  }

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    let array = try module.requiredMachine().array
    let units = UnitForming.fixed(height: height > 0 ? height : array.unitHeight, width: array.unitWidth)
    var layers: [(OpID, LayerView)] = []
    var counts = (all: 0, kept: 0)
    for (id, layer) in module.layers {
      try layer.requireOpenLines(CompressColumns.name, at: module.ops[id].location)
      let numbering = layer.numbering
      var result = layer
      result.blocks = scope.blocks(of: layer, array).flatMap { block in
        strips(of: units.height, in: block.rows.count, side: array.rows).compactMap { strip in
          counts.all += block.columns.count
          var packed = compress(block, strip, numbering)
          packed?.units = units
          counts.kept += packed?.columns.count ?? 0
          return packed
        }
      }
      layers.append((id, result))
    }
    module.replaceLayers(layers)
    context.count("strip-bitlines", counts.all)
    context.count("strip-bitlines-kept", counts.kept)
  }

  private func compress(
    _ block: BlockView, _ strip: Range<Int>, _ numbering: BitlineNumbering?
  ) -> BlockView? {
    let bitlines = block.occupiedColumns(on: strip)
    guard !bitlines.isEmpty else { return nil }
    var packed = block.keeping(rows: Array(strip), columns: bitlines)
    packed.columnIndex = block.bitlineCoding(of: bitlines, numbering)
    if block.rowIndex != nil { packed.rowIndex = block.inputCoding(of: Array(strip)) }
    return packed
  }
}
