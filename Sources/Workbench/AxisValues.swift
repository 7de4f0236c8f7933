import Report
import Support

/// A value of an axis: as written, and as a number where it is one.
struct AxisValue: Hashable {
  let text: String
  let number: Double?

  /// A value as a user wrote it.
  init(_ text: String) {
    self.text = text
    number = Double(text).flatMap { $0.isFinite ? $0 : nil }
  }

  /// A number, written in the shortest form.
  init(_ number: Double) {
    let isWhole = number == number.rounded() && abs(number) < 1e15
    self.init(isWhole ? "\(Int(number))" : "\(number)")
  }
}

/// What `FIRST..LAST` stands for.
enum SpanMeaning {
  /// Powers of two.
  case powersOfTwo
  /// Every whole number.
  case wholeNumbers
  /// Nothing: steps must be given.
  case nothing
}

/// Values of one axis, at most.
let largestAxis = 10_000

/// Reads the values of an axis: `2,4,8`, `0:0.3:0.05` for start, end and step, `2..128` where `meaning` gives it one;
/// and lists of these.
///
/// Throws `sweep.values` for what is none of these, for no values and for too many, and for a duplicate value.
func axisValues(_ text: String, of axis: String, span meaning: SpanMeaning) throws(Diagnostic) -> [AxisValue]
{
  var values: [AxisValue] = []
  for part in text.split(separator: ",", omittingEmptySubsequences: false) {
    let item = part.filter { $0 != " " }
    values += try itemValues(item, AxisText(axis: axis, meaning: meaning))
    guard values.count <= largestAxis else { throw tooMany(axis) }
  }
  var seen: Set<AxisValue> = []
  for value in values where !seen.insert(value.number.map { AxisValue($0) } ?? value).inserted {
    throw Diagnostic("sweep.values", "\(axis) has the value \(value.text) twice")
  }
  return values
}

/// The axis for messages.
private struct AxisText {
  let axis: String
  let meaning: SpanMeaning

  func failure(_ item: String) -> Diagnostic {
    let span =
      switch meaning {
      case .powersOfTwo: ", or FIRST..LAST for powers of two, such as \(axis)=2..128"
      case .wholeNumbers: ", or FIRST..LAST for whole numbers, such as \(axis)=3..8"
      case .nothing: ""
      }
    return Diagnostic(
      "sweep.values",
      item.isEmpty ? "\(axis) has an empty value" : "\(axis) has no values '\(item.prefix(100))'",
      notes: ["write values with commas, or START:END:STEP, such as 0:0.3:0.05\(span)"])
  }
}

private func tooMany(_ axis: String) -> Diagnostic {
  Diagnostic("sweep.values", "\(axis) has more than \(grouped(largestAxis)) values")
}

private func itemValues(_ item: String, _ axis: AxisText) throws(Diagnostic) -> [AxisValue] {
  guard !item.isEmpty else { throw axis.failure(item) }
  if item.contains(":") { return try steps(item, axis) }
  if let dots = item.firstRange(of: "..") {
    return try span(item[..<dots.lowerBound], item[dots.upperBound...], item, axis)
  }
  return [AxisValue(item)]
}

/// `FIRST..LAST`.
private func span(
  _ first: Substring, _ last: Substring, _ item: String, _ axis: AxisText
) throws(Diagnostic) -> [AxisValue] {
  guard axis.meaning != .nothing, let first = Int(first), let last = Int(last), 0 < first, first <= last
  else {
    throw axis.failure(item)
  }
  guard axis.meaning == .powersOfTwo else {
    guard last - first < largestAxis else { throw tooMany(axis.axis) }
    return (first...last).map { AxisValue(Double($0)) }
  }
  let powers = (0..<31).map { 1 << $0 }.filter { first...last ~= $0 }
  guard !powers.isEmpty else {
    throw Diagnostic("sweep.values", "\(axis.axis) has no power of two in \(item)")
  }
  return powers.map { AxisValue(Double($0)) }
}

/// `START:END:STEP`: from the start in equal steps, up to the end.
private func steps(_ item: String, _ axis: AxisText) throws(Diagnostic) -> [AxisValue] {
  let parts = item.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
  let numbers = parts.compactMap { AxisValue($0).number }
  guard numbers.count == 3, parts.count == 3 else { throw axis.failure(item) }
  let (start, end, step) = (numbers[0], numbers[1], numbers[2])
  guard step > 0, start <= end else {
    throw Diagnostic(
      "sweep.values", "\(axis.axis) leads nowhere in \(item)",
      notes: ["the end must not be before the start, and the step be more than 0"])
  }
  // Room for rounding, so that 0:0.3:0.05 ends at 0.3.
  let count = (end - start) / step + 1e-9
  guard count < Double(largestAxis) else { throw tooMany(axis.axis) }
  let decimals = max(decimalPlaces(parts[0]), decimalPlaces(parts[2]))
  return (0...Int(count)).map { AxisValue(rounded(start + Double($0) * step, decimals: decimals)) }
}

/// Decimal places that a number is written with: 2 of `0.05`, 3 of `1e-3`.
private func decimalPlaces(_ text: String) -> Int {
  let parts = text.lowercased().split(separator: "e", maxSplits: 1)
  let fraction = parts.first?.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    .dropFirst().first
  let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
  return max(0, min(15, (fraction?.count ?? 0) - max(-400, min(400, exponent))))
}

/// The number with so many decimals that is nearest: a division of whole numbers is rounded once.
private func rounded(_ value: Double, decimals: Int) -> Double {
  var power = 1.0
  for _ in 0..<decimals { power *= 10 }
  return abs(value * power) < 1e15 ? (value * power).rounded() / power : value
}
