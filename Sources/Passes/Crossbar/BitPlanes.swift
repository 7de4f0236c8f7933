import Hardware
import IR
import Mapping
import Support
import Tensors

/// The bit planes of a part of a layer's matrix: blocks with the same wordlines and outputs, each with one slice of
/// every weight (SME, ICCD 2021; reference: section 3.3).
struct BitPlanes {
  /// The blocks, from the lowest slice to the highest.
  let blocks: [Block]
  /// Bits of a slice.
  let sliceBits: Int
  /// The magnitude that each wordline and bitline of all planes together holds, row-major.
  let codes: [Int64]

  /// Nil where `blocks` are no planes: their wordlines or outputs differ, or a block holds more than one slice.
  init?(_ blocks: [Block], sliceBits: Int) {
    guard let first = blocks.first else { return nil }
    let ordered = blocks.sorted { $0.planeShift < $1.planeShift }
    for (number, block) in ordered.enumerated() {
      guard block.columns.allSatisfy({ $0.shift == number * sliceBits }), block.rows == first.rows,
        block.columns.map(\.lane) == first.columns.map(\.lane), block.rows.allSatisfy({ $0.shift == 0 })
      else { return nil }
    }
    self.blocks = ordered
    self.sliceBits = sliceBits
    var codes = [Int64](repeating: 0, count: first.cells.count)
    for (number, block) in ordered.enumerated() {
      for (place, level) in block.cells.enumerated() {
        codes[place] |= Int64(level) << Int64(number * sliceBits)
      }
    }
    self.codes = codes
  }

  private var width: Int { blocks[0].columns.count }
  private var height: Int { blocks[0].rows.count }

  /// Bits of a code that stay where the `freed` highest planes go.
  private func bitsLeft(_ freed: Int) -> Int { (blocks.count - freed) * sliceBits }

  /// How far each wordline's codes move down so that the `freed` highest planes are zero; 0 for an empty wordline
  /// (reference: section 3.4).
  func shifts(freeing freed: Int) -> [Int] {
    (0..<height).map { row in
      let largest = codes[row * width..<(row + 1) * width].max() ?? 0
      return max(0, bitWidth(of: Int(largest)) - bitsLeft(freed))
    }
  }

  /// The share of nonzero wordlines, plane by plane from the lowest.
  var occupiedRows: [Double] {
    blocks.map { Double($0.occupiedRows(on: $0.columns.indices).count) / Double(max(1, height)) }
  }

  /// The planes that stay: the codes of wordline r are those before, less their `shifts[r]` lowest bits, and the input
  /// of the wordline is shifted up by as much.
  func squeezed(_ shifts: [Int], freeing freed: Int) -> [Block] {
    let mask = Int64(1) << Int64(sliceBits) - 1
    return blocks.dropLast(freed).enumerated().map { number, block in
      var result = block
      for row in 0..<height {
        result.rows[row].shift = shifts[row]
        for place in row * width..<(row + 1) * width {
          result.cells[place] = UInt8((codes[place] >> Int64(shifts[row] + number * sliceBits)) & mask)
        }
      }
      return result
    }
  }

  /// Adds each code to the place of its weight in `matrix[rows][columns]`.
  func addCodes(to matrix: inout [Int64], columns: Int) {
    let block = blocks[0]
    for (place, code) in codes.enumerated() {
      matrix[block.rows[place / width].input * columns + block.columns[place % width].output] += code
    }
  }

  /// What each code loses: its bits below the shift of its wordline.
  func losses(_ shifts: [Int]) -> [Int64] {
    codes.enumerated().map { place, code in code & (1 << Int64(shifts[place / width]) - 1) }
  }

  /// Takes what the codes lose from the weights that they stand for, `matrix[rows][columns]`.
  func subtract(_ losses: [Int64], from matrix: inout [Int64], columns: Int) {
    let block = blocks[0]
    for (place, loss) in losses.enumerated() where loss != 0 {
      let (row, column) = (block.rows[place / width], block.columns[place % width])
      matrix[row.input * columns + column.output] -= column.negative ? -loss : loss
    }
  }
}

/// The root of the squared losses of all codes of `tiles`, relative to that of the squared codes.
func relativeLoss(_ tiles: [BitPlanes], freeing freed: Int) -> Double {
  func squares(_ values: [Int64]) -> Double { values.reduce(0) { $0 + Double($1) * Double($1) } }
  let size = tiles.reduce(0) { $0 + squares($1.codes) }
  let lost = tiles.reduce(0) { $0 + squares($1.losses($1.shifts(freeing: freed))) }
  return relativeError(lost: lost, size: size)
}

extension Block {
  /// The weight of the block's lowest bitline.
  fileprivate var planeShift: Int { columns.map(\.shift).min() ?? 0 }
}

extension ColumnEntry {
  /// What the bitline adds to, whatever its weight.
  fileprivate var lane: ColumnEntry { ColumnEntry(output: output, shift: 0, negative: negative) }
}

extension Layer {
  /// The layer's planes: together, or cut to crossbars, tile by tile from the top down. Nil where its blocks are no
  /// planes, or where the codes of a weight are not its magnitude, in bitlines of one sign.
  func bitPlanes(_ scope: Scope, _ array: ArrayDescription) -> [BitPlanes]? {
    guard let cellBits = coding.cellBits, coding.signs == .differential else { return nil }
    let numbering = self.numbering
    let cut = blocks.map { block in
      scope == .matrix ? [block] : block.cut(rows: array.rows, columns: array.columns, numbering)
    }
    guard let count = cut.first?.count, cut.allSatisfy({ $0.count == count }) else { return nil }
    var tiles: [BitPlanes] = []
    for tile in 0..<count {
      guard let planes = BitPlanes(cut.map { $0[tile] }, sliceBits: cellBits) else { return nil }
      tiles.append(planes)
    }
    return codesAreMagnitudes(tiles) ? tiles : nil
  }

  private func codesAreMagnitudes(_ tiles: [BitPlanes]) -> Bool {
    guard let weights = weights?.integers else { return false }
    var sums = [Int64](repeating: 0, count: weights.count)
    for tile in tiles { tile.addCodes(to: &sums, columns: columns) }
    return zip(sums, weights).allSatisfy { $0 == Int64($1.magnitude) }
  }
}
