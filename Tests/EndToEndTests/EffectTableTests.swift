import CommandLineTools
import DeviceModel
import Driver
import Executor
import Foundation
import Passes
import ProgramFormat
import RunDriver
import Support
import Testing

/// Which effect of a device acts on which scheme and encoding, found by running each: the table of docs/devices.md.
@Suite("Effects of devices by scheme", .serialized)
struct EffectTableTests {
  /// A mapping, and the digits model compiled with it.
  private struct Mapping {
    let name: String
    let program: Program
  }

  private static func mappings() throws -> [Mapping] {
    let encodings = ["differential", "offset", "twos-complement"].map {
      ("dense", "slice-bits(signs: \($0))", "dense, \($0)")
    }
    let schemes = Passes.schemes.map(\.name).filter { $0 != "dense" }.map { ($0, "", $0) }
    return try (encodings + schemes).map { scheme, options, name in
      let compiled = try compile(request("digits", "digits", scheme: scheme, options: options))
      return Mapping(name: name, program: try decode(compiled.bytes, file: name))
    }
  }

  /// The ideal device with one effect, strong enough to be seen in every mapping.
  private static func device(with effect: DeviceEffect) throws -> Device {
    let settings: [(String, String)]
    switch effect {
    case .offCurrent: settings = [("ratio", "1.5"), ("sensing.references", "fixed")]
    case .levelSpacing: settings = [("ratio", "100"), ("cell.spacing", "logarithm")]
    case .variation: settings = [("sigma", "0.5")]
    case .readNoise: settings = [("readNoise.cell", "0.5")]
    case .stuckCells: settings = [("stuckCells.on", "0.1")]
    case .drift: settings = [("drift.seconds", "1e6"), ("drift.on", "0.1")]
    case .wires: settings = [("wires.wordlineOhms", "50"), ("wires.bitlineOhms", "50")]
    case .clampError: settings = [("sensing.clampError", "0.1")]
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
    _ mapping: Mapping, _ device: Device, _ mode: DevicePlan.Mode, _ samples: SampleSet
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
    let mappings = try Self.mappings()
    var table = "| scheme | " + DeviceEffect.allCases.map(\.rawValue).joined(separator: " | ") + " |\n"
    table += "| --- |" + DeviceEffect.allCases.map { _ in " --- |" }.joined() + "\n"
    for mapping in mappings {
      let samples = try SampleSet(
        input: dataPath("digits", "test"), limit: 2, for: mapping.program.samplePorts)
      var cells: [String] = []
      for effect in DeviceEffect.allCases {
        let device = try Self.device(with: effect)
        let modes = try DevicePlan.Mode.allCases.filter {
          try Self.changes(mapping, device, $0, samples) == true
        }
        cells.append(modes.isEmpty ? "-" : modes.map(\.rawValue).joined(separator: ", "))
      }
      table += "| \(mapping.name) | " + cells.joined(separator: " | ") + " |\n"
    }
    let path = "\(packageRoot)/docs/devices.md"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let (head, rest) = try split(text)
    if ProcessInfo.processInfo.environment["UPDATE_GOLDENS"] == "1" {
      try (head + table + rest.tail).write(toFile: path, atomically: true, encoding: .utf8)
    } else {
      #expect(rest.table == table, "UPDATE_GOLDENS=1 rewrites \(path); read it before you commit it")
    }
  }

  /// A text before the table behind its mark, the table, and what follows.
  private func split(_ text: String) throws -> (head: String, rest: (table: String, tail: String)) {
    let mark = "<!-- effects by scheme -->\n"
    let start = try #require(text.range(of: mark)).upperBound
    let lines = text[start...].split(separator: "\n", omittingEmptySubsequences: false)
    let table = lines.prefix { $0.hasPrefix("|") }.map { $0 + "\n" }.joined()
    return (String(text[..<start]), (table, String(text[start...].dropFirst(table.count))))
  }
}
