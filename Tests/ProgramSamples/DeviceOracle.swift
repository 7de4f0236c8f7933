public import DeviceModel
import Hardware
import Mapping
import NaiveTwin
public import ProgramFormat
import Support

/// A slow interpreter of layers on a device that is not ideal: one conversion at a time, from the currents of a trial's
/// cells.
///
/// The noise of a conversion is the normal number of these counters, under a key for the driving instruction: word 0
/// has `2 * strip + pass` above bit 10 (pass 1 for negative inputs), the digit in bits 4 ... 9 and the lowest four bits
/// of the conversion's number in its strip; word 1 the unit, counted down the block, or among the gathered ones of a
/// digit; word 2 how often the instruction was executed for the sample; word 3 the sample. The number in the strip
/// divided by 16 says which of the four normal numbers is taken. A strip is up to 64 conversions of blocks with the
/// same wordlines and units, single bitlines before pairs.
///
/// Currents are added in the executor's order, as binary32 depends on it, so that codes are the same to the last bit.
public final class DeviceOracle {
  private let program: Program
  private let device: Device
  private let trial: (seed: UInt64, number: Int)
  private let currents: [[Float]]
  private let strips: [[ReadStrip]]
  private let measured: Int
  /// Conversions whose code would be larger than the largest one.
  public private(set) var saturations = 0
  /// How codes differ from those of an ideal device, by layer.
  public private(set) var partialSums: [PartialSumErrors]
  /// Conversions by what they read.
  public private(set) var conversions = (single: 0, composed: 0, pairs: 0, empty: 0)

  /// Takes what each crossbar's cells pass; the codes of the first `measured` samples are compared with ideal ones.
  public init(
    _ program: Program, _ device: Device, currents: [[Float]], seed: UInt64, trial: Int, measured: Int = 0
  ) {
    self.program = program
    self.device = device
    self.currents = currents
    self.measured = measured
    self.trial = (seed, trial)
    let errors = SenseErrors(device, seed: seed, trial: trial)
    strips = program.layers.map { readStrips($0, program, device, errors) }
    partialSums = program.layers.map { _ in PartialSumErrors() }
  }

  /// What a layer gives.
  public func outputs(_ driven: Oracle.Driven) -> [Int64] {
    let layer = program.layers[driven.layer]
    var y = [Int64](repeating: 0, count: layer.columns)
    add(driven, layer.inputs.isSigned ? driven.inputs.map { max($0, 0) } : driven.inputs, 0, &y)
    if layer.inputs.isSigned { add(driven, driven.inputs.map { max(-$0, 0) }, 1, &y) }
    let sum = driven.inputs.reduce(0, +)
    return y.indices.map { y[$0] &- layer.correction($0) &* sum }
  }

  private func add(_ driven: Oracle.Driven, _ x: [Int64], _ pass: Int, _ y: inout [Int64]) {
    let layer = program.layers[driven.layer]
    for (number, strip) in strips[driven.layer].enumerated() {
      for t in 0..<strip.digits {
        let digits = strip.rows.map { row in
          Int((x[row.input] << Int64(row.shift)) >> Int64(t * layer.dacBits)) & (1 << layer.dacBits - 1)
        }
        for (unit, rows) in strip.units(digits) {
          let counters = [(2 * number + pass) << 10 | t << 4, unit, driven.visit, driven.sample]
          for lane in strip.readings.indices {
            let code = convert(strip, lane, rows, digits, counters, driven)
            let reading = strip.readings[lane]
            let term = (Int64(code) &* reading.weight) << Int64(t * layer.dacBits)
            y[reading.output] = pass == 0 ? y[reading.output] &+ term : y[reading.output] &- term
          }
        }
      }
    }
  }

  /// The code of one conversion.
  private func convert(
    _ strip: ReadStrip, _ lane: Int, _ rows: [Int], _ digits: [Int], _ counters: [Int],
    _ driven: Oracle.Driven
  ) -> Int {
    let reading = strip.readings[lane]
    let line = reading.line
    count(reading, rows, digits)
    let current = strip.sum(rows, digits) { row, digit in Float(digit) * self.current(reading, row) }
    let squares = strip.sum(rows, digits) { row, digit in
      Float(digit * digit) * self.squares(reading, row)
    }
    let active = Float(rows.reduce(0) { $0 + digits[$1] })
    var noise: Float = 0
    if line.addedVariance > 0 || line.cellVariance > 0 {
      let stream = RandomStream(
        seed: trial.seed, trial: trial.number, .conversions, part: driven.site)
      noise =
        stream.draw(
          first: counters[0] | lane % 16, counters[1], counters[2], counters[3], count: 1
        ).normals[lane / 16]
    }
    let y = line.position(current: current, active: active, squares: squares, noise: noise)
    if y * line.scale + line.bias >= line.maximum + 1 { saturations += 1 }
    let code = line.code(at: y)
    if driven.sample < measured {
      let ideal = line.code(at: Float(rows.reduce(0) { $0 + digits[$1] * levels(reading, $1) }))
      partialSums[driven.layer] += difference(code - ideal)
    }
    return code
  }

