import CKernels
import DeviceModel
import Mapping
import ProgramFormat
import Support

// What is computed for a panel of 32 windows at a time, one for each lane: the gathered product, dynamic units that may
// saturate, and how many units there are.
extension LayerRunner {
  /// Adds the gathered product and what dynamic units give that may saturate; counts zero-skipping and dynamic units.
  ///
  /// Needs 128 bytes for each input, three times that where inputs are signed, and planes of at most 16 MiB or those of
  /// one digit.
  mutating func runPanels(_ values: UnsafePointer<Int32>, _ scratch: inout Scratch) throws(Diagnostic) {
    guard plan.gathered != nil || plan.needsDigitsOfPanels else { return }
    let size = Int(XBAR_PANEL)
    let panel: UnsafeMutablePointer<Int32> = try scratch.take(.panel, layer.rows * size)
    for first in stride(from: 0, to: windows, by: size) {
      var part = LayerRunner(
        plan, program, windows: min(size, windows - first), results: results + first * layer.columns)
      part.events = events
      xbar_transpose(values + first * layer.rows, layer.rows, part.windows, panel)
      part.addGatheredProduct(panel)
      if plan.needsDigitsOfPanels { try part.runPanel(panel, &scratch) }
      events = part.events
    }
  }

  private func addGatheredProduct(_ panel: UnsafePointer<Int32>) {
    guard let gathered = plan.gathered else { return }
    xbar_multiply_gathered(
      panel, windows, gathered.starts, gathered.inputs, gathered.weights, layer.columns,
      gathered.isNarrow ? 1 : 0, results, layer.columns)
  }

  /// Adds what the digits of a panel of up to 32 windows give and counts their units.
  mutating func runPanel(
    _ panel: UnsafePointer<Int32>, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let elements = layer.rows * Int(XBAR_PANEL)
    if layer.inputs.isSigned {
      let positive: UnsafeMutablePointer<UInt32> = try scratch.take(.positivePanel, elements)
      let negative: UnsafeMutablePointer<UInt32> = try scratch.take(.negativePanel, elements)
      _ = xbar_split_signs(panel, elements, positive, negative)
      try runPanelPass(positive, subtract: false, &scratch)
      try runPanelPass(negative, subtract: true, &scratch)
    } else {
      try panel.withMemoryRebound(to: UInt32.self, capacity: elements) { magnitudes throws(Diagnostic) in
        try runPanelPass(magnitudes, subtract: false, &scratch)
      }
    }
  }

  private mutating func runPanelPass(
    _ magnitudes: UnsafePointer<UInt32>, subtract: Bool, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    for pattern in plan.patterns {
      switch pattern.method {
      case .bits: try runBits(pattern, magnitudes, subtract: subtract, &scratch)
      case .cells: try runCells(pattern, magnitudes, subtract: subtract, &scratch)
      case .nibbles, .steps, .listed, .composed: continue
      }
    }
    if let units = plan.units { try countUnits(units, magnitudes, &scratch) }
  }

  private mutating func countUnits(
    _ units: UnitCounts, _ magnitudes: UnsafePointer<UInt32>, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let lanes = Int(XBAR_PANEL)
    let counts: UnsafeMutablePointer<UInt32> = try scratch.take(.unitCounts, units.groups.count * lanes)
    counts.update(repeating: 0, count: units.groups.count * lanes)
    let step = max(1, min(units.digits, (1 << 21) / (units.words.count * lanes)))
    let planes: UnsafeMutablePointer<UInt64> = try scratch.take(.planes, step * units.words.count * lanes)
    for first in stride(from: 0, to: units.digits, by: step) {
      let digits = UInt32(min(step, units.digits - first))
      xbar_build_planes(
        magnitudes, units.words, units.words.count, UInt32(first), digits, UInt32(layer.dacBits), planes)
      units.count(planes, digits, counts)
    }
    try addActivations(units, counts, &scratch)
  }

  /// Events of units, and the cycles of a pass, for the units of each group and window.
  private mutating func addActivations(
    _ units: UnitCounts, _ counts: UnsafePointer<UInt32>, _ scratch: inout Scratch
  ) throws(Diagnostic) {
    let places = units.fixedActivations.count
    let activations: UnsafeMutablePointer<Int> = try scratch.take(.activations, places * windows)
    for place in 0..<places {
      (activations + place * windows).update(repeating: units.fixedActivations[place], count: windows)
    }
    for (number, group) in units.groups.enumerated() {
      let counts = counts + number * Int(XBAR_PANEL)
      var total = 0
      for window in 0..<windows { total += Int(counts[window]) }
      events.ouActivations &+= total &* group.unitColumns
      events.adcConversions &+= total &* group.conversions
      events.shiftAdds &+= total &* group.conversions
      if group.isDynamic { events.wordlineVectors &+= total &* group.members.count }
      for member in group.members {
        let target = activations + member.place * windows
        for window in 0..<windows { target[window] += Int(counts[window]) * member.unitColumns }
      }
    }
    for window in 0..<windows {
      var longest = 0
      for place in 0..<places { longest = max(longest, activations[place * windows + window]) }
      events.cycles &+= longest &+ plan.pipelineCycles
    }
  }
}

extension UnitCounts {
  /// Adds the units of each group and window to `counts[groups][32]`, for `digits` planes.
  fileprivate func count(
    _ planes: UnsafePointer<UInt64>, _ digits: UInt32, _ counts: UnsafeMutablePointer<UInt32>
  ) {
    maskWords.withUnsafeBufferPointer { maskWords in
      masks.withUnsafeBufferPointer { masks in
        guard let firstWord = maskWords.baseAddress, let firstMask = masks.baseAddress else { return }
        for (number, group) in groups.enumerated() {
          for unit in group.units {
            var wordlines = xbar_wordline_masks(
              words: firstWord + unit.masks.lowerBound, masks: firstMask + unit.masks.lowerBound,
              count: UInt32(unit.masks.count), height: UInt32(unit.height))
            xbar_count_units(&wordlines, planes, words.count, digits, counts + number * Int(XBAR_PANEL))
          }
        }
      }
    }
  }
}
