import CKernels
import Hardware
import Mapping
import ProgramFormat
import Support

/// What drives the wordlines of one block or several: they share the work of taking inputs apart into digits.
struct RowMap: Hashable, Sendable {
  let rows: [RowEntry]
  let unitHeight: Int
  let isDynamic: Bool
}

/// How bitlines that may saturate, or are rounded, are computed.
enum Method: Hashable, Sendable {
  /// Fixed units with 1-bit digits: table look-up over nibbles, in 8-bit or 16-bit lanes.
  case nibbles(wide: Bool)
  /// The same in 16-bit lanes with converters that round to steps.
  case steps(StepDivision)
  /// Dynamic units with 1-bit digits: adding the rows of set bits, in 8-bit lanes.
  case bits
  /// Dynamic units with 1-bit digits and few cells other than 0: adding cell by cell, with windows in 8-bit lanes.
  case cells
  /// Any: adding the rows of listed digits, in 32-bit lanes.
  case listed
  /// The same in 64-bit lanes: composed bitlines whose levels need more than 8 bits, and other converters that round.
  case composed
}

/// Blocks with the same wordline inputs and unit height, as far as their bitlines may saturate.
struct Pattern: Sendable {
  let map: RowMap
  let strips: [Strip]
  /// The strips as lists of cells, for the method that adds cell by cell.
  let sparse: [SparseStrip]
  let digits: Int
  let method: Method
  /// Operation units one above the other, for fixed units.
  let unitRows: Int
  let slots: SlotMap
  let inputs: [UInt32]
  let shifts: [UInt8]
}

/// Up to 64 bitlines of blocks with the same wordlines, computed together. Composed bitlines are one bitline, with the
/// sums of their weighted levels as its levels.
struct Strip: Sendable {
  /// `[wordlines][bitlines]`, and room for a whole strip after them, as kernels read whole strips; empty where `levels`
  /// are needed.
  let cells: [UInt8]
  /// `[wordlines][bitlines]` in more than 8 bits, for the method `composed` only.
  let levels: [UInt32]
  /// The output of each bitline.
  let outputs: [UInt32]
  /// What each bitline's sum, or sum of codes, is multiplied by.
  let weights: [Int64]

  /// How many bitlines there are.
  var count: Int { outputs.count }

  /// Takes bitlines by their block, its place in the layer, and their place inside of it.
  fileprivate init(
    _ bitlines: ArraySlice<(block: Int, place: Int)>, _ layer: Layer, _ program: Program, _ method: Method
  ) {
    let columns = bitlines.map { layer.blocks[$0.block].columns[$0.place] }
    let isWide = method == .composed
    var code: Int64 = 1
    if case .steps = method { code = Int64(layer.converter.step) }
    outputs = columns.map { UInt32(truncatingIfNeeded: $0.output) }
    weights = columns.map { ($0.negative ? -code : code) &<< Int64($0.shift) }
    let rows = bitlines.first.map { layer.blocks[$0.block].rows.count } ?? 0
    var cells = [UInt8](repeating: 0, count: isWide ? 0 : rows * bitlines.count + Int(XBAR_STRIP))
    var levels = [UInt32](repeating: 0, count: isWide ? rows * bitlines.count : 0)
    for (lane, bitline) in bitlines.enumerated() {
      let column = composedLevels(layer.blocks[bitline.block], bitline.place, layer, program)
      for row in 0..<rows {
        if isWide {
          levels[row * bitlines.count + lane] = column[row]
        } else {
          cells[row * bitlines.count + lane] = UInt8(truncatingIfNeeded: column[row])
        }
      }
    }
    self.cells = cells
    self.levels = levels
  }
}

/// The cells of a strip that are not 0, bitline by bitline.
struct SparseStrip: Sendable {
  /// Bitline c has the cells `starts[c] ..< starts[c + 1]`.
  private(set) var starts: [UInt32] = [0]
  private(set) var rows: [UInt16] = []
  private(set) var levels: [UInt8] = []

  fileprivate init(_ strip: Strip, rows count: Int) {
    for column in 0..<strip.count {
      for row in 0..<count {
        let level = strip.cells[row * strip.count + column]
        guard level != 0 else { continue }
        rows.append(UInt16(truncatingIfNeeded: row))
        levels.append(level)
      }
      starts.append(UInt32(truncatingIfNeeded: rows.count))
    }
  }
}