  private func count(_ reading: Reading, _ rows: [Int], _ digits: [Int]) {
    if !rows.contains(where: { digits[$0] != 0 }) { conversions.empty += 1 }
    if reading.isPair {
      conversions.pairs += 1
    } else if reading.members.count > 1 {
      conversions.composed += 1
    } else {
      conversions.single += 1
    }
  }

  private func difference(_ error: Int) -> PartialSumErrors {
    var errors = PartialSumErrors()
    errors.compared = 1
    errors.wrong = error == 0 ? 0 : 1
    errors.error = error
    errors.squareError = error * error
    return errors
  }

  private func current(_ reading: Reading, _ row: Int) -> Float {
    reading.members.reduce(0) { $0 + Float($1.weight) * currents[$1.crossbar][cell($1, row)] }
  }

  private func squares(_ reading: Reading, _ row: Int) -> Float {
    guard device.isOn(.readNoise) else { return 0 }
    return reading.members.reduce(0) { sum, member in
      let current = Float(member.weight) * currents[member.crossbar][cell(member, row)]
      return sum + current * current
    }
  }

  private func levels(_ reading: Reading, _ row: Int) -> Int {
    reading.members.reduce(0) {
      $0 + $1.weight * Int(program.crossbars[$1.crossbar].cells[cell($1, row)])
    }
  }

  private func cell(_ member: Member, _ row: Int) -> Int {
    (member.top + row) * program.machine.array.columns + member.column
  }
}

/// A bitline with a share in a conversion.
private struct Member {
  let crossbar: Int
  let top: Int
  let column: Int
  /// What its current is multiplied by.
  let weight: Int
}

/// What one conversion reads.
private struct Reading {
  var members: [Member]
  let output: Int
  /// What a code is multiplied by.
  let weight: Int64
  var isPair = false
  var line = SenseLine.unused
}

/// Conversions of blocks with the same wordlines and units.
private struct ReadStrip {
  let rows: [RowEntry]
  let forming: UnitForming
  let digits: Int
  /// Whether wordlines are added four by four, from the last of each four up.
  let addsByFour: Bool
  let readings: [Reading]

  /// The units that are converted for a digit, with their numbers and wordlines.
  func units(_ digits: [Int]) -> [(number: Int, rows: [Int])] {
    let all = Array(rows.indices)
    let list = forming.isDynamic ? all.filter { digits[$0] != 0 } : all
    let units = stride(from: 0, to: list.count, by: forming.height).enumerated().map { number, first in
      (number: number, rows: Array(list[first..<min(first + forming.height, list.count)]))
    }
    // The code of an empty unit is 0 on most devices, so that it needs no conversion.
    if forming.isFixed && readings.contains(where: \.line.seesEmptyUnits) { return units }
    return units.filter { $0.rows.contains { digits[$0] != 0 } }
  }

  /// The sum of `term` over the wordlines of a unit with a digit other than 0.
  func sum(_ rows: [Int], _ digits: [Int], _ term: (Int, Int) -> Float) -> Float {
    func driven(_ rows: some Sequence<Int>) -> Float {
      rows.reduce(0) { digits[$1] == 0 ? $0 : $0 + term($1, digits[$1]) }
    }
    guard addsByFour else { return driven(rows) }
    return stride(from: 0, to: rows.count, by: 4).reduce(0) {
      $0 + driven(rows[$1..<min($1 + 4, rows.count)].reversed())
    }
  }
}

extension SenseLine {
  fileprivate static let unused = SenseLine(
    .ideal, levels: 2, weight: 1, height: 1, converter: Converter(bits: 1), paired: false,
    errors: ConverterDraw())
}

