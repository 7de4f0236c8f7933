import Foundation
import ProgramSamples
import Support
import Testing

/// Counts of `draws` values in 20 bins; the sum of three numbers in 0 ..< 1, moved by `shift`.
private func histogram(_ draws: Int, shift: Double = 0, _ generator: inout SeededGenerator) -> [Int] {
  var counts = [Int](repeating: 0, count: 20)
  for _ in 0..<draws {
    let value = generator.unit() + generator.unit() + generator.unit() + shift
    counts[min(19, max(0, Int(value * 20 / 3)))] += 1
  }
  return counts
}

@Suite struct GoodnessOfFitTests {
  /// Printed tables, and arithmetic with 30 digits.
  @Test(arguments: [
    (3.841458820694124, 1, 0.05), (18.307038053275146, 10, 0.05), (0.5, 1, 0.479500122186953),
    (200, 3, 4.21854110719204e-43), (5, 10, 0.891178018914151), (90, 100, 0.75319796559983),
    (1200, 1000, 1.22559423306229e-5), (1000, 1000, 0.49405285382924), (0.01, 30, 1),
  ])
  func probabilitiesAreThoseOfTables(statistic: Double, degrees: Int, expected: Double) {
    let found = chiSquarePValue(statistic: statistic, degreesOfFreedom: degrees)
    #expect(abs(found / expected - 1) < 1e-10)
  }

  @Test func twoDegreesAreAnExponential() {
    for statistic in [0.001, 0.5, 1, 2, 3.9, 4, 4.1, 10, 100, 700] {
      let found = chiSquarePValue(statistic: statistic, degreesOfFreedom: 2)
      #expect(abs(found / exp(-statistic / 2) - 1) < 1e-12)
    }
  }

  @Test func edgesOfTheProbability() {
    #expect(chiSquarePValue(statistic: 0, degreesOfFreedom: 3) == 1)
    #expect(chiSquarePValue(statistic: -1, degreesOfFreedom: 3) == 1)
    #expect(chiSquarePValue(statistic: 5, degreesOfFreedom: 0) == 1)
    #expect(chiSquarePValue(statistic: .infinity, degreesOfFreedom: 3) == 0)
    #expect(chiSquarePValue(statistic: .nan, degreesOfFreedom: 3).isNaN)
  }

  @Test func comparesCountsWithProbabilities() {
    // A die thrown 60 times: 25 + 4 + 1 + 1 + 4 + 25 over 10.
    let sixth = [Double](repeating: 1.0 / 6, count: 6)
    let die = ChiSquareTest(observed: [5, 8, 9, 11, 12, 15], probabilities: sixth)
    #expect(abs(die.statistic - 6) < 1e-12 && die.degreesOfFreedom == 5)
    #expect(abs(die.pValue - 0.306218918413278) < 1e-10)
    #expect(ChiSquareTest(observed: [10, 10], probabilities: [0.5, 0.5]).pValue == 1)
  }

  @Test func comparesTwoSamples() {
    // Expected are 15 and 25 of each; 25 / 15 twice and 25 / 25 twice.
    let test = ChiSquareTest([10, 30], [20, 20])
    #expect(abs(test.statistic - 16.0 / 3) < 1e-12 && test.degreesOfFreedom == 1)
    // Samples of different sizes and the same shares.
    #expect(ChiSquareTest([10, 20, 30], [100, 200, 300]).statistic < 1e-12)
    #expect(
      ChiSquareTest([10, 20, 30], [100, 200, 300]) == ChiSquareTest([10, 20, 30, 0], [100, 200, 300]))
  }

  @Test func rareBinsArePooled() {
    // The first three bins become one; the last two have no room for 5 and join the fourth.
    let rare = ChiSquareTest(
      observed: [2, 2, 2, 10, 3, 1], probabilities: [0.1, 0.1, 0.1, 0.5, 0.1, 0.1])
    #expect(rare.degreesOfFreedom == 1 && rare.statistic == 0)
    #expect(ChiSquareTest([1, 2, 1], [0, 1, 2]).degreesOfFreedom == 0)
    #expect(ChiSquareTest([], []).pValue == 1 && ChiSquareTest([0, 0], [9, 9]).pValue == 1)
    #expect(ChiSquareTest([1000, 3], [1000, 3]).degreesOfFreedom == 0)
  }

  @Test func impossibleCountsAreRejected() {
    let test = ChiSquareTest(observed: [50, 50, 1], probabilities: [0.5, 0.5, 0])
    #expect(test.pValue == 0)
    #expect(ChiSquareTest(observed: [50, 50, 0], probabilities: [0.5, 0.5, 0]).pValue > 0.99)
    #expect(ChiSquareTest(observed: [1], probabilities: [0]).pValue == 0)
  }

  @Test func equalDistributionsAreAccepted() {
    var generator = SeededGenerator(seed: 21)
    let tests = (0..<400).map { _ in
      ChiSquareTest(histogram(500, &generator), histogram(800, &generator))
    }
    let rejected = tests.count { $0.pValue < 0.05 }
    // 20 of 400 are expected, with a standard deviation of 4.4.
    #expect((7...38).contains(rejected), "\(rejected)")
    #expect(tests.allSatisfy { $0.pValue > 1e-5 && $0.degreesOfFreedom > 8 })
    let mean = tests.reduce(0) { $0 + $1.pValue } / 400
    #expect(abs(mean - 0.5) < 0.06)
  }

  @Test func drawnCountsFitTheirProbabilities() {
    var generator = SeededGenerator(seed: 22)
    let probabilities = [0.5, 0.25, 0.125, 0.0625, 0.0625]
    let tests = (0..<400).map { _ in
      var counts = [0, 0, 0, 0, 0]
      for _ in 0..<300 { counts[min(4, generator.next().leadingZeroBitCount)] += 1 }
      return ChiSquareTest(observed: counts, probabilities: probabilities)
    }
    #expect((7...38).contains(tests.count { $0.pValue < 0.05 }))
    #expect(tests.allSatisfy { $0.pValue > 1e-5 && $0.degreesOfFreedom == 4 })
  }

  @Test func shiftedDistributionsAreRejected() {
    var generator = SeededGenerator(seed: 23)
    for _ in 0..<50 {
      let test = ChiSquareTest(histogram(2000, &generator), histogram(2000, shift: 0.15, &generator))
      #expect(test.pValue < 0.001)
    }
  }
}
