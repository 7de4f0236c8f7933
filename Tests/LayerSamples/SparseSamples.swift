import Hardware
import IR
import Mapping
public import Support
import Tensors

/// How the zeros of a sparse sample lie.
public enum Sparsity: CaseIterable, Sendable {
  case unstructured, rows, columns, blocks, empty, oneCell, full
}

/// Sample `number` of a sequence of sparse layers: zeros of every kind, inputs from none to all active, odd operation
/// units and crossbars, all sign encodings, orders and placements.
public func sparseLayerSample(_ number: Int, _ random: inout SeededGenerator) -> LayerSample {
  var sample = LayerSample()
  let sparsity = Sparsity.allCases[number % Sparsity.allCases.count]
  // Differential cells keep zeros; the other encodings are there to be exact, not to be sparse.
  sample.signs = random.chance(0.8) ? .differential : SignCoding.allCases[random.below(3)]
  sample.order = random.chance(0.6) ? "weight-major" : "slice-major"
  sample.placement = random.chance(0.8) ? "intra" : "inter"
  sample.weightBits = random.inside(2...12)
  let isSigned = random.chance(0.3)
  sample.inputs = .integer(bits: random.inside(isSigned ? 2...9 : 1...9), signed: isSigned)
  let side = [8, 16, 20, 32, 64][random.below(5)]
  sample.array.rows = side
  sample.array.columns = random.chance(0.7) ? side : random.inside(1...40)
  sample.array.unitHeight = random.inside(1...min(16, sample.array.rows))
  sample.array.unitWidth = random.inside(1...min(16, sample.array.columns))
  sample.array.cellBits = random.inside(1...4)
  sample.array.dacBits = random.chance(0.7) ? 1 : random.inside(1...3)
  sample.rows = sparsity == .oneCell ? 1 : random.inside(1...100)
  sample.columns = sparsity == .oneCell ? 1 : random.inside(1...8)
  sample.positions = random.inside(1...2)
  sample.weights = sparseWeights(sparsity, sample, &random)
  sample.x = sparseInputs(sample, &random)
  return sample
}

private func sparseWeights(_ sparsity: Sparsity, _ sample: LayerSample, _ random: inout SeededGenerator)
  -> [Int64]
{
  let half = 1 << (sample.weightBits - 1)
  let density = [0.02, 0.1, 0.3, 0.6][random.below(4)]
  let keptRows = (0..<sample.rows).map { _ in random.chance(density) }
  let keptColumns = (0..<sample.columns).map { _ in random.chance(density) }
  let size = (rows: random.inside(1...20), columns: random.inside(1...4))
  let keptBlocks = (0..<1024).map { _ in random.chance(density) }
  return (0..<sample.rows * sample.columns).map { place in
    let (row, column) = (place / sample.columns, place % sample.columns)
    let value = Int64(random.inside(-half...half - 1))
    switch sparsity {
    case .unstructured: return random.chance(density) ? value : 0
    case .rows: return keptRows[row] ? value : 0
    case .columns: return keptColumns[column] ? value : 0
    case .blocks: return keptBlocks[(row / size.rows * 7 + column / size.columns) % 1024] ? value : 0
    case .empty: return 0
    case .oneCell, .full: return value
    }
  }
}

private func sparseInputs(_ sample: LayerSample, _ random: inout SeededGenerator) -> [Int64] {
  let high = Int(sample.highest)
  let density = [0, 0.1, 0.5, 1][random.below(4)]
  return (0..<sample.rows * sample.positions).map { _ in
    random.chance(density) ? Int64(random.inside(sample.isSigned ? -high...high : 0...high)) : 0
  }
}
