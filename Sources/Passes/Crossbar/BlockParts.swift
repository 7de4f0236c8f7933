import Hardware
import IR
import Mapping
import Support

/// How much of a matrix a pass looks at when it decides which wordlines and bitlines are zero.
enum Scope: String, OptionWord {
  /// The whole matrix; it is cut to crossbars afterwards.
  case matrix
  /// Each crossbar's share of the matrix for itself.
  case crossbar

  static let option = PassOption.choice(
    "scope", default: Scope.matrix,
    "whether wordlines and bitlines are removed from the whole matrix, or from each crossbar's share of it")

  /// The blocks whose lines are looked at: those of the layer, or those cut to crossbars.
  func blocks(of layer: Layer, _ array: ArrayDescription) -> [Block] {
    guard self == .crossbar else { return layer.blocks }
    let numbering = layer.numbering
    return layer.blocks.flatMap { $0.cut(rows: array.rows, columns: array.columns, numbering) }
  }
}

extension Layer {
  /// The logical columns by number; S11 holds, so they are distinct.
  var numbering: ColumnNumbering? { ColumnNumbering(coding.columnLayout) }
}

extension Block {
  /// The block with only the given wordlines and bitlines, in the given order, without index tables.
  func keeping(rows lines: [Int], columns bitlines: [Int]) -> Block {
    var kept: [UInt8] = []
    kept.reserveCapacity(lines.count * bitlines.count)
    for line in lines {
      let start = line * columns.count
      for bitline in bitlines { kept.append(cells[start + bitline]) }
    }
    var block = Block(rows: lines.map { rows[$0] }, columns: bitlines.map { columns[$0] }, cells: kept)
    block.units = units
    return block
  }

  /// The pieces of at most `rows` wordlines and `columns` bitlines, top down, each row of pieces left to right. The
  /// index table of a piece goes on where that of the piece before it ends.
  func cut(rows height: Int, columns width: Int, _ numbering: ColumnNumbering?) -> [Block] {
    if rows.count <= height && columns.count <= width { return [self] }
    let parts = columnParts(width, numbering)
    return stride(from: 0, to: rows.count, by: height).flatMap { top in
      pieces(top..<min(top + height, rows.count), of: cells, parts)
    }
  }

  /// The same pieces; the block's own cells are given up row by row of pieces, so that a large block is not in memory
  /// twice.
  mutating func cutUp(rows height: Int, columns width: Int, _ numbering: ColumnNumbering?) -> [Block] {
    guard cells.count >= 1 << 24, rows.count > height else {
      return cut(rows: height, columns: width, numbering)
    }
    var rest: [UInt8] = []
    swap(&rest, &cells)
    let parts = columnParts(width, numbering)
    return stride(from: 0, to: rows.count, by: height).flatMap { top in
      let lines = top..<min(top + height, rows.count)
      defer { releasePages(of: &rest, lines.lowerBound * columns.count..<lines.upperBound * columns.count) }
      return pieces(lines, of: rest, parts)
    }
  }

  /// Neighboring bitlines with their index table. Pieces that lie below each other share them.
  private struct ColumnPart {
    let places: Range<Int>
    let columns: [ColumnEntry]
    let index: IndexCoding?
  }

  private func columnParts(_ width: Int, _ numbering: ColumnNumbering?) -> [ColumnPart] {
    let numbers = columnIndex == nil ? [] : numbering?.numbers(of: columns) ?? []
    return stride(from: 0, to: columns.count, by: width).map { left in
      let places = left..<min(left + width, columns.count)
      return ColumnPart(
        places: places, columns: Array(columns[places]),
        index: columnIndex.map { left == 0 ? $0 : $0.following(numbers[left - 1]) })
    }
  }

  /// The pieces of the wordlines `lines`, side by side, with their cells among `cells`, those of the block.
  private func pieces(_ lines: Range<Int>, of cells: [UInt8], _ parts: [ColumnPart]) -> [Block] {
    let entries = Array(rows[lines])
    let index = rowIndex.map { lines.lowerBound == 0 ? $0 : $0.following(rows[lines.lowerBound - 1].input) }
    return parts.map { part in
      var kept: [UInt8] = []
      kept.reserveCapacity(lines.count * part.places.count)
      for line in lines {
        let start = line * columns.count
        kept += cells[start + part.places.lowerBound..<start + part.places.upperBound]
      }
      var piece = Block(rows: entries, columns: part.columns, cells: kept)
      (piece.units, piece.rowIndex, piece.columnIndex) = (units, index, part.index)
      return piece
    }
  }

  /// The wordlines with a level other than 0 on one of `bitlines`.
  func occupiedRows(on bitlines: Range<Int>) -> [Int] {
    rows.indices.filter { row in
      let start = row * columns.count
      return cells[start + bitlines.lowerBound..<start + bitlines.upperBound].contains { $0 != 0 }
    }
  }

  /// The bitlines with a level other than 0 on one of `lines`.
  func occupiedColumns(on lines: Range<Int>) -> [Int] {
    var isOccupied = [Bool](repeating: false, count: columns.count)
    for line in lines {
      let start = line * columns.count
      for bitline in columns.indices where cells[start + bitline] != 0 { isOccupied[bitline] = true }
    }
    return columns.indices.filter { isOccupied[$0] }
  }
}

extension IndexCoding {
  /// The shortest absolute coding for `kept` of the ascending numbers `all`: fields count from the first of these. Nil
  /// where the numbers do not ascend.
  static func absolute(_ kept: [Int], of all: [Int]) -> IndexCoding? {
    guard let first = all.first, let last = all.last else { return nil }
    let coding = IndexCoding.absolute(bits: max(1, bitWidth(of: max(0, last - first))), first: first)
    return coding.fields(of: kept) == nil ? nil : coding
  }

  /// The coding of numbers that come after `number` in the same table.
  func following(_ number: Int) -> IndexCoding {
    if case .delta = self { return starting(at: number + 1) }
    return self
  }
}

/// Ranges of at most `width` numbers that together are `0 ..< count` and begin anew at each multiple of `side`, as
/// operation units do in every crossbar.
func strips(of width: Int, in count: Int, side: Int) -> [Range<Int>] {
  stride(from: 0, to: count, by: side).flatMap { start in
    let end = min(start + side, count)
    return stride(from: start, to: end, by: width).map { $0..<min($0 + width, end) }
  }
}
