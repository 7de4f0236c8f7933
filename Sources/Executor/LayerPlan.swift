import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import Support
import Tensors

/// How the values are computed that conversions give.
enum ValuePath: Sendable {
  /// As integer products where it is proved that nothing saturates, else unit by unit.
  case fastest
  /// Unit by unit, also where nothing can saturate.
  case unitByUnit
  /// As the definition of a readout says, without regard to speed.
  case reference
  /// Not by the plan: trials of a device compute them; only events are planned.
  case elsewhere
}

/// A layer prepared for execution.
///
/// Values and events are computed apart. Bitlines whose conversions are exact, whatever the inputs, are linear:
/// together they are two integer matrices, a dense one and a gathered one. The other bitlines go through the kernels of
/// their patterns. Events follow from counts of digits and of units alone.
struct LayerPlan: Sendable {
  let layer: Layer
  /// Blocks with bitlines that are not linear, grouped by what drives their wordlines.
  let patterns: [Pattern]
  /// The linear bitlines of blocks that are driven by neighboring inputs; nil where there are none.
  private(set) var dense: DenseProduct?
  /// The other linear bitlines; nil where there are none.
  private(set) var gathered: GatheredProduct?
  /// The layer as its readout is defined; nil where kernels compute it.
  let reference: ReferenceReadout?
  /// The whole matrix as bytes, where no conversion can saturate and inputs are bytes; nil for other layers.
  let bytes: ByteWeights?
  /// What a digit other than 0 drives and reads; the first entry is for wordlines without shifts.
  let digitWeights: [DigitWeights]
  /// How units are counted; nil where all of them are activated for every digit.
  let units: UnitCounts?
  /// How inputs come through buffers; nil where fetches are not planned.
  let fetch: FetchPlan?
  /// Events of a position that do not depend on its inputs.
  let positionEvents: Events
  /// Cycles to fill and drain the pipeline.
  let pipelineCycles: Int

  /// Whether anything is computed from the digits of a panel.
  var needsDigitsOfPanels: Bool {
    units != nil || patterns.contains { $0.method == .bits || $0.method == .cells }
  }

  /// `window` is what is loaded for the layer.
  init(_ layer: Layer, _ program: Program, window: Window? = nil, values: ValuePath = .fastest) {
    self.layer = layer
    fetch = FetchPlan(layer, program, window)
    pipelineCycles = program.machine.timing.pipelineCycles
    reference = values == .reference ? ReferenceReadout(layer, in: program) : nil
    let hasKernels = values == .fastest || values == .unitByUnit
    let bitlines = hasKernels ? layer.blocks.indices.map { Bitlines($0, layer, program) } : []
    let products = values == .fastest ? LinearProducts(layer, program, bitlines) : nil
    dense = products?.dense
    gathered = products?.gathered
    patterns = findPatterns(layer, program, products == nil ? bitlines.map(\.allSaturable) : bitlines)
    digitWeights = findDigitWeights(layer, program)
    units = UnitCounts(layer, program)
    positionEvents = eventsOfPosition(layer, program)
    let isProved = products != nil && patterns.isEmpty && fetch == nil && digitWeights.count == 1
    bytes = isProved ? ByteWeights(layer, dense: dense, gathered: gathered) : nil
  }

  /// The plan of a layer that is only computed as bytes.
  func withoutProducts() -> LayerPlan {
    var plan = self
    plan.dense = nil
    plan.gathered = nil
    return plan
  }
}

extension ReferenceReadout {
  /// A layer of a valid program.
  init?(_ layer: Layer, in program: Program) {
    let width = program.machine.array.columns
    self.init(
      layer,
      cells: layer.blocks.map { BlockCells($0, in: program.crossbars[$0.crossbar].cells, width: width) })
  }
}

/// Which bitlines of a block may saturate a converter, or be rounded by it.
struct Bitlines: Sendable {
  /// The block's place in its layer.
  let block: Int
  /// One for each bitline.
  private(set) var maySaturate: [Bool]

