import DeviceModel
import Foundation
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Support
import Testing

@testable import Executor

/// How fast LeNet-5 runs; only with LONG_TESTS=1, as it measures and does not judge.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["LONG_TESTS"] == "1"))
struct SpeedTests {
  struct Setting: Sendable {
    let name: String
    let adcBits: Int
    let units: UnitForming
  }

  @Test(arguments: [
    Setting(name: "fixed 16x16, 5-bit ADC", adcBits: 5, units: .fixed(height: 16, width: 16)),
    Setting(name: "fixed 16x16, 6-bit ADC", adcBits: 6, units: .fixed(height: 16, width: 16)),
    Setting(name: "fixed 16x16, 4-bit ADC", adcBits: 4, units: .fixed(height: 16, width: 16)),
    Setting(name: "fixed 16x16, 3-bit ADC", adcBits: 3, units: .fixed(height: 16, width: 16)),
    Setting(name: "dynamic 16x16, 4-bit ADC", adcBits: 4, units: .dynamic(height: 16, width: 16)),
    Setting(name: "fixed 9x8, 3-bit ADC", adcBits: 3, units: .fixed(height: 9, width: 8)),
    Setting(name: "dynamic 16x16, 5-bit ADC", adcBits: 5, units: .dynamic(height: 16, width: 16)),
    Setting(name: "whole array, 7-bit ADC", adcBits: 7, units: .fixed(height: 128, width: 128)),
    Setting(name: "whole array, 8-bit ADC", adcBits: 8, units: .fixed(height: 128, width: 128)),
  ])
  func imagesPerSecond(_ setting: Setting) throws {
    let program = DenseBuilder.leNet(machine: sampleMachine(adcBits: setting.adcBits), units: setting.units)
    let plan = try ExecutablePlan(program)
    let count = 512
    let images = blobImages(count, seed: 3)
    _ = try plan.run(inputs: [Array(images.prefix(64 * 784))], samples: 64, threads: 1)
    let start = clock()
    let result = try plan.run(inputs: [images], samples: count, threads: 1)
    let seconds = Double(clock() - start) / Double(CLOCKS_PER_SEC)
    let share = Double(result.total.adcSaturations) / Double(max(1, result.total.adcConversions))
    print("speed: \(setting.name): \(Int(Double(count) / seconds)) images/s, saturated \(share * 100) %")
  }
}

extension SpeedTests {
  /// A layer of 500 x 50 weights, 90 % of them 0, whole or in strips of 16 bitlines; 64 positions a sample.
  @Test(arguments: [6, 5, 4, 3, 2])
  func samplesPerSecondOfASparseLayer(_ adcBits: Int) throws {
    let sample = SparseLayer(inputs: 500, outputs: 50, zeros: 0.9, seed: 7)
    let machine = sampleMachine(adcBits: adcBits)
    let programs = [
      ("dense", sample.dense(machine, units: .fixed(height: 16, width: 16), rows: 64)),
      ("strips", sample.strips(machine, width: 16, units: .dynamic(height: 16, width: 16), rows: 64)),
    ]
    var random = SeededGenerator(seed: 9)
    let count = 256
    let inputs = (0..<count * 64 * 500).map { _ in
      random.chance(0.5) ? 0 : Float(random.below(256) >> random.below(4))
    }
    for (name, program) in programs {
      let plan = try ExecutablePlan(program)
      let start = clock()
      let result = try plan.run(inputs: [inputs], samples: count, threads: 1)
      let seconds = Double(clock() - start) / Double(CLOCKS_PER_SEC)
      let strips = plan.layers[0].patterns.reduce(0) { $0 + $1.strips.reduce(0) { $0 + $1.count } }
      print(
        "speed: \(name), \(adcBits)-bit ADC: \(Int(Double(count) / seconds)) samples/s, \(strips) bitlines in "
          + "kernels, \(result.total.adcSaturations) saturated")
    }
  }
}
