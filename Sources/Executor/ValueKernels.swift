import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import Support

// What bitlines that are not linear give: values and saturations, nothing else.

// MARK: - Table look-up over nibbles

extension LayerRunner {
  mutating func runNibbles(
    _ pattern: Pattern, _ magnitudes: UnsafePointer<UInt32>, wide: Bool, _ division: StepDivision? = nil,
    subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let words = ceilDivide(pattern.unitRows, 64)
    let readings = windows * pattern.digits
    let nibbles: UnsafeMutablePointer<UInt8> = try scratch.take(
      .nibbles, readings * (pattern.slots.count / 4))
    let active: UnsafeMutablePointer<UInt64> = try scratch.take(.active, readings * words)
    splitNibbles(
      pattern.slots, digits: pattern.digits, units: pattern.unitRows, magnitudes, nibbles, active)
    let maximum = layer.converter.largestCode
    let lane = wide ? 65_535 : 255
    let tables: UnsafeMutablePointer<UInt16> = try scratch.take(.tables, pattern.slots.count * 4 * 64)
    var strip = xbar_fixed_strip(
      tables: tables, nibbles: UInt32(pattern.slots.count / 4), digits: UInt32(pattern.digits),
      unit_nibbles: UInt32(pattern.slots.unitNibbles), active_words: UInt32(words), maximum: UInt32(maximum),
      flush: UInt32(max(1, lane / maximum)), wide: wide ? 1 : 0, counting: 1,
      half: UInt32(division?.half ?? 0), factor: UInt32(division?.factor ?? 0),
      shift: UInt32(division?.shift ?? 0))
    let sums: UnsafeMutablePointer<UInt32> = try scratch.take(.sums, windows * Int(XBAR_STRIP))
    for bitlines in pattern.strips {
      xbar_fill_tables(
        bitlines.cells, bitlines.count, UInt32(bitlines.count), pattern.slots.rows,
        UInt32(pattern.slots.count), strip.wide, tables)
      events.adcSaturations &+= Int(xbar_convert_fixed(&strip, nibbles, active, windows, sums))
      add(sums, bitlines, subtract: subtract)
    }
  }

  /// Splits the inputs of all windows into nibbles and marks the units with a digit other than 0.
  func splitNibbles(
    _ slots: SlotMap, digits: Int, units: Int, _ magnitudes: UnsafePointer<UInt32>,
    _ nibbles: UnsafeMutablePointer<UInt8>, _ active: UnsafeMutablePointer<UInt64>
  ) {
    slots.inputs.withUnsafeBufferPointer { inputs in
      slots.masks.withUnsafeBufferPointer { masks in
        slots.shifts.withUnsafeBufferPointer { shifts in
          var map = xbar_nibble_map(
            inputs: inputs.baseAddress, masks: masks.baseAddress, shifts: shifts.baseAddress,
            slots: UInt32(slots.count), digits: UInt32(digits), units: UInt32(units),
            unit_nibbles: UInt32(slots.unitNibbles), active_words: UInt32(ceilDivide(units, 64)))
          xbar_split_nibbles(&map, magnitudes, layer.rows, windows, nibbles, active)
        }
      }
    }
  }

  private func add(_ sums: UnsafePointer<UInt32>, _ strip: Strip, subtract: Bool) {
    xbar_add_columns32(
      sums, windows, UInt32(strip.count), strip.outputs, strip.weights, subtract ? 1 : 0, results,
      layer.columns)
  }
}

// MARK: - Adding the rows of set bits

extension LayerRunner {
  /// For the windows of a panel.
  mutating func runBits(
    _ pattern: Pattern, _ panel: UnsafePointer<UInt32>, subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let words = ceilDivide(pattern.map.rows.count, 64)
    let planes: UnsafeMutablePointer<UInt64> = try scratch.take(
      .planes, pattern.digits * words * Int(XBAR_PANEL))
    xbar_split_rows(
      panel, pattern.inputs, pattern.shifts, UInt32(pattern.inputs.count), UInt32(pattern.digits), planes)
    let maximum = (1 << layer.adcBits) - 1
    let sums: UnsafeMutablePointer<UInt32> = try scratch.take(.sums, windows * Int(XBAR_STRIP))
    for bitlines in pattern.strips {
      bitlines.cells.withUnsafeBufferPointer { cells in
        var strip = xbar_dynamic_strip(
          cells: cells.baseAddress, columns: UInt32(bitlines.count), digits: UInt32(pattern.digits),
          words: UInt32(words), unit_height: UInt32(pattern.map.unitHeight), maximum: UInt32(maximum),
          flush: UInt32(max(1, 255 / maximum)))
        events.adcSaturations &+= Int(xbar_convert_dynamic(&strip, planes, windows, sums))
      }
      add(sums, bitlines, subtract: subtract)
    }
  }
}

// MARK: - Adding cell by cell

extension LayerRunner {
  /// For the windows of a panel.
  mutating func runCells(
    _ pattern: Pattern, _ panel: UnsafePointer<UInt32>, subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let (rows, lanes) = (pattern.map.rows.count, Int(XBAR_PANEL))
    let units: UnsafeMutablePointer<UInt8> = try scratch.take(.unitNumbers, 4 * rows * lanes)
    let sums: UnsafeMutablePointer<UInt32> = try scratch.take(.sums, lanes * Int(XBAR_STRIP))
    for (cells, bitlines) in zip(pattern.sparse, pattern.strips) {
      events.adcSaturations &+= convert(cells, pattern, panel, units, sums)
      xbar_add_panel(
        sums, windows, UInt32(bitlines.count), bitlines.outputs, bitlines.weights, subtract ? 1 : 0, results,
        layer.columns)
    }
  }

