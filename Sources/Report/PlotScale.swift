import Glibc

/// An axis of a plot with its range and its ticks.
struct PlotScale: Equatable {
  /// A marked value.
  struct Tick: Equatable {
    /// The value.
    let value: Double
    /// The value as printed.
    let text: String
  }

  /// How values are spaced.
  let scale: LinePlot.Scale
  /// The values at the axis's two ends, which differ.
  let range: ClosedRange<Double>
  /// The marked values in growing order.
  let ticks: [Tick]
  /// Values that deserve a faint line, ticks among them.
  let minor: [Double]

  /// Settles the axis for `values`. An axis that `reachesTicks` begins and ends at a tick unless its range is given.
  init(_ axis: LinePlot.Axis, values: [Double], reachesTicks: Bool) {
    let shown = values.filter { axis.scale.shows($0) }
    let given = axis.range.flatMap { axis.scale.shows($0) ? $0 : nil }
    scale = axis.scale
    switch axis.scale {
    case .linear:
      let data = given ?? linearRange(shown)
      let isWhole = !axis.isPercent && shown.allSatisfy { $0 == $0.rounded() }
      let steps = LinearSteps(data, isWhole: isWhole)
      range = given == nil && reachesTicks ? steps.reaching(data) : data
      ticks = steps.ticks(in: range, isPercent: axis.isPercent)
      minor = []
    case .log2, .log10:
      let ladder = Ladder(base: axis.scale == .log2 ? 2 : 10)
      range = given ?? ladder.reaching(shown)
      ticks = ladder.ticks(in: range, isPercent: axis.isPercent)
      minor = ladder.minor(in: range)
    }
  }

  /// The position of `value`: 0 at the start, 1 at the end, beyond them outside; nil where it has no place.
  func place(_ value: Double) -> Double? {
    guard scale.shows(value) else { return nil }
    let start = scale.position(range.lowerBound)
    return (scale.position(value) - start) / (scale.position(range.upperBound) - start)
  }
}

extension LinePlot.Scale {
  /// Magnitudes that are drawn; nothing is lost in computing with them.
  private static var magnitudes: ClosedRange<Double> { 1e-200...1e200 }

  /// Whether `value` has a place.
  func shows(_ value: Double) -> Bool {
    let isLinear = self == .linear
    return Self.magnitudes.contains(isLinear ? abs(value) : value) || isLinear && value == 0
  }

  /// Whether an axis can lead from one end of `range` to the other.
  func shows(_ range: ClosedRange<Double>) -> Bool {
    shows(range.lowerBound) && shows(range.upperBound) && !isNarrow(range)
  }

  /// The value, or its logarithm.
  func position(_ value: Double) -> Double {
    switch self {
    case .linear: value
    case .log2: Glibc.log2(value)
    case .log10: Glibc.log10(value)
    }
  }
}

/// Room for rounding when values are compared with ticks.
private let slack = 1e-9

/// Whether the ends of `range` are too close to be told apart by ticks.
private func isNarrow(_ range: ClosedRange<Double>) -> Bool {
  range.upperBound - range.lowerBound <= 1e-6 * max(abs(range.lowerBound), abs(range.upperBound))
}

/// `mantissa` times ten to the `exponent`, correctly rounded for everyday exponents.
private func decimal(_ mantissa: Int, _ exponent: Int) -> Double {
  let power = pow(10, Double(abs(exponent)))
  return exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
}

/// From the smallest of `values` to the largest; a range around a single value; 0 to 1 for none.
private func linearRange(_ values: [Double]) -> ClosedRange<Double> {
  guard let low = values.min(), let high = values.max() else { return 0...1 }
  guard isNarrow(low...high) else { return low...high }
  let margin = max(abs(low), abs(high)) / 20
  return margin > 1e-200 ? low - margin...high + margin : -1...1
}

/// Ticks in equal steps of 1, 2 or 5 times a power of ten.
private struct LinearSteps {
  private let factor: Int
  private let exponent: Int

  /// Steps that cut `range` into two to six, but not into fractions where values are whole.
  init(_ range: ClosedRange<Double>, isWhole: Bool) {
    let least = (range.upperBound - range.lowerBound) / 6 * (1 - slack)
    let power = Int(log10(least).rounded(.down))
    let factor = [1, 2, 5].first { decimal($0, power) >= least }
    let exponent = factor == nil ? power + 1 : power
    let isFraction = isWhole && exponent < 0
    self.factor = isFraction ? 1 : factor ?? 1
    self.exponent = isFraction ? 0 : exponent
  }

  private var step: Double { decimal(factor, exponent) }

  /// `range` up to the next tick on both sides.
  func reaching(_ range: ClosedRange<Double>) -> ClosedRange<Double> {
    let first = Int((range.lowerBound / step + slack).rounded(.down))
    let last = Int((range.upperBound / step - slack).rounded(.up))
    return decimal(factor * first, exponent)...decimal(factor * max(last, first + 1), exponent)
  }

