import Glibc

/// The outcome of a chi-square test.
public struct ChiSquareTest: Equatable, Sendable {
  /// The sum over all bins of squared differences over expected counts.
  public let statistic: Double
  /// How many differences are free; 0 where there was nothing to compare.
  public let degreesOfFreedom: Int

  /// How probable a statistic at least as large is where the distributions are the same.
  public var pValue: Double { chiSquarePValue(statistic: statistic, degreesOfFreedom: degreesOfFreedom) }

  /// Whether `observed` counts may come from a distribution that gives bin `k` the probability `probabilities[k]`.
  /// Neighboring bins are pooled until 5 are expected in each. A count where none can be makes the statistic infinite.
  public init(observed: [Int], probabilities: [Double]) {
    let total = Double(observed.reduce(0, +))
    let bins = zip(observed, probabilities).map { [Double($0)] + [$1 * total] }
    let isImpossible = bins.contains { $0[0] > 0 && $0[1] <= 0 }
    let pooled = pool(bins) { $0[1] }
    let sum = pooled.reduce(0) { $0 + share($1[0], expected: $1[1]) }
    statistic = isImpossible ? .infinity : sum
    degreesOfFreedom = isImpossible ? max(1, pooled.count - 1) : max(0, pooled.count - 1)
  }

  /// Whether two samples, counted in the same bins, may come from the same distribution; missing bins count 0.
  /// Neighboring bins are pooled until 5 are expected in each of both samples.
  public init(_ first: [Int], _ second: [Int]) {
    let totals = [first, second].map { Double($0.reduce(0, +)) }
    let all = max(1, totals[0] + totals[1])
    let bins = (0..<max(first.count, second.count)).map { index in
      [first, second].map { $0.indices.contains(index) ? Double($0[index]) : 0 }
    }
    let smaller = min(totals[0], totals[1])
    let pooled = pool(bins) { ($0[0] + $0[1]) * smaller / all }
    statistic = pooled.reduce(0) { sum, bin in
      let both = bin[0] + bin[1]
      return sum + share(bin[0], expected: both * totals[0] / all)
        + share(bin[1], expected: both * totals[1] / all)
    }
    degreesOfFreedom = max(0, pooled.count - 1)
  }
}

/// What a bin adds to the statistic.
private func share(_ count: Double, expected: Double) -> Double {
  expected > 0 ? (count - expected) * (count - expected) / expected : 0
}

/// Joins neighboring bins until 5 are expected in each; what remains at the end joins the last bin.
private func pool(_ bins: [[Double]], expected: ([Double]) -> Double) -> [[Double]] {
  var pooled: [[Double]] = []
  var open = [0.0, 0.0]
  for bin in bins {
    open = zip(open, bin).map(+)
    guard expected(open) >= 5 else { continue }
    pooled.append(open)
    open = [0, 0]
  }
  if let last = pooled.popLast() { return pooled + [zip(last, open).map(+)] }
  return [open]
}

/// The probability that a chi-square variable with `degreesOfFreedom` is at least `statistic`; 1 for none.
public func chiSquarePValue(statistic: Double, degreesOfFreedom: Int) -> Double {
  guard degreesOfFreedom > 0, statistic > 0 else { return statistic.isNaN ? .nan : 1 }
  guard statistic.isFinite else { return 0 }
  return upperGamma(Double(degreesOfFreedom) / 2, statistic / 2)
}

/// The regularized upper incomplete gamma function, for positive `a` and `x`.
///
/// Source: NIST Digital Library of Mathematical Functions, 8.7.1 (the series of the lower one) and 8.9.2 (the continued
/// fraction).
private func upperGamma(_ a: Double, _ x: Double) -> Double {
  let front = exp(a * log(x) - x - lgamma(a).0)
  return x < a + 1 ? 1 - front * lowerSeries(a, x) : front * upperFraction(a, x)
}

/// The sum of x^n / (a (a + 1) ... (a + n)) over all n.
private func lowerSeries(_ a: Double, _ x: Double) -> Double {
  var term = 1 / a
  var sum = term
  var next = a
  while term > sum * 1e-16 {
    next += 1
    term *= x / next
    sum += term
  }
  return sum
}

/// The fraction 1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - 2 (2 - a) / ...)) from the front, by the method of Lentz.
private func upperFraction(_ a: Double, _ x: Double) -> Double {
  var below = x + 1 - a
  var ratio = below
  var inverse = 0.0
  var value = below
  for step in 1...100_000 {
    let term = Double(step) * (a - Double(step))
    below += 2
    inverse = 1 / (below + term * inverse)
    ratio = below + term / ratio
    value *= ratio * inverse
    if abs(ratio * inverse - 1) < 1e-15 { break }
  }
  return 1 / value
}
