/// Columns as bit sets: which wordlines are nonzero in each of them.
///
/// A column takes one bit for each wordline, so that a matrix takes an eighth of a byte for each place.
struct BitColumns: Equatable, Sendable {
  /// Wordlines.
  let height: Int
  /// Columns.
  let count: Int
  /// Words of a column.
  private let stride: Int
  /// The columns one after the other; bits from `height` on are 0.
  private var words: [UInt64]

  /// Zero columns.
  init(height: Int, count: Int) {
    self.height = height
    self.count = count
    stride = (height + 63) / 64
    words = [UInt64](repeating: 0, count: count * stride)
  }

  /// Notes that `column` is nonzero on `row`.
  mutating func insert(row: Int, column: Int) { words[column * stride + row / 64] |= 1 << UInt64(row % 64) }

  /// Whether `column` is nonzero on `row`.
  func contains(row: Int, column: Int) -> Bool {
    words[column * stride + row / 64] >> UInt64(row % 64) & 1 != 0
  }

  /// How many wordlines are nonzero in `column`.
  func weight(_ column: Int) -> Int {
    var sum = 0
    for word in words[column * stride..<(column + 1) * stride] { sum += word.nonzeroBitCount }
    return sum
  }

  /// The nonzero wordlines in one of `columns`, ascending.
  func rows(of columns: [Int]) -> [Int] {
    var union = BitColumns(height: height, count: 1)
    for column in columns { union.merge(column, of: self, into: 0) }
    return union.rows(of: 0)
  }

  /// The nonzero wordlines in `column`, ascending.
  func rows(of column: Int) -> [Int] {
    var rows: [Int] = []
    forEachRow(of: column) { rows.append($0) }
    return rows
  }

  /// Calls `body` with each nonzero wordline in `column`, ascending.
  func forEachRow(of column: Int, _ body: (Int) -> Void) {
    for place in 0..<stride {
      var rest = words[column * stride + place]
      while rest != 0 {
        body(64 * place + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
  }

  /// Adds what `other` holds in `source` to `column`; both are as high.
  mutating func merge(_ source: Int, of other: BitColumns, into column: Int) {
    for place in 0..<stride { words[column * stride + place] |= other.words[source * stride + place] }
  }

  /// Makes `column` zero.
  mutating func clear(_ column: Int) {
    for place in 0..<stride { words[column * stride + place] = 0 }
  }

  /// The share `lines` of the wordlines of the columns `range`.
  func part(rows lines: Range<Int>, columns range: Range<Int>) -> BitColumns {
    var part = BitColumns(height: lines.count, count: range.count)
    let (first, shift) = (lines.lowerBound / 64, UInt64(lines.lowerBound % 64))
    let last = lines.count % 64 == 0 ? UInt64.max : 1 << UInt64(lines.count % 64) - 1
    for (number, column) in range.enumerated() {
      for place in 0..<part.stride {
        let source = column * stride + first + place
        var word = words[source] >> shift
        if shift > 0 && first + place + 1 < stride { word |= words[source + 1] << (64 - shift) }
        part.words[number * part.stride + place] = place == part.stride - 1 ? word & last : word
      }
    }
    return part
  }

  // MARK: Distances

  /// In how many wordlines `column` and the column `other` of `columns` differ.
  func distance(_ column: Int, to other: Int, of columns: BitColumns) -> Int {
    var distance = 0
    for place in 0..<stride {
      distance += (words[column * stride + place] ^ columns.words[other * stride + place]).nonzeroBitCount
    }
    return distance
  }

  /// The place in `candidates` of the column that adds the fewest wordlines to `union`, the first of equals.
  func leastGrowth(of union: BitColumns, among candidates: [Int]) -> Int {
    words.withUnsafeBufferPointer { mine in
      union.words.withUnsafeBufferPointer { held in
        var best = (place: 0, growth: Int.max)
        for (place, column) in candidates.enumerated() {
          var growth = 0
          for word in 0..<stride { growth += (mine[column * stride + word] & ~held[word]).nonzeroBitCount }
          if growth < best.growth { best = (place, growth) }
        }
        return best.place
      }
    }
  }
}
