import DeviceModel
import Support

/// How an approximation compares with the exact solution of a crossbar.
struct WireAccuracy {
  /// The part of the sum of all conductances that the wires leave.
  let kept: Double
  /// Errors of effective conductances.
  let cells: RelativeError
  /// Errors of bitline currents for drives of 0 and 1 V: 100 times 16 random wordlines, 100 times half of them, and
  /// all.
  let sums: RelativeError

  /// Compares both for a crossbar.
  init(_ sample: WireSample, _ wires: Wires) {
    let (exact, found) = (sample.exact(wires), sample.approximate(wires))
    kept = exact.reduce(0, +) / sample.cells.reduce(0, +)
    cells = RelativeError(found, exact)
    var random = SeededGenerator(seed: 1)
    let drives = (0..<201).map { k in
      let rows = Array(0..<sample.rows).shuffled(using: &random)
      return rows.prefix(k < 100 ? min(16, sample.rows) : k < 200 ? (sample.rows + 1) / 2 : sample.rows)
    }
    func currents(_ t: [Double]) -> [Double] {
      drives.flatMap { rows in
        rows.reduce(into: [Double](repeating: 0, count: sample.columns)) { sums, i in
          for j in sums.indices { sums[j] += t[i * sample.columns + j] }
        }
      }
    }
    sums = RelativeError(currents(found), currents(exact))
  }

  /// Largest and mean errors of conductances, then of sums.
  var all: [Double] { [cells.largest, cells.mean, sums.largest, sums.mean] }
}
