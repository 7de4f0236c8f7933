import Evaluation
import Report
import DeviceModel
import Driver
import Executor
import Foundation
import Mapping
import RunDriver
import Support
import Testing

/// Which non-ideality of a device acts on which scheme and encoding, found by running each: the table of
/// docs/devices.md.
@Suite("Non-idealities of devices by scheme", .serialized)
struct NonidealityTableTests {
  /// The ideal device with one non-ideality, strong enough to be seen in every mapping.
  private static func device(with nonideality: Nonideality) throws -> Device {
    let settings: [(String, String)]
    switch nonideality {
    case .offCurrent: settings = [("ratio", "1.5"), ("sensing.references", "fixed")]
    case .levelSpacing: settings = [("ratio", "100"), ("cell.spacing", "logarithm")]
    case .variation: settings = [("sigma", "0.5")]
    case .readNoise: settings = [("readNoise.cell", "0.5")]
    case .stuckCells: settings = [("stuckCells.on", "0.1")]
    case .drift: settings = [("drift.seconds", "1e6"), ("drift.on", "0.1")]
    case .irDrop: settings = [("wires.wordlineOhms", "50"), ("wires.bitlineOhms", "50")]
    case .clampMismatch: settings = [("sensing.clampError", "0.1")]
    case .referenceError: settings = [("sensing.referenceError", "0.5")]
    case .offset: settings = [("converter.offset", "3")]
    case .gain: settings = [("converter.gain", "0.5")]
    case .inl: settings = [("converter.inl", "100")]
    case .noise: settings = [("converter.noise", "2")]
    case .analogPairs: settings = [("sensing.pairs", "analog")]
    }
    return try settings.reduce(Device.ideal) { try $0.setting($1.0, to: $1.1) }
  }

  /// Whether codes differ from those of the ideal device; nil where a plan is refused.
  private static func changes(
    _ mapping: DigitsMapping, _ device: Device, _ mode: DevicePlan.Mode, _ samples: SampleSet
  ) throws -> Bool? {
    let plan: DevicePlan
    do throws(Diagnostic) {
      plan = try DevicePlan(mapping.program, device: device, mode: mode, tableSamples: 200)
    } catch {
      #expect(error.id == "device.table", "\(mapping.name): \(error)")
      return nil
    }
    if device.isOn(.analogPairs) && plan.pairs == 0 { return false }
    let result = try plan.run(
      plan.program(seed: 1, trial: 0), inputs: samples.inputs, samples: samples.count,
      measured: samples.count,
      threads: 2)
    let wrong = result.layers.reduce(0) { $0 + $1.partialSums.wrong }
    // Pairs without errors give the codes of an ideal device; what counts is that there are any.
    return device.isOn(.analogPairs) ? wrong == 0 : wrong > 0
  }

  @Test func theTableIsWhatRunsShow() throws {
    let mappings = try DigitsMapping.all()
    var table = "| scheme | " + Nonideality.allCases.map(\.rawValue).joined(separator: " | ") + " |\n"
    table += "| --- |" + Nonideality.allCases.map { _ in " --- |" }.joined() + "\n"
    for mapping in mappings {
      let samples = try SampleSet(
        input: dataPath("digits", "test"), limit: 2, for: mapping.program.samplePorts)
      var cells: [String] = []
      for nonideality in Nonideality.allCases {
        let device = try Self.device(with: nonideality)
        let modes = try DevicePlan.Mode.allCases.filter {
          try Self.changes(mapping, device, $0, samples) == true
        }
        cells.append(modes.isEmpty ? "-" : modes.map(\.rawValue).joined(separator: ", "))
      }
      table += "| \(mapping.name) | " + cells.joined(separator: " | ") + " |\n"
    }
    try expectTable(table, after: "non-idealities by scheme", in: "docs/devices.md")
  }

  /// Every figure with its unit, its range and its value in each preset; nothing where a preset leaves it as in the
  /// ideal one.
  @Test func theFiguresOfPresetsAreThoseOfTheirFiles() throws {
    let presets = try Device.names.map { try Device(nameOrPath: $0) }
    var table = "| figure | unit | allowed | what it is | \(presets.map(\.name).joined(separator: " | ")) |\n"
    table += "| --- | --- | --- | --- |" + presets.map { _ in " --- |" }.joined() + "\n"
    for field in DeviceField.all {
      let values = presets.map { preset in
        preset.name != "ideal" && field.text(of: preset) == field.text(of: .ideal)
          ? "" : field.text(of: preset)
      }
      table += "| `\(field.path)` | \(field.unit) | \(field.expectation) | \(field.summary) | "
      table += values.joined(separator: " | ") + " |\n"
    }
    try expectTable(table, after: "figures of presets", in: "docs/devices.md")
  }
}
