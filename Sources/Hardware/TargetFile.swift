public import Support

/// A number of a target file with the place that it was taken from.
public struct TargetNumber: Hashable, Sendable {
  /// The name, such as `array.rows`.
  public let path: String
  /// The value, in the unit of the field of `Machine`.
  public let value: Double
  /// The publication or the assumption behind it; nil where the file gives none.
  public let source: String?
}

/// A machine as a JSON file describes it.
///
/// The file is an object with the texts `name` and `summary` and the objects `array`, `operands`, `hierarchy`,
/// `timing`, `energy` and `area`, whose keys are the properties of `Machine`; it may have the object `memory`. A number
/// stands as it is or as `{"value": 128, "source": "..."}`. All numbers of these objects are needed; other keys are
/// refused.
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
    let root: JSONNode
    do throws(JSONError) {
      root = try JSONNode(parsing: json)
    } catch {
      throw Diagnostic("target.syntax", error.message, at: Location(file: file, .text(error.position)))
    }
    var reader = TargetReader(file: file)
    try reader.read(root)
    machine = reader.machine
    numbers = reader.numbers
  }
}

private struct TargetReader {
  let file: String
  private(set) var machine = Machine.blank
  private(set) var numbers: [TargetNumber] = []

  init(file: String) { self.file = file }

  private func failure(_ id: String, _ message: String, _ position: TextPosition, notes: [String] = [])
    -> Diagnostic
  {
    Diagnostic("target.\(id)", message, at: Location(file: file, .text(position)), notes: notes)
  }

  mutating func read(_ root: JSONNode) throws(Diagnostic) {
    var sections: [String] = []
    for field in MachineField.all(withMemory: true) where !sections.contains(field.section) {
      sections.append(field.section)
    }
    let members = try self.members(of: root, path: "", allowed: ["name", "summary"] + sections)
    let fields = MachineField.all(withMemory: members.contains { $0.key == "memory" })
    var values: [String: JSONNode] = [:]
    for member in members where sections.contains(member.key) {
      let allowed = fields.filter { $0.section == member.key }.map(\.key)
      for inner in try self.members(of: member.node, path: member.key, allowed: allowed) {
        values["\(member.key).\(inner.key)"] = inner.node
      }
    }
    let present = Set(values.keys).union(members.map(\.key))
    let missing = (["name", "summary"] + fields.map(\.path)).filter { !present.contains($0) }
    guard missing.isEmpty else {
      throw failure("missing", "missing: \(missing.joined(separator: ", "))", root.position)
    }
    for member in members {
      if member.key == "name" { machine.name = try text(member, path: "name", limit: 64) }
      if member.key == "summary" { machine.summary = try text(member, path: "summary", limit: 2000) }
    }
    for field in fields {
      if let node = values[field.path] { try read(field, node) }
    }
    try checkUnit(root.position)
  }

  /// The members of an object that may have the keys `allowed`.
  private func members(of node: JSONNode, path: String, allowed: [String]) throws(Diagnostic) -> [JSONNode
    .Member]
  {
    guard case .object(let members) = node.value else {
      throw failure(
        "type", "\(path.isEmpty ? "the file" : path) is \(node.kind), an object is expected", node.position)
    }
    for member in members where !allowed.contains(member.key) {
      let near = nearest(member.key, in: allowed).map { ["did you mean '\($0)'?"] } ?? []
      let name = path.isEmpty ? member.key : "\(path).\(member.key)"
      throw failure("key", "unknown key '\(name)'", member.position, notes: near)
    }
    return members
  }

  private func text(_ member: JSONNode.Member, path: String, limit: Int) throws(Diagnostic) -> String {
    guard case .string(let text) = member.node.value else {
      throw failure("type", "\(path) is \(member.node.kind), a text is expected", member.node.position)
    }
    guard !text.isEmpty, text.utf8.count <= limit else {
      throw failure(
        "range", "\(path) has \(text.utf8.count) bytes, 1 ... \(limit) are expected", member.node.position)
    }
    return text
  }

  private mutating func read(_ field: MachineField, _ node: JSONNode) throws(Diagnostic) {
    var (number, source): (JSONNode, String?) = (node, nil)
    if case .object = node.value {
      let members = try members(of: node, path: field.path, allowed: ["value", "source"])
      guard let value = members.first(where: { $0.key == "value" }) else {
        throw failure("missing", "missing: \(field.path).value", node.position)
      }
      number = value.node
      if let member = members.first(where: { $0.key == "source" }) {
        source = try text(member, path: "\(field.path).source", limit: 2000)
      }
    }
    guard case .number(let value) = number.value else {
      throw failure("type", "\(field.path) is \(number.kind), a number is expected", number.position)
    }
    guard field.accepts(value) else {
      throw failure("range", "\(field.path) is \(value), expected \(field.expectation)", number.position)
    }
    field.store(value, in: &machine)
    numbers.append(TargetNumber(path: field.path, value: value, source: source))
  }

  private func checkUnit(_ position: TextPosition) throws(Diagnostic) {
    let array = machine.array
    guard array.unitHeight <= array.rows, array.unitWidth <= array.columns else {
      throw failure(
        "range",
        "a unit of \(array.unitHeight)x\(array.unitWidth) does not fit into a crossbar of \(array.rows)x\(array.columns)",
        position)
    }
  }
}
