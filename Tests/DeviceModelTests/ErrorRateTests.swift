import DeviceModel
import ProgramSamples
import Testing

/// How often units of single-level cells are sensed wrong, against a table that was computed independently.
@Suite struct ErrorRateTests {
  /// Error rates of a preset for fixed and input-aware references, by the height of units.
  struct Row: Sendable, CustomTestStringConvertible {
    let device: String
    let rates: [(height: Int, fixed: Double, inputAware: Double)]

    init(_ device: String, _ rates: [(Int, Double, Double)]) {
      self.device = device
      self.rates = rates.map { (height: $0.0, fixed: $0.1, inputAware: $0.2) }
    }

    var testDescription: String { device }
  }

  static let rows = [
    Row("ratio6", [(4, 0.063, 0.048), (9, 0.245, 0.158), (16, 0.414, 0.296), (32, 0.595, 0.484)]),
    Row("ratio10", [(4, 0.031, 0.031), (9, 0.133, 0.107), (16, 0.282, 0.212), (32, 0.479, 0.386)]),
    Row("ratio50", [(4, 0.023, 0.023), (9, 0.080, 0.085), (16, 0.171, 0.177), (32, 0.331, 0.341)]),
    Row("ratio50-fine", [(4, 0, 0), (9, 0, 0.0001), (16, 0.0005, 0.0005), (32, 0.009, 0.006)]),
  ]

  private static func rate(_ device: Device, _ references: String, height: Int, samples: Int = 100_000) throws
    -> Double
  {
    let device = try device.setting("sensing.references", to: references)
    return UnitSampler(device, height: height).sense(samples, seed: 20).errorRate
  }

  @Test(arguments: rows) func presetsHaveTheirErrorRates(_ row: Row) throws {
    let device = try Device.file(named: row.device).device
    var last = (fixed: 0.0, inputAware: 0.0)
    func agrees(_ rate: Double, _ expected: Double) -> Bool {
      abs(rate - expected) < (expected < 0.01 ? 0.001 : 0.005)
    }
    for expected in row.rates {
      let fixed = try Self.rate(device, "fixed", height: expected.height)
      let inputAware = try Self.rate(device, "input-aware", height: expected.height)
      #expect(agrees(fixed, expected.fixed), "fixed, \(expected.height) wordlines: \(fixed)")
      #expect(
        agrees(inputAware, expected.inputAware), "input-aware, \(expected.height) wordlines: \(inputAware)")
      // More wordlines, more errors.
      #expect(fixed >= last.fixed && inputAware >= last.inputAware, "\(expected.height) wordlines")
      last = (fixed, inputAware)
    }
    #expect(last.fixed > 0.001 && last.inputAware > 0.001)
  }

  /// Without variation, input-aware references sense every unit right. Fixed ones do where `(h - 1) r < 1` for the
  /// leakage r of a cell in steps of a level: then h leaking cells stay below the first reference, and a single cell at
  /// level 1 reaches it. Of 20,000 units, fixed references sense 8.2 %, 32.9 % and 71.3 % wrong for 9, 16 and 32
  /// wordlines of ratio6, 4.3 % and 42.8 % for 16 and 32 of ratio10, and none of the others.
  @Test(arguments: rows) func leakageAloneIsSensedRightWhereItIsSmall(_ row: Row) throws {
    let device = try Device.file(named: row.device).device.without(.variation)
    let leakage = device.cell.onResistance / (device.cell.offResistance - device.cell.onResistance)
    for (height, _, _) in row.rates {
      #expect(try Self.rate(device, "input-aware", height: height, samples: 20_000) == 0, "\(height)")
      let fixed = try Self.rate(device, "fixed", height: height, samples: 20_000)
      #expect((fixed == 0) == (Double(height - 1) * leakage < 1), "\(height) wordlines: \(fixed)")
    }
  }

  /// Sums of h products of random bits are binomial with a probability of 1/4.
  @Test(arguments: [1, 4, 9, 32]) func sumsAreBinomial(_ height: Int) {
    let sensed = UnitSampler(.ideal, height: height).sense(50_000, seed: 21)
    #expect(sensed.errorRate == 0 && sensed.samples == 50_000)
    let sums = (0...height).map { sum in (0...height).reduce(0) { $0 + sensed[sum, $1] } }
    var chances = [1.0]
    for _ in 0..<height {
      chances = (0...chances.count).map { k in
        (k < chances.count ? 0.75 * chances[k] : 0) + (k > 0 ? 0.25 * chances[k - 1] : 0)
      }
    }
    #expect(ChiSquareTest(observed: sums, probabilities: chances).pValue > 0.001)
  }

  /// The same for cells and digits of several bits: exact without variation, with errors one code away with little.
  @Test func multiLevelCellsAreSensed() throws {
    let exact = try Device.ideal.setting("ratio", to: "20")
    let sampler = UnitSampler(exact, height: 4, cellBits: 3, dacBits: 2)
    #expect(sampler.sense(20_000, seed: 22).errorRate == 0)
    let sensed = UnitSampler(try exact.setting("sigma", to: "0.05"), height: 4, cellBits: 3, dacBits: 2)
      .sense(20_000, seed: 22)
    #expect(sensed.errorRate > 0.05 && sensed.largest == 84)
    let far = (0...84).reduce(0) { total, sum in
      total + (0...84).reduce(0) { $0 + (abs(sum - $1) > 10 ? sensed[sum, $1] : 0) }
    }
    #expect(far < 20)
  }
}