  private func convert(
    _ cells: SparseStrip, _ pattern: Pattern, _ panel: UnsafePointer<UInt32>,
    _ units: UnsafeMutablePointer<UInt8>, _ sums: UnsafeMutablePointer<UInt32>
  ) -> Int {
    pattern.inputs.withUnsafeBufferPointer { inputs in
      pattern.shifts.withUnsafeBufferPointer { shifts in
        cells.starts.withUnsafeBufferPointer { starts in
          cells.rows.withUnsafeBufferPointer { rows in
            cells.levels.withUnsafeBufferPointer { levels in
              var strip = xbar_sparse_strip(
                inputs: inputs.baseAddress, shifts: shifts.baseAddress, rows: UInt32(inputs.count),
                digits: UInt32(pattern.digits),
                unit_height: UInt32(min(pattern.map.unitHeight, inputs.count)),
                columns: UInt32(starts.count - 1), starts: starts.baseAddress, cell_rows: rows.baseAddress,
                levels: levels.baseAddress, maximum: UInt32((1 << layer.adcBits) - 1))
              return Int(xbar_convert_sparse(&strip, panel, units, sums))
            }
          }
        }
      }
    }
  }
}

// MARK: - Adding the rows of listed digits

/// Digits other than 0 of a batch of windows, as `xbar_list_digits` lists them.
struct DigitList {
  let entries: UnsafeMutablePointer<UInt32>
  let unitStarts: UnsafeMutablePointer<UInt32>
  let digitStarts: UnsafeMutablePointer<UInt32>

  /// Takes room for the digits of `rows` wordlines.
  init(rows: Int, digits: Int, windows: Int, _ scratch: inout Scratch) throws(Diagnostic) {
    let most = windows * digits * rows
    entries = try scratch.take(.entries, most)
    unitStarts = try scratch.take(.unitStarts, most + 1)
    digitStarts = try scratch.take(.digitStarts, windows * digits + 1)
  }
}

extension LayerRunner {
  /// Lists digits for some windows at a time, so that the lists stay small, and converts them.
  mutating func runListed(
    _ pattern: Pattern, _ magnitudes: UnsafePointer<UInt32>, subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let perWindow = pattern.digits * pattern.map.rows.count
    let step = max(1, min(windows, (1 << 17) / max(1, perWindow)))
    for first in stride(from: 0, to: windows, by: step) {
      var part = LayerRunner(
        plan, program, windows: min(step, windows - first), results: results + first * layer.columns)
      let list = try DigitList(
        rows: pattern.map.rows.count, digits: pattern.digits, windows: part.windows, &scratch)
      part.listDigits(
        list, pattern.inputs, pattern.shifts, digits: pattern.digits, height: pattern.map.unitHeight,
        isDynamic: pattern.map.isDynamic, magnitudes + first * layer.rows)
      try part.convertListed(pattern, list, subtract: subtract, &scratch)
      events += part.events
    }
  }

  /// Lists the digits of all windows that are not 0.
  func listDigits(
    _ list: DigitList, _ inputs: [UInt32], _ shifts: [UInt8], digits: Int, height: Int, isDynamic: Bool,
    _ magnitudes: UnsafePointer<UInt32>
  ) {
    inputs.withUnsafeBufferPointer { inputs in
      shifts.withUnsafeBufferPointer { shifts in
        var map = xbar_row_map(
          inputs: inputs.baseAddress, shifts: shifts.baseAddress, rows: UInt32(inputs.count),
          digits: UInt32(digits), digit_bits: UInt32(layer.dacBits), unit_height: UInt32(height),
          dynamic: isDynamic ? 1 : 0)
        xbar_list_digits(
          &map, magnitudes, layer.rows, windows, list.entries, list.unitStarts, list.digitStarts)
      }
    }
  }

  private mutating func convertListed(
    _ pattern: Pattern, _ list: DigitList, subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let sums: UnsafeMutablePointer<UInt64> = try scratch.take(.sums, windows * Int(XBAR_STRIP))
    for bitlines in pattern.strips {
      let saturated =
        pattern.method == .composed
        ? convertComposed(bitlines, pattern, list, sums) : convertPlain(bitlines, pattern, list, sums)
      events.adcSaturations &+= saturated
      xbar_add_columns64(
        sums, windows, UInt32(bitlines.count), bitlines.outputs, bitlines.weights, subtract ? 1 : 0, results,
        layer.columns)
    }
  }

  private func convertPlain(
    _ bitlines: Strip, _ pattern: Pattern, _ list: DigitList, _ sums: UnsafeMutablePointer<UInt64>
  ) -> Int {
    bitlines.cells.withUnsafeBufferPointer { cells in
      var strip = xbar_listed_strip(
        cells: cells.baseAddress, columns: UInt32(bitlines.count), digits: UInt32(pattern.digits),
        digit_bits: UInt32(layer.dacBits), maximum: UInt32((1 << layer.adcBits) - 1))
      return Int(xbar_convert_listed(&strip, list.entries, list.unitStarts, list.digitStarts, windows, sums))
    }
  }

  private func convertComposed(
    _ bitlines: Strip, _ pattern: Pattern, _ list: DigitList, _ sums: UnsafeMutablePointer<UInt64>
  ) -> Int {
    let converter = layer.converter
    return bitlines.levels.withUnsafeBufferPointer { levels in
      var strip = xbar_composed_strip(
        levels: levels.baseAddress, columns: UInt32(bitlines.count), digits: UInt32(pattern.digits),
        digit_bits: UInt32(layer.dacBits), largest_code: UInt64(converter.largestCode),
        step: UInt64(converter.step))
      return Int(
        xbar_convert_composed(&strip, list.entries, list.unitStarts, list.digitStarts, windows, sums))
    }
  }
}
