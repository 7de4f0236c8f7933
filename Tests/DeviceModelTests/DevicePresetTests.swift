import DeviceModel
import Support
import Testing

@Suite struct DevicePresetTests {
  @Test(arguments: Device.names) func everyFigureHasASourceAndAUnit(_ name: String) throws {
    let file = try Device.file(named: name)
    #expect(file.device.name == name && file.device.summary.count > 40)
    #expect(!file.figures.isEmpty && Set(file.figures.map(\.path)).count == file.figures.count)
    let units = Dictionary(uniqueKeysWithValues: DeviceField.all.map { ($0.path, $0.unit) })
    for figure in file.figures {
      #expect(figure.unit == units[figure.path] && !figure.unit.isEmpty, "\(figure.path)")
      let source = try #require(figure.source, "\(figure.path)")
      // A source is a publication with its year, a public repository, or an assumption.
      let isKnown = ["'1", "'2", "github.com/"].contains { source.contains($0) }
      #expect(isKnown || source.hasPrefix("assumed"), "\(figure.path): \(source)")
    }
  }

  /// A device has the figures that its file gives, and defaults elsewhere.
  @Test(arguments: Device.names) func devicesHaveTheirFigures(_ name: String) throws {
    let file = try Device.file(named: name)
    var device = Device.ideal
    (device.name, device.summary) = (file.device.name, file.device.summary)
    for figure in file.figures.sorted(by: { $0.path > $1.path }) {
      // The off resistance comes after the on resistance, as it must be larger.
      device = try device.setting(figure.path, to: figure.value)
    }
    #expect(device == file.device)
    #expect(try Device(nameOrPath: name) == file.device)
    #expect(try DeviceFile(json: Device.bytes(named: name), file: "x") == file)
  }

  @Test func describesThePublishedCells() throws {
    let cells: [(String, Double, Double, Double, Double)] = [
      ("ratio6", 2500, 16_000, 0.18, 0.45), ("ratio10", 10_000, 100_000, 0.18, 0.18),
      ("ratio50", 10_000, 500_000, 0.18, 0.18), ("ratio50-fine", 10_000, 500_000, 0.06, 0.06),
      ("hfox-1t1r", 30_000, 150_000, 0.05, 0.05),
    ]
    for (name, on, off, sigmaOn, sigmaOff) in cells {
      let device = try Device.file(named: name).device
      #expect(device.cell.onResistance == on && device.cell.offResistance == off, "\(name)")
      #expect(device.variation.on == sigmaOn && device.variation.off == sigmaOff, "\(name)")
      #expect(device.variation.distribution == (name == "hfox-1t1r" ? .normal : .lognormal), "\(name)")
      #expect(device.sensing.references == .inputAware, "\(name)")
    }
    let dlrsim = try Device.file(named: "dlrsim").device
    #expect(dlrsim.cell.offResistance / dlrsim.cell.onResistance == 10 && dlrsim.sensing.readVoltage == 0.6)
  }

  @Test func effectsOfPresets() throws {
    let expected: [String: Set<Nonideality>] = [
      "ideal": [], "dlrsim": [.offCurrent, .variation, .clampMismatch], "ratio6": [.offCurrent, .variation],
      "ratio10": [.offCurrent, .variation], "ratio50": [.offCurrent, .variation],
      "ratio50-fine": [.offCurrent, .variation], "hfox-1t1r": [.offCurrent, .variation, .readNoise, .irDrop],
      "issc18": [.offCurrent, .variation, .offset, .noise],
    ]
    #expect(Set(expected.keys) == Set(Device.names))
    for name in Device.names {
      let device = try Device.file(named: name).device
      #expect(Set(Nonideality.allCases.filter(device.isOn)) == expected[name], "\(name)")
      #expect(device.isIdeal == (name == "ideal"))
    }
  }

  @Test func theIdealPresetIsTheIdealDevice() throws {
    var device = try Device.file(named: "ideal").device
    device.summary = Device.ideal.summary
    #expect(device == Device.ideal)
  }

