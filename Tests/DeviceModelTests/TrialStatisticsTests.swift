import Foundation
import Support
import Testing

@testable import DeviceModel

/// Values around 0 with variance 1, drawn by the method of Box and Muller.
private func normalValues(_ count: Int, _ generator: inout SeededGenerator) -> [Double] {
  (0..<count).map { _ in
    let (radius, angle) = (generator.unit(), generator.unit())
    return (-2 * log(1 - radius)).squareRoot() * cos(2 * .pi * angle)
  }
}

private func isNear(_ a: Double?, _ b: Double, _ tolerance: Double = 1e-12) -> Bool {
  a.map { abs($0 - b) <= tolerance * max(1, abs(b)) } ?? false
}

@Suite struct StudentTests {
  /// Quantiles of printed tables, and with more digits from arithmetic with 30 digits.
  @Test(arguments: [
    (1, 12.7062047361747), (2, 4.30265272974946), (3, 3.18244630528371), (4, 2.77644510519779),
    (7, 2.36462425159279), (9, 2.26215716279821), (29, 2.0452296421327), (50, 2.00855911210076),
    (99, 1.98421695158642), (1000, 1.96233908082641), (10_000, 1.96020123989063), (10_001, 1.96020121616464),
    (1_000_000, 1.95996635681411),
  ])
  func quantilesAreThoseOfTables(degrees: Int, expected: Double) {
    #expect(abs(studentQuantile95(degreesOfFreedom: degrees) - expected) < 1e-9)
  }

  @Test func quantilesFallTowardsThatOfTheNormalDistribution() {
    var last = Double.infinity
    for degrees in Array(1...300) + [1000, 9999, 10_000, 10_001, 10_002, 1_000_000, .max] {
      let quantile = studentQuantile95(degreesOfFreedom: degrees)
      #expect(quantile <= last && quantile > 1.95996398, "\(degrees)")
      last = quantile
    }
    #expect(isNear(last, 1.959963984540054))
  }

  @Test func withoutFreedomNothingIsKnown() {
    for degrees in [0, -1, .min] { #expect(studentQuantile95(degreesOfFreedom: degrees) == .infinity) }
  }

  @Test func incompleteBetaFunction() {
    #expect(isNear(incompleteBeta(0.3, 2, 5), 0.579825) && isNear(incompleteBeta(0.5, 3, 3), 0.5))
    #expect(isNear(incompleteBeta(0.9, 0.5, 7.5), 0.99999999328971))
    #expect(abs(incompleteBeta(0.01, 10, 0.5) / 1.77003496552857e-21 - 1) < 1e-11)
    #expect(incompleteBeta(0, 2, 3) == 0 && incompleteBeta(1, 2, 3) == 1)
    // With a second parameter of 1 it is a power, with a first one of 1 the complement of one.
    for x in [0.01, 0.2, 0.5, 0.7, 0.99] {
      for a in [0.5, 1, 2.5, 20] {
        #expect(isNear(incompleteBeta(x, a, 1), pow(x, a)))
        #expect(isNear(incompleteBeta(x, 1, a), 1 - pow(1 - x, a)))
        #expect(isNear(incompleteBeta(x, a, 3) + incompleteBeta(1 - x, 3, a), 1))
      }
    }
  }
}

@Suite struct TrialStatisticsTests {
  @Test func sumsUpTrials() throws {
    let statistics = try #require(TrialStatistics([2, 4, 4, 4, 5, 5, 7, 9]))
    #expect(statistics.count == 8 && isNear(statistics.mean, 5))
    #expect(isNear(statistics.standardDeviation, (32.0 / 7).squareRoot()))
    // 2.364624 is the quantile for 7 degrees of freedom.
    #expect(isNear(statistics.confidenceHalfWidth, 2.36462425159279 * (32.0 / 7 / 8).squareRoot(), 1e-9))
    #expect(statistics.minimum == 2 && statistics.maximum == 9)
  }

  @Test func noTrialAndOneTrial() throws {
    #expect(TrialStatistics([]) == nil)
    let single = try #require(TrialStatistics([0.25]))
    #expect(single.count == 1 && single.mean == 0.25 && single.minimum == 0.25 && single.maximum == 0.25)
    #expect(single.standardDeviation == nil && single.confidenceHalfWidth == nil)
    let pair = try #require(TrialStatistics([1, 3]))
    #expect(isNear(pair.standardDeviation, 2.0.squareRoot()))
    #expect(isNear(pair.confidenceHalfWidth, 12.7062047361747, 1e-9))
  }

  @Test func equalTrialsHaveNoSpread() throws {
    for value in [0.1, 0.9123, -3, 1e300] {
      let statistics = try #require(TrialStatistics([Double](repeating: value, count: 37)))
      #expect(statistics.mean == value && statistics.standardDeviation == 0)
      #expect(statistics.confidenceHalfWidth == 0)
    }
  }

  @Test func largeMeansDoNotHideTheSpread() throws {
    let statistics = try #require(TrialStatistics([4, 7, 13, 16].map { 1e9 + $0 }))
    #expect(statistics.mean == 1e9 + 10 && isNear(statistics.standardDeviation, 30.0.squareRoot()))
  }

  @Test func undefinedTrialsLeaveNothingDefined() throws {
    for values in [[.nan, 1, 2], [1, .nan, 2], [1, 2, .nan]] {
      let statistics = try #require(TrialStatistics(values))
      #expect(statistics.count == 3 && statistics.mean.isNaN && statistics.minimum.isNaN)
      #expect(statistics.maximum.isNaN && statistics.standardDeviation?.isNaN == true)
      #expect(statistics.confidenceHalfWidth?.isNaN == true)
    }
    let infinite = try #require(TrialStatistics([1, .infinity]))
    #expect(infinite.mean == .infinity && infinite.minimum == 1 && infinite.maximum == .infinity)
  }

  @Test func agreesWithTheTwoPasses() throws {
    var generator = SeededGenerator(seed: 5)
    for count in [2, 3, 10, 1000] {
      let values = normalValues(count, &generator).map { 3 + 0.5 * $0 }
      let mean = values.reduce(0, +) / Double(count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let statistics = try #require(TrialStatistics(values))
      #expect(isNear(statistics.mean, mean))
      #expect(isNear(statistics.standardDeviation, (squares / Double(count - 1)).squareRoot()))
      #expect(statistics.minimum == values.min() && statistics.maximum == values.max())
    }
  }

  @Test(arguments: [2, 3, 5, 20]) func nineteenOfTwentyIntervalsHoldTheMean(count: Int) throws {
    var generator = SeededGenerator(seed: UInt64(count))
    let experiments = 4000
    let hits = try (0..<experiments).count { _ in
      let statistics = try #require(TrialStatistics(normalValues(count, &generator)))
      return abs(statistics.mean) <= (statistics.confidenceHalfWidth ?? 0)
    }
    // Four standard deviations of the share of hits are 1.4 %.
    #expect(abs(Double(hits) / Double(experiments) - 0.95) < 0.014)
  }
}