  /// The ticks inside `range`.
  func ticks(in range: ClosedRange<Double>, isPercent: Bool) -> [PlotScale.Tick] {
    let first = Int((range.lowerBound / step - slack).rounded(.up))
    let last = Int((range.upperBound / step + slack).rounded(.down))
    guard first <= last else { return [] }
    let largest = max(abs(first), abs(last)) * factor
    let isPlain = isPercent || exponent >= -6 && decimal(largest, exponent) < 1e7
    let power = exponent + String(largest).count - 1
    return (first...last).map { count in
      let value = decimal(factor * count, exponent)
      if isPlain { return plainTick(value, -exponent, isPercent) }
      if count == 0 { return PlotScale.Tick(value: 0, text: "0") }
      let mantissa = fixed(decimal(factor * count, exponent - power), decimals: power - exponent)
      return PlotScale.Tick(value: value, text: "\(mantissa)×\(powerText(10, power))")
    }
  }
}

/// Growing values whose factors are about equal: powers of two, or 1, 2 and 5 times powers of ten.
private struct Ladder {
  let base: Int

  /// The factors within a power.
  var factors: [Int] { base == 2 ? [1] : [1, 2, 5] }

  /// Rung `index` as a factor and an exponent of the base.
  func parts(_ index: Int) -> (factor: Int, exponent: Int) {
    let exponent = Int((Double(index) / Double(factors.count)).rounded(.down))
    return (factors[index - exponent * factors.count], exponent)
  }

  /// The value of rung `index`.
  func value(_ index: Int) -> Double {
    let (factor, exponent) = parts(index)
    return base == 2 ? exp2(Double(exponent)) : decimal(factor, exponent)
  }

  /// The last rung that is not above `value`.
  func below(_ value: Double) -> Int {
    let power = base == 2 ? log2(value) : log10(value)
    var index = (Int(power.rounded(.down)) + 1) * factors.count
    while self.value(index) > value * (1 + slack) { index -= 1 }
    return index
  }

  /// The first rung that is not below `value`.
  func above(_ value: Double) -> Int {
    let index = below(value)
    return self.value(index) < value * (1 - slack) ? index + 1 : index
  }

  /// A range between rungs that holds `values`.
  func reaching(_ values: [Double]) -> ClosedRange<Double> {
    guard let low = values.min(), let high = values.max() else { return value(0)...value(factors.count) }
    let (first, last) = (below(low), above(high))
    return first < last ? value(first)...value(last) : value(first - 1)...value(first + 1)
  }
}

extension Ladder {
  /// A tick for each rung inside `range`, or at some of the powers where these would be more than nine.
  func ticks(in range: ClosedRange<Double>, isPercent: Bool) -> [PlotScale.Tick] {
    let (most, first) = (9, above(range.lowerBound))
    let rungs = Array(first..<max(first, below(range.upperBound) + 1))
    let powers = (rungs.count + factors.count * most - 1) / (factors.count * most)
    let stride = rungs.count <= most ? 1 : powers * factors.count
    let shown = rungs.filter { $0 % stride == 0 }
    let places = base == 2 ? -5...20 : -4...6
    let isPlain = isPercent || shown.allSatisfy { places.contains(parts($0).exponent) }
    return shown.map { rung in
      let (factor, exponent) = parts(rung)
      if isPlain { return plainTick(value(rung), -exponent, isPercent) }
      let power = powerText(base, exponent)
      return PlotScale.Tick(value: value(rung), text: factor == 1 ? power : "\(factor)×\(power)")
    }
  }

  /// Multiples of powers of ten inside `range`, unless it spans many.
  func minor(in range: ClosedRange<Double>) -> [Double] {
    let first = Int(log10(range.lowerBound).rounded(.down))
    let last = Int(log10(range.upperBound).rounded(.down))
    guard base == 10, last - first <= 6 else { return [] }
    return (first...last).flatMap { exponent in (1...9).map { decimal($0, exponent) } }
      .filter { range.contains($0) }
  }
}

/// A tick without a power; `decimals` are those of the value, not of its percentage.
private func plainTick(_ value: Double, _ decimals: Int, _ isPercent: Bool) -> PlotScale.Tick {
  let number = isPercent ? value * 100 : value
  let places = max(0, isPercent ? decimals - 2 : decimals)
  let isWhole = places == 0 && abs(number) < 1e15
  let digits = isWhole ? grouped(Int(number.rounded())) : fixed(number, decimals: places)
  return PlotScale.Tick(value: value, text: isPercent ? "\(digits) %" : digits)
}

/// A power with raised digits, which need no markup: `10⁻³`.
private func powerText(_ base: Int, _ exponent: Int) -> String {
  let raised = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
  let digits = String(abs(exponent)).compactMap { $0.wholeNumberValue.map { raised[$0] } }
  return "\(base)\(exponent < 0 ? "⁻" : "")\(String(digits))"
}
