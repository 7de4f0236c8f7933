import CKernels
import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Testing

@testable import Executor

extension LevelTests {
  /// Devices whose effects change nothing give what the ideal device gives, to the bit.
  @Suite(.serialized) struct IdealTrialTests {
    /// The ideal device through the kernels of other devices, leaking cells with references that follow the input, and
    /// currents that are subtracted in pairs.
    private static func devices() throws -> [Device] {
      let leaking = try Device.ideal.setting("ratio", to: "10")
      return [.ideal, leaking, try leaking.setting("sensing.pairs", to: "analog")]
    }

    @Test func layersAgreeWithTheOracle() throws {
      defer { xbar_use_level(xbar_best_level()) }
      var (nibbles, lists, pairs, compared, saturations, refused) = (0, 0, 0, 0, 0, 0)
      for seed in 0..<400 {
        let sample = LayerCase(seed: UInt64(seed))
        let expected = try Expected(sample.program, sample.inputs.map { [$0] })
        for device in try Self.devices() {
          guard let plan = try Self.plan(sample.program, device) else {
            refused += 1
            continue
          }
          let trial = try plan.program(seed: 1, trial: 0)
          for (pattern, _) in trial.layers.flatMap(\.patterns) {
            if pattern.method == .nibbles { nibbles += 1 } else { lists += 1 }
            pairs += pattern.strips.joined().count { $0.isPair }
          }
          for level in Int32(0)...xbar_best_level() {
            xbar_use_level(level)
            let result = try plan.run(
              trial, inputs: [sample.inputs.flatMap { $0 }], samples: sample.inputs.count,
              measured: sample.inputs.count / 2, threads: 1)
            expected.compare(result, "seed \(seed) level \(level) \(device)")
            #expect(result.layers.allSatisfy { $0.partialSums.wrong == 0 })
            compared += result.layers.reduce(0) { $0 + $1.partialSums.compared }
            saturations += result.total.adcSaturations
          }
        }
      }
      #expect(nibbles > 100 && lists > 100 && pairs > 100 && compared > 10_000 && saturations > 1000)
      #expect(refused < 150)
    }

    /// Nil where sums are too large for binary32.
    private static func plan(_ program: Program, _ device: Device) throws(Diagnostic) -> DevicePlan? {
      do throws(Diagnostic) {
        return try DevicePlan(program, device: device)
      } catch {
        if error.id == "device.sum" { return nil }
        throw error
      }
    }
  }
}
