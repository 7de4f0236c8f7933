import CKernels
import DeviceModel
import Hardware
import ProgramFormat
import Support

/// Computes one layer for a batch of input vectors and counts the events that depend on them.
struct LayerRunner {
  let plan: LayerPlan
  let program: Program
  let windows: Int
  /// `[windows][outputs]`.
  let results: UnsafeMutablePointer<Int64>
  var events = Events()

  private var layer: Layer { plan.layer }

  /// Prepares for `windows` input vectors.
  init(_ plan: LayerPlan, _ program: Program, windows: Int, results: UnsafeMutablePointer<Int64>) {
    self.plan = plan
    self.program = program
    self.windows = windows
    self.results = results
  }

  /// Fills `results` with the layer's outputs for `values[windows][inputs]`, the bits of the inputs' low 32 bits.
  ///
  /// Throws `execute.input-range` for a signed input without a counterpart of the other sign, and `execute.memory`.
  mutating func run(_ values: UnsafePointer<Int32>, _ scratch: inout Scratch) throws(Diagnostic) {
    results.update(repeating: 0, count: windows * layer.outputs)
    if layer.inputSigned {
      let count = windows * layer.inputs
      let positive: UnsafeMutablePointer<UInt32> = try scratch.take(.positive, count)
      let negative: UnsafeMutablePointer<UInt32> = try scratch.take(.negative, count)
      let largest = xbar_split_signs(values, count, positive, negative)
      guard largest >> UInt32(truncatingIfNeeded: layer.magnitudeBits) == 0 else {
        throw Diagnostic(
          "execute.input-range",
          "an input of layer '\(layer.name)' has the magnitude \(largest), more than \(layer.magnitudeBits) bits"
        )
      }
      try runPass(positive, subtract: false, &scratch)
      try runPass(negative, subtract: true, &scratch)
    } else {
      try values.withMemoryRebound(to: UInt32.self, capacity: windows * layer.inputs) {
        magnitudes throws(Diagnostic) in
        try runPass(magnitudes, subtract: false, &scratch)
      }
    }
    addLinearPart(values)
    subtractOffset(values)
  }

  private func addLinearPart(_ values: UnsafePointer<Int32>) {
    guard let linear = plan.linear else { return }
    linear.weights.withUnsafeBufferPointer { weights in
      xbar_multiply(
        values, layer.inputs, windows, weights.baseAddress, layer.outputs, linear.padded,
        linear.isNarrow ? 1 : 0,
        results, layer.outputs)
    }
  }

  private func subtractOffset(_ values: UnsafePointer<Int32>) {
    guard layer.offset != 0 else { return }
    for window in 0..<windows {
      let x = values + window * layer.inputs
      var sum: Int64 = 0
      for index in 0..<layer.inputs {
        sum &+= layer.inputSigned ? Int64(x[index]) : Int64(UInt32(bitPattern: x[index]))
      }
      let y = results + window * layer.outputs
      for index in 0..<layer.outputs { y[index] &-= layer.offset &* sum }
    }
  }

  /// Adds, or subtracts, what the blocks that are not linear give for `magnitudes`.
  private mutating func runPass(
    _ magnitudes: UnsafePointer<UInt32>, subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    if !plan.driveWeights.isEmpty {
      let count = windows * layer.inputs
      events.wordlineDrives &+= Int(xbar_weighted_bits(magnitudes, count, plan.driveWeights, layer.inputs))
      events.cellReads &+= Int(xbar_weighted_bits(magnitudes, count, plan.readWeights, layer.inputs))
    }
    let activations = try startActivations(&scratch)
    for pattern in plan.patterns {
      switch pattern.method {
      case .countBits: continue
      case .nibbles(let wide) where wide || windows >= 6:
        try runNibbles(pattern, magnitudes, wide: wide, subtract: subtract, &scratch)
      default:
        try runListed(pattern, magnitudes, subtract: subtract, activations, &scratch)
      }
    }
    countCycles(activations)
  }

  /// Activations by window and crossbar, begun with those of fixed units; nil where the layer has only fixed units.
  private func startActivations(_ scratch: inout Scratch) throws(Diagnostic) -> UnsafeMutablePointer<Int>? {
    let count = plan.fixedActivations.count
    guard count > 0 else { return nil }
    let activations: UnsafeMutablePointer<Int> = try scratch.take(.activations, windows * count)
    for window in 0..<windows {
      for place in 0..<count { activations[window * count + place] = plan.fixedActivations[place] }
    }
    return activations
  }

  private mutating func countCycles(_ activations: UnsafeMutablePointer<Int>?) {
    guard let activations else { return }
    let count = plan.fixedActivations.count
    for window in 0..<windows {
      var longest = 0
      for place in 0..<count { longest = max(longest, activations[window * count + place]) }
      events.cycles &+= longest &+ plan.pipelineCycles
    }
  }
}

// MARK: - Table look-up over nibbles

