public import Support

/// A number of a target file with the place that it was taken from.
public struct TargetNumber: Hashable, Sendable {
  /// The name, such as `array.rows`.
  public let path: String
  /// The value, in the unit of the field of `Machine`.
  public let value: Double
  /// The publication or the assumption it is based on; nil where the file gives none.
  public let source: String?
}

/// A machine as a JSON file describes it.
///
/// The file is an object with the texts `name` and `summary` and the objects `array`, `operands`, `hierarchy`,
/// `timing`, `energy` and `area`, whose keys are the properties of `Machine`; it may have the objects `memory` and
/// `writing`. A number is given as it is or as `{"value": 128, "source": "..."}`. All numbers of these objects are
/// needed; other keys are refused.
public struct TargetFile: Equatable, Sendable {
  /// The machine.
  public let machine: Machine
  /// All numbers, in the order of `Machine`'s declaration.
  public let numbers: [TargetNumber]

  /// Reads a file's bytes; `file` is the name for messages.
  ///
  /// Throws `target.syntax` for a text that is no JSON or has a key twice, `target.key` for an unknown key,
  /// `target.missing`, `target.type`, and `target.range` for a number out of its range or a unit larger than the
  /// crossbar; each with line and column.
  public init(json: [UInt8], file: String) throws(Diagnostic) {
    var reader = TargetReader(file: file)
    try reader.read(reader.text.parse(json))
    machine = reader.machine
    numbers = reader.numbers
  }
}

private struct TargetReader {
  let text: DescriptionReader
  private(set) var machine = Machine.blank
  private(set) var numbers: [TargetNumber] = []

  init(file: String) { text = DescriptionReader(file: file, kind: "target") }

  mutating func read(_ root: JSONNode) throws(Diagnostic) {
    var sections: [String] = []
    for field in MachineField.all(with: MachineField.optionalSections) where !sections.contains(field.section)
    {
      sections.append(field.section)
    }
    let members = try text.members(of: root, path: "", allowed: ["name", "summary"] + sections)
    let fields = MachineField.all(with: members.map(\.key))
    var values: [String: JSONNode] = [:]
    for member in members where sections.contains(member.key) {
      let allowed = fields.filter { $0.section == member.key }.map(\.key)
      for inner in try text.members(of: member.node, path: member.key, allowed: allowed) {
        values["\(member.key).\(inner.key)"] = inner.node
      }
    }
    let present = Set(values.keys).union(members.map(\.key))
    let missing = (["name", "summary"] + fields.map(\.path)).filter { !present.contains($0) }
    guard missing.isEmpty else {
      throw text.failure("missing", "missing: \(missing.joined(separator: ", "))", root.position)
    }
    for member in members {
      if member.key == "name" { machine.name = try text.text(member.node, path: "name", limit: 64) }
      if member.key == "summary" {
        machine.summary = try text.text(member.node, path: "summary", limit: 2000)
      }
    }
    for field in fields {
      if let node = values[field.path] { try read(field, node) }
    }
    try checkUnit(root.position)
    guard machine.area.adcsPerCrossbar > 0 || machine.energy.adcConversion == 0 else {
      throw text.failure(
        "range", "area.adcsPerCrossbar is 0, but energy.adcConversion says that crossbars have converters",
        values["area.adcsPerCrossbar"]?.position ?? root.position)
    }
  }

  private mutating func read(_ field: MachineField, _ node: JSONNode) throws(Diagnostic) {
    let (number, source) = try text.sourced(node, path: field.path)
    let value = try text.number(number, path: field.path)
    guard field.accepts(value) else {
      throw text.failure("range", "\(field.path) is \(value), expected \(field.expectation)", number.position)
    }
    field.store(value, in: &machine)
    numbers.append(TargetNumber(path: field.path, value: value, source: source))
  }

  private func checkUnit(_ position: TextPosition) throws(Diagnostic) {
    let array = machine.array
    guard array.unitHeight <= array.rows, array.unitWidth <= array.columns else {
      throw text.failure(
        "range",
        "a unit of \(array.unitHeight)x\(array.unitWidth) does not fit into a crossbar of \(array.rows)x\(array.columns)",
        position)
    }
  }
}
