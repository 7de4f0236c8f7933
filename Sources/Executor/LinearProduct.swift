import Hardware
import Mapping
import ProgramFormat
import Support

/// The matrices of the linear bitlines of a layer.
///
/// The work follows the mapped cells: a block that is driven by neighboring inputs is part of a dense matrix, as
/// nothing was left out of it; a compressed block, whose wordlines are picked inputs, adds a term for each input and
/// output that its cells join, and nothing for what was left out.
struct LinearProducts: Sendable {
  let dense: DenseProduct?
  let gathered: GatheredProduct?

  /// Nil where there are no linear bitlines, or numbers do not fit.
  init?(_ layer: Layer, _ program: Program, _ bitlines: [Bitlines]) {
    let linear = bitlines.filter { $0.maySaturate.contains(false) }
    guard !linear.isEmpty, layer.inputs.magnitudeBits <= 31 else { return nil }
    var runs = linear.filter { layer.blocks[$0.block].hasRunOfInputs }
    if !DenseProduct.isWorthItsSize(layer, runs) { runs = [] }
    let dense = Set(runs.map(\.block))
    let others = linear.filter { !dense.contains($0.block) }
    guard let product = DenseProduct(layer, runs, program), let rest = GatheredProduct(layer, others, program)
    else { return nil }
    self.dense = runs.isEmpty ? nil : product
    gathered = others.isEmpty ? nil : rest
  }
}

extension Block {
  /// Whether neighboring wordlines have neighboring inputs.
  var hasRunOfInputs: Bool {
    let first = rows.first?.input ?? 0
    return rows.enumerated().allSatisfy { $1.input == first + $0 }
  }
}

/// Calls `body` with input, output and weight for the cells of the linear bitlines: once for each wordline and run of
/// bitlines with the same output whose weight is not 0.
private func forEachWeight(
  _ bitlines: [Bitlines], _ layer: Layer, _ program: Program, _ body: (Int, Int, Int64) -> Void
) {
  for member in bitlines {
    let block = layer.blocks[member.block]
    let cells = program.crossbars[block.crossbar].cells
    for (r, row) in block.rows.enumerated() {
      let first = (block.row + r) * program.machine.array.columns + block.column
      var (output, weight) = (0, Int64(0))
      for (c, column) in block.columns.enumerated() where !member.maySaturate[c] && cells[first + c] != 0 {
        if column.output != output {
          if weight != 0 { body(row.input, output, weight) }
          (output, weight) = (column.output, 0)
        }
        let term = Int64(cells[first + c]) &<< Int64(column.shift + row.shift)
        weight = column.negative ? weight &- term : weight &+ term
      }
      if weight != 0 { body(row.input, output, weight) }
    }
  }
}

/// A matrix with a place for every input and output.
struct DenseProduct: Sendable {
  /// `[inputs][padded]`.
  let weights: [Int32]
  /// Outputs rounded up to a multiple of 16.
  let padded: Int
  /// Whether 32-bit sums suffice for every input.
  let isNarrow: Bool

  /// Whether the matrix is not much larger than the cells of `bitlines`.
  static func isWorthItsSize(_ layer: Layer, _ bitlines: [Bitlines]) -> Bool {
    let cells = bitlines.reduce(0) { $0 + layer.blocks[$1.block].rows.count * $1.maySaturate.count }
    return layer.rows * paddedOutputs(layer) <= 4 * cells + 65_536
  }

  private static func paddedOutputs(_ layer: Layer) -> Int { (layer.columns + 15) / 16 * 16 }

  /// Nil where a weight does not fit into 32 bits.
  init?(_ layer: Layer, _ bitlines: [Bitlines], _ program: Program) {
    let padded = bitlines.isEmpty ? 0 : DenseProduct.paddedOutputs(layer)
    var sums = [Int64](repeating: 0, count: layer.rows * padded)
    forEachWeight(bitlines, layer, program) { input, output, weight in
      sums[input * padded + output] &+= weight
    }
    var largest: Int64 = 0
    for sum in sums { largest = max(largest, Int64(clamping: sum.magnitude)) }
    guard largest <= Int64(Int32.max) else { return nil }
    weights = sums.map { Int32(truncatingIfNeeded: $0) }
    self.padded = padded
    isNarrow = fitsNarrowSums(Double(largest) * Double(layer.rows), layer)
  }
}

/// Terms of a sparse matrix by output: output o has the terms `starts[o] ..< starts[o + 1]`.
struct GatheredProduct: Sendable {
  let starts: [UInt32]
  let inputs: [UInt32]
  let weights: [Int32]
  /// Whether 32-bit sums suffice for every input.
  let isNarrow: Bool

  private struct Term {
    var input: UInt32 = 0
    var weight: Int64 = 0
  }

  /// Nil where a weight does not fit into 32 bits, or there are 2^32 terms.
  init?(_ layer: Layer, _ bitlines: [Bitlines], _ program: Program) {
    var ends = [Int](repeating: 0, count: layer.columns + 1)
    forEachWeight(bitlines, layer, program) { _, output, _ in ends[output + 1] += 1 }
    for output in 0..<layer.columns { ends[output + 1] += ends[output] }
    guard ends[layer.columns] <= Int(UInt32.max) else { return nil }
    var terms = [Term](repeating: Term(), count: ends[layer.columns])
    var next = ends
    forEachWeight(bitlines, layer, program) { input, output, weight in
      terms[next[output]] = Term(input: UInt32(truncatingIfNeeded: input), weight: weight)
      next[output] += 1
    }
    var starts: [UInt32] = [0]
    var (inputs, weights): ([UInt32], [Int32]) = ([], [])
    var reach = 0.0
    for output in 0..<layer.columns {
      var sum = 0.0
      for term in GatheredProduct.merged(terms[ends[output]..<ends[output + 1]]) {
        guard let weight = Int32(exactly: term.weight) else { return nil }
        inputs.append(term.input)
        weights.append(weight)
        sum += Double(weight).magnitude
      }
      reach = max(reach, sum)
      starts.append(UInt32(truncatingIfNeeded: inputs.count))
    }
    (self.starts, self.inputs, self.weights) = (starts, inputs, weights)
    isNarrow = fitsNarrowSums(reach, layer)
  }

  /// The terms in order of their inputs, one for each input; such as cells of several slices give the same one.
  private static func merged(_ terms: ArraySlice<Term>) -> [Term] {
    var merged: [Term] = []
    for term in terms.sorted(by: { $0.input < $1.input }) {
      if let last = merged.last, last.input == term.input {
        merged[merged.count - 1].weight &+= term.weight
      } else {
        merged.append(term)
      }
    }
    return merged.filter { $0.weight != 0 }
  }
}

/// Whether sums stay below 2^31 for weights whose magnitudes sum up to `reach`.
private func fitsNarrowSums(_ reach: Double, _ layer: Layer) -> Bool {
  reach * Double(1 << layer.inputs.magnitudeBits) < 0x1p31
}
