import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import Support

/// What drives wordlines and forms units: blocks that share it share the work of taking inputs apart into digits.
struct AnalogMap: Hashable, Sendable {
  let rows: [RowEntry]
  let units: UnitForming

  /// Units are as wide as blocks say, which does not matter for conversions.
  init(_ block: Block) {
    rows = block.rows
    switch block.formedUnits {
    case .fixed(let height, _): units = .fixed(height: height, width: 1)
    case .zeroSkipping(let height, _): units = .zeroSkipping(height: height, width: 1)
    case .dynamic(let height, _): units = .dynamic(height: height, width: 1)
    }
  }
}

/// A bitline with a share in a conversion.
struct AnalogMember: Sendable {
  /// The block's place in its layer.
  let block: Int
  /// Place inside of the block.
  let place: Int
  /// What its current is multiplied by: its relative power of two, negative where it is subtracted.
  let weight: Float
}

/// What one conversion reads: a bitline, a group of composed ones, or the difference of two.
struct AnalogBitline: Sendable {
  let members: [AnalogMember]
  let isPair: Bool
  let output: Int
  /// What a code is multiplied by.
  let weight: Int64
}

/// Blocks with the same wordlines and units, prepared for devices that are not ideal.
struct AnalogPattern: Sendable {
  /// How digits are taken apart.
  enum Method: Sendable {
    /// Table look-up over nibbles: fixed and zero-skipping units with 1-bit digits.
    case nibbles
    /// Adding the rows of listed digits.
    case listed
  }

  let map: AnalogMap
  let method: Method
  let digits: Int
  /// Operation units one above the other, for units that are not dynamic.
  let unitRows: Int
  let slots: SlotMap
  let inputs: [UInt32]
  let shifts: [UInt8]
  /// Up to 64 bitlines each, computed together; all of one kind.
  let strips: [[AnalogBitline]]
  /// The largest sum of the digits of a unit.
  let height: Int
}

/// The patterns of a layer, in order of the first appearance of what drives them; `leakage` is that of a cell in steps
/// of a level.
///
/// Throws `device.sum` where sums are too large for binary32.
func analogPatterns(
  _ layer: Layer, _ program: Program, paired: Bool, leakage: Double
) throws(Diagnostic) -> [AnalogPattern] {
  var maps: [AnalogMap] = []
  var groups: [[AnalogBitline]] = []
  var numbers: [AnalogMap: Int] = [:]
  for index in layer.blocks.indices {
    let map = AnalogMap(layer.blocks[index])
    let number = numbers[map] ?? maps.count
    if number == maps.count {
      numbers[map] = number
      maps.append(map)
      groups.append([])
    }
    groups[number] += analogBitlines(index, layer, program, paired: paired)
  }
  var patterns: [AnalogPattern] = []
  for (map, bitlines) in zip(maps, groups) {
    patterns.append(try makePattern(map, bitlines, layer, program, leakage))
  }
  return patterns
}

/// The conversions of a block.
private func analogBitlines(_ index: Int, _ layer: Layer, _ program: Program, paired: Bool) -> [AnalogBitline]
{
  let block = layer.blocks[index]
  let code = Int64(layer.converter.step)
  let pairs = paired ? pairs(index, layer, program) : [:]
  let seconds = Set(pairs.values)
  return stride(from: 0, to: block.columns.count, by: layer.bitlinesPerConversion).compactMap { first in
    guard !seconds.contains(first) else { return nil }
    let column = block.columns[first]
    var members = (first..<first + layer.bitlinesPerConversion).map { place in
      let shift = block.columns[place].shift - column.shift
      return AnalogMember(
        block: index, place: place, weight: Float(sign: .plus, exponent: shift, significand: 1))
    }
    if let second = pairs[first] { members.append(AnalogMember(block: index, place: second, weight: -1)) }
    return AnalogBitline(
      members: members, isPair: pairs[first] != nil, output: column.output,
      weight: (column.negative ? -code : code) &<< Int64(column.shift))
  }
}

/// Bitlines of a block whose currents can be subtracted, each with the one to subtract: with opposite signs, the same
/// output and power of two, in the same unit, both with exact conversions.
private func pairs(_ index: Int, _ layer: Layer, _ program: Program) -> [Int: Int] {
  guard layer.bitlinesPerConversion == 1 else { return [:] }
  let block = layer.blocks[index]
  let maySaturate = Bitlines(index, layer, program).maySaturate
  struct Key: Hashable {
    let output: Int
    let shift: Int
    let unit: Int
  }
  var open: [Key: Int] = [:]
  var pairs: [Int: Int] = [:]
  for (place, column) in block.columns.enumerated() where !maySaturate[place] {
    let key = Key(output: column.output, shift: column.shift, unit: place / block.formedUnits.width)
    if let first = open[key], block.columns[first].negative != column.negative {
      pairs[first] = place
      open[key] = nil
    } else {
      open[key] = place
    }
  }
  return pairs
}

private func makePattern(
  _ map: AnalogMap, _ bitlines: [AnalogBitline], _ layer: Layer, _ program: Program, _ leakage: Double
) throws(Diagnostic) -> AnalogPattern {
  let shift = map.rows.map(\.shift).max() ?? 0
  let digits = ceilDivide(layer.inputs.magnitudeBits + shift, layer.dacBits)
  let unit = min(map.units.height, map.rows.count)
  let digit = (1 << layer.dacBits) - 1
  let weight = bitlines.reduce(Float(1)) { max($0, $1.members.reduce(0) { $0 + abs($1.weight) }) }
  let level = Double((1 << program.machine.array.cellBits) - 1)
  let largest = Double(unit * digit) * (level + leakage) * Double(weight)
  guard largest <= AnalogPattern.largestSum else {
    throw Diagnostic(
      "device.sum",
      "a unit of layer '\(layer.name)' can sum up to \(Int(min(largest, 1e18))), with what cells of level 0 leak; at most "
        + "\(Int(AnalogPattern.largestSum)) can be followed on a device that is not ideal",
      notes: ["smaller units, narrower digits or a larger on/off ratio have smaller sums"])
  }
  let isShort = bitWidth(of: layer.converter.largestCode) + digits <= 31
  let rowMap = RowMap(rows: map.rows, unitHeight: map.units.height, isDynamic: map.units.isDynamic)
  let kinds = [bitlines.filter { !$0.isPair }, bitlines.filter(\.isPair)]
  let size = Int(XBAR_STRIP)
  return AnalogPattern(
    map: map, method: layer.dacBits == 1 && isShort && !map.units.isDynamic ? .nibbles : .listed,
    digits: digits, unitRows: ceilDivide(map.rows.count, map.units.height), slots: SlotMap(rowMap),
    inputs: map.rows.map { UInt32(truncatingIfNeeded: $0.input) },
    shifts: map.rows.map { UInt8(truncatingIfNeeded: $0.shift) },
    strips: kinds.flatMap { kind in
      stride(from: 0, to: kind.count, by: size).map { Array(kind[$0..<min($0 + size, kind.count)]) }
    }, height: map.units.height * digit)
}

extension AnalogPattern {
  /// Sums beyond this may be off by half a step in binary32.
  static let largestSum = 0x1p20
}