  /// The same with no linear bitline.
  var allSaturable: Bitlines {
    var all = self
    all.maySaturate = [Bool](repeating: true, count: maySaturate.count)
    return all
  }

  /// Compares the largest sum that a unit can reach on each bitline, or group of bitlines, with the converter's largest
  /// result; where its step is not 1, every conversion rounds.
  init(_ index: Int, _ layer: Layer, _ program: Program) {
    block = index
    let block = layer.blocks[index]
    let (digit, converter) = ((1 << layer.dacBits) - 1, layer.converter)
    guard converter.step == 1 else {
      maySaturate = block.columns.map { _ in true }
      return
    }
    let largest = largestSums(block, layer, program)
    maySaturate = largest.map { converter.saturates($0 * digit) }
  }
}

/// For each bitline, the largest sum of cells that one of its conversions reads.
private func largestSums(_ block: Block, _ layer: Layer, _ program: Program) -> [Int] {
  if layer.bitlinesPerConversion > 1 { return largestSumsOfGroups(block, layer, program) }
  return block.formedUnits.isDynamic
    ? largestSumsOfAnyUnit(block, program) : largestSumsOfFixedUnits(block, program)
}

/// For each bitline, the largest sum of its group in a unit.
private func largestSumsOfGroups(_ block: Block, _ layer: Layer, _ program: Program) -> [Int] {
  stride(from: 0, to: block.columns.count, by: layer.bitlinesPerConversion).flatMap { first in
    let levels = composedLevels(block, first, layer, program).map { Int($0) }
    return [Int](repeating: block.formedUnits.largestSum(of: levels), count: layer.bitlinesPerConversion)
  }
}

/// What each wordline holds on the group of bitlines that begins at place `first`: its levels, each weighted relative
/// to the first one.
func composedLevels(_ block: Block, _ first: Int, _ layer: Layer, _ program: Program) -> [UInt32] {
  let (cells, width) = (program.crossbars[block.crossbar].cells, program.machine.array.columns)
  let shifts = (first..<first + layer.bitlinesPerConversion).map {
    block.columns[$0].shift - block.columns[first].shift
  }
  return block.rows.indices.map { row in
    let corner = (block.row + row) * width + block.column + first
    return shifts.indices.reduce(0) { $0 + UInt32(cells[corner + $1]) << UInt32(shifts[$1]) }
  }
}

/// For each bitline, the largest sum of the cells of a unit of neighboring wordlines.
private func largestSumsOfFixedUnits(_ block: Block, _ program: Program) -> [Int] {
  let (cells, stride) = (program.crossbars[block.crossbar].cells, program.machine.array.columns)
  var sums = [Int](repeating: 0, count: block.columns.count)
  var largest = sums
  for r in 0..<block.rows.count {
    let first = (block.row + r) * stride + block.column
    let isNewUnit = r % block.formedUnits.height == 0
    for c in sums.indices {
      sums[c] = (isNewUnit ? 0 : sums[c]) + Int(cells[first + c])
      largest[c] = max(largest[c], sums[c])
    }
  }
  return largest
}

/// For each bitline, the sum of its largest cells, as many as a unit has wordlines.
private func largestSumsOfAnyUnit(_ block: Block, _ program: Program) -> [Int] {
  let (cells, stride) = (program.crossbars[block.crossbar].cells, program.machine.array.columns)
  let levels = 1 << program.machine.array.cellBits
  var counts = [Int32](repeating: 0, count: block.columns.count * levels)
  for r in 0..<block.rows.count {
    let first = (block.row + r) * stride + block.column
    for c in 0..<block.columns.count { counts[c * levels + Int(cells[first + c])] += 1 }
  }
  return block.columns.indices.map { c in
    var (sum, rest) = (0, block.formedUnits.height)
    for level in Swift.stride(from: levels - 1, to: 0, by: -1) where rest > 0 {
      let taken = min(rest, Int(counts[c * levels + level]))
      sum += taken * level
      rest -= taken
    }
    return sum
  }
}