/// Wordlines padded so that fixed units begin at a nibble.
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
    for first in stride(from: 0, to: map.rows.count, by: height) {
      let end = min(first + height, map.rows.count)
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

/// Groups the bitlines that are not linear by what drives their wordlines, in order of their first appearance.
func findPatterns(_ layer: Layer, _ program: Program, _ bitlines: [Bitlines]) -> [Pattern] {
  var numbers: [RowMap: Int] = [:]
  var maps: [RowMap] = []
  var groups: [[(block: Int, place: Int)]] = []
  for member in bitlines where member.maySaturate.contains(true) {
    let block = layer.blocks[member.block]
    let map = RowMap(
      rows: block.rows, unitHeight: block.formedUnits.height, isDynamic: block.formedUnits.isDynamic)
    let number = numbers[map] ?? maps.count
    if number == maps.count {
      numbers[map] = number
      maps.append(map)
      groups.append([])
    }
    for place in stride(from: 0, to: block.columns.count, by: layer.bitlinesPerConversion)
    where member.maySaturate[place] {
      groups[number].append((block: member.block, place: place))
    }
  }
  let level = largestLevel(layer, program)
  return zip(maps, groups).map { makePattern($0, $1, level, layer, program) }
}

/// The largest level that a bitline, or a group of composed ones, can hold on a wordline.
private func largestLevel(_ layer: Layer, _ program: Program) -> Int {
  let cell = (1 << program.machine.array.cellBits) - 1
  return layer.blocks.reduce(cell) { largest, block in
    let weights = block.columns.relativeShifts(of: layer.bitlinesPerConversion).map { cell << $0 }
    return stride(from: 0, to: weights.count, by: layer.bitlinesPerConversion).reduce(largest) {
      max($0, weights[$1..<$1 + layer.bitlinesPerConversion].reduce(0, +))
    }
  }
}

private func makePattern(
  _ map: RowMap, _ bitlines: [(block: Int, place: Int)], _ level: Int, _ layer: Layer, _ program: Program
) -> Pattern {
  let shift = map.rows.map(\.shift).max() ?? 0
  let digits = ceilDivide(layer.inputs.magnitudeBits + shift, layer.dacBits)
  let unitRows = ceilDivide(map.rows.count, map.unitHeight)
  let method = chooseMethod(map, layer, level, digits: digits, unitRows: unitRows)
  let strips = stride(from: 0, to: bitlines.count, by: Int(XBAR_STRIP)).map {
    Strip(bitlines[$0..<min($0 + Int(XBAR_STRIP), bitlines.count)], layer, program, method)
  }
  let sparse = method == .bits ? sparseStrips(strips, map, unitRows: unitRows) : []
  return Pattern(
    map: map, strips: strips, sparse: sparse, digits: digits, method: sparse.isEmpty ? method : .cells,
    unitRows: unitRows, slots: SlotMap(map),
    inputs: map.rows.map { UInt32(truncatingIfNeeded: $0.input) },
    shifts: map.rows.map { UInt8(truncatingIfNeeded: $0.shift) })
}

/// The strips of a pattern as lists of cells, where that is worth it: adding a row of up to 64 cells for the windows
/// with a set bit, about every fourth, takes as long as adding some eight cells for all windows. Empty where it is not,
/// and where numbers of units and of wordlines in a unit need more than 8 bits.
private func sparseStrips(_ strips: [Strip], _ map: RowMap, unitRows: Int) -> [SparseStrip] {
  let rows = map.rows.count
  guard unitRows <= 255, min(map.unitHeight, rows) <= 255 else { return [] }
  let cells = strips.reduce(0) { sum, strip in strip.cells.reduce(sum) { $1 == 0 ? $0 : $0 + 1 } }
  guard cells <= 8 * rows * strips.count else { return [] }
  return strips.map { SparseStrip($0, rows: rows) }
}

/// The fastest method whose lanes hold every sum. Lanes saturate, so that a converter whose largest result is below
/// the lane's is exact whatever the sum. `level` is the largest one of a cell or of composed cells.
private func chooseMethod(
  _ map: RowMap, _ layer: Layer, _ level: Int, digits: Int, unitRows: Int
) -> Method {
  let converter = layer.converter
  let maximum = converter.largestCode
  let unit = min(map.unitHeight, map.rows.count) * level
  let sumBits = bitWidth(of: unitRows * maximum) + digits
  guard level <= 255 else { return .composed }
  if converter.step > 1 {
    let isShort = layer.dacBits == 1 && sumBits <= 32 && !map.isDynamic
    return isShort ? StepDivision(converter, upTo: unit).map { .steps($0) } ?? .composed : .composed
  }
  guard layer.dacBits == 1, sumBits <= 32 else { return .listed }
  let fitsBytes = unit <= 255 || maximum <= 254
  if map.isDynamic { return fitsBytes ? .bits : .listed }
  if fitsBytes && 4 * level <= 255 { return .nibbles(wide: false) }
  return unit <= 65_535 || maximum <= 65_534 ? .nibbles(wide: true) : .listed
}

/// The codes of a converter that rounds to steps, as a multiplication in 16-bit lanes: the code of a sum v is
/// `(v + half) * factor >> 16 >> shift`.
struct StepDivision: Hashable, Sendable {
  let half: Int
  let factor: Int
  let shift: Int

  /// Nil where that is not exact for all sums up to `largest`, or the sums do not fit a lane.
  init?(_ converter: Converter, upTo largest: Int) {
    let step = converter.step
    guard step > 1, largest + step / 2 <= 65_535 else { return nil }
    half = step / 2
    shift = bitWidth(of: step - 1) - 1
    factor = ceilDivide(1 << (16 + shift), step)
    guard factor <= 65_535 else { return nil }
    for sum in 0...(largest + half) where (sum * factor) >> (16 + shift) != sum / step { return nil }
  }
}

/// The crossbars of a layer, numbered in order of their first appearance.
func crossbarPlaces(_ layer: Layer, _ program: Program) -> [Int: Int] {
  var places: [Int: Int] = [:]
  for block in layer.blocks where places[block.crossbar] == nil {
    places[block.crossbar] = places.count
  }
  return places
}
