import Hardware
import IR
import Mapping
import Support

/// Every block is a strip of bitlines, as wide as an operation unit, with only the wordlines that are nonzero in the
/// strip, packed up in ascending order of their inputs (ORC of SRE, ISCA 2019; reference: section 2.4).
///
/// A strip begins anew at every crossbar's first bitline. Zero strips are dropped. Spec: ir-spec.md,
/// `compress-rows`.
struct CompressRows: LayerPass {
  typealias L = CrossbarLevel
  static let name = "compress-rows"
  static let summary = "every block is a strip of bitlines with only its nonzero wordlines"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")
  private static let widthOption = PassOption.int(
    "width", 0...4096, default: 0, "bitlines of a strip; 0 means those of the machine's unit")
  static let options = [widthOption.spec, Scope.option.spec]

  private let width: Int
  private let scope: Scope

  init(_ options: PassOptions) {
    width = options[Self.widthOption]
    scope = options[Scope.option]
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let array = try setting.requiredMachine().array
    try layer.requireOpenLines(CompressRows.name, at: setting.location)
    var counts = (all: 0, kept: 0)
    let numbering = layer.numbering
    var blocks = scope.blocks(of: layer, array)
    layer.blocks = []
    for index in blocks.indices {
      var block = Block(rows: [], columns: [], cells: [])
      swap(&block, &blocks[index])
      let parts = strips(
        of: width > 0 ? width : array.unitWidth, in: block.columns.count, side: array.columns)
      counts.all += block.rows.count * parts.count
      layer.blocks += compress(&block, parts, numbering)
    }
    counts.kept = layer.blocks.reduce(0) { $0 + $1.rows.count }
    return [("strip-wordlines", counts.all), ("strip-wordlines-kept", counts.kept)]
  }

  /// The nonzero strips of a block, each with the wordlines that do; the block's own cells are given up.
  private func compress(
    _ block: inout Block, _ strips: [Range<Int>], _ numbering: ColumnNumbering?
  ) -> [Block] {
    let lines = block.occupiedRows(ofEach: strips)
    let cells = block.takeCells(lines, strips)
    return strips.indices.compactMap { strip in
      guard !lines[strip].isEmpty else { return nil }
      let rows = lines[strip].map { Int($0) }
      var packed = Block(
        rows: rows.map { block.rows[$0] }, columns: Array(block.columns[strips[strip]]), cells: cells[strip])
      packed.units = block.units
      packed.rowIndex = block.inputCoding(of: rows)
      if block.columnIndex != nil {
        packed.columnIndex = block.bitlineCoding(of: Array(strips[strip]), numbering)
      }
      return packed
    }
  }
}

extension Block {
  /// For each strip of bitlines the wordlines with a level other than 0 there.
  fileprivate func occupiedRows(ofEach strips: [Range<Int>]) -> [[Int32]] {
    var lines = [[Int32]](repeating: [], count: strips.count)
    cells.withUnsafeBufferPointer { cells in
      for row in rows.indices {
        let start = row * columns.count
        for (number, strip) in strips.enumerated() {
          var any: UInt8 = 0
          for bitline in strip { any |= cells[start + bitline] }
          if any != 0 { lines[number].append(Int32(truncatingIfNeeded: row)) }
        }
      }
    }
    return lines
  }

  /// The cells of each strip in its `lines`. They are taken wordline by wordline from the top, and what was taken is
  /// given up on the way, so that a large block is not in memory twice.
  fileprivate mutating func takeCells(_ lines: [[Int32]], _ strips: [Range<Int>]) -> [[UInt8]] {
    var rest: [UInt8] = []
    swap(&rest, &cells)
    var taken = zip(lines, strips).map { lines, strip in
      var cells: [UInt8] = []
      cells.reserveCapacity(lines.count * strip.count)
      return cells
    }
    var next = [Int](repeating: 0, count: strips.count)
    let band = 128
    for top in stride(from: 0, to: rows.count, by: band) {
      let end = min(top + band, rows.count)
      for number in strips.indices {
        while next[number] < lines[number].count, lines[number][next[number]] < end {
          let start = Int(lines[number][next[number]]) * columns.count
          taken[number] += rest[start + strips[number].lowerBound..<start + strips[number].upperBound]
          next[number] += 1
        }
      }
      if rest.count >= 1 << 24 { releasePages(of: &rest, top * columns.count..<end * columns.count) }
    }
    return taken
  }
}

extension Block {
  /// An absolute coding for the inputs of `lines`; nil where they do not ascend.
  func inputCoding(of lines: [Int]) -> IndexCoding? {
    .absolute(lines.map { rows[$0].input }, of: rows.map(\.input))
  }

  /// An absolute coding for the numbers of `bitlines`; nil where one is no logical column or they do not ascend.
  func bitlineCoding(of bitlines: [Int], _ numbering: ColumnNumbering?) -> IndexCoding? {
    guard let numbers = numbering?.numbers(of: columns) else { return nil }
    return .absolute(bitlines.map { numbers[$0] }, of: numbers)
  }
}
