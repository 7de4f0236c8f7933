import DeviceModel
import Support
import TestTools
import Testing

@Suite struct DeviceFileTests {
  private static let text = """
    {
      "name": "mine",
      "summary": "a device for tests",
      "cell": { "onResistance": { "value": 5000, "source": "a guess" }, "offResistance": 50000, "spacing": "logarithm" },
      "variation": { "distribution": "normal", "on": 0.1, "off": { "value": 0.2 } },
      "drift": { "seconds": 3600, "on": 0.02 },
      "sensing": { "references": "fixed", "pairs": "analog" }
    }

    """

  private func file(_ text: String) throws(Diagnostic) -> DeviceFile {
    try DeviceFile(json: Array(text.utf8), file: "my.json")
  }

  /// The text above with a part replaced, which must occur.
  private func changed(_ old: String, _ new: String) throws -> String {
    let parts = Self.text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(parts.count == 2, "\(old)")
    return parts[0] + new + parts[1]
  }

  /// `at` is a text in front of which the message points.
  private func expectRefusal(
    _ id: String, _ text: String, at: String? = nil, mentions: String = "", note: String? = nil,
    _ place: SourceLocation = #_sourceLocation
  ) {
    do throws(Diagnostic) {
      _ = try file(text)
      Issue.record("expected \(id), nothing was thrown", sourceLocation: place)
    } catch {
      #expect(error.id == id && error.message.contains(mentions), "\(error)", sourceLocation: place)
      if let note { #expect(error.notes == [note], sourceLocation: place) }
      guard error.location.file == "my.json", case .text(let found) = error.location.place else {
        Issue.record("no place: \(error)", sourceLocation: place)
        return
      }
      guard let at else { return }
      let before = text.split(separator: at, maxSplits: 1, omittingEmptySubsequences: false)[0]
      let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
      let expected = TextPosition(line: lines.count, column: (lines.last?.utf8.count ?? 0) + 1)
      #expect(found == expected, "\(error)", sourceLocation: place)
    }
  }

  // MARK: - Reading

  @Test func readsFiguresWithAndWithoutSources() throws {
    let file = try file(Self.text)
    var device = Device.ideal
    (device.name, device.summary) = ("mine", "a device for tests")
    device.cell.onResistance = 5000
    device.cell.offResistance = 50_000
    device.cell.spacing = .logarithm
    device.variation.distribution = .normal
    (device.variation.on, device.variation.off) = (0.1, 0.2)
    (device.drift.seconds, device.drift.on) = (3600, 0.02)
    device.sensing.references = .fixed
    device.sensing.pairs = .analog
    #expect(file.device == device)
    #expect(
      file.figures.map(\.path) == [
        "cell.onResistance", "cell.offResistance", "cell.spacing", "variation.distribution", "variation.on",
        "variation.off", "drift.seconds", "drift.on", "sensing.references", "sensing.pairs",
      ])
    #expect(file.figures.map(\.source) == ["a guess"] + [String?](repeating: nil, count: 9))
    #expect(file.figures.map(\.unit).prefix(5) == ["ohm", "ohm", "word", "word", "1"])
    #expect(file.figures.map(\.value).prefix(5) == ["5000.0", "50000.0", "logarithm", "normal", "0.1"])
  }

