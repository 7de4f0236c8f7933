import Hardware
import IR
import Mapping
public import Support
import Tensors

/// Sample `number` of a sequence that covers sign encodings, cells, widths, orders, placements, operation units and
/// drivers, with odd shapes and extreme numbers among them.
public func randomLayerSample(_ number: Int, _ random: inout SeededGenerator) -> LayerSample {
  var sample = LayerSample()
  sample.signs = SignCoding.allCases[number % 3]
  sample.order = random.chance(0.5) ? "weight-major" : "slice-major"
  sample.placement = random.chance(0.5) ? "intra" : "inter"
  sample.weightBits = random.inside(2...16)
  let isSigned = random.chance(0.4)
  sample.inputs = .integer(bits: random.inside(isSigned ? 2...16 : 1...16), signed: isSigned)
  sample.array = randomArray(&random)
  sample.rows = number % 50 == 0 ? 1 : skewed(300, &random)
  sample.columns = number % 50 == 0 ? 1 : skewed(40, &random)
  sample.positions = random.inside(1...2)
  sample.weights = randomWeights(sample, &random)
  sample.x = randomInputs(sample, &random)
  return sample
}

/// A whole number in `1 ... limit` of which every magnitude is as likely as every other.
private func skewed(_ limit: Int, _ random: inout SeededGenerator) -> Int {
  random.inside(1...max(1, limit >> random.below(bitWidth(of: limit))))
}

private func randomArray(_ random: inout SeededGenerator) -> ArrayDescription {
  let sizes = [(128, 128), (64, 64), (32, 32), (100, 37), (7, 5), (1, 1), (256, 16)]
  let (rows, columns) = sizes[random.below(sizes.count)]
  let units = [(9, 8), (16, 16), (rows, columns), (5, 7), (1, 3)]
  let (height, width) = units[random.below(units.count)]
  var array = ArrayDescription(
    rows: rows, columns: columns, cellBits: random.inside(1...8), unitHeight: min(height, rows),
    unitWidth: min(width, columns), dacBits: random.inside(1...4), adcBits: 6)
  // Converters have at most 16 bits.
  while array.unitHeight * (1 << array.cellBits - 1) * (1 << array.dacBits - 1) >= 1 << 16 {
    if array.dacBits > 1 { array.dacBits -= 1 } else { array.cellBits -= 1 }
  }
  return array
}

private func randomWeights(_ sample: LayerSample, _ random: inout SeededGenerator) -> [Int64] {
  let half = 1 << (sample.weightBits - 1)
  let count = sample.rows * sample.columns
  switch random.below(10) {
  case 0: return [Int64](repeating: 0, count: count)
  case 1: return [Int64](repeating: Int64(-half), count: count)
  case 2: return (0..<count).map { _ in Int64(random.chance(0.5) ? -half : half - 1) }
  case 3...5: return (0..<count).map { _ in random.chance(0.8) ? 0 : Int64(random.inside(-half...half - 1)) }
  case 6: return (0..<count).map { _ in Int64(random.inside(-min(2, half)...min(2, half - 1))) }
  default: return (0..<count).map { _ in Int64(random.inside(1 - half...half - 1)) }
  }
}

private func randomInputs(_ sample: LayerSample, _ random: inout SeededGenerator) -> [Int64] {
  let high = Int(sample.highest)
  let low = sample.isSigned ? -high : 0
  let count = sample.rows * sample.positions
  switch random.below(8) {
  case 0: return [Int64](repeating: 0, count: count)
  case 1: return [Int64](repeating: Int64(high), count: count)
  case 2: return [Int64](repeating: Int64(low), count: count)
  case 3, 4: return (0..<count).map { _ in random.chance(0.6) ? 0 : Int64(random.inside(low...high)) }
  default: return (0..<count).map { _ in Int64(random.inside(low...high)) }
  }
}
