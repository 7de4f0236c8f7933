public import Support

/// Reads the objects of a description in JSON, such as that of a machine: known keys only, and numbers that are given
/// as they are or as `{"value": 128, "source": "..."}`.
public struct DescriptionReader: Sendable {
  /// The file's name in messages.
  public let file: String
  /// What the identifiers of messages begin with, such as `target`.
  public let kind: String

  /// Creates a reader.
  public init(file: String, kind: String) {
    self.file = file
    self.kind = kind
  }

  /// The text's outermost value; throws `<kind>.syntax` for a text that is no JSON or has a key twice.
  public func parse(_ json: [UInt8]) throws(Diagnostic) -> JSONNode {
    do throws(JSONError) {
      return try JSONNode(parsing: json)
    } catch {
      throw failure("syntax", error.message, error.position)
    }
  }

  /// A message about a place of the file, called `<kind>.<id>`.
  public func failure(_ id: String, _ message: String, _ position: TextPosition, notes: [String] = [])
    -> Diagnostic
  {
    Diagnostic("\(kind).\(id)", message, at: Location(file: file, .text(position)), notes: notes)
  }

  /// The members of the object at `path`, the file's own where that is empty, that may have the keys `allowed`; throws
  /// `<kind>.type` and `<kind>.key`.
  public func members(of node: JSONNode, path: String, allowed: [String]) throws(Diagnostic) -> [JSONNode
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

  /// A text of 1 ... `limit` bytes; throws `<kind>.type` and `<kind>.range`.
  public func text(_ node: JSONNode, path: String, limit: Int) throws(Diagnostic) -> String {
    guard case .string(let text) = node.value else {
      throw failure("type", "\(path) is \(node.kind), a text is expected", node.position)
    }
    guard !text.isEmpty, text.utf8.count <= limit else {
      throw failure(
        "range", "\(path) has \(text.utf8.count) bytes, 1 ... \(limit) are expected", node.position)
    }
    return text
  }

  /// The value at `path` without its source, and the source where there is one; throws `<kind>.type`, `<kind>.key`,
  /// `<kind>.missing` and `<kind>.range`.
  public func sourced(_ node: JSONNode, path: String) throws(Diagnostic) -> (value: JSONNode, source: String?)
  {
    guard case .object = node.value else { return (node, nil) }
    let members = try members(of: node, path: path, allowed: ["value", "source"])
    guard let value = members.first(where: { $0.key == "value" }) else {
      throw failure("missing", "missing: \(path).value", node.position)
    }
    guard let source = members.first(where: { $0.key == "source" }) else { return (value.node, nil) }
    return (value.node, try text(source.node, path: "\(path).source", limit: 2000))
  }

  /// A number; throws `<kind>.type`.
  public func number(_ node: JSONNode, path: String) throws(Diagnostic) -> Double {
    guard case .number(let value) = node.value else {
      throw failure("type", "\(path) is \(node.kind), a number is expected", node.position)
    }
    return value
  }
}
