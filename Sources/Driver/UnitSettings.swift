import CodeGen
import Hardware
import IR
import Passes
import Support

/// Operation units and converters other than those of a scheme and its machine, such as the points of a sweep.
public struct UnitSettings: Hashable, Sendable {
  /// Wordlines of a unit; nil for the machine's. Where neither `adcBits` nor the scheme's options say how wide
  /// converters are, they are then as wide as a full unit needs, so that no conversion saturates.
  public var height: Int?
  /// Bits of a converter; nil for the machine's. The machine's own resolution stays what its energies refer to.
  public var adcBits: Int?

  /// The scheme's and the machine's own.
  public init(height: Int? = nil, adcBits: Int? = nil) {
    self.height = height
    self.adcBits = adcBits
  }
}

extension UnitSettings {
  /// The machine with units of the wanted height.
  ///
  /// Throws `compile.unit-height` where its crossbars are lower.
  func machine(_ machine: Machine) throws(Diagnostic) -> Machine {
    guard let height else { return machine }
    guard 1...machine.array.rows ~= height else {
      throw Diagnostic(
        "compile.unit-height",
        "a unit of \(height) wordlines is not inside of a crossbar of \(machine.name), which has \(machine.array.rows)"
      )
    }
    var changed = machine
    changed.array.unitHeight = height
    return changed
  }

  /// The passes with options of `form-units` for the wanted units and converters.
  ///
  /// Throws `compile.unit-height` for a scheme that has no units, or whole arrays for units.
  func calls(_ calls: [PassCall]) throws(Diagnostic) -> [PassCall] {
    guard height != nil || adcBits != nil else { return calls }
    guard let at = calls.firstIndex(where: { PassRegistry.standard.establishes(.partitioned, by: $0) }) else {
      throw Diagnostic("compile.unit-height", "the pipeline has no pass form-units")
    }
    var calls = calls
    if height != nil {
      try requireUnits(calls, calls[at])
      let isFixed = calls[at].options.contains { ["adc", "lossless", "full-scale"].contains($0.name) }
      if adcBits == nil && !isFixed { calls[at].set("lossless", .word("true")) }
    }
    if let adcBits {
      calls[at].set("adc", .int(Int64(adcBits)))
      calls[at].options.removeAll { $0.name == "lossless" }
    }
    return calls
  }

  /// Throws where the height of units is not free.
  private func requireUnits(_ calls: [PassCall], _ forming: PassCall) throws(Diagnostic) {
    if forming.options.contains(where: { $0.name == "whole" && $0.value == .word("true") }) {
      throw Diagnostic(
        "compile.unit-height", "the scheme reads whole arrays, so that its units have no height to choose",
        notes: ["take a scheme with operation units, such as dense, or add form-units(whole: false)"])
    }
    if calls.contains(where: { $0.options.contains { $0.name == "height" } }) {
      throw Diagnostic("compile.unit-height", "the height of units is given as an option of a pass, too")
    }
  }
}
