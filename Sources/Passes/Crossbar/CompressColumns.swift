import Hardware
import IR
import Mapping
import Support

/// Every block is a strip of wordlines, as high as an operation unit, with only the bitlines that are nonzero in the
/// strip, packed left in the order of the column layout (OCC of SRE, ISCA 2019; reference: section 2.3).
///
/// A strip begins anew at every crossbar's first wordline, and zero strips are dropped. Each strip has
/// bitlines of its own, so its wordlines cannot be gathered with those of another strip: the units are fixed from here
/// on. Spec: ir-spec.md, `compress-columns`.
struct CompressColumns: LayerPass {
  typealias L = CrossbarLevel
  static let name = "compress-columns"
  static let summary = "every block is a strip of wordlines with only its nonzero bitlines"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")
  private static let heightOption = PassOption.int(
    "height", 0...4096, default: 0, "wordlines of a strip; 0 means those of the machine's unit")
  static let options = [heightOption.spec, Scope.option.spec]

  private let height: Int
  private let scope: Scope

  init(_ options: PassOptions) {
    height = options[Self.heightOption]
    scope = options[Scope.option]
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let array = try setting.requiredMachine().array
    let units = UnitForming.fixed(height: height > 0 ? height : array.unitHeight, width: array.unitWidth)
    try layer.requireOpenLines(CompressColumns.name, at: setting.location)
    var counts = (all: 0, kept: 0)
    let numbering = layer.numbering
    layer.blocks = scope.blocks(of: layer, array).flatMap { block in
      strips(of: units.height, in: block.rows.count, side: array.rows).compactMap { strip in
        counts.all += block.columns.count
        var packed = compress(block, strip, numbering)
        packed?.units = units
        counts.kept += packed?.columns.count ?? 0
        return packed
      }
    }
    return [("strip-bitlines", counts.all), ("strip-bitlines-kept", counts.kept)]
  }

  private func compress(
    _ block: Block, _ strip: Range<Int>, _ numbering: ColumnNumbering?
  ) -> Block? {
    let bitlines = block.occupiedColumns(on: strip)
    guard !bitlines.isEmpty else { return nil }
    var packed = block.keeping(rows: Array(strip), columns: bitlines)
    packed.columnIndex = block.bitlineCoding(of: bitlines, numbering)
    if block.rowIndex != nil { packed.rowIndex = block.inputCoding(of: Array(strip)) }
    return packed
  }
}
