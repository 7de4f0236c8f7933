public import Mapping

/// What conversions of a device make of sums: for each number of active wordlines and each sum of levels, how often
/// each code is sensed.
///
/// Spec: ir-spec.md, *Error tables*. Source: C.-C. Lin et al., "DL-RSIM", ICCAD'18: distributions of accumulated currents by Monte Carlo, one for each number
/// of active wordlines, become error rates for each sum. A conversion then draws its code from the table, so that cells
/// are in effect programmed anew for every access, and all bitlines and converters are alike.
public struct ErrorTable: Equatable, Sendable {
  /// A code with the random words that lead to it.
  public struct Entry: Hashable, Sendable {
    /// Random words below this one lead to this code, or to one before it: a multiple of 1024, or the largest word for
    /// the last code of a sum.
    public let bound: UInt32
    /// The code; one more than the largest one for sums beyond it.
    public let code: Int32
  }

  /// The highest level of a cell.
  public let highestLevel: Int
  /// The largest number of active wordlines.
  public let height: Int
  /// The largest code of the converter.
  public let largestCode: Int
  /// Units that were drawn for each number of active wordlines.
  public let samples: Int
  /// `rows[active * (height * highestLevel + 1) + sum]` begins the entries of a sum; one more at the end.
  public let starts: [UInt32]
  /// Entries of all sums, the likeliest first.
  public let entries: [Entry]
  /// Share of all drawn units, with each number of active wordlines as often, that had another code than an ideal
  /// device.
  public let errorRates: [Double]

  /// Draws a table.
  ///
  /// `shares` has the share of each level among the cells, `converter` is what the layer has, `height` the most
  /// wordlines that a unit holds; fixed references are made for `ladderHeight` of them, or else for as many. A number
  /// of active wordlines that cannot make a sum, or made it in no drawn unit, takes over the differences of the nearest
  /// sum that was drawn.
  public init(
    _ device: Device, shares: [Double], height: Int, ladderHeight: Int? = nil, converter: Converter,
    samples: Int = 32_000, seed: UInt64 = 0
  ) {
    highestLevel = max(1, shares.count - 1)
    self.height = height
    self.samples = samples
    largestCode = converter.largestCode
    let sampler = UnitSampler(
      device, shares: shares, height: ladderHeight ?? height, converter: converter, seed: seed)
    var starts: [UInt32] = [0]
    var entries: [Entry] = []
    var rates: [Double] = []
    for active in 0...height {
      let histograms = sampler.histograms(active: active, samples: samples, sums: height * highestLevel + 1)
      rates.append(histograms.errorRate(converter))
      for sum in 0...height * highestLevel {
        entries += histograms.entries(of: sum, largestCode: converter.largestCode)
        starts.append(UInt32(entries.count))
      }
    }
    self.starts = starts
    self.entries = entries
    errorRates = rates
  }

  /// The codes of a sum with their probabilities.
  public func codes(active: Int, sum: Int) -> [(code: Int, probability: Double)] {
    let place = active * (height * highestLevel + 1) + sum
    var last = 0.0
    return entries[Int(starts[place])..<Int(starts[place + 1])].map { entry in
      let bound = entry.bound == .max ? 1 : Double(entry.bound) * 0x1p-32
      defer { last = bound }
      return (min(Int(entry.code), largestCode), bound - last)
    }
  }

  /// Whether a unit without an active wordline may give another code than 0.
  public var seesEmptyUnits: Bool { codes(active: 0, sum: 0).contains { $0.code != 0 && $0.probability > 0 } }
}

/// How often codes were sensed, by the sum of levels.
struct CodeHistograms {
  /// For each sum, how often each code.
  private var counts: [[Int32: Int]]

  init(sums: Int) { counts = [[Int32: Int]](repeating: [:], count: sums) }

  mutating func add(sum: Int, code: Int) { counts[sum][Int32(truncatingIfNeeded: code), default: 0] += 1 }

  /// Share of what was counted with another code than an ideal device gives.
  func errorRate(_ converter: Converter) -> Double {
    var (all, wrong) = (0, 0)
    for (sum, codes) in counts.enumerated() {
      let ideal = converter.convert(sum) / converter.step
      for (code, count) in codes {
        all += count
        if min(Int(code), converter.largestCode) != ideal { wrong += count }
      }
    }
    return all == 0 ? 0 : Double(wrong) / Double(all)
  }

  /// The entries of a sum, the likeliest code first; of codes as likely, the smaller one.
  func entries(of sum: Int, largestCode: Int) -> [ErrorTable.Entry] {
    guard let near = nearest(to: sum) else { return [ErrorTable.Entry(bound: .max, code: Int32(sum))] }
    let total = counts[near].values.reduce(0, +)
    let ordered = counts[near].sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    var passed = 0
    return ordered.enumerated().map { place, pair in
      passed += pair.value
      let share = Double(passed) / Double(total) * 0x1p32
      let code = max(0, min(Int(pair.key) + sum - near, largestCode + 1))
      return ErrorTable.Entry(
        bound: place == ordered.count - 1 ? .max : UInt32(min(share, 0x1p32 - 1)) & ~1023, code: Int32(code))
    }
  }

  /// The nearest sum that was counted; the smaller one of two.
  private func nearest(to sum: Int) -> Int? {
    for distance in 0..<counts.count {
      for place in [sum - distance, sum + distance] where counts.indices.contains(place) {
        if !counts[place].isEmpty { return place }
      }
    }
    return nil
  }
}
