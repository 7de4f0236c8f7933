import Hardware
import IR
import Support
import Tensors

extension LayerView {
  /// The rows `[P, rows]` through the layer: `[P, columns]`.
  ///
  /// Without operation units this is the integer product. With them it is the sum over blocks, digits, units
  /// and groups of bitlines of ir-spec.md, section 12, where every conversion rounds to the converter's step
  /// and stops at its largest code; how often it stopped is added to `saturations`.
  func multiply(_ x: Tensor, saturations: inout [String: Int]) throws(Diagnostic) -> Tensor {
    guard let dac = dacBits, let adc = adcBits, blocks.allSatisfy({ $0.units != nil }) else {
      guard let weights else { throw Diagnostic("evaluate.layer", "layer @\(name) has no weights") }
      return try integerProduct(x, weights)
    }
    let converter = Converter(bits: adc, fullScale: fullScale)
    let values = x.integers
    var outputs = [Int64](repeating: 0, count: x.shape[0] * columns)
    var count = 0
    for position in 0..<x.shape[0] {
      let inputs = Array(values[position * rows..<(position + 1) * rows])
      var sums = [Int64](repeating: 0, count: columns)
      for block in blocks {
        if hasSignedInputs {
          count += block.add(inputs.map { max($0, 0) }, to: &sums, sign: 1, self, dac, converter)
          count += block.add(inputs.map { max(-$0, 0) }, to: &sums, sign: -1, self, dac, converter)
        } else {
          count += block.add(inputs, to: &sums, sign: 1, self, dac, converter)
        }
      }
      let correction = offset &* inputs.reduce(0, &+)
      for column in 0..<columns { outputs[position * columns + column] = sums[column] &- correction }
    }
    saturations[name, default: 0] += count
    return Tensor([x.shape[0], columns], outputs)
  }
}

extension BlockView {
  /// Adds the block's share for non-negative inputs to `sums` and returns how many conversions saturated.
  fileprivate func add(
    _ inputs: [Int64], to sums: inout [Int64], sign: Int64, _ layer: LayerView, _ dac: Int,
    _ converter: Converter
  ) -> Int {
    guard let units else { return 0 }
    let driven = rows.map { inputs[$0.input] << Int64($0.shift) }
    let width = layer.magnitudeBits + (rows.map(\.shift).max() ?? 0)
    var saturated = 0
    for digit in 0..<ceilDivide(width, dac) {
      let digits = driven.map { ($0 >> Int64(digit * dac)) & (1 << Int64(dac) - 1) }
      for unit in wordlineGroups(digits, units) {
        for first in stride(from: 0, to: columns.count, by: layer.composed) {
          let sum = sum(first..<first + layer.composed, unit, digits)
          if converter.saturates(sum) { saturated += 1 }
          let column = columns[first]
          let weighted = Int64(converter.convert(sum)) << Int64(column.shift + digit * dac)
          sums[column.output] &+= (column.negative ? 0 &- weighted : weighted) &* sign
        }
      }
    }
    return saturated
  }

  /// What the wordlines of `unit` give on the bitlines of a group, each weighted relative to the first one.
  private func sum(_ group: Range<Int>, _ unit: [Int], _ digits: [Int64]) -> Int {
    group.reduce(0) { sum, c in
      let current = unit.reduce(Int64(0)) { $0 + Int64(cells[$1 * columns.count + c]) * digits[$1] }
      return sum + Int(current) << (columns[c].shift - columns[group.lowerBound].shift)
    }
  }

  /// The wordlines that are read together, for one digit of each.
  private func wordlineGroups(_ digits: [Int64], _ units: UnitForming) -> [[Int]] {
    let lines = units.isDynamic ? digits.indices.filter { digits[$0] != 0 } : Array(digits.indices)
    return stride(from: 0, to: lines.count, by: units.height).map {
      Array(lines[$0..<min($0 + units.height, lines.count)])
    }
  }
}
