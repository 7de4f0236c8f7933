import Mapping
import Support
import Tensors

extension Layer {
  /// The rows `[P, rows]` through the layer: `[P, columns]`.
  ///
  /// Without a readout this is the integer product; with one, what `ReferenceReadout` says. How often conversions hit
  /// the largest code is added to `saturations`.
  func multiply(_ x: Tensor, saturations: inout [String: Int]) throws(Diagnostic) -> Tensor {
    guard let readout = ReferenceReadout(self, cells: blocks.map { BlockCells($0) }) else {
      guard let weights else { throw Diagnostic("evaluate.layer", "layer @\(name) has no weights") }
      return try integerProduct(x, weights)
    }
    let values = x.integers
    var outputs: [Int64] = []
    outputs.reserveCapacity(x.shape[0] * columns)
    var count = 0
    for position in 0..<x.shape[0] {
      let inputs = Array(values[position * rows..<(position + 1) * rows])
      outputs += readout.multiply(inputs, saturations: &count)
    }
    saturations[name, default: 0] += count
    return Tensor([x.shape[0], columns], outputs)
  }
}
