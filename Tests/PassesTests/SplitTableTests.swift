import Foundation
import Support
import Testing

@testable import Passes

@Suite("Split tables")
struct SplitTableTests {
  /// A matrix with places drawn at random.
  private func matrix(_ height: Int, _ count: Int, _ density: Double) -> BitColumns {
    var random = SeededGenerator(seed: 91)
    var columns = BitColumns(height: height, count: count)
    for row in 0..<height {
      for column in 0..<count where random.chance(density) { columns.insert(row: row, column: column) }
    }
    return columns
  }

  private func setting(_ order: ColumnOrder, side: Int) -> ColumnSetting {
    ColumnSetting(size: side / 4, height: side, breadth: side, order: order)
  }

  /// The density of columns whose sets are nonzero on the share `occupancy` of the wordlines.
  private func density(_ occupancy: Double, _ size: Int) -> Double {
    1 - pow(1 - occupancy, 1 / Double(size))
  }

  /// The tables are what `./run bench splits` measures; all of it with LONG_TESTS=1.
  @Test(arguments: [ColumnOrder.kmeans, .greedy])
  func entriesAreMeasured(_ order: ColumnOrder) throws {
    let isLong = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"
    for (s, side) in SplitTable.sides.enumerated().prefix(isLong ? 4 : 2) {
      for (o, occupancy) in SplitTable.occupancies.enumerated() {
        for (h, height) in SplitTable.heights.enumerated().prefix(isLong ? 4 : 2) {
          let entry = try SplitTable.entry(
            order, side: side, occupancy: occupancy, height: height, threads: 2)
          #expect(
            entry == SplitTable.measured(order).rows[s][o][h], "\(order) \(side) \(occupancy) \(height)")
        }
      }
    }
  }

  @Test func entriesAreWholeCrossbars() {
    for order in [ColumnOrder.kmeans, .greedy] {
      let rows = SplitTable.measured(order).rows
      #expect(rows.count == SplitTable.sides.count)
      for entries in rows {
        #expect(entries.count == SplitTable.occupancies.count)
        for entry in entries {
          #expect(zip(entry, SplitTable.heights).allSatisfy { 1...min(32, $1) ~= $0 })
        }
      }
    }
  }

  /// At what was measured the table says just that, up to what a drawn matrix differs from its density.
  @Test func measuredMatricesGetTheirEntry() {
    var rows = [[Int]](repeating: [2, 8, 32, 32], count: SplitTable.occupancies.count)
    rows[4] = [1, 2, 3, 4]
    let table = SplitTable(rows: [[Int]](repeating: [], count: 4).map { _ in rows })
    let size = 32 / 4
    for (place, height) in [2, 8, 32].enumerated() {
      let drawn = matrix(height * 32, 16 * size, density(0.5, size))
      #expect(table.rows(for: drawn, in: setting(.greedy, side: 32)) == [1, 2, 3][place] * 32)
    }
  }

  /// Between two measured heights the logarithm lies between theirs; beyond the table its edge counts.
  @Test func othersAreInterpolated() {
    let rows = [[Int]](repeating: [1, 4, 16, 16], count: SplitTable.occupancies.count)
    let table = SplitTable(rows: [[[Int]]](repeating: rows, count: 4))
    let setting = setting(.greedy, side: 16)
    #expect(table.rows(for: matrix(4 * 16, 40, 0.2), in: setting) == 2 * 16)
    #expect(table.rows(for: matrix(16 * 16, 40, 0.2), in: setting) == 8 * 16)
    #expect(table.rows(for: matrix(64 * 16, 40, 0.2), in: setting) == 16 * 16)
    #expect(table.rows(for: matrix(200 * 16, 40, 0.001), in: setting) == 16 * 16)
    #expect(table.rows(for: matrix(16, 40, 0.9), in: setting) == 16)
    #expect(table.rows(for: matrix(5, 40, 0), in: setting) == 5)
    #expect(table.rows(for: BitColumns(height: 0, count: 0), in: setting) == 1)
  }

  /// The table is worth its while: on matrices other than those it was measured on, at most a twentieth more than by
  /// trying.
  @Test(arguments: [ColumnOrder.kmeans, .greedy])
  func tablesServeOtherMatrices(_ order: ColumnOrder) throws {
    var (measured, searched) = (0, 0)
    for density in [0.01, 0.03, 0.06, 0.1, 0.2] {
      for height in [100, 300, 700] {
        let (matrix, setting) = (matrix(height, 64, density), setting(order, side: 16))
        measured += try setting.parts(of: matrix, .measured, threads: 2).crossbars
        searched += try setting.parts(of: matrix, .searched, threads: 2).crossbars
      }
    }
    #expect(measured > 0 && Double(measured) < 1.05 * Double(searched), "\(measured) and \(searched)")
  }
}
