import CommandLineTools
import DeviceModel
import Support
import Testing

@testable import Workbench

@Suite struct ErrorRateTests {
  @Test(arguments: [1, 2, 7, 256]) func nothingIsWrongOnTheIdealDevice(_ height: Int) {
    #expect(errorRate(.ideal, height: height, cellBits: 1, samples: 100, seed: 0) == 0)
    #expect(errorRate(.ideal, height: height, cellBits: 2, samples: 100, seed: 0) == 0)
  }

  /// Noise of a converter is the same for any number of active wordlines, so that the rate is that of the noise: sums
  /// of 0 and the largest one have codes on one side only, the others on both.
  @Test func ratesAreWeightedByActiveWordlines() throws {
    let device = try Device.ideal.setting("converter.noise", to: "0.5")
    let rate = errorRate(device, height: 2, cellBits: 1, samples: 100_000, seed: 3)
    // Outside of half a code, two deviations of 0.5: 31.73 % on two sides. Sums of 0, 1 and 2: 9/16, 6/16 and 1/16; a
    // code of 3 exists for a converter of two bits, so that only sums of 0 have one side.
    let expected = 0.3173 * (9.0 / 32 + 7.0 / 16)
    #expect(abs(rate - expected) < 0.004, "\(rate), not \(expected)")
  }

  @Test func unknownHeightsAndDevicesAreRefused() {
    for (words, text) in [
      (["error-rate", "--device", "ratio10", "--height", "0"], "sweep.values"),
      (["error-rate", "--device", "ratio10", "--height", "257"], "sweep.values"),
      (["error-rate", "--device", "nothing"], "device.unknown"), (["error-rate"], "usage."),
    ] {
      #expect(refusal(words)?.id.hasPrefix(text) == true, "\(words)")
    }
  }

  private func refusal(_ words: [String]) -> Diagnostic? {
    do throws(Diagnostic) {
      guard case .run(_, let arguments) = try errorRateSpec.parse(Array(words.dropFirst())) else {
        return nil
      }
      try errorRateCommand(arguments)
      return nil
    } catch {
      return error
    }
  }
}
