import CKernels
import DeviceModel
import Hardware
import ProgramFormat
import Support

/// A layer prepared for execution.
///
/// Blocks that can saturate no converter are linear: together they are the matrix `linear`, and only their events are
/// counted apart. The others go through the kernels.
struct LayerPlan: Sendable {
  let layer: Layer
  /// Blocks grouped by what drives their wordlines.
  let patterns: [Pattern]
  /// The matrix of the linear blocks, or nil where there is none.
  let linear: LinearPart?
  /// For each input, how many wordlines and cells a set bit drives in the blocks whose events are counted by bits;
  /// empty where there are none.
  let driveWeights: [Int64]
  let readWeights: [Int64]
  /// Events of a position that do not depend on its inputs.
  let positionEvents: Events
  /// Activations of the fixed blocks of each crossbar in a pass, where the layer has dynamic blocks; else empty.
  let fixedActivations: [Int]
  /// Cycles to fill and drain the pipeline.
  let pipelineCycles: Int

  init(_ layer: Layer, _ program: Program) {
    self.layer = layer
    pipelineCycles = program.machine.timing.pipelineCycles
    let saturating = layer.blocks.map { mayExceedConverter(program.blocks[$0], layer, program) }
    let part = LinearPart(
      layer, blocks: layer.blocks.filter { !saturating[$0 - layer.blocks.lowerBound] }, program)
    linear = part
    patterns = findPatterns(layer, program) { saturating[$0 - layer.blocks.lowerBound] || part == nil }
    (driveWeights, readWeights) = bitWeights(layer, patterns)
    positionEvents = eventsOfPosition(layer, program, patterns)
    let places = crossbarPlaces(layer, program)
    let isDynamic = patterns.contains(where: \.map.isDynamic)
    fixedActivations = isDynamic ? activationsOfPass(layer, program, places) : []
  }
}

/// The matrix of all blocks that are linear.
struct LinearPart: Sendable {
  /// `[inputs][padded]`.
  let weights: [Int32]
  /// Outputs rounded up to a multiple of 16.
  let padded: Int
  /// Whether 32-bit sums suffice for every input.
  let isNarrow: Bool

  /// Nil where there are no blocks, the matrix would be much larger than its cells, or numbers do not fit.
  init?(_ layer: Layer, blocks: [Int], _ program: Program) {
    let padded = (layer.outputs + 15) / 16 * 16
    let cells = blocks.reduce(0) { $0 + program.blocks[$1].rows.count * program.blocks[$1].columns.count }
    guard cells > 0, layer.magnitudeBits <= 31, layer.inputs * padded <= 4 * cells + 65_536 else {
      return nil
    }
    var sums = [Int64](repeating: 0, count: layer.inputs * padded)
    let array = program.machine.array
    for index in blocks {
      let block = program.blocks[index]
      let cells = program.crossbars[block.crossbar].cells
      for (r, row) in block.rows.enumerated() {
        let first = (block.row + r) * array.columns + block.column
        for (c, column) in block.columns.enumerated() where cells[first + c] != 0 {
          let weight = Int64(cells[first + c]) &<< Int64(column.shift + row.shift)
          sums[row.input * padded + column.output] &+= column.negative ? 0 &- weight : weight
        }
      }
    }
    var largest: Int64 = 0
    for sum in sums { largest = max(largest, Int64(clamping: sum.magnitude)) }
    guard largest <= Int64(Int32.max) else { return nil }
    weights = sums.map { Int32(truncatingIfNeeded: $0) }
    self.padded = padded
    // 2^31 / (largest input * inputs) bounds the weights.
    let reach = Double(largest) * Double(layer.inputs) * Double(1 << layer.magnitudeBits)
    isNarrow = reach < 0x1p31
  }
}

/// Whether a unit of `block` can reach a sum above the converter's largest result.
private func mayExceedConverter(_ block: Block, _ layer: Layer, _ program: Program) -> Bool {
  let maximum = (1 << layer.adcBits) - 1
  let digit = (1 << layer.dacBits) - 1
  let cells = program.crossbars[block.crossbar].cells
  let columns = program.machine.array.columns
  for c in 0..<block.columns.count {
    var sum = 0
    var largest = 0
    for r in 0..<block.rows.count {
      if !block.units.isDynamic && r % block.units.height == 0 { sum = 0 }
      let cell = Int(cells[(block.row + r) * columns + block.column + c])
      sum += cell
      largest = max(largest, cell)
      let bound = block.units.isDynamic ? min(sum, largest * block.units.height) : sum
      if bound * digit > maximum { return true }
    }
  }
  return false
}
