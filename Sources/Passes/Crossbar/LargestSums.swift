import Hardware
import IR
import Mapping

extension Layer {
  /// The largest sum that a unit can read on a group of bitlines, 1 at least.
  var largestSum: Int {
    let digit = 1 << dacBits - 1
    return max(1, digit * (blocks.map { $0.largestSum(composing: bitlinesPerConversion) }.max() ?? 0))
  }
}

extension Block {
  fileprivate func largestSum(composing size: Int) -> Int {
    guard let units else { return 0 }
    let shifts = columns.relativeShifts(of: size)
    return stride(from: 0, to: columns.count, by: size).reduce(0) { largest, first in
      let levels = rows.indices.map { row in
        (first..<first + size).reduce(0) { $0 + Int(cells[row * columns.count + $1]) << shifts[$1] }
      }
      return max(largest, units.largestSum(of: levels))
    }
  }
}