extension LayerRunner {
  private mutating func runNibbles(
    _ pattern: Pattern, _ magnitudes: UnsafePointer<UInt32>, wide: Bool, subtract: Bool,
    _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let words = ceilDivide(pattern.unitRows, 64)
    let readings = windows * pattern.digits
    let nibbles: UnsafeMutablePointer<UInt8> = try scratch.take(
      .nibbles, readings * (pattern.slots.count / 4))
    let active: UnsafeMutablePointer<UInt64> = try scratch.take(.active, readings * words)
    let set = split(pattern, magnitudes, words: words, nibbles, active)
    events.wordlineDrives &+= set &* pattern.unitColumns
    events.cellReads &+= set &* pattern.width
    let maximum = (1 << layer.adcBits) - 1
    let lane = wide ? 65_535 : 255
    let tables: UnsafeMutablePointer<UInt16> = try scratch.take(.tables, pattern.slots.count * 4 * 64)
    let strip = xbar_fixed_strip(
      tables: tables, nibbles: UInt32(pattern.slots.count / 4), digits: UInt32(pattern.digits),
      unit_nibbles: UInt32(pattern.slots.unitNibbles), active_words: UInt32(words), maximum: UInt32(maximum),
      flush: UInt32(max(1, lane / maximum)), wide: wide ? 1 : 0, counting: 1)
    try forEachStrip(pattern, &scratch) { runner, columns, sums in
      pattern.slots.rows.withUnsafeBufferPointer { rows in
        columns.withCells { cells, stride in
          xbar_fill_tables(
            cells, stride, UInt32(columns.count), rows.baseAddress, UInt32(rows.count), strip.wide, tables)
        }
      }
      let sums32 = sums.assumingMemoryBound(to: UInt32.self)
      let saturated = withUnsafePointer(to: strip) {
        xbar_convert_fixed($0, nibbles, active, runner.windows, sums32)
      }
      runner.events.adcSaturations &+= Int(saturated)
      xbar_add_columns32(
        sums32, runner.windows, UInt32(columns.count), columns.outputs, columns.weights, subtract ? 1 : 0,
        runner.results, runner.layer.outputs)
    }
  }

  private func split(
    _ pattern: Pattern, _ magnitudes: UnsafePointer<UInt32>, words: Int,
    _ nibbles: UnsafeMutablePointer<UInt8>,
    _ active: UnsafeMutablePointer<UInt64>
  ) -> Int {
    let slots = pattern.slots
    return slots.inputs.withUnsafeBufferPointer { inputs in
      slots.masks.withUnsafeBufferPointer { masks in
        slots.shifts.withUnsafeBufferPointer { shifts in
          let map = xbar_nibble_map(
            inputs: inputs.baseAddress, masks: masks.baseAddress, shifts: shifts.baseAddress,
            slots: UInt32(slots.count), digits: UInt32(pattern.digits), units: UInt32(pattern.unitRows),
            unit_nibbles: UInt32(slots.unitNibbles), active_words: UInt32(words))
          return withUnsafePointer(to: map) {
            Int(xbar_split_nibbles($0, magnitudes, layer.inputs, windows, nibbles, active))
          }
        }
      }
    }
  }
}

// MARK: - Strips of 64 bitlines

/// Up to 64 neighbouring bitlines of a block.
struct StripColumns {
  let program: Program
  let block: Block
  let start: Int
  let count: Int
  let outputs: UnsafePointer<UInt32>
  let weights: UnsafePointer<Int64>

  /// The first cell of the strip and the distance between rows.
  func withCells(_ body: (UnsafePointer<UInt8>, Int) -> Void) {
    let stride = program.machine.array.columns
    program.crossbars[block.crossbar].cells.withUnsafeBufferPointer { cells in
      guard let base = cells.baseAddress else { return }
      body(base + (block.row * stride + block.column + start), stride)
    }
  }
}

