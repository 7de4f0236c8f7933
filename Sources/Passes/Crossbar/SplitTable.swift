import Glibc
public import Support

/// Into how many wordlines' shares random matrices were best cut, by the side of a crossbar, by how much of a set's
/// wordlines are nonzero, and by the height of the matrix: the function of Algorithm 1 (Lin et al., ASP-DAC 2019;
/// reference: section 4.2), which interpolates between measured matrices.
///
/// A crossbar has as many bitlines as wordlines, four for each column. The share of the nonzero wordlines in a
/// set of n columns of density d is `1 - (1 - d)^n` on average.
struct SplitTable: Sendable {
  /// Wordlines of a crossbar.
  static let sides = [16, 32, 64, 128]
  /// Shares of the nonzero wordlines in a set.
  static let occupancies = [0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95]
  /// Wordlines of the matrix, in crossbars.
  static let heights = [2, 8, 32, 128]

  /// `[side][occupancy][height]`: wordlines of a share, in crossbars.
  let rows: [[[Int]]]

  /// The wordlines of a share of `matrix`, a whole number of crossbars' unless the share is all of it.
  func rows(for matrix: BitColumns, in setting: ColumnSetting) -> Int {
    let crossbars = Double(matrix.height) / Double(setting.height)
    let places = [
      Place(log2(Double(setting.height)), in: SplitTable.sides.map { log2(Double($0)) }),
      Place(occupancy(of: matrix, in: setting), in: SplitTable.occupancies),
      Place(log2(crossbars), in: SplitTable.heights.map { log2(Double($0)) }),
    ]
    let share = Int(exp2(interpolated(places)).rounded())
    return max(1, share >= Int(crossbars.rounded(.up)) ? matrix.height : share * setting.height)
  }

  /// The share of the wordlines that would be nonzero in a set of columns of the same density at random places.
  private func occupancy(of matrix: BitColumns, in setting: ColumnSetting) -> Double {
    let held = (0..<matrix.count).map { matrix.weight($0) }.filter { $0 > 0 }
    let places = Double(max(1, held.count * matrix.height))
    let density = Double(held.reduce(0, +)) / places
    return 1 - pow(1 - density, Double(setting.size))
  }

  /// The logarithm of the entries around the place, weighted by how near they are.
  private func interpolated(_ places: [Place]) -> Double {
    var sum = 0.0
    for corner in 0..<8 {
      let ends = places.enumerated().map { $1.end(corner >> $0 & 1) }
      let weight = ends.reduce(1) { $0 * $1.weight }
      if weight > 0 { sum += weight * log2(Double(rows[ends[0].number][ends[1].number][ends[2].number])) }
    }
    return sum
  }

  /// Where a number lies between two of an ascending list; numbers beyond its ends count as these.
  private struct Place {
    let lower: Int
    let share: Double

    init(_ value: Double, in list: [Double]) {
      let upper = list.dropLast().lastIndex { $0 <= value } ?? 0
      lower = upper
      share = min(1, max(0, (value - list[lower]) / (list[lower + 1] - list[lower])))
    }

    func end(_ side: Int) -> (number: Int, weight: Double) {
      side == 0 ? (lower, 1 - share) : (lower + 1, share)
    }
  }
}

extension SplitTable {
  /// An entry of the table: the cut that takes the fewest crossbars of a random matrix of 64 sets' columns.
  static func entry(
    _ order: ColumnOrder, side: Int, occupancy: Double, height: Int, threads: Int
  ) throws(Diagnostic) -> Int {
    let size = side / 4
    let setting = ColumnSetting(size: size, height: side, breadth: side, order: order, restarts: 1)
    var matrix = BitColumns(height: height * side, count: 64 * size)
    let density = 1 - pow(1 - occupancy, 1 / Double(size))
    var random = SeededGenerator(seed: UInt64(side * 1000 + height))
    for row in 0..<matrix.height {
      for column in 0..<matrix.count where random.chance(density) { matrix.insert(row: row, column: column) }
    }
    return try setting.bestSplit(of: matrix, threads: threads).rows / side
  }
}

/// The source text of both tables, measured anew; `progress` is told of each measured side of crossbars.
public func measuredSplitTables(threads: Int, progress: (String) -> Void) throws(Diagnostic) -> String {
  var text = """
    // Measured by './run bench splits', which writes this file.

    extension SplitTable {
      /// The table of an order.
      static func measured(_ order: ColumnOrder) -> SplitTable { order == .greedy ? greedy : kmeans }


    """
  for order in [ColumnOrder.kmeans, .greedy] {
    text += "  private static let \(order) = SplitTable(rows: [\n"
    for side in SplitTable.sides {
      progress("\(order), crossbars of \(side)x\(side)")
      text += "    [\n"
      for occupancy in SplitTable.occupancies {
        var entries: [String] = []
        for height in SplitTable.heights {
          let entry = try SplitTable.entry(
            order, side: side, occupancy: occupancy, height: height, threads: threads)
          entries.append("\(entry)")
        }
        text += "      [\(entries.joined(separator: ", "))],\n"
      }
      text += "    ],\n"
    }
    text += "  ])\n" + (order == .kmeans ? "\n" : "")
  }
  return text + "}\n"
}
