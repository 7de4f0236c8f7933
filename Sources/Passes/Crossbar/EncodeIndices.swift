import Hardware
import IR
public import Mapping
import Support

/// Index tables hold gaps of a stated width, or stay absolute where that is asked for or shorter.
///
/// A gap that its field cannot hold takes padding entries: wordlines or bitlines of level 0 that are read like all
/// others (reference: section 2.4, after SRE, ISCA 2019). With `auto` each layer takes the width, for wordlines and for
/// bitlines, that needs the fewest bits. Spec: ir-spec.md, `encode-indices`.
struct EncodeIndices: LayerPass {
  typealias L = CrossbarLevel
  static let name = "encode-indices"
  static let summary = "index tables contain gaps, with padding where a gap is too wide, or absolute numbers"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let writesIndexTables = true
  static let guarantee = Guarantee.exact("")

  private static let bitsOption = PassOption.number(
    "bits", 1...24, orDefault: Bits.auto,
    "bits of a gap; auto selects the coding with the fewest bits in total")
  private static let paddingOption = PassOption.number(
    "padding", 0...1000, orDefault: Padding.any,
    "for auto: how much padding a coding may add, in percent of the entries")
  static let options = [bitsOption.spec, paddingOption.spec]

  private enum Bits: String, OptionWord { case auto, absolute }
  private enum Padding: String, OptionWord { case any }

  /// Nil takes the best.
  private let choice: IndexChoice?
  /// Padding entries for each 100 others, at most; nil for any number.
  private let padding: Int?

  init(_ options: PassOptions) {
    switch options[Self.bitsOption] {
    case .word(.auto): choice = nil
    case .word(.absolute): choice = .absolute
    case .number(let bits): choice = .delta(bits: bits)
    }
    padding = options[Self.paddingOption].number
  }

  func observation(of layer: Layer, on machine: Machine) -> LayerObservation? {
    .indexStorage(IndexStorage.table(of: layer))
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    try layer.requireOpenLines(EncodeIndices.name, at: setting.location)
    let (rowTables, columnTables) = (layer.rowTables, layer.columnTables)
    let rows = choice ?? best(rowTables)
    let columns = choice ?? best(columnTables)
    let padding = padding(rowTables, rows) + padding(columnTables, columns)
    try checkSize(
      layer, padding,
      side: max(
        rowTables.isEmpty ? 0 : layer.blocks.map(\.columns.count).max() ?? 0,
        columnTables.isEmpty ? 0 : layer.blocks.map(\.rows.count).max() ?? 0), at: setting.location)
    let numbering = layer.numbering
    var (entries, bits) = (0, 0)
    for index in layer.blocks.indices {
      let block = layer.blocks[index].encodingRows(rows).encodingColumns(
        columns, layer.coding.columnLayout, numbering)
      entries += block.indexEntries
      bits += block.indexBits
      layer.blocks[index] = block
    }
    return [("index-entries", entries), ("index-bits", bits)]
  }

  /// Entries that `choice` adds to `tables`.
  private func padding(_ tables: [IndexTable], _ choice: IndexChoice) -> Int {
    tables.reduce(0) { $0 + $1.size(choice).entries - $1.numbers.count }
  }

  /// Padding of `added` lines of up to `side` cells may not make more cells than a layer can have.
  private func checkSize(_ layer: Layer, _ added: Int, side: Int, at location: Location)
    throws(Diagnostic)
  {
    let (cells, overflow) = added.multipliedReportingOverflow(by: side)
    guard !overflow, cells <= EncodeIndices.mostPadding else {
      throw Diagnostic(
        "encode-indices.size",
        "padding would take \(added) lines of up to \(side) cells in @\(layer.name)",
        at: location, notes: ["use wider gaps, or bits: absolute"])
    }
  }

  /// Cells of padding, at most.
  private static let mostPadding = 1 << 28

  /// The choice of the fewest bits, and among these of the fewest entries, that pads no more than it may.
  private func best(_ tables: [IndexTable]) -> IndexChoice {
    let count = tables.reduce(0) { $0 + $1.numbers.count }
    let most = padding.map { count * (100 + $0) / 100 } ?? .max
    var best = IndexChoice.absolute
    var size = IndexStorage.storage(of: tables, best)
    for bits in 1...24 {
      let other = IndexStorage.storage(of: tables, .delta(bits: bits))
      guard other.entries <= most, (other.bits, other.entries) < (size.bits, size.entries) else { continue }
      (best, size) = (.delta(bits: bits), other)
    }
    return best
  }
}

extension Layer {
  /// Entries of the index tables of all blocks, or of the layer's sparsity masks.
  public var indexEntries: Int {
    hasMasks ? rows + columns : blocks.reduce(0) { $0 + $1.indexEntries }
  }

  /// Bits of the index tables of all blocks, or of the layer's sparsity masks.
  public var indexBits: Int { hasMasks ? rows + columns : blocks.reduce(0) { $0 + $1.indexBits } }
}

extension Block {
  /// Entries of the index tables.
  public var indexEntries: Int {
    (rowIndex == nil ? 0 : rows.count) + (columnIndex == nil ? 0 : columns.count)
  }

  /// Bits of the index tables.
  public var indexBits: Int {
    (rowIndex?.bits ?? 0) * rows.count + (columnIndex?.bits ?? 0) * columns.count
  }

  fileprivate func encodingRows(_ choice: IndexChoice) -> Block {
    guard let coding = rowIndex, coding.isAbsolute, case .delta(let bits) = choice else { return self }
    let inputs = rows.map(\.input)
    let padded = IndexTable(numbers: inputs, coding: coding).padded(bits: bits)
    var result = self
    result.rows = padded.map { RowEntry(input: $0) }
    result.rowIndex = .delta(bits: bits, first: coding.first)
    result.cells = [UInt8](repeating: 0, count: padded.count * columns.count)
    var source = 0
    for (target, input) in padded.enumerated() where source < inputs.count && input == inputs[source] {
      result.rows[target] = rows[source]
      for column in columns.indices {
        result.cells[target * columns.count + column] = cells[source * columns.count + column]
      }
      source += 1
    }
    return result
  }

  fileprivate func encodingColumns(
    _ choice: IndexChoice, _ bitlines: [ColumnEntry], _ numbering: ColumnNumbering?
  ) -> Block {
    guard let coding = columnIndex, coding.isAbsolute, case .delta(let bits) = choice,
      let numbers = numbering?.numbers(of: columns)
    else { return self }
    let padded = IndexTable(numbers: numbers, coding: coding).padded(bits: bits)
    var result = self
    result.columns = padded.map { bitlines[$0] }
    result.columnIndex = .delta(bits: bits, first: coding.first)
    result.cells = [UInt8](repeating: 0, count: rows.count * padded.count)
    var source = 0
    for (target, number) in padded.enumerated() where source < numbers.count && number == numbers[source] {
      for row in rows.indices {
        result.cells[row * padded.count + target] = cells[row * columns.count + source]
      }
      source += 1
    }
    return result
  }
}