extension LayerRunner {
  /// Calls `body` for every strip of the computed blocks of `pattern`, with room for the sums of all windows.
  private mutating func forEachStrip(
    _ pattern: Pattern, _ scratch: inout Scratch,
    _ body: (inout LayerRunner, StripColumns, UnsafeMutableRawPointer) -> Void
  ) throws(Diagnostic) {
    let outputs: UnsafeMutablePointer<UInt32> = try scratch.take(.outputs, 64)
    let weights: UnsafeMutablePointer<Int64> = try scratch.take(.weights, 64)
    let sums: UnsafeMutablePointer<UInt64> = try scratch.take(.sums, windows * 64)
    for member in pattern.blocks where member.isComputed {
      let block = program.blocks[member.index]
      for start in stride(from: 0, to: block.columns.count, by: 64) {
        let count = min(64, block.columns.count - start)
        for k in 0..<count {
          let column = block.columns[start + k]
          outputs[k] = UInt32(truncatingIfNeeded: column.output)
          weights[k] = column.negative ? -1 &<< Int64(column.shift) : 1 &<< Int64(column.shift)
        }
        let columns = StripColumns(
          program: program, block: block, start: start, count: count, outputs: outputs, weights: weights)
        body(&self, columns, UnsafeMutableRawPointer(sums))
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
  let windowUnits: UnsafeMutablePointer<UInt32>

  init(_ pattern: Pattern, windows: Int, _ scratch: inout Scratch) throws(Diagnostic) {
    let most = windows * pattern.digits * pattern.map.rows.count
    entries = try scratch.take(.entries, most)
    unitStarts = try scratch.take(.unitStarts, most + 1)
    digitStarts = try scratch.take(.digitStarts, windows * pattern.digits + 1)
    windowUnits = try scratch.take(.windowUnits, windows)
  }
}

extension LayerRunner {
  /// Lists digits for some windows at a time, so that the lists stay small, and converts them.
  private mutating func runListed(
    _ pattern: Pattern, _ magnitudes: UnsafePointer<UInt32>, subtract: Bool,
    _ activations: UnsafeMutablePointer<Int>?, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let perWindow = pattern.digits * pattern.map.rows.count
    let step = max(1, min(windows, (1 << 17) / max(1, perWindow)))
    for first in stride(from: 0, to: windows, by: step) {
      var part = LayerRunner(
        plan, program, windows: min(step, windows - first), results: results + first * layer.outputs)
      let list = try DigitList(pattern, windows: part.windows, &scratch)
      let shifted = activations.map { $0 + first * plan.fixedActivations.count }
      part.list(pattern, magnitudes + first * layer.inputs, list, shifted)
      if pattern.blocks.contains(where: \.isComputed) {
        try part.convertListed(pattern, list, subtract: subtract, &scratch)
      }
      events += part.events
    }
  }

  private mutating func list(
    _ pattern: Pattern, _ magnitudes: UnsafePointer<UInt32>, _ list: DigitList,
    _ activations: UnsafeMutablePointer<Int>?
  ) {
    let set = pattern.inputs.withUnsafeBufferPointer { inputs in
      pattern.shifts.withUnsafeBufferPointer { shifts in
        let map = xbar_row_map(
          inputs: inputs.baseAddress, shifts: shifts.baseAddress, rows: UInt32(inputs.count),
          digits: UInt32(pattern.digits), digit_bits: UInt32(layer.dacBits),
          unit_height: UInt32(pattern.map.unitHeight), dynamic: pattern.map.isDynamic ? 1 : 0)
        return withUnsafePointer(to: map) {
          Int(
            xbar_list_digits(
              $0, magnitudes, layer.inputs, windows, list.entries, list.unitStarts, list.digitStarts,
              list.windowUnits))
        }
      }
    }
    events.wordlineDrives &+= set &* pattern.unitColumns
    events.cellReads &+= set &* pattern.width
    guard pattern.map.isDynamic, let activations else { return }
    let places = plan.fixedActivations.count
    for window in 0..<windows {
      let units = Int(list.windowUnits[window])
      events.ouActivations &+= units &* pattern.unitColumns
      events.adcConversions &+= units &* pattern.width
      events.shiftAdds &+= units &* pattern.width
      for block in pattern.blocks { activations[window * places + block.place] += units * block.unitColumns }
    }
  }

  private mutating func convertListed(
    _ pattern: Pattern, _ list: DigitList, subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let isWide = pattern.method == .listed(wide: true)
    let rows = pattern.map.rows.count
    let maximum = (1 << layer.adcBits) - 1
    let cells: UnsafeMutablePointer<UInt8> = try scratch.take(.cells, rows * 64)
    let strip = xbar_listed_strip(
      cells: cells, digits: UInt32(pattern.digits), digit_bits: UInt32(layer.dacBits),
      maximum: UInt32(maximum),
      flush: UInt32(max(1, 255 / maximum)), counting: 1)
    try forEachStrip(pattern, &scratch) { runner, columns, sums in
      columns.withCells { source, stride in
        for row in 0..<rows {
          let target = cells + row * 64
          target.update(repeating: 0, count: 64)
          target.update(from: source + row * stride, count: columns.count)
        }
      }
      runner.convert(strip, list, columns, sums, isWide: isWide, subtract: subtract)
    }
  }

  private mutating func convert(
    _ strip: xbar_listed_strip, _ list: DigitList, _ columns: StripColumns, _ sums: UnsafeMutableRawPointer,
    isWide: Bool, subtract: Bool
  ) {
    let sign: Int32 = subtract ? 1 : 0
    withUnsafePointer(to: strip) { strip in
      if isWide {
        let wide = sums.assumingMemoryBound(to: UInt64.self)
        events.adcSaturations &+= Int(
          xbar_convert_listed_wide(strip, list.entries, list.unitStarts, list.digitStarts, windows, wide))
        xbar_add_columns64(
          wide, windows, UInt32(columns.count), columns.outputs, columns.weights, sign, results, layer.outputs
        )
      } else {
        let narrow = sums.assumingMemoryBound(to: UInt32.self)
        events.adcSaturations &+= Int(
          xbar_convert_listed_narrow(strip, list.entries, list.unitStarts, list.digitStarts, windows, narrow))
        xbar_add_columns32(
          narrow, windows, UInt32(columns.count), columns.outputs, columns.weights, sign, results,
          layer.outputs)
      }
    }
  }
}
