import Foundation
import Support
import Testing

@testable import Passes

/// Clustering at the size of VGG-16's first fully connected layer, 25,088x4,096 with 4 % of the weights left at random
/// places; only with LONG_TESTS=1. It prints crossbars, time and memory.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"))
struct ClusterScaleTests {
  /// The weights that are positive: half of 4 %.
  private static let positive: BitColumns = {
    var random = SeededGenerator(seed: 81)
    var columns = BitColumns(height: 25_088, count: 4096)
    for row in 0..<25_088 {
      for column in 0..<4096 where random.chance(0.02) { columns.insert(row: row, column: column) }
    }
    return columns
  }()

  @Test(arguments: [16, 32, 64, 128], ColumnOrder.allCases)
  func fullyConnectedLayer(_ side: Int, _ order: ColumnOrder) throws {
    let start = Date()
    // Four cells a weight.
    let setting = ColumnSetting(
      size: side / 4, height: side, breadth: side, order: order, restarts: 4, seed: 1)
    let parts = try setting.parts(
      of: ClusterScaleTests.positive, .measured, threads: 2)
    let seconds = Date().timeIntervalSince(start)
    let split = parts[0]
    print(
      "\(side)x\(side) \(order): \(parts.crossbars) crossbars of one sign, split \(split.rows.count)x\(split.columns.count), "
        + "\(Int(seconds)) s, peak \(peakMegabytes()) MB")
    #expect(parts.crossbars > 0 && seconds < 600)
  }

  /// The most memory that the process has held.
  private func peakMegabytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let peak = status.firstMatch(of: /VmHWM:\s*(\d+) kB/).flatMap { Int($0.1) } ?? 0
    return peak / 1024
  }
}
