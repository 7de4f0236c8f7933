import Report
import CommandLineTools
import DeviceModel
import Driver
import Support

/// What a sweep varies, with its values.
struct SweepAxis: Equatable {
  /// Where a value goes.
  enum Kind: Equatable {
    /// Wordlines of an operation unit.
    case unitHeight
    /// Bits of a converter.
    case converterBits
    /// A setting of the device.
    case device
  }

  /// As written, such as `height`, `sigma` or `readNoise.cell`.
  let name: String
  let kind: Kind
  let values: [AxisValue]

  /// Names of the axes of the program; all others are settings of the device.
  static let compiled = ["height", "adc"]

  /// The names of all axes.
  static var names: [String] { compiled + Device.shorthands + DeviceField.all.map(\.path) }

  /// Reads `AXIS=VALUES`, such as `height=2..128`.
  ///
  /// Throws `sweep.axis` for an unknown axis, and `sweep.values`.
  init(_ text: String) throws(Diagnostic) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts.first ?? "").filter { $0 != " " }
    guard parts.count == 2, !name.isEmpty else {
      throw Diagnostic(
        "sweep.axis", "--over is '\(text.prefix(100))'", notes: ["write AXIS=VALUES, such as height=2..128"])
    }
    guard SweepAxis.names.contains(name) else {
      throw Diagnostic(
        "sweep.axis", "no axis is called '\(name.prefix(100))'",
        notes: didYouMean(name, among: SweepAxis.names) + ["axes: \(SweepAxis.names.joined(separator: ", "))"]
      )
    }
    self.name = name
    switch name {
    case "height":
      kind = .unitHeight
      values = try axisValues(String(parts[1]), of: name, span: .powersOfTwo)
      try requireWhole(1...4096)
    case "adc":
      kind = .converterBits
      values = try axisValues(String(parts[1]), of: name, span: .wholeNumbers)
      try requireWhole(1...16)
    default:
      kind = .device
      values = try axisValues(String(parts[1]), of: name, span: .nothing)
      if let word = values.first(where: { $0.number == nil }), !isWord { throw notANumber(word) }
    }
  }

  private func requireWhole(_ range: ClosedRange<Int>) throws(Diagnostic) {
    for value in values {
      guard let number = Int(value.text), range.contains(number) else {
        throw Diagnostic(
          "sweep.values",
          "\(name) is \(value.text.prefix(100)), a whole number in \(range.lowerBound) ... \(range.upperBound) is expected"
        )
      }
    }
  }

  private func notANumber(_ value: AxisValue) -> Diagnostic {
    Diagnostic("sweep.values", "\(name) is \(value.text.prefix(100)), a number is expected")
  }

  private var field: DeviceField? { DeviceField.all.first { $0.path == name } }

  /// Whether values are words, such as `fixed` and `input-aware`.
  var isWord: Bool { field?.unit == "word" }

  /// Whether a word is one that the setting has; numbers are left to the device.
  func admits(_ value: AxisValue) -> Bool {
    guard let field, isWord else { return true }
    return field.expectation.split(separator: ",").contains { $0.filter { $0 != " " } == value.text }
  }

  /// What the axis is called in a plot.
  var label: String {
    switch name {
    case "height": return "active wordlines of an operation unit"
    case "adc": return "resolution of the converters (bits)"
    case "sigma": return "sigma of programmed conductances"
    case "sigma-scale": return "factor of sigma"
    case "ratio": return "on/off ratio of a cell"
    default: break
    }
    guard let field else { return name }
    let unit = ["1", "word"].contains(field.unit) ? "" : " (\(field.unit))"
    return "\(name): \(field.summary)\(unit)"
  }

  /// How a plot spaces the values: heights by powers of two, numbers over at least a decade by powers of ten unless
  /// they are in equal steps.
  var isLogarithmic: Bool {
    let numbers = values.compactMap(\.number).sorted()
    guard let first = numbers.first, let last = numbers.last, first > 0, last >= 10 * first else {
      return false
    }
    let step = (last - first) / Double(numbers.count - 1)
    return !zip(numbers, numbers.dropFirst()).allSatisfy { abs($1 - $0 - step) <= 1e-6 * step }
  }

  /// Units and converters with a value set, where the axis is one of the program.
  func apply(_ value: AxisValue, to units: UnitSettings) -> UnitSettings {
    var units = units
    switch kind {
    case .unitHeight: units.height = Int(value.text)
    case .converterBits: units.adcBits = Int(value.text)
    case .device: break
    }
    return units
  }
}
