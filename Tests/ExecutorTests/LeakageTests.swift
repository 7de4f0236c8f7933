import DeviceModel
import Hardware
import ProgramFormat
import ProgramSamples
import Support
import Testing

@testable import Executor

/// References that follow the input take out what cells of level 0 leak, however much that is.
@Suite struct LeakageTests {
  @Test(arguments: ["1.0000001", "1.00001", "1.001", "1.1", "3", "1e6"])
  func leakageChangesNothingOrIsRefused(_ ratio: String) throws {
    let device = try Device.ideal.setting("ratio", to: ratio)
    var (exact, refused) = (0, 0)
    for seed in 0..<150 {
      let sample = LayerCase(seed: UInt64(seed))
      guard let plan = try followed(sample.program, device, FaultMap()) else {
        refused += 1
        continue
      }
      let expected = try Expected(sample.program, sample.inputs.map { [$0] })
      let result = try plan.run(
        plan.program(seed: 1, trial: 0), inputs: [sample.inputs.flatMap { $0 }], samples: sample.inputs.count,
        threads: 1)
      expected.compare(result, "seed \(seed)")
      exact += 1
    }
    // Leakage of many steps is more than binary32 can take out again.
    #expect(ratio.hasPrefix("1.0000") ? refused > 30 : exact > 70, "\(exact) \(refused)")
  }
}
