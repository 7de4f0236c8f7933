import CommandLineTools
import DeviceModel
import Executor
import RunDriver
import Support
import TestTools
import Testing

private let spec = CommandSpec(name: "tool", summary: "runs trials", options: TrialOptions.all)

private func arguments(_ words: [String]) throws(Diagnostic) -> ParsedArguments {
  guard case .run(_, let arguments) = try spec.parse(words) else { throw Diagnostic("test.help", "help") }
  return arguments
}

private func settings(_ words: String...) throws(Diagnostic) -> TrialSettings {
  try TrialSettings(arguments(words))
}

@Suite struct TrialOptionsTests {
  @Test func oneTrialOnTheIdealDeviceUnlessSaidOtherwise() throws {
    #expect(try settings() == TrialSettings(device: .ideal))
    #expect(try settings().isIdeal && TrialOptions.changes(in: arguments([])).isEmpty)
  }

  @Test func figuresChangeBeforeNonidealitiesAreSwitchedOff() throws {
    let device = try settings(
      "--device", "ratio10", "--set-device", "sigma=0.1, readNoise.cell=0.2,ratio=20", "--without",
      "variation"
    ).device
    #expect(device.cell.offResistance == 20 * device.cell.onResistance && device.readNoise.cell == 0.2)
    #expect(!device.isOn(.variation))
    let only = try settings("--device", "issc18", "--only", "offset, noise").device
    #expect(Nonideality.allCases.filter { only.isOn($0) } == [.offset, .noise])
    #expect(try settings("--device", "issc18", "--only", "").isIdeal)
  }

  @Test(arguments: [("wires", Nonideality.irDrop), ("clamp-error", .clampMismatch)])
  func formerWordsOfNonidealitiesAreRead(_ word: String, _ nonideality: Nonideality) throws {
    #expect(nonideality.formerName == word && Nonideality(rawValue: word) == nil)
    let device = try settings(
      "--device", "dlrsim", "--set-device", "wires.wordlineOhms=1", "--only", word
    ).device
    #expect(Nonideality.allCases.filter { device.isOn($0) } == [nonideality])
  }

  @Test func trialsAndFaultsAreRead() throws {
    let place = try Workplace()
    try writeFile(text: "crossbar,row,column,state\n0,1,2,on\n", to: place.path("f.csv"))
    let settings = try settings(
      "--trials", "20", "--seed", "7", "--stop-when", "ci=0.2", "--faults", place.path("f.csv"))
    #expect(settings.trials == 20 && settings.seed == 7 && abs((settings.stopHalfWidth ?? 0) - 0.002) < 1e-15)
    #expect(settings.faults.count == 1 && !settings.isIdeal)
  }

  /// A map of stuck cells whose non-ideality is switched off would have no effect.
  @Test func aMapConflictsWithStuckCellsSwitchedOff() throws {
    let place = try Workplace()
    try writeFile(text: "crossbar,row,column,state\n0,1,2,on\n", to: place.path("f.csv"))
    for (words, isRefused) in [
      (["--without", "stuck-cells"], true), (["--without", "variation"], false),
      (["--only", "variation"], true),
      (["--only", "variation,stuck-cells"], false),
    ] {
      let error = refusal { () throws(Diagnostic) in
        _ = try TrialSettings(
          arguments(["--device", "ratio10", "--faults", place.path("f.csv")] + words))
      }
      #expect((error?.id == "usage.conflict") == isRefused && (error == nil) == !isRefused, "\(words)")
    }
  }

  @Test func codesAreSensedUnlessTablesAreWanted() throws {
    #expect(try settings("--device", "ratio10").mode == .direct)
    #expect(try settings("--device", "ratio10", "--mode", "direct").mode == .direct)
    #expect(try settings("--device", "ratio10", "--mode", "table").mode == .table)
    #expect(try settings("--mode", "table").isIdeal)
    #expect(try TrialOptions.changes(in: arguments(["--mode", "table"])) == ["mode table"])
    #expect(refusal { () throws(Diagnostic) in _ = try settings("--mode", "tables") }?.id == "usage.value")
  }

