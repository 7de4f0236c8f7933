import Mapping
import Support

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

/// Throws `pass.accumulators` where the converters of `layer` could take an output beyond an accumulator.
func requireAccumulators(_ layer: Layer) throws(Diagnostic) {
  guard let problem = layer.accumulatorProblem else { return }
  throw Diagnostic(
    "pass.accumulators", "@\(layer.name): \(problem.message)",
    notes: ["use fewer bits for inputs or weights, smaller units, or converters of a smaller full scale"])
}