  @Test func effectsWithoutNumbersAreOff() throws {
    let file = try file(#"{"name": "x", "summary": "y", "cell": {"onResistance": 10000}, "wires": {}}"#)
    #expect(file.device.isIdeal && file.figures.count == 1)
    let drift = file.device.drift
    #expect(drift.referenceSeconds == 1 && file.device.sensing.readVoltage == 0.2)
  }

  // MARK: - Errors

  @Test func refusesTextsThatAreNoJSON() throws {
    expectRefusal("device.syntax", try changed("\"mine\"", "mine"), at: "mine,")
    expectRefusal("device.syntax", try changed("\"fixed\"", "fixed"), at: "fixed")
    expectRefusal("device.syntax", "", at: nil)
    expectRefusal("device.syntax", Self.text + "x", at: nil, mentions: "follows")
    expectRefusal(
      "device.syntax", try changed("\"seconds\"", "\"on\""), at: "\"on\": 0.02", mentions: "twice")
  }

  @Test func refusesUnknownKeys() throws {
    expectRefusal(
      "device.key", try changed("\"drift\"", "\"drifts\""), at: "\"drifts\"", mentions: "'drifts'",
      note: "did you mean 'drift'?")
    expectRefusal(
      "device.key", try changed("\"seconds\"", "\"second\""), at: "\"second\"", mentions: "'drift.second'",
      note: "did you mean 'seconds'?")
    expectRefusal(
      "device.key", try changed("\"source\"", "\"sauce\""), at: "\"sauce\"",
      mentions: "'cell.onResistance.sauce'")
    expectRefusal("device.key", try changed("\"drift\"", "\"qqqqqqqq\""), at: "\"qqqqqqqq\"")
  }

  @Test func namesMissingKeys() throws {
    expectRefusal(
      "device.missing", "\n {}", at: "{}", mentions: "missing: name, summary, cell.onResistance")
    expectRefusal(
      "device.missing", try changed("\"name\": \"mine\",", ""), at: "{", mentions: "missing: name")
    expectRefusal("device.missing", try changed("\"value\": 5000, ", ""), mentions: "cell.onResistance.value")
  }

  @Test func checksTypes() throws {
    for value in ["\"0.1\"", "null", "true", "[0.1]", "{\"value\": {}}"] {
      expectRefusal("device.type", try changed("\"on\": 0.1", "\"on\": \(value)"), mentions: "variation.on")
    }
    expectRefusal("device.type", try changed("0.02", "\"x\""), at: "\"x\"", mentions: "drift.on is a text")
    expectRefusal("device.type", try changed("\"normal\"", "7"), at: "7", mentions: "variation.distribution")
    expectRefusal("device.type", try changed("\"mine\"", "7"), at: "7", mentions: "name is a number")
    expectRefusal("device.type", "[1]", at: "[1]", mentions: "an object is expected")
    expectRefusal(
      "device.type", #"{"name": "x", "summary": "y", "cell": 3}"#, at: "3", mentions: "cell is a number")
    expectRefusal("device.type", try changed("\"a guess\"", "1"), at: "1 }", mentions: "onResistance.source")
  }

  @Test(arguments: [
    ("0.02", "1.5", "drift.on is 1.5, expected 0 ... 1"), ("0.02", "-0.1", "drift.on"),
    ("3600", "1e13", "drift.seconds"), ("\"normal\"", "\"gauss\"", "expected lognormal, normal"),
    ("\"fixed\"", "\"Fixed\"", "sensing.references is Fixed, expected fixed, input-aware"),
    ("5000,", "0,", "cell.onResistance"), ("50000", "5000", "larger than cell.onResistance"),
    ("50000", "1000", "larger than cell.onResistance"), ("\"mine\"", "\"\"", "name"),
    ("\"a guess\"", "\"\"", "cell.onResistance.source"),
  ])
  func checksRanges(_ old: String, _ new: String, _ mention: String) throws {
    let at = [("0,", "0, \"source"), ("5000", "5000, \"spacing")].first { $0.0 == new }?.1 ?? new
    expectRefusal("device.range", try changed(old, new), at: at, mentions: mention)
  }

  /// The bounds of every number are allowed, and what lies just beyond is not; every word is allowed, and no other.
  @Test func everyFieldHasItsRange() throws {
    for field in DeviceField.all {
      let words = field.expectation.split(separator: ", ").map(String.init)
      if field.unit == "word" {
        for word in words { _ = try Device.ideal.setting(field.path, to: word) }
        expectRefusalOfSetting("device.range", field.path, "nonsense")
        expectRefusalOfSetting("device.range", field.path, "")
        continue
      }
      let mayBeInfinite = field.expectation.hasSuffix(" or inf")
      #expect(mayBeInfinite == (field.path == "cell.offResistance"))
      let bounds = field.expectation.split(separator: " ").compactMap { Double($0) }.prefix(2)
      try #require(bounds.count == 2, "\(field.path)")
      if field.section != "cell" {
        for bound in bounds { _ = try Device.ideal.setting(field.path, to: "\(bound)") }
      }
      let beyond = [bounds[0] - max(1e-12, abs(bounds[0]) * 1e-9), bounds[1] * 1.000001]
      let infinite = mayBeInfinite ? [] : ["inf"]
      for value in beyond.map({ "\($0)" }) + infinite + ["nan", "-inf", "x", "", "1,5", " 1"] {
        expectRefusalOfSetting("device.range", field.path, value)
      }
    }
    #expect(Set(DeviceField.all.map(\.path)).count == DeviceField.all.count)
  }

  /// The ideal device's own off resistance can be said: in a file, as a setting and as a ratio.
  @Test func anInfiniteOffResistanceCanBeSaid() throws {
    #expect(try file(changed("50000", "\"inf\"")).device.cell.offResistance == .infinity)
    let device = try file(Self.text).device
    for name in ["ratio", "cell.offResistance"] {
      let changed = try device.setting(name, to: "inf")
      #expect(changed.cell.offResistance == .infinity && !changed.isOn(.offCurrent), "\(name)")
    }
    expectRefusal("device.type", try changed("50000", "\"infinite\""), at: "\"infinite\"")
    expectRefusal("device.type", try changed("3600", "\"inf\""), at: "\"inf\"")
    expectRefusalOfSetting("device.range", "sigma", "inf", of: device)
  }

  /// A cell is stuck in one state: shares of both states are at most 1 together.
  @Test func sharesOfStuckCellsAreAtMostAll() throws {
    func text(_ on: String, _ off: String) -> String {
      #"{"name": "x", "summary": "y", "cell": {"onResistance": 1e4}, "stuckCells": {"on": "#
        + on + #", "off": "# + off + "}}"
    }
    expectRefusal(
      "device.range", text("0.75", "0.5"), at: "0.5", mentions: "stuckCells.on + stuckCells.off is 1.25")
    let device = try file(text("0.7", "0.3")).device
    expectRefusalOfSetting("device.range", "stuckCells.off", "0.7", of: device, mentions: "stuckCells.on")
    expectRefusalOfSetting("device.range", "stuckCells.on", "0.8", of: device, mentions: "stuckCells.on")
    // Settings are checked together, so that their order does not matter.
    let turned = try device.settings([("stuckCells.off", "0.7"), ("stuckCells.on", "0.3")])
    #expect(turned.stuckCells.on == 0.3 && turned.stuckCells.off == 0.7)
  }

  @Test(arguments: Device.names) func standsMutations(_ name: String) throws {
    let bytes = try Device.bytes(named: name)
    var random = SeededGenerator(seed: 92)
    var (refused, read) = (0, 0)
    for _ in 0..<1000 {
      let copy = mutatedJSON(bytes, &random)
      do throws(Diagnostic) {
        let file = try DeviceFile(json: copy, file: "x")
        #expect(file.device.cell.offResistance > file.device.cell.onResistance)
        read += 1
      } catch {
        #expect(error.id.hasPrefix("device."))
        if case .text = error.location.place {} else { Issue.record("no place: \(error)") }
        refused += 1
      }
    }
    #expect(refused > 300 && read > 20)
  }

  @Test func refusesEveryTruncation() throws {
    let bytes = Array(Self.text.utf8.dropLast(2))
    for length in bytes.indices {
      expectRefusal("device.syntax", String(decoding: bytes[..<length], as: UTF8.self))
    }
  }

  // MARK: - Settings

  private func expectRefusalOfSetting(
    _ id: String, _ name: String, _ value: String, of device: Device = .ideal, mentions: String = "",
    _ place: SourceLocation = #_sourceLocation
  ) {
    do throws(Diagnostic) {
      _ = try device.setting(name, to: value)
      Issue.record("expected \(id) for \(name) '\(value)'", sourceLocation: place)
    } catch {
      #expect(error.id == id && error.message.contains(mentions), "\(error)", sourceLocation: place)
    }
  }

  @Test func settingsChangeOneField() throws {
    let device = try file(Self.text).device
    var expected = device
    expected.variation.on = 0.25
    #expect(try device.setting("variation.on", to: "0.25") == expected)
    expected.sensing.pairs = .digital
    #expect(
      try device.setting("variation.on", to: "2.5e-1").setting("sensing.pairs", to: "digital") == expected)
  }

  @Test func shorthandsChangeSeveral() throws {
    let device = try file(Self.text).device
    #expect(try device.setting("ratio", to: "2.5").cell.offResistance == 12_500)
    let sigma = try device.setting("sigma", to: "0.3").variation
    #expect(sigma.on == 0.3 && sigma.off == 0.3 && sigma.distribution == .normal)
    let scaled = try device.setting("sigma-scale", to: "2.5").variation
    #expect(scaled.on == 0.25 && scaled.off == 0.5)
    #expect(try !device.setting("sigma-scale", to: "0").isOn(.variation))
    #expect(Device.shorthands == ["ratio", "sigma", "sigma-scale"])
  }

  @Test func refusesOtherSettings() throws {
    do throws(Diagnostic) {
      _ = try Device.ideal.setting("variation.onn", to: "1")
      Issue.record("it was taken")
    } catch {
      #expect(error.id == "device.setting" && error.notes[0] == "did you mean 'variation.on'?")
      #expect(
        error.notes[1].hasPrefix("settings: cell.onResistance, ") && error.notes[1].hasSuffix("sigma-scale"))
    }
    for name in ["", "name", "variation", "Sigma.on", "qqqqqqqqqqqqq"] {
      expectRefusalOfSetting("device.setting", name, "1")
    }
    let device = try file(Self.text).device
    for (name, value) in [
      ("ratio", "1"), ("ratio", "0.5"), ("ratio", "0"), ("ratio", "-3"), ("ratio", "nan"), ("ratio", "1e12"),
      ("ratio", "x"), ("sigma", "4"), ("sigma", "-0.1"), ("sigma-scale", "100"), ("sigma-scale", "inf"),
      ("cell.onResistance", "50000"), ("cell.offResistance", "5000"),
    ] { expectRefusalOfSetting("device.range", name, value, of: device) }
  }
}
