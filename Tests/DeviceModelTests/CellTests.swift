import DeviceModel
import Glibc
import ProgramSamples
import Support
import Testing

@Suite struct CellTests {
  private static let count = 60_000

  /// Conductances of cells of a level, in steps, under a device with `settings`.
  private func cells(
    _ settings: [String: String], level: Int, levels: Int = 4, count: Int = count, crossbar: Int = 0
  ) throws -> (values: [Double], nominal: Double) {
    var device = Device.ideal
    for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
      device = try device.setting(name, to: value)
    }
    let programmer = CellProgrammer(device, levels: levels, seed: 41, trial: 2)
    let values = programmer.conductances([UInt8](repeating: UInt8(level), count: count), crossbar: crossbar)
    return (values.map { Double($0) }, Double(programmer.nominal[level]))
  }

  private func moments(_ x: [Double]) -> (mean: Double, deviation: Double) {
    let mean = x.reduce(0, +) / Double(x.count)
    return (mean, (x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)).squareRoot())
  }

  /// Whether numbers are normal with a mean of 0 and a deviation of 1: a chi-square test of 20 bins, and their moments.
  private func expectNormal(_ z: [Double], _ place: SourceLocation = #_sourceLocation) {
    // Quantiles of the normal distribution at 0.05, 0.10, ..., 0.95.
    let half = [0.125661, 0.253347, 0.385320, 0.524401, 0.674490, 0.841621, 1.036433, 1.281552, 1.644854]
    let bounds = half.reversed().map { -$0 } + [0] + half
    var counts = [Int](repeating: 0, count: 20)
    for value in z { counts[bounds.count { $0 < value }] += 1 }
    let test = ChiSquareTest(observed: counts, probabilities: [Double](repeating: 0.05, count: 20))
    #expect(test.pValue > 0.001, "\(counts)", sourceLocation: place)
    let (mean, deviation) = moments(z)
    let error = 4 / Double(z.count).squareRoot()
    #expect(abs(mean) < error && abs(deviation - 1) < error, "\(mean) \(deviation)", sourceLocation: place)
  }

  // MARK: - Nominal conductances

  /// 1/3 of the way from 1/30,000 to 1/10,000 siemens; of 30,000 to 10,000 ohm; of their logarithms.
  @Test func levelsLieAsTheirSpacingSays() throws {
    var cell = CellResistances()
    cell.offResistance = 30_000
    func microsiemens(_ spacing: CellResistances.Spacing) -> [Double] {
      cell.spacing = spacing
      return (0..<4).map { cell.conductance(of: $0, levels: 4) * 1e6 }
    }
    func expect(_ found: [Double], _ expected: [Double]) {
      for (a, b) in zip(found, expected) { #expect(abs(a - b) < 0.01, "\(found)") }
    }
    expect(microsiemens(.conductance), [33.333, 55.556, 77.778, 100])
    expect(microsiemens(.resistance), [33.333, 1e6 / 23_333.333, 1e6 / 16_666.667, 100])
    expect(microsiemens(.logarithm), [33.333, 48.075, 69.336, 100])
    #expect(abs(cell.step(levels: 4) * 1e6 - 22.222) < 0.001)
    #expect(abs(cell.step(levels: 2) * 1e6 - 66.667) < 0.001)
  }

  /// Without leakage, level 0 passes nothing; other spacings take it for 10^6 times the resistance.
  @Test func levelsWithoutLeakage() {
    var cell = CellResistances()
    #expect(cell.conductance(of: 0, levels: 4) == 0 && abs(cell.conductance(of: 1, levels: 3) - 5e-5) < 1e-12)
    cell.spacing = .logarithm
    #expect(cell.conductance(of: 0, levels: 3) == 0 && abs(cell.conductance(of: 1, levels: 3) - 1e-7) < 1e-12)
    cell.spacing = .resistance
    #expect(abs(cell.conductance(of: 1, levels: 3) - 2e-10) < 1e-14)
    for spacing in CellResistances.Spacing.allCases {
      cell.spacing = spacing
      #expect(abs(cell.conductance(of: 7, levels: 8) * 10_000 - 1) < 1e-9)
    }
  }

  @Test func sigmasAndExponentsOfLevelsLieBetweenThoseOfTheEnds() {
    var (variation, drift) = (Variation(), Drift())
    (variation.on, variation.off) = (0.1, 0.4)
    (drift.on, drift.off) = (0.02, 0.05)
    for (level, sigma, exponent) in [(0, 0.4, 0.05), (1, 0.3, 0.04), (2, 0.2, 0.03), (3, 0.1, 0.02)] {
      #expect(abs(variation.sigma(of: level, levels: 4) - sigma) < 1e-12)
      #expect(abs(drift.exponent(of: level, levels: 4) - exponent) < 1e-12)
    }
    #expect(abs(variation.sigma(of: 1, levels: 2) - 0.1) < 1e-12)
  }

  @Test(arguments: [nil, "5"]) func cellsWithoutEffectsAreExact(_ ratio: String?) throws {
    let settings = ratio.map { ["ratio": $0] } ?? [:]
    let leak = ratio == nil ? 0.0 : 0.75
    for level in 0..<4 {
      let (values, nominal) = try cells(settings, level: level, count: 100)
      #expect(values.allSatisfy { $0 == nominal } && abs(nominal - Double(level) - leak) < 1e-6)
    }
  }

  /// An effect that is on but of no size for a level changes nothing: the long way gives the same numbers.
  @Test func noSigmaIsExact() throws {
    let settings = ["ratio": "10", "variation.on": "0.3", "drift.seconds": "100", "drift.off": "0.1"]
    let (zero, nominal) = try cells(["ratio": "10", "variation.on": "0.3"], level: 0)
    #expect(zero.allSatisfy { $0 == nominal })
    let (drifted, _) = try cells(settings, level: 0)
    #expect(Set(drifted).count == 1 && abs(drifted[0] / nominal - 0.630957) < 1e-5)
  }

  // MARK: - Distributions

  @Test(arguments: [(3, 0.18), (1, 0.27333), (0, 0.32)]) func lognormalCells(_ level: Int, _ sigma: Double)
    throws
  {
    let settings = ["ratio": "8", "variation.on": "0.18", "variation.off": "0.32"]
    let (values, nominal) = try cells(settings, level: level)
    expectNormal(values.map { -logarithm($0 / nominal) / sigma })
    let sorted = values.sorted()
    #expect(abs(sorted[sorted.count / 2] / nominal - 1) < 0.01, "the median is that of the level")
  }

  @Test func normalCells() throws {
    let settings = ["variation.distribution": "normal", "sigma": "0.1"]
    let (values, nominal) = try cells(settings, level: 2)
    expectNormal(values.map { ($0 / nominal - 1) / 0.1 })
  }

  /// A normal number below -1/0.8 makes a conductance of 0: 10.565 % of cells; those above are as they are.
  @Test func normalCellsAreNotNegative() throws {
    let (values, nominal) = try cells(["variation.distribution": "normal", "sigma": "0.8"], level: 3)
    let zeros = values.count { $0 == 0 }
    #expect(values.allSatisfy { $0 >= 0 })
    #expect(abs(Double(zeros) / Double(values.count) - 0.10565) < 0.005)
    let above = values.count { $0 > nominal }
    #expect(abs(Double(above) / Double(values.count) - 0.5) < 0.01)
  }

  /// After e^5 reference times, ln(G / G0) is -5 times an exponent of mean 0.03 and deviation 0.004.
  @Test func driftingCells() throws {
    let settings = [
      "drift.seconds": "296.8263182", "drift.referenceSeconds": "2", "drift.on": "0.03",
      "drift.spread": "0.004",
    ]
    let (values, nominal) = try cells(settings, level: 3)
    expectNormal(values.map { (-logarithm($0 / nominal) / 5 - 0.03) / 0.004 })
    let early = [
      "drift.seconds": "2", "drift.referenceSeconds": "2", "drift.on": "0.03", "drift.spread": "0.004",
    ]
    #expect(try cells(early, level: 3).values.allSatisfy { $0 == nominal })
  }

  /// Of exponents with mean 0.03 and deviation 0.06, 30.85 % are below 0: those cells keep their conductance.
  @Test func driftRaisesNoConductance() throws {
    let settings = ["drift.seconds": "1e6", "drift.on": "0.03", "drift.spread": "0.06"]
    let (values, nominal) = try cells(settings, level: 3)
    #expect(values.allSatisfy { $0 <= nominal })
    let kept = Double(values.count { $0 == nominal }) / Double(values.count)
    #expect(abs(kept - 0.30854) < 0.01, "\(kept)")
  }

  /// Exponents are drawn apart from conductances: the variance of ln G is the sum of both.
  @Test func driftIsIndependentOfVariation() throws {
    let settings = [
      "drift.seconds": "148.4131591", "drift.on": "0.3", "drift.spread": "0.04", "sigma": "0.2",
    ]
    let (values, nominal) = try cells(settings, level: 3)
    expectNormal(values.map { (-logarithm($0 / nominal) - 1.5) / 0.08.squareRoot() })
  }

  /// Shares of 3 % and 5 % within 4.5 deviations of a binomial; stuck cells have exact conductances, others do not.
  @Test func stuckCells() throws {
    let settings = [
      "ratio": "9", "stuckCells.on": "0.03", "stuckCells.off": "0.05", "sigma": "0.1", "drift.seconds": "1e4",
      "drift.on": "0.01",
    ]
    for level in 0..<4 {
      let (values, _) = try cells(settings, level: level)
      let n = Double(values.count)
      for (share, conductance) in [(0.03, 3.375), (0.05, 0.375)] {
        let stuck = Double(values.count { $0 == conductance })
        #expect(
          abs(stuck - share * n) < 4.5 * (share * (1 - share) * n).squareRoot(), "level \(level) \(stuck)")
      }
    }
    #expect(try cells(["stuckCells.on": "1"], level: 1).values.count { $0 != 3 } <= 1)
    #expect(try cells(["stuckCells.off": "1"], level: 3).values.count { $0 != 0 } <= 1)
    let both = try cells(["stuckCells.on": "0.5", "stuckCells.off": "0.5"], level: 1).values
    #expect(
      abs(both.count { $0 == 3 } - Self.count / 2) < 600
        && both.count { $0 == 0 || $0 == 3 } >= Self.count - 1)
  }

  // MARK: - Independence

  /// A cell's number depends on its place and crossbar, the seed and the trial, and on nothing else.
  @Test func cellsAreTheirOwn() throws {
    var device = Device.ideal
    (device.variation.on, device.variation.off) = (0.2, 0.2)
    func draw(seed: UInt64 = 5, trial: Int = 1, crossbar: Int = 0, count: Int = 1000) -> [Float] {
      CellProgrammer(device, levels: 2, seed: seed, trial: trial)
        .conductances([UInt8](repeating: 1, count: count), crossbar: crossbar)
    }
    let first = draw()
    #expect(draw() == first && draw(count: 7) == Array(first[..<7]))
    let others = [
      draw(seed: 6), draw(seed: 1 << 32 | 5), draw(trial: 2), draw(trial: 0), draw(crossbar: 1),
      draw(crossbar: 2),
    ]
    for other in others {
      let pairs = zip(first, other).map { (logarithm(Double($0)) / 0.2, logarithm(Double($1)) / 0.2) }
      #expect(pairs.allSatisfy { $0 != $1 })
      #expect(abs(pairs.reduce(0) { $0 + $1.0 * $1.1 } / 1000) < 0.13)
    }
    let neighbors = zip(first, first.dropFirst()).map {
      logarithm(Double($0)) * logarithm(Double($1)) / 0.04
    }
    #expect(abs(neighbors.reduce(0, +) / 999) < 0.13)
  }
}

private func logarithm(_ x: Double) -> Double { log(x) }
