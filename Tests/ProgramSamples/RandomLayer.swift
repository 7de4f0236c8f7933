public import Hardware
public import Mapping
import ProgramFormat
public import Support

/// What a random layer may look like.
public struct LayerTraits: Sendable {
  /// Bits of the inputs.
  public var inputBits: Int
  /// Whether inputs are signed.
  public var inputSigned: Bool
  /// Whether wordlines may be shifted.
  public var shifts: Bool
  /// Whether units may be gathered at run time.
  public var dynamic: Bool
  /// Share of cells that are zero.
  public var zeros: Double

  /// Creates traits.
  public init(
    inputBits: Int, inputSigned: Bool, shifts: Bool = true, dynamic: Bool = true,
    zeros: Double = 0.3
  ) {
    self.inputBits = inputBits
    self.inputSigned = inputSigned
    self.shifts = shifts
    self.dynamic = dynamic
    self.zeros = zeros
  }
}

/// Makes a layer of blocks with random maps and cells; nothing of it stands for a real matrix.
public func randomLayer(
  named name: String, inputs: Int, outputs: Int, traits: LayerTraits, array: ArrayDescription,
  placement: inout CrossbarFiller, random: inout SeededGenerator
) -> Layer {
  var blocks: [Block] = []
  let composed = random.chance(0.3) ? min(array.columns, random.inside(2...4)) : 1
  let sampler = BlockSampler(
    inputs: inputs, outputs: outputs, traits: traits, array: array, composed: composed,
    bitlines: distinctBitlines(outputs, composed, &random))
  let kind = random.below(20)
  switch kind {
  case 0: break
  case 1..<8: sampler.addStrips(&placement, &blocks, &random)
  default: sampler.addRectangles(&placement, &blocks, &random)
  }
  var layer = Layer(
    name: name, inputs: inputs, outputs: outputs, inputBits: traits.inputBits,
    inputSigned: traits.inputSigned,
    dacBits: random.chance(0.6) ? 1 : random.inside(1...4), adcBits: random.inside(1...12),
    fullScale: random.chance(0.2) ? random.inside(1...9000) : nil, composed: composed,
    offset: random.chance(0.3) ? Int64(random.inside(-200...200)) : 0,
    columnLayout: sampler.bitlines, blocks: blocks)
  // Every other offset becomes one for each output.
  if layer.coding.offset % 2 != 0 {
    layer.coding.offsets = (0..<outputs).map { layer.coding.offset - Int64(3 * $0) }
    layer.coding.offset = 0
  }
  return layer
}

extension Layer {
  /// What is subtracted from output `output` for each 1 that the inputs sum up to.
  func correction(_ output: Int) -> Int64 {
    coding.offset + (output < coding.offsets.count ? coding.offsets[output] : 0)
  }
}

private func distinctBitlines(_ outputs: Int, _ composed: Int, _ random: inout SeededGenerator)
  -> [ColumnEntry]
{
  var bitlines: [ColumnEntry] = []
  for _ in 0..<random.inside(1...60) {
    let group = randomGroup(outputs, composed, &random)
    if !group.contains(where: bitlines.contains) { bitlines += group }
  }
  return bitlines
}

/// Bitlines that can be composed.
private func randomGroup(_ outputs: Int, _ count: Int, _ random: inout SeededGenerator) -> [ColumnEntry] {
  var bitline = ColumnEntry(
    output: random.below(outputs), shift: random.below(8), negative: random.chance(0.5))
  return (0..<count).map { place in
    if place > 0 { bitline.shift += random.inside(1...3) }
    return bitline
  }
}

/// Makes the blocks of a random layer.
private struct BlockSampler {
  let inputs: Int
  let outputs: Int
  let traits: LayerTraits
  let array: ArrayDescription
  /// Bitlines of a group.
  let composed: Int
  /// The column layout of the layer.
  let bitlines: [ColumnEntry]

  /// Some blocks with any maps.
  func addRectangles(
    _ placement: inout CrossbarFiller, _ blocks: inout [Block], _ random: inout SeededGenerator
  ) {
    let allShifted = traits.shifts && random.chance(0.3)
    for _ in 0...random.below(4) {
      let height = random.inside(1...array.rows)
      let groups = random.inside(1...max(1, array.columns / composed))
      let isIdentity = height <= inputs && random.chance(0.5)
      let start = isIdentity ? random.below(inputs - height + 1) : 0
      let rows = (0..<height).map { k in
        RowEntry(
          input: isIdentity ? start + k : random.below(inputs),
          shift: allShifted && random.chance(0.5) ? random.below(7) : 0)
      }
      let columns = (0..<groups).flatMap { _ in randomGroup(outputs, composed, &random) }
      let units = randomUnits(array, traits, composed, &random)
      add(rows, columns, units, fresh: random.chance(0.3), &placement, &blocks, &random)
    }
  }