  @Test func refusesOtherNames() {
    for (name, near) in [("ratio5", "ratio"), ("Ideal", "ideal"), ("zzzzzzzzzz", nil), ("", nil)]
      as [(String, String?)]
    {
      do throws(Diagnostic) {
        _ = try Device(nameOrPath: name)
        Issue.record("\(name) was found")
      } catch {
        #expect(error.id == "device.unknown")
        #expect(
          error.notes.contains { $0.contains("did you mean '\(near ?? "")") } == (near != nil), "\(error)")
        #expect(error.notes.contains { $0.hasPrefix("devices: ideal, dlrsim") })
      }
    }
  }

  @Test func pathsAreRead() {
    for path in ["/nowhere/device.json", "nothing.json", "./ideal"] {
      #expect(throws: Diagnostic.self, "\(path)") { try Device(nameOrPath: path) }
    }
  }

  // MARK: - Effects

  /// A device with every effect.
  private func everything() throws -> Device {
    var device = Device.ideal
    for (name, value) in [
      ("ratio", "10"), ("cell.spacing", "logarithm"), ("sigma", "0.1"), ("readNoise.cell", "0.1"),
      ("stuckCells.on", "0.1"), ("stuckCells.off", "0.2"), ("drift.seconds", "10"), ("drift.on", "0.1"),
      ("drift.off", "0.2"), ("drift.spread", "0.01"), ("sensing.clampError", "0.01"),
      ("sensing.referenceError", "0.01"), ("sensing.pairs", "analog"), ("converter.offset", "0.1"),
      ("converter.gain", "0.1"), ("converter.inl", "0.1"), ("converter.noise", "0.1"),
      ("wires.wordlineOhms", "1"),
      ("wires.bitlineOhms", "1"), ("wires.driverOhms", "1"), ("wires.senseOhms", "1"),
    ] { device = try device.setting(name, to: value) }
    return device
  }

  @Test func everyEffectHasASwitch() throws {
    let device = try everything()
    #expect(Nonideality.allCases.allSatisfy(device.isOn) && !device.isIdeal)
    for effect in Nonideality.allCases {
      let others = Set(Nonideality.allCases).subtracting([effect])
      let without = device.without(effect)
      #expect(Set(Nonideality.allCases.filter(without.isOn)) == others, "\(effect)")
      #expect(without.without(effect) == without && without != device, "\(effect)")
      // Alone, it is on too.
      let alone = others.reduce(device) { $0.without($1) }
      #expect(alone.isOn(effect) && !alone.isIdeal, "\(effect)")
      #expect(Nonideality.allCases.count(where: alone.isOn) == 1, "\(effect)")
    }
    #expect(Nonideality.allCases.reduce(device) { $0.without($1) }.isIdeal)
    #expect(Set(Nonideality.allCases.map(\.summary)).count == Nonideality.allCases.count)
  }

  /// Each number that an effect has switches it on alone.
  @Test(arguments: [
    ("variation.on", "0.1", Nonideality.variation), ("variation.off", "0.1", .variation),
    ("stuckCells.on", "0.1", .stuckCells), ("stuckCells.off", "0.1", .stuckCells),
    ("wires.wordlineOhms", "1", .irDrop), ("wires.bitlineOhms", "1", .irDrop),
    ("wires.driverOhms", "1", .irDrop),
    ("wires.senseOhms", "1", .irDrop), ("cell.spacing", "resistance", .levelSpacing),
    ("cell.offResistance", "20000", .offCurrent), ("readNoise.cell", "1e-9", .readNoise),
  ])
  func numbersSwitchEffectsOn(_ name: String, _ value: String, _ effect: Nonideality) throws {
    let device = try Device.ideal.setting(name, to: value)
    #expect(Nonideality.allCases.filter(device.isOn) == [effect])
  }

  /// Drift needs time beyond t0 and an exponent.
  @Test func driftNeedsTime() throws {
    func isOn(_ seconds: Double, _ on: Double, _ off: Double, _ spread: Double) -> Bool {
      var device = Device.ideal
      device.drift.seconds = seconds
      (device.drift.on, device.drift.off, device.drift.spread) = (on, off, spread)
      return device.isOn(.drift)
    }
    #expect(!isOn(0, 0.1, 0.1, 0.1) && !isOn(1, 0.1, 0.1, 0.1) && !isOn(2, 0, 0, 0))
    #expect(isOn(2, 0.1, 0, 0) && isOn(2, 0, 0.1, 0) && isOn(2, 0, 0, 0.1))
  }
}
