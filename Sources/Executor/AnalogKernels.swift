import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import Support

/// What a layer's conversions are computed with on a device that is not ideal.
struct AnalogRun {
  let trial: ProgrammedDevice
  let layer: ProgrammedLayer
  /// Random numbers of conversions.
  let key: xbar_random_key
  /// The position of each window.
  let numbers: UnsafePointer<xbar_window_numbers>
}

extension LayerRunner {
  /// Adds, or subtracts, what all bitlines give for `magnitudes`; pass 0 is that of positive inputs.
  mutating func runAnalog(
    _ run: AnalogRun, _ magnitudes: UnsafePointer<UInt32>, subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    var counts = xbar_analog_counts()
    for (pattern, strips) in run.layer.patterns {
      switch pattern.method {
      case .nibbles: try runNibbles(run, pattern, strips, magnitudes, subtract, &counts, &scratch)
      case .listed: try runLists(run, pattern, strips, magnitudes, subtract, &counts, &scratch)
      }
    }
    events.adcSaturations &+= Int(counts.saturated)
    partialSums += PartialSumErrors(counts)
  }

  private func runNibbles(
    _ run: AnalogRun, _ pattern: AnalogPattern, _ strips: [ProgrammedStrip],
    _ magnitudes: UnsafePointer<UInt32>, _ subtract: Bool, _ counts: inout xbar_analog_counts,
    _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let words = ceilDivide(pattern.unitRows, 64)
    let row = pattern.slots.count / 4
    let nibbles: UnsafeMutablePointer<UInt8> = try scratch.take(.nibbles, windows * pattern.digits * row)
    let active: UnsafeMutablePointer<UInt64> = try scratch.take(.active, windows * pattern.digits * words)
    splitNibbles(
      pattern.slots, digits: pattern.digits, units: pattern.unitRows, magnitudes, nibbles, active)
    let chunk = min(windows, 256)
    let sums: UnsafeMutablePointer<Int64> = try scratch.take(.sums, chunk * Int(XBAR_STRIP))
    for strip in strips {
      let tables = try fill(strip.cells, strip, pattern, .tables, &scratch)
      let squares =
        strip.squares.isEmpty ? nil : try fill(strip.squares, strip, pattern, .squareTables, &scratch)
      let levels = run.trial.measures ? try fill(strip.levels, strip, pattern, .levelTables, &scratch) : nil
      withSensing(strip, run) { sensing in
        var kernel = xbar_analog_fixed(
          sensing: sensing, parts: UInt32(strip.width / 16), tables: tables, square_tables: squares,
          level_tables: levels, nibbles: UInt32(row), digits: UInt32(pattern.digits),
          units: UInt32(pattern.unitRows), unit_nibbles: UInt32(pattern.slots.unitNibbles),
          number: strip.counter(subtract), converts_all: strip.convertsAll ? 1 : 0)
        for first in stride(from: 0, to: windows, by: chunk) {
          let count = min(chunk, windows - first)
          xbar_analog_convert_fixed(
            &kernel, nibbles + first * pattern.digits * row, count, run.numbers + first, sums, &counts)
          add(sums, strip, first, count, subtract)
        }
      }
    }
  }

  private func fill(
    _ cells: [Float], _ strip: ProgrammedStrip, _ pattern: AnalogPattern, _ slot: Scratch.Slot,
    _ scratch: inout Scratch
  ) throws(Diagnostic) -> UnsafeMutablePointer<Float> {
    let tables: UnsafeMutablePointer<Float> = try scratch.take(slot, pattern.slots.count * 4 * strip.width)
    xbar_fill_analog(
      cells, UInt32(strip.width / 16), pattern.slots.rows, UInt32(pattern.slots.count), tables)
    return tables
  }

  private func runLists(
    _ run: AnalogRun, _ pattern: AnalogPattern, _ strips: [ProgrammedStrip],
    _ magnitudes: UnsafePointer<UInt32>, _ subtract: Bool, _ counts: inout xbar_analog_counts,
    _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let perWindow = pattern.digits * pattern.map.rows.count
    let chunk = max(1, min(windows, (1 << 17) / max(1, perWindow)))
    let sums: UnsafeMutablePointer<Int64> = try scratch.take(.sums, chunk * Int(XBAR_STRIP))
    for first in stride(from: 0, to: windows, by: chunk) {
      let count = min(chunk, windows - first)
      let list = try DigitList(
        rows: pattern.map.rows.count, digits: pattern.digits, windows: count, &scratch)
      let part = LayerRunner(plan, program, windows: count, results: results)
      part.listDigits(
        list, pattern.inputs, pattern.shifts, digits: pattern.digits, height: pattern.map.units.height,
        isDynamic: pattern.map.units.isDynamic, magnitudes + first * layer.rows)
      for strip in strips {
        withSensing(strip, run) { sensing in
          convert(strip, pattern, list, sensing, run, first, count, sums, subtract, &counts)
        }
        add(sums, strip, first, count, subtract)
      }
    }
  }