  /// Narrow strips of the logical columns, side by side, each with ascending inputs of its own and, mostly, index
  /// tables.
  func addStrips(_ placement: inout CrossbarFiller, _ blocks: inout [Block], _ random: inout SeededGenerator)
  {
    let width = composed * random.inside(1...max(1, min(6, array.columns) / composed))
    let units = randomUnits(array, traits, composed, &random)
    let density = random.unit()
    for start in stride(from: 0, to: bitlines.count, by: width) {
      let kept = (0..<inputs).filter { _ in random.chance(density) }.prefix(array.rows)
      let places = stride(from: start, to: min(start + width, bitlines.count), by: composed)
        .filter { _ in random.chance(0.8) }.flatMap { $0..<$0 + composed }
      guard !kept.isEmpty, !places.isEmpty else { continue }
      add(
        kept.map { RowEntry(input: $0) }, places.map { bitlines[$0] }, units, fresh: random.chance(0.1),
        &placement, &blocks, &random)
      guard random.chance(0.8) else { continue }
      blocks[blocks.count - 1].rowIndex = randomCoding(Array(kept), &random)
      blocks[blocks.count - 1].columnIndex = randomCoding(places, &random)
    }
  }

  private func add(
    _ rows: [RowEntry], _ columns: [ColumnEntry], _ units: UnitForming, fresh: Bool,
    _ placement: inout CrossbarFiller, _ blocks: inout [Block], _ random: inout SeededGenerator
  ) {
    let cells = (0..<rows.count * columns.count).map { _ in
      random.chance(traits.zeros) ? 0 : UInt8(random.below(1 << array.cellBits))
    }
    let corner = placement.place(cells, height: rows.count, width: columns.count, fresh: fresh)
    blocks.append(
      Block(
        crossbar: corner.crossbar, row: corner.row, column: corner.column, rows: rows, columns: columns,
        units: units))
  }
}

/// A coding that ascending numbers fit into; nil now and then.
private func randomCoding(_ numbers: [Int], _ random: inout SeededGenerator) -> IndexCoding? {
  guard let smallest = numbers.first, random.chance(0.8) else { return nil }
  let (isDelta, first) = (random.chance(0.5), random.inside(0...smallest))
  for bits in random.inside(1...4)...24 {
    let coding =
      isDelta
      ? IndexCoding.delta(bits: bits, first: first) : IndexCoding.absolute(bits: bits, first: first)
    if coding.fields(of: numbers) != nil { return coding }
  }
  return nil
}

private func randomUnits(
  _ array: ArrayDescription, _ traits: LayerTraits, _ composed: Int, _ random: inout SeededGenerator
) -> UnitForming {
  let sizes = [(9, 8), (16, 16), (array.rows, array.columns), (4, 3), (5, 7), (1, 1), (32, 32)]
  let (h, w) = sizes[random.below(sizes.count)]
  let height = min(h, array.rows)
  let width = max(1, min(w, array.columns) / composed) * composed
  if random.chance(0.25) { return .zeroSkipping(height: height, width: width) }
  return traits.dynamic && random.chance(0.35)
    ? .dynamic(height: height, width: width) : .fixed(height: height, width: width)
}

/// A machine of random size.
public func randomMachine(_ random: inout SeededGenerator, largest: Int = 48) -> Machine {
  var machine = sampleMachine(
    rows: random.inside(1...largest), columns: random.inside(1...largest), cellBits: random.inside(1...8),
    unitHeight: random.inside(1...16), unitWidth: random.inside(1...16), dacBits: random.inside(1...4),
    adcBits: random.inside(1...12))
  if random.chance(0.5) { machine.memory = randomMemory(&random) }
  if random.chance(0.5) {
    machine.writing = WriteFigures(
      wordlineNanoseconds: 100 * random.unit(), cellPicojoules: 5000 * random.unit())
  }
  return machine
}

/// Memories of random size.
public func randomMemory(_ random: inout SeededGenerator) -> MemorySystem {
  MemorySystem(
    clockMegahertz: 1 + 2000 * random.unit(), sramBytes: 1 << random.below(31),
    bufferBytes: random.inside(1...4096), dramLatencyNanoseconds: 100 * random.unit(),
    valuesPerClock: random.inside(1...64))
}
