import Hardware
import Mapping
import ProgramFormat
import Support

/// What a digit other than 0 of each input drives and reads, on the wordlines whose shift leaves this rest when divided
/// by the width of a digit: they have the same digits, only at other places. Units do not matter, as all of an input's
/// digits that are not 0 belong to active ones.
struct DigitWeights: Sendable {
  /// Below the width of a digit.
  let shift: Int
  /// Units side by side that the digit is driven in.
  private(set) var drives: [Int]
  /// Bitlines that it is read on.
  private(set) var reads: [Int]

  fileprivate init(shift: Int, inputs: Int) {
    self.shift = shift
    drives = [Int](repeating: 0, count: inputs)
    reads = drives
  }

  fileprivate mutating func add(input: Int, drives: Int, reads: Int) {
    self.drives[input] += drives
    self.reads[input] += reads
  }
}

/// The weights of a layer, one for each rest in use, in their order; rest 0 is always there.
func findDigitWeights(_ layer: Layer, _ program: Program) -> [DigitWeights] {
  var weights: [DigitWeights?] = [DigitWeights(shift: 0, inputs: layer.rows)]
  weights += [DigitWeights?](repeating: nil, count: layer.dacBits - 1)
  for block in layer.blocks {
    let unitColumns = ceilDivide(block.columns.count, block.formedUnits.width)
    for row in block.rows {
      let shift = row.shift % layer.dacBits
      if weights[shift] == nil { weights[shift] = DigitWeights(shift: shift, inputs: layer.rows) }
      weights[shift]?.add(input: row.input, drives: unitColumns, reads: block.columns.count)
    }
  }
  return weights.compactMap { $0 }
}