  private func convert(
    _ strip: ProgrammedStrip, _ pattern: AnalogPattern, _ list: DigitList,
    _ sensing: UnsafePointer<xbar_sensing>, _ run: AnalogRun, _ first: Int, _ count: Int,
    _ sums: UnsafeMutablePointer<Int64>, _ subtract: Bool, _ counts: inout xbar_analog_counts
  ) {
    strip.cells.withUnsafeBufferPointer { cells in
      strip.squares.withUnsafeBufferPointer { squares in
        strip.levels.withUnsafeBufferPointer { levels in
          var kernel = xbar_analog_listed(
            sensing: sensing, parts: UInt32(strip.width / 16), cells: cells.baseAddress,
            squares: squares.isEmpty ? nil : squares.baseAddress,
            levels: run.trial.measures ? levels.baseAddress : nil, digits: UInt32(pattern.digits),
            digit_bits: UInt32(layer.dacBits), unit_height: UInt32(pattern.map.units.height),
            units: UInt32(pattern.unitRows), number: strip.counter(subtract),
            dynamic: pattern.map.units.isDynamic ? 1 : 0, converts_all: strip.convertsAll ? 1 : 0)
          xbar_analog_convert_listed(
            &kernel, list.entries, list.unitStarts, list.digitStarts, count, run.numbers + first, sums,
            &counts)
        }
      }
    }
  }

  private func add(
    _ sums: UnsafePointer<Int64>, _ strip: ProgrammedStrip, _ first: Int, _ count: Int, _ subtract: Bool
  ) {
    sums.withMemoryRebound(to: UInt64.self, capacity: count * Int(XBAR_STRIP)) {
      xbar_add_columns64(
        $0, count, UInt32(strip.outputs.count), strip.outputs, strip.weights, subtract ? 1 : 0,
        results + first * layer.columns, layer.columns)
    }
  }
}

extension ProgrammedStrip {
  /// The first word of the counters of a pass: the strip and the pass, above ten bits of digit and bitline.
  fileprivate func counter(_ negative: Bool) -> UInt32 {
    UInt32(truncatingIfNeeded: 2 * number + (negative ? 1 : 0)) << 10
  }
}

/// Calls `body` with what a kernel needs to sense a strip's currents.
private func withSensing<E: Error>(
  _ strip: ProgrammedStrip, _ run: AnalogRun, _ body: (UnsafePointer<xbar_sensing>) throws(E) -> Void
) throws(E) {
  guard let line = strip.lines.first else { return }
  try strip.properties.withUnsafeBufferPointer { properties throws(E) in
    var sensing = xbar_sensing()
    sensing.properties = properties.baseAddress
    sensing.inverse_range = line.inverseRange
    sensing.added_variance = line.addedVariance
    sensing.scale = line.scale
    sensing.bias = line.bias
    sensing.minimum = line.minimum
    sensing.maximum = line.maximum
    sensing.nonlinear = line.isNonlinear ? 1 : 0
    let isPlain = line.scale == 1 && line.minimum == 0 && strip.lines.count == strip.width
    sensing.plain = isPlain && strip.lines.allSatisfy { $0.gain == 1 && $0.bow == 0 } ? 1 : 0
    sensing.bowed = strip.lines.contains { $0.bow != 0 } ? 1 : 0
    sensing.noisy = line.addedVariance > 0 || strip.lines.contains { $0.cellVariance > 0 } ? 1 : 0
    sensing.measures = run.trial.measures ? 1 : 0
    sensing.key = run.key
    guard let table = run.layer.table else { return try body(&sensing) }
    try table.starts.withUnsafeBufferPointer { starts throws(E) in
      try table.entries.withUnsafeBufferPointer { entries throws(E) in
        try table.likely.withUnsafeBufferPointer { likely throws(E) in
          sensing.table_starts = starts.baseAddress
          sensing.table = entries.baseAddress
          sensing.table_likely = likely.baseAddress
          sensing.table_sums = UInt32(table.sums)
          sensing.table_size = UInt32(likely.count / 2)
          try body(&sensing)
        }
      }
    }
  }
}

extension PartialSumErrors {
  /// What a kernel counted.
  fileprivate init(_ counts: xbar_analog_counts) {
    self.init()
    compared = Int(counts.compared)
    wrong = Int(counts.wrong)
    error = Int(counts.error)
    squareError = Int(counts.square_error)
  }
}