/// The conversions of a layer, strip by strip.
private func readStrips(
  _ layer: Layer, _ program: Program, _ device: Device, _ errors: SenseErrors
) -> [ReadStrip] {
  var groups: [[Block]] = []
  for block in layer.blocks {
    if let group = groups.firstIndex(where: { sharesUnits($0[0], block) }) {
      groups[group].append(block)
    } else {
      groups.append([block])
    }
  }
  return groups.flatMap { blocks in
    let readings = blocks.flatMap { block in
      read(block, layer, program, device).map { sensed($0, block, layer, program, device, errors) }
    }
    return [false, true].flatMap { isPair in
      let kind = readings.filter { $0.isPair == isPair }
      return stride(from: 0, to: kind.count, by: 64).map {
        strip(blocks[0], Array(kind[$0..<min($0 + 64, kind.count)]), layer)
      }
    }
  }
}

private func sharesUnits(_ a: Block, _ b: Block) -> Bool {
  a.rows == b.rows && a.formedUnits.height == b.formedUnits.height
    && a.formedUnits.isFixed == b.formedUnits.isFixed
    && a.formedUnits.isDynamic == b.formedUnits.isDynamic
}

private func strip(_ block: Block, _ readings: [Reading], _ layer: Layer) -> ReadStrip {
  let bits = layer.inputs.bits - (layer.inputs.isSigned ? 1 : 0) + (block.rows.map(\.shift).max() ?? 0)
  let digits = (bits + layer.dacBits - 1) / layer.dacBits
  return ReadStrip(
    rows: block.rows, forming: block.formedUnits, digits: digits,
    addsByFour: layer.dacBits == 1 && !block.formedUnits.isDynamic && layer.adcBits + digits <= 31,
    readings: readings)
}

/// The conversions of a block: bitlines, groups of composed ones, or differences of two.
private func read(_ block: Block, _ layer: Layer, _ program: Program, _ device: Device) -> [Reading] {
  var readings: [Reading] = []
  // Places of readings that wait for one of the other sign.
  var open: [[Int]: Int] = [:]
  for first in stride(from: 0, to: block.columns.count, by: layer.bitlinesPerConversion) {
    let column = block.columns[first]
    let members = (first..<first + layer.bitlinesPerConversion).map { place in
      Member(
        crossbar: block.crossbar, top: block.row, column: block.column + place,
        weight: 1 << (block.columns[place].shift - column.shift))
    }
    let key = [column.output, column.shift, first / block.formedUnits.width]
    let pairs = device.sensing.pairs == .analog && isExact(first, block, layer, program)
    if pairs, let other = open[key], (readings[other].weight < 0) != column.negative {
      readings[other].members.append(
        Member(crossbar: block.crossbar, top: block.row, column: block.column + first, weight: -1))
      readings[other].isPair = true
      open[key] = nil
      continue
    }
    if pairs { open[key] = readings.count }
    let step = Int64(NaiveConverter(bits: layer.adcBits, fullScale: layer.readout?.fullScale).step)
    readings.append(
      Reading(
        members: members, output: column.output,
        weight: (column.negative ? -step : step) << Int64(column.shift)))
  }
  return readings
}

/// Whether no sum of a single bitline is rounded or cut by its converter.
private func isExact(_ place: Int, _ block: Block, _ layer: Layer, _ program: Program) -> Bool {
  let converter = NaiveConverter(bits: layer.adcBits, fullScale: layer.readout?.fullScale)
  guard layer.bitlinesPerConversion == 1, converter.step == 1 else { return false }
  let levels = block.rows.indices.map { row in
    Int(
      program.crossbars[block.crossbar].cells[
        (block.row + row) * program.machine.array.columns + block.column + place])
  }
  // Gathered wordlines may be any, neighbors are read together otherwise.
  let ordered = block.formedUnits.isDynamic ? levels.sorted(by: >) : levels
  let units = stride(from: 0, to: levels.count, by: block.formedUnits.height).map {
    ordered[$0..<min($0 + block.formedUnits.height, levels.count)].reduce(0, +)
  }
  return (units.max() ?? 0) * (1 << layer.dacBits - 1) <= converter.largestCode
}

/// The same with the errors of its converter, which is that of the first bitline.
private func sensed(
  _ reading: Reading, _ block: Block, _ layer: Layer, _ program: Program, _ device: Device,
  _ errors: SenseErrors
) -> Reading {
  let array = program.machine.array
  let count = max(1, Int(program.machine.area.adcsPerCrossbar.rounded()))
  let converter = reading.members[0].column * count / array.columns
  var reading = reading
  reading.line = SenseLine(
    device, levels: 1 << array.cellBits,
    weight: reading.isPair ? 1 : reading.members.reduce(0) { $0 + $1.weight },
    height: block.formedUnits.height * (1 << layer.dacBits - 1), converter: layer.converter,
    paired: reading.isPair,
    errors: errors.converters(of: block.crossbar, count: count)[min(converter, count - 1)])
  return reading
}
