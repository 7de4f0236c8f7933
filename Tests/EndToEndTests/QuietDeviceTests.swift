import Evaluation
import DeviceModel
import Executor
import Mapping
import RunDriver
import Testing

/// Devices whose cells leak but do not vary: references that follow the input take the leakage out, so that every
/// mapping gives what the ideal device gives, bit for bit.
@Suite struct QuietDeviceTests {
  private static let devices: [(name: String, settings: [(String, String)])] = [
    ("ratio10", [("sigma", "0")]),
    ("ratio50", [("sigma", "0"), ("sensing.pairs", "analog")]),
    (
      "hfox-1t1r",
      [("sigma", "0"), ("readNoise.cell", "0"), ("wires.wordlineOhms", "0"), ("wires.bitlineOhms", "0")]
    ),
  ]

  @Test func everyMappingGivesWhatTheIdealDeviceGives() throws {
    let data = dataPath("digits", "test")
    var conversions = 0
    for mapping in try DigitsMapping.all() {
      let samples = try SampleSet(input: data, limit: 5, for: mapping.program.samplePorts)
      let ideal = try ExecutablePlan(mapping.program).run(
        inputs: samples.inputs, samples: samples.count, threads: 2)
      for (name, settings) in Self.devices {
        let device = try settings.reduce(Device(nameOrPath: name)) { try $0.setting($1.0, to: $1.1) }
        #expect(!device.isIdeal && !device.isOn(.variation) && !device.isOn(.irDrop))
        let plan = try DevicePlan(mapping.program, device: device)
        let result = try plan.run(
          plan.program(seed: 1, trial: 0), inputs: samples.inputs, samples: samples.count,
          measured: samples.count, threads: 2)
        #expect(result.outputs == ideal.outputs, "\(mapping.name) on \(name)")
        #expect(result.layers.map(\.events) == ideal.layers.map(\.events), "\(mapping.name) on \(name)")
        #expect(result.layers.allSatisfy { $0.partialSums.wrong == 0 }, "\(mapping.name) on \(name)")
        conversions += result.layers.reduce(0) { $0 + $1.partialSums.compared }
      }
    }
    #expect(conversions > 1_000_000)
  }

  /// The same devices with variation do change conversions: the comparison above can fail.
  @Test func variationIsSeen() throws {
    let mapping = try #require(try DigitsMapping.all().first)
    let samples = try SampleSet(input: dataPath("digits", "test"), limit: 5, for: mapping.program.samplePorts)
    let plan = try DevicePlan(mapping.program, device: Device(nameOrPath: "ratio10"))
    let result = try plan.run(
      plan.program(seed: 1, trial: 0), inputs: samples.inputs, samples: samples.count,
      measured: samples.count, threads: 2)
    #expect(result.layers.contains { $0.partialSums.wrong > 0 })
  }
}
