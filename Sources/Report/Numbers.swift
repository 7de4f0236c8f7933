/// A number with a fixed count of decimals, rounded half away from zero: `1.50`. Values that are not finite print
/// as `inf`, `-inf` and `nan`.
public func fixed(_ value: Double, decimals: Int) -> String {
  guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
  let places = max(0, min(decimals, 9))
  var power = 1.0
  for _ in 0..<places { power *= 10 }
  let scaled = (abs(value) * power).rounded()
  guard scaled < 0x1p62 else { return "\(value)" }
  let digits = String(Int(scaled))
  let filled = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
  let sign = value < 0 && scaled > 0 ? "-" : ""
  let whole = filled.dropLast(places)
  return places == 0 ? sign + whole : "\(sign)\(whole).\(filled.suffix(places))"
}

/// A number with three significant digits and no exponent for 0.001 ... 1e6: `12.3`.
public func significant(_ value: Double) -> String {
  let size = abs(value)
  if size >= 99.95 { return fixed(value, decimals: 0) }
  if size >= 9.995 { return fixed(value, decimals: 1) }
  if size >= 0.9995 || size == 0 { return fixed(value, decimals: 2) }
  return fixed(value, decimals: 4)
}

/// A whole number with commas between groups of three digits: `1,234,567`.
public func grouped(_ value: Int) -> String {
  let digits = Array(String(value.magnitude))
  var text = value < 0 ? "-" : ""
  for (index, digit) in digits.enumerated() {
    if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
    text.append(digit)
  }
  return text
}

/// A share as a percentage with two decimals: `98.76 %`.
public func percentage(_ share: Double) -> String { "\(fixed(share * 100, decimals: 2)) %" }

/// An interval of shares as percentages: `91.35 % to 92.42 %`.
public func intervalText(_ low: Double, _ high: Double) -> String {
  "\(percentage(low)) to \(percentage(high))"
}

/// How many times `part` goes into `whole`: `2.74x`, or `-` where `part` is nothing.
public func factorText(_ whole: Double, over part: Double) -> String {
  part > 0 ? "\(fixed(whole / part, decimals: 2))x" : "-"
}

/// The share of `whole` that `part` leaves free: `71.38 %`, or `-` where `whole` is nothing.
public func savingText(_ part: Double, of whole: Double) -> String {
  whole > 0 ? percentage(1 - part / whole) : "-"
}

/// An energy with a fitting unit from fJ to J.
public func energyText(picojoules: Double) -> String {
  scaled(picojoules, [(1e-3, "fJ"), (1, "pJ"), (1e3, "nJ"), (1e6, "uJ"), (1e9, "mJ"), (1e12, "J")], from: 1)
}

/// A time with a fitting unit from ns to s.
public func timeText(nanoseconds: Double) -> String {
  scaled(nanoseconds, [(1, "ns"), (1e3, "us"), (1e6, "ms"), (1e9, "s")], from: 0)
}

/// An area in square millimeters.
public func areaText(squareMicrometers: Double) -> String { "\(significant(squareMicrometers / 1e6)) mm2" }

/// A size with a fitting unit from bytes to GiB.
public func byteText(_ bytes: Int) -> String {
  if bytes < 1024 { return "\(bytes) B" }
  return scaled(Double(bytes), [(1024, "KiB"), (1_048_576, "MiB"), (1_073_741_824, "GiB")], from: 0)
}

/// A duration for people: `4.2 s`, `3 min 05 s`, `2 h 07 min`.
public func durationText(seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
  if seconds < 60 { return "\(fixed(seconds, decimals: 1)) s" }
  let whole = Int(seconds.rounded())
  func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
  return whole < 3600
    ? "\(whole / 60) min \(two(whole % 60)) s" : "\(whole / 3600) h \(two(whole / 60 % 60)) min"
}

/// `value` in the largest unit that leaves at least one whole; `units` in growing order, `from` the one for 0.
private func scaled(_ value: Double, _ units: [(size: Double, name: String)], from zero: Int) -> String {
  let rounding = 0.9995
  let best =
    value == 0 ? zero : units.lastIndex { abs(value) >= $0.size * rounding } ?? 0
  guard units.indices.contains(best) else { return "\(value)" }
  return "\(significant(value / units[best].size)) \(units[best].name)"
}
