import Hardware
public import Support

/// A number or word of a device file with the place that it was taken from.
public struct DeviceFigure: Hashable, Sendable {
  /// The name, such as `variation.on`.
  public let path: String
  /// The value as text.
  public let value: String
  /// The unit.
  public let unit: String
  /// The publication or the assumption it is based on; nil where the file gives none.
  public let source: String?
}

/// A device as a JSON file describes it.
///
/// The file is an object with the texts `name` and `summary` and the objects `cell`, `variation`, `readNoise`,
/// `stuckCells`, `drift`, `sensing`, `converter` and `wires`, whose keys are the properties of `Device`. A value stands
/// as it is or as `{"value": 0.18, "source": "..."}`. Only `cell.onResistance` is needed: an effect without numbers is
/// off.
public struct DeviceFile: Equatable, Sendable {
  /// The device.
  public let device: Device
  /// All figures that the file gives, in the order of `DeviceField.all`.
  public let figures: [DeviceFigure]

  /// Reads a file's bytes; `file` is the name for messages.
  ///
  /// Throws `device.syntax` for a text that is no JSON or has a key twice, `device.key`, `device.missing`,
  /// `device.type` and `device.range`; each with line and column.
  public init(json: [UInt8], file: String) throws(Diagnostic) {
    let reader = DescriptionReader(file: file, kind: "device")
    let root = try reader.parse(json)
    var sections: [String] = []
    for field in DeviceField.all where !sections.contains(field.section) { sections.append(field.section) }
    let members = try reader.members(of: root, path: "", allowed: ["name", "summary"] + sections)
    var nodes: [String: JSONNode] = [:]
    for member in members where sections.contains(member.key) {
      let allowed = DeviceField.all.filter { $0.section == member.key }.map(\.key)
      for inner in try reader.members(of: member.node, path: member.key, allowed: allowed) {
        nodes["\(member.key).\(inner.key)"] = inner.node
      }
    }
    let present = Set(nodes.keys).union(members.map(\.key))
    let missing = ["name", "summary", "cell.onResistance"].filter { !present.contains($0) }
    guard missing.isEmpty else {
      throw reader.failure("missing", "missing: \(missing.joined(separator: ", "))", root.position)
    }
    var device = Device.ideal
    for member in members {
      if member.key == "name" { device.name = try reader.text(member.node, path: "name", limit: 64) }
      if member.key == "summary" {
        device.summary = try reader.text(member.node, path: "summary", limit: 2000)
      }
    }
    var figures: [DeviceFigure] = []
    for field in DeviceField.all {
      guard let node = nodes[field.path] else { continue }
      figures.append(try field.read(node, reader, into: &device))
    }
    if let found = device.contradiction {
      throw reader.failure("range", found.message, nodes[found.path]?.position ?? root.position)
    }
    self.device = device
    self.figures = figures
  }
}

extension DeviceField {
  fileprivate func read(
    _ node: JSONNode, _ reader: DescriptionReader, into device: inout Device
  ) throws(Diagnostic) -> DeviceFigure {
    let (inner, source) = try reader.sourced(node, path: path)
    let text: String
    switch value {
    case .number(_, _, let orInfinite):
      if orInfinite, case .string("inf") = inner.value {
        text = "inf"
      } else {
        text = "\(try reader.number(inner, path: path))"
      }
    case .word: text = try reader.text(inner, path: path, limit: 100)
    }
    guard store(text, in: &device) else {
      throw reader.failure("range", "\(path) is \(text), expected \(expectation)", inner.position)
    }
    return DeviceFigure(path: path, value: text, unit: unit, source: source)
  }

  /// Stores a value given as text; false where it is not allowed.
  func store(_ text: String, in device: inout Device) -> Bool {
    switch value {
    case .number(let path, let range, let orInfinite):
      guard let number = Double(text), range.contains(number) || (orInfinite && number == .infinity) else {
        return false
      }
      device[keyPath: path] = number
    case .word(let words, _, let set):
      guard words.contains(text) else { return false }
      set(&device, text)
    }
    return true
  }
}

extension Device {
  /// What figures say that cannot hold together, with the path of the last one of them; nil where all can.
  var contradiction: (path: String, message: String)? {
    if cell.offResistance <= cell.onResistance {
      return ("cell.offResistance", "cell.offResistance must be larger than cell.onResistance")
    }
    let stuck = stuckCells.on + stuckCells.off
    if stuck > 1 {
      return (
        "stuckCells.off",
        "stuckCells.on + stuckCells.off is \(stuck), expected 0 ... 1: a cell is stuck in one state only"
      )
    }
    return nil
  }

  /// The same device with a setting changed: the path of a field, or `ratio` for `offResistance / onResistance`,
  /// `sigma` for both sigmas of the variation, `sigma-scale` for a factor to both.
  ///
  /// Throws `device.setting` for an unknown name, and `device.range`.
  public func setting(_ name: String, to text: String) throws(Diagnostic) -> Device {
    try settings([(name, text)])
  }

  /// The same device with settings changed in turn, and checked together at the end; see `setting(_:to:)`.
  public func settings(_ settings: [(name: String, text: String)]) throws(Diagnostic) -> Device {
    var device = self
    for (name, text) in settings { try device.set(name, to: text) }
    if let found = device.contradiction { throw Diagnostic("device.range", found.message) }
    return device
  }

  private mutating func set(_ name: String, to text: String) throws(Diagnostic) {
    for (path, value) in try expanded(name, text) {
      guard let field = DeviceField.all.first(where: { $0.path == path }) else {
        let names = DeviceField.all.map(\.path) + Device.shorthands
        throw Diagnostic(
          "device.setting", "a device has no setting '\(name.prefix(100))'",
          notes: (nearest(name, in: names).map { ["did you mean '\($0)'?"] } ?? [])
            + ["settings: \(names.joined(separator: ", "))"])
      }
      guard field.store(value, in: &self) else {
        throw Diagnostic("device.range", "\(path) is \(value.prefix(100)), expected \(field.expectation)")
      }
    }
  }

  /// Names of settings that stand for other ones.
  public static let shorthands = ["ratio", "sigma", "sigma-scale"]

  /// The fields that a setting changes, with their values.
  private func expanded(_ name: String, _ text: String) throws(Diagnostic) -> [(String, String)] {
    guard Device.shorthands.contains(name) else { return [(name, text)] }
    guard let number = Double(text), number.isFinite || name == "ratio", number >= 0 else {
      let infinite = name == "ratio" ? ", or inf," : ""
      throw Diagnostic(
        "device.range", "\(name) is \(text.prefix(100)), a number from 0 on\(infinite) is expected")
    }
    switch name {
    case "ratio": return [("cell.offResistance", "\(number * cell.onResistance)")]
    case "sigma": return [("variation.on", text), ("variation.off", text)]
    default:
      return [("variation.on", "\(number * variation.on)"), ("variation.off", "\(number * variation.off)")]
    }
  }
}
