import CKernels
import Hardware
import ProgramFormat
import Support

/// What drives the wordlines of one block or several: they share the work of taking inputs apart into digits.
struct RowMap: Hashable, Sendable {
  let rows: [RowEntry]
  let unitHeight: Int
  let isDynamic: Bool
}

/// How the digits of a pattern are computed with.
enum Method: Hashable, Sendable {
  /// All blocks are linear: only bits are counted.
  case countBits
  /// All blocks are linear, but digits must be listed to count events.
  case countListed
  /// Table look-up over nibbles, in 8-bit or 16-bit lanes.
  case nibbles(wide: Bool)
  /// Adding the rows of listed digits, in 8-bit or 32-bit lanes.
  case listed(wide: Bool)
}

/// A block of a pattern.
struct PatternBlock: Sendable {
  /// Position in `Program.blocks`.
  let index: Int
  /// The crossbar's place among those of the layer.
  let place: Int
  /// Operation units side by side.
  let unitColumns: Int
  /// Bitlines.
  let width: Int
  /// Whether it goes through the kernels.
  let isComputed: Bool
}

/// Blocks with the same wordline inputs and unit height.
struct Pattern: Sendable {
  let map: RowMap
  let blocks: [PatternBlock]
  let digits: Int
  let method: Method
  /// Operation units one above the other, for fixed units.
  let unitRows: Int
  let slots: SlotMap
  let inputs: [UInt32]
  let shifts: [UInt8]

  /// Units side by side, of all blocks.
  var unitColumns: Int { blocks.reduce(0) { $0 + $1.unitColumns } }
  /// Bitlines of all blocks.
  var width: Int { blocks.reduce(0) { $0 + $1.width } }
}

/// Wordlines padded so that units begin at a nibble.
struct SlotMap: Sendable {
  let unitNibbles: Int
  let inputs: [UInt32]
  let masks: [UInt32]
  let shifts: [UInt8]
  /// The row of a slot, or -1.
  let rows: [Int32]

  var count: Int { rows.count }

  init(_ map: RowMap) {
    let height = min(map.unitHeight, map.rows.count)
    let nibbles = ceilDivide(height, 4)
    var rows: [Int32] = []
    for first in stride(from: 0, to: map.rows.count, by: map.unitHeight) {
      let end = min(first + map.unitHeight, map.rows.count)
      rows += (first..<end).map { Int32($0) }
      rows += [Int32](repeating: -1, count: 4 * nibbles - (end - first))
    }
    rows += [Int32](repeating: -1, count: (8 - rows.count % 8) % 8)
    self.rows = rows
    unitNibbles = nibbles
    inputs = rows.map { $0 < 0 ? 0 : UInt32(truncatingIfNeeded: map.rows[Int($0)].input) }
    masks = rows.map { $0 < 0 ? 0 : .max }
    shifts = rows.map { $0 < 0 ? 0 : UInt8(truncatingIfNeeded: map.rows[Int($0)].shift) }
  }
}

/// Groups the blocks of a layer, in order of their first appearance; `isComputed` tells which go through the kernels.
func findPatterns(_ layer: Layer, _ program: Program, isComputed: (Int) -> Bool) -> [Pattern] {
  let places = crossbarPlaces(layer, program)
  var numbers: [RowMap: Int] = [:]
  var maps: [RowMap] = []
  var groups: [[PatternBlock]] = []
  for index in layer.blocks {
    let block = program.blocks[index]
    let map = RowMap(rows: block.rows, unitHeight: block.units.height, isDynamic: block.units.isDynamic)
    let number = numbers[map] ?? maps.count
    if number == maps.count {
      numbers[map] = number
      maps.append(map)
      groups.append([])
    }
    groups[number].append(
      PatternBlock(
        index: index, place: places[block.crossbar] ?? 0,
        unitColumns: ceilDivide(block.columns.count, block.units.width), width: block.columns.count,
        isComputed: isComputed(index)))
  }
  return maps.indices.map { makePattern(maps[$0], groups[$0], layer, program) }
}

private func makePattern(
  _ map: RowMap, _ blocks: [PatternBlock], _ layer: Layer, _ program: Program
) -> Pattern {
  let shift = map.rows.map(\.shift).max() ?? 0
  let digits = ceilDivide(layer.magnitudeBits + shift, layer.dacBits)
  let unitRows = ceilDivide(map.rows.count, map.unitHeight)
  let method: Method
  if blocks.contains(where: \.isComputed) {
    method = chooseMethod(map, layer, program, digits: digits, unitRows: unitRows)
  } else {
    method = layer.dacBits == 1 && !map.isDynamic ? .countBits : .countListed
  }
  return Pattern(
    map: map, blocks: blocks, digits: digits, method: method, unitRows: unitRows, slots: SlotMap(map),
    inputs: map.rows.map { UInt32(truncatingIfNeeded: $0.input) },
    shifts: map.rows.map { UInt8(truncatingIfNeeded: $0.shift) })
}

/// The fastest method whose lanes hold every sum. Lanes saturate, so that a converter whose largest result is below
/// the lane's is exact whatever the sum.
private func chooseMethod(
  _ map: RowMap, _ layer: Layer, _ program: Program, digits: Int, unitRows: Int
) -> Method {
  let maximum = (1 << layer.adcBits) - 1
  let level = (1 << program.machine.array.cellBits) - 1
  let unit = min(map.unitHeight, map.rows.count) * level
  let sumBits = bitWidth(of: unitRows * maximum) + digits
  guard layer.dacBits == 1, sumBits <= 32 else { return .listed(wide: true) }
  let fitsBytes = unit <= 255 || maximum <= 254
  if map.isDynamic || unitRows > 255 { return .listed(wide: !fitsBytes) }
  if fitsBytes && 4 * level <= 255 { return .nibbles(wide: false) }
  return unit <= 65_535 || maximum <= 65_534 ? .nibbles(wide: true) : .listed(wide: true)
}

/// The crossbars of a layer, numbered in order of their first appearance.
func crossbarPlaces(_ layer: Layer, _ program: Program) -> [Int: Int] {
  var places: [Int: Int] = [:]
  for block in program.blocks[layer.blocks] where places[block.crossbar] == nil {
    places[block.crossbar] = places.count
  }
  return places
}
