import Hardware
import IR
import Support

/// Every block is a strip of bitlines, as wide as an operation unit, with only the wordlines that hold something in the
/// strip, packed up in ascending order of their inputs (ORC of SRE, ISCA 2019; reference: section 2.4).
///
/// A strip begins anew at every crossbar's first bitline. Strips that hold nothing are dropped. Spec: ir-spec.md,
/// `compress-rows`.
struct CompressRows: LayerPass {
  typealias L = CrossbarLevel
  static let name = "compress-rows"
  static let summary = "every block is a strip of bitlines with only the wordlines that hold something there"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")
  static let options = [
    PassOption(
      "width", .int(0...4096), default: .int(0), "bitlines of a strip; 0 takes a unit's of the machine"),
    Scope.option,
  ]

  private let width: Int
  private let scope: Scope

  init(_ options: PassOptions) {
    width = options.int("width")
    scope = Scope(options)
  }

  func run(on layer: inout LayerView, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let array = try setting.requiredMachine().array
    try layer.requireOpenLines(CompressRows.name, at: setting.location)
    var counts = (all: 0, kept: 0)
    let numbering = layer.numbering
    layer.blocks = scope.blocks(of: layer, array).flatMap { block in
      strips(of: width > 0 ? width : array.unitWidth, in: block.columns.count, side: array.columns)
        .compactMap { strip in
          counts.all += block.rows.count
          let packed = compress(block, strip, numbering)
          counts.kept += packed?.rows.count ?? 0
          return packed
        }
    }
    return [("strip-wordlines", counts.all), ("strip-wordlines-kept", counts.kept)]
  }

  private func compress(
    _ block: BlockView, _ strip: Range<Int>, _ numbering: BitlineNumbering?
  ) -> BlockView? {
    let lines = block.occupiedRows(on: strip)
    guard !lines.isEmpty else { return nil }
    var packed = block.keeping(rows: lines, columns: Array(strip))
    packed.rowIndex = block.inputCoding(of: lines)
    if block.columnIndex != nil { packed.columnIndex = block.bitlineCoding(of: Array(strip), numbering) }
    return packed
  }
}

extension BlockView {
  /// An absolute coding for the inputs of `lines`; nil where they do not ascend.
  func inputCoding(of lines: [Int]) -> IndexCoding? {
    .absolute(lines.map { rows[$0].input }, of: rows.map(\.input))
  }

  /// An absolute coding for the numbers of `bitlines`; nil where one is no natural bitline or they do not ascend.
  func bitlineCoding(of bitlines: [Int], _ numbering: BitlineNumbering?) -> IndexCoding? {
    guard let numbers = numbering?.numbers(of: columns) else { return nil }
    return .absolute(bitlines.map { numbers[$0] }, of: numbers)
  }
}
