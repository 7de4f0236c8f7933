import CKernels
import Mapping
import ProgramFormat
import Support

/// The matrix of a layer whose conversions never saturate, a byte for each weight, for inputs of a byte.
///
/// Nothing saturates where `Bitlines` proves, from the cells of every unit and the largest digit, that the largest sum
/// is within the converter's codes: then the layer is the integer product of its inputs with what its cells stand for.
struct ByteWeights: Sendable {
  /// Inputs in fours.
  let groups: Int
  /// `[outputs][groups][4]`; 0 after the last input.
  let weights: [Int8]
  /// What the sums of an output begin with: inputs that are signed are taken 128 too large.
  let starts: [Int32]
  /// Magnitudes of sums, for any inputs, stay below this.
  let reach: Int64

  /// Nil where a weight or an input does not fit into a byte, or the matrix is mostly places without cells.
  init?(_ layer: Layer, dense: DenseProduct?, gathered: GatheredProduct?) {
    let (inputs, outputs) = (layer.rows, layer.columns)
    guard layer.inputs.bits <= 8, dense != nil || gathered != nil else { return nil }
    if dense == nil, let gathered, inputs * outputs > 12 * gathered.weights.count + 65_536 { return nil }
    groups = (inputs + 3) / 4
    let pitch = 4 * groups
    var weights = [Int8](repeating: 0, count: outputs * pitch)
    var (starts, reach): ([Int32], Int64) = ([], 0)
    var row = [Int64](repeating: 0, count: inputs)
    for output in 0..<outputs {
      let excess = layer.coding.excess(of: output)
      for input in 0..<inputs {
        let cells = dense.map { Int64($0.weights[input * $0.padded + output]) } ?? 0
        row[input] = cells &- excess
      }
      if let gathered {
        for term in Int(gathered.starts[output])..<Int(gathered.starts[output + 1]) {
          row[Int(gathered.inputs[term])] &+= Int64(gathered.weights[term])
        }
      }
      guard row.allSatisfy({ $0 >= -128 && $0 <= 127 }) else { return nil }
      for input in 0..<inputs { weights[output * pitch + input] = Int8(truncatingIfNeeded: row[input]) }
      reach = max(reach, row.reduce(0) { $0 + abs($1) } * 512)
      starts.append(layer.inputs.isSigned ? Int32(clamping: -128 * row.reduce(0, +)) : 0)
    }
    guard reach < 1 << 30 else { return nil }
    (self.weights, self.starts, self.reach) = (weights, starts, reach)
  }
}
