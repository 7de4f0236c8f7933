import DeviceModel
import Hardware
import Mapping
import Testing

@Suite struct ErrorTableTests {
  private static let converter = Converter(bits: 6)

  @Test func rowsAreDistributions() throws {
    let device = try Device.file(named: "ratio10").device
    let table = ErrorTable(
      device, shares: [0.4, 0.3, 0.2, 0.1], height: 8, converter: Self.converter, samples: 2000)
    #expect(table.highestLevel == 3 && table.height == 8 && table.errorRates.count == 9)
    for active in 0...8 {
      for sum in 0...24 {
        let codes = table.codes(active: active, sum: sum)
        #expect(abs(codes.reduce(0) { $0 + $1.probability } - 1) < 1e-9)
        #expect(codes.allSatisfy { $0.probability > 0 && (0...63).contains($0.code) })
        // The likeliest code comes first, as kernels look for it first; bounds are multiples of 2^-22.
        #expect(codes.allSatisfy { $0.probability <= codes[0].probability + 3e-7 })
      }
    }
  }

  @Test func withoutVariationEverySumIsSensed() throws {
    let device = try Device.ideal.setting("ratio", to: "10")
    let table = ErrorTable(device, shares: [1, 1], height: 9, converter: Converter(bits: 3), samples: 500)
    #expect(table.errorRates.allSatisfy { $0 == 0 })
    #expect(!table.seesEmptyUnits)
    for active in 0...9 {
      for sum in 0...active {
        let codes = table.codes(active: active, sum: sum)
        #expect(codes.count == 1 && codes[0].code == min(sum, 7))
      }
    }
  }

  @Test func noiseOfConvertersIsSeenByEmptyUnits() throws {
    let device = try Device.ideal.setting("converter.noise", to: "0.5")
    let table = ErrorTable(device, shares: [1, 1], height: 2, converter: Self.converter, samples: 4000)
    #expect(table.seesEmptyUnits)
    let codes = table.codes(active: 0, sum: 0)
    // Above half a step: 1 - Phi(1) = 0.1587.
    let above = codes.filter { $0.code > 0 }.reduce(0) { $0 + $1.probability }
    #expect(abs(above - 0.1587) < 0.02)
  }

  @Test func sameSeedSameTable() throws {
    let device = try Device.file(named: "dlrsim").device
    func table(_ seed: UInt64) -> ErrorTable {
      ErrorTable(device, shares: [1, 1], height: 4, converter: Self.converter, samples: 1000, seed: seed)
    }
    #expect(table(3) == table(3))
    #expect(table(3) != table(4))
  }
}
