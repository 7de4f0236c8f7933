import DeviceModel
import Support

/// A crossbar for tests of wires.
struct WireSample {
  let rows: Int
  let columns: Int
  /// Row-major, in siemens.
  let cells: [Double]

  /// A crossbar of `cell(row, column)`.
  init(_ rows: Int, _ columns: Int, cell: (Int, Int) -> Double) {
    self.rows = rows
    self.columns = columns
    cells = (0..<rows * columns).map { cell($0 / columns, $0 % columns) }
  }

  /// Lines of which 0 to 100 % of the cells have 10 kiloohms and the others 1 megaohm: neighbors differ much.
  static func unlikeLines(_ rows: Int, _ columns: Int, seed: Int) -> WireSample {
    var random = SeededGenerator(seed: UInt64(seed))
    let (down, across) = ((0..<rows).map { _ in random.unit() }, (0..<columns).map { _ in random.unit() })
    return WireSample(rows, columns) { i, j in random.chance(down[i] * across[j]) ? 1e-4 : 1e-6 }
  }

  func exact(_ wires: Wires) -> [Double] {
    effectiveConductances(cells, rows: rows, columns: columns, wires: wires)
  }

  func approximate(_ wires: Wires) -> [Double] {
    approximateConductances(cells, rows: rows, columns: columns, wires: wires)
  }
}

/// Conductances that cells are drawn from.
enum CellRange: String, CaseIterable, Sendable {
  /// 10 or 100 kiloohms.
  case twoLevels = "10k or 100k"
  /// 2.5 or 16 kiloohms.
  case lowOhms = "2.5k or 16k"
  /// 100 kiloohms to 1 megaohm, conductances evenly spread.
  case highOhms = "100k to 1M"
  /// 10 kiloohms to 1 megaohm, conductances evenly spread.
  case twoDecades = "10k to 1M"

  func draw(_ random: inout SeededGenerator) -> Double {
    switch self {
    case .twoLevels: random.chance(0.5) ? 1e-4 : 1e-5
    case .lowOhms: random.chance(0.5) ? 1 / 2500.0 : 1 / 16000.0
    case .highOhms: 1e-6 + 9e-6 * random.unit()
    case .twoDecades: 1e-6 + 99e-6 * random.unit()
    }
  }

  /// A crossbar of such cells.
  func sample(_ rows: Int, _ columns: Int, seed: Int) -> WireSample {
    var random = SeededGenerator(seed: UInt64(seed))
    return WireSample(rows, columns) { _, _ in draw(&random) }
  }
}

/// The largest and the mean of the relative differences between numbers and what is expected of them.
struct RelativeError {
  let largest: Double
  let mean: Double

  init(_ found: [Double], _ expected: [Double]) {
    let all = zip(found, expected).map { $0 == $1 ? 0 : abs($0 - $1) / abs($1) }
    largest = found.count == expected.count ? all.max() ?? 0 : .infinity
    mean = all.reduce(0, +) / Double(max(1, all.count))
  }
}