  /// What an option cannot do on a device is said.
  @Test(arguments: [
    ("--trials 3", "--trials has no effect"), ("--mode table", "--mode table has no effect"),
    ("--device ratio10 --stop-when ci=1", "--stop-when has no effect"),
    ("--device ratio10 --only variation,ir-drop", "--only ir-drop has no effect"),
    ("--device ratio10 --only variation,wires", "--only ir-drop has no effect"),
    ("--device ratio10 --set-device drift.seconds=100", "drift.on, drift.off and drift.spread are 0"),
    ("--device hfox-1t1r --set-device drift.seconds=0.5", "not beyond drift.referenceSeconds"),
  ])
  func optionsWithoutEffectAreSaid(_ line: String, _ message: String) throws {
    let settings = try TrialSettings(arguments(line.split(separator: " ").map(String.init)))
    #expect(settings.warnings.map(\.id) == ["usage.no-effect"], "\(settings.warnings)")
    #expect(settings.warnings.first?.message.contains(message) == true)
    #expect(settings.warnings.first?.severity == .warning)
  }

  @Test(arguments: [
    "", "--trials 1", "--device ratio10 --trials 3 --stop-when ci=1 --mode table --only variation",
    "--device hfox-1t1r --set-device drift.seconds=100 --only drift",
    "--device ratio10 --set-device drift.seconds=0",
  ])
  func optionsWithAnEffectAreNot(_ line: String) throws {
    #expect(try TrialSettings(arguments(line.split(separator: " ").map(String.init))).warnings.isEmpty)
  }

  /// A wrong value names its option; a figure that is named twice is refused.
  @Test(arguments: [
    ("--device", "ratoi10", "device.unknown"), ("--set-device", "sigma=9", "device.range"),
    ("--only", "variaton", "device.nonideality"), ("--without", "x", "device.nonideality"),
  ])
  func wrongValuesNameTheirOption(_ option: String, _ value: String, _ id: String) throws {
    let error = refusal { () throws(Diagnostic) in _ = try settings(option, value) }
    #expect(error?.description.hasPrefix("\(option): error: ") == true && error?.id == id, "\(error as Any)")
    let twice = refusal { () throws(Diagnostic) in _ = try settings("--set-device", "sigma=0.1,sigma=0.2") }
    #expect(twice?.id == "usage.repeated")
  }

  @Test func seedsHave64Bits() throws {
    #expect(try settings("--seed", "18446744073709551615").seed == .max)
  }

  @Test func severalDevicesShareTheOtherOptions() throws {
    let all = try TrialSettings.forEachDevice(
      arguments(["--device", "ideal, ratio10,ratio50", "--trials", "5", "--set-device", "readNoise.cell=0.1"])
    )
    #expect(all.map(\.device.name) == ["ideal", "ratio10", "ratio50"])
    #expect(all.allSatisfy { $0.trials == 5 && $0.device.readNoise.cell == 0.1 })
    #expect(try TrialSettings.forEachDevice(arguments([])).map(\.device) == [.ideal])
  }

  @Test func titlesNameWhatWasChanged() throws {
    let words = ["--set-device", "sigma=0.1,ratio=5", "--without", "noise,gain", "--only", "drift"]
    #expect(
      try TrialOptions.changes(in: arguments(words)) == [
        "sigma=0.1", "ratio=5", "only drift", "without noise,gain",
      ])
  }

  @Test func mistakesAreExplained() throws {
    for (words, id) in [
      (["--device", "ratoi10"], "device.unknown"), (["--device", "none.json"], "io.open"),
      (["--set-device", "sigma"], "usage.value"), (["--set-device", "sgima=1"], "device.setting"),
      (["--set-device", "sigma=-1"], "device.range"), (["--only", "variaton"], "device.nonideality"),
      (["--without", "x"], "device.nonideality"), (["--trials", "0"], "usage.value"),
      (["--seed", "-1"], "usage.value"),
      (["--stop-when", "0.2"], "usage.value"), (["--stop-when", "ci=0"], "usage.value"),
      (["--stop-when", "ci=x"], "usage.value"), (["--faults", "none.csv"], "io.open"),
    ] {
      let error = refusal { () throws(Diagnostic) in _ = try TrialSettings(arguments(words)) }
      #expect(error?.id == id, "\(words)")
    }
    let error = refusal { () throws(Diagnostic) in _ = try settings("--only", "variaton") }
    #expect(error?.notes.first == "did you mean 'variation'?")
    let twice = refusal { () throws(Diagnostic) in
      _ = try TrialSettings.forEachDevice(arguments(["--device", "ratio10,ratio10"]))
    }
    #expect(twice?.id == "usage.value" && twice?.message.contains("ratio10") == true)
  }
}
