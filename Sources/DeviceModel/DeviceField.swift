/// A number or a word of a device: its name in a device file, its unit, and the values that it may take.
public struct DeviceField: Sendable {
  /// How the value is kept.
  enum Value: Sendable {
    case number(
      any WritableKeyPath<Device, Double> & Sendable, ClosedRange<Double>, orInfinite: Bool)
    case word([String], get: @Sendable (Device) -> String, set: @Sendable (inout Device, String) -> Void)
  }

  /// The object of a file that holds it, such as `variation`.
  public let section: String
  /// The key in that object, such as `on`.
  public let key: String
  /// The unit, and `1` for ratios.
  public let unit: String
  /// What it is.
  public let summary: String
  let value: Value

  /// The name in messages and settings, such as `variation.on`.
  public var path: String { "\(section).\(key)" }

  /// What is allowed, for messages and tables.
  public var expectation: String {
    switch value {
    case .number(_, let range, let orInfinite):
      "\(boundText(range.lowerBound)) ... \(boundText(range.upperBound))\(orInfinite ? " or inf" : "")"
    case .word(let words, _, _): words.joined(separator: ", ")
    }
  }

  /// The value of a device, as text.
  public func text(of device: Device) -> String {
    switch value {
    case .number(let path, _, _): "\(device[keyPath: path])"
    case .word(_, let get, _): get(device)
    }
  }

  /// Every field, in the order of files.
  public static let all: [DeviceField] = cell + effects + sensing + converter + wires

  private init(
    _ section: String, _ key: String, _ path: any WritableKeyPath<Device, Double> & Sendable,
    _ range: ClosedRange<Double>, orInfinite: Bool = false, _ unit: String, _ summary: String
  ) {
    self.section = section
    self.key = key
    self.unit = unit
    self.summary = summary
    value = .number(path, range, orInfinite: orInfinite)
  }

  private init<Word: RawRepresentable & CaseIterable & Sendable>(
    _ section: String, _ key: String, _ path: any WritableKeyPath<Device, Word> & Sendable, _ summary: String
  ) where Word.RawValue == String {
    self.section = section
    self.key = key
    self.summary = summary
    unit = "word"
    value = .word(
      Word.allCases.map(\.rawValue), get: { $0[keyPath: path].rawValue },
      set: { device, text in
        if let word = Word(rawValue: text) { device[keyPath: path] = word }
      })
  }

  private static let cell = [
    DeviceField("cell", "onResistance", \.cell.onResistance, 1...1e12, "ohm", "of the highest level"),
    DeviceField(
      "cell", "offResistance", \.cell.offResistance, 1...1e15, orInfinite: true, "ohm", "of level 0"),
    DeviceField("cell", "spacing", \.cell.spacing, "how levels lie between them"),
  ]

  private static let effects = [
    DeviceField("variation", "distribution", \.variation.distribution, "of programmed conductances"),
    DeviceField("variation", "on", \.variation.on, 0...3, "1", "sigma of the highest level"),
    DeviceField("variation", "off", \.variation.off, 0...3, "1", "sigma of level 0"),
    DeviceField("readNoise", "cell", \.readNoise.cell, 0...3, "1", "sigma of a cell's current, every access"),
    DeviceField("stuckCells", "on", \.stuckCells.on, 0...1, "1", "share of cells at the highest level"),
    DeviceField("stuckCells", "off", \.stuckCells.off, 0...1, "1", "share of cells at level 0"),
    DeviceField("drift", "seconds", \.drift.seconds, 0...1e12, "s", "time since programming"),
    DeviceField("drift", "referenceSeconds", \.drift.referenceSeconds, 1e-9...1e12, "s", "time t0"),
    DeviceField("drift", "on", \.drift.on, 0...1, "1", "mean exponent of the highest level"),
    DeviceField("drift", "off", \.drift.off, 0...1, "1", "mean exponent of level 0"),
    DeviceField("drift", "spread", \.drift.spread, 0...1, "1", "sigma of exponents"),
  ]

  private static let sensing = [
    DeviceField("sensing", "references", \.sensing.references, "where references lie"),
    DeviceField("sensing", "readVoltage", \.sensing.readVoltage, 1e-3...10, "V", "of an active wordline"),
    DeviceField("sensing", "clampError", \.sensing.clampError, 0...1, "V", "sigma of a bitline's voltage"),
    DeviceField(
      "sensing", "referenceError", \.sensing.referenceError, 0...1, "1", "sigma of a converter's references"),
    DeviceField("sensing", "pairs", \.sensing.pairs, "how positive and negative bitlines are read"),
  ]

  private static let converter = [
    DeviceField("converter", "offset", \.converter.offset, 0...1000, "codes", "sigma of offsets"),
    DeviceField("converter", "gain", \.converter.gain, 0...1, "1", "sigma of gain errors"),
    DeviceField("converter", "inl", \.converter.inl, 0...1000, "codes", "sigma of the bow in the middle"),
    DeviceField("converter", "noise", \.converter.noise, 0...1000, "codes", "sigma of every conversion"),
  ]

  private static let wires = [
    DeviceField("wires", "wordlineOhms", \.wires.wordlineOhms, 0...1e6, "ohm", "of a wordline, cell to cell"),
    DeviceField("wires", "bitlineOhms", \.wires.bitlineOhms, 0...1e6, "ohm", "of a bitline, cell to cell"),
    DeviceField("wires", "driverOhms", \.wires.driverOhms, 0...1e9, "ohm", "of a wordline driver"),
    DeviceField("wires", "senseOhms", \.wires.senseOhms, 0...1e9, "ohm", "of a sense circuit"),
    DeviceField(
      "wires", "exactCells", \.wires.exactCells, 1...16_777_216, "cells",
      "of a crossbar up to which the network is solved exactly"),
  ]
}

/// A bound without a fraction that says nothing.
private func boundText(_ bound: Double) -> String {
  bound == bound.rounded() && abs(bound) < 1e6 ? "\(Int(bound))" : "\(bound)"
}
