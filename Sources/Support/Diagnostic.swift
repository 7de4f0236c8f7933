/// A message to the user: what was found, where, and what would help.
///
/// Tests and tools match the `id`; the words may change. The message is lower case without a full stop.
public struct Diagnostic: Error, Hashable, Sendable {
  /// How grave it is.
  public enum Severity: String, Hashable, Sendable {
    case error, warning, note
  }

  /// A stable name such as `import.conv-dilation`.
  public var id: String
  /// How grave it is.
  public var severity: Severity
  /// What was found and what was expected.
  public var message: String
  /// Where.
  public var location: Location
  /// Further sentences, each printed on a line of its own: what to do next.
  public var notes: [String]
  /// The option of the command line whose value is wrong, without dashes; nil for what is wrong elsewhere.
  public private(set) var option: String?

  /// Creates a diagnostic; an error unless said otherwise.
  public init(
    _ id: String, _ message: String, at location: Location = .none, severity: Severity = .error,
    notes: [String] = []
  ) {
    self.id = id
    self.severity = severity
    self.message = message
    self.location = location
    self.notes = notes
  }

  /// The same diagnostic with `file` filled in where the location names none.
  public func inFile(_ file: String) -> Diagnostic {
    var copy = self
    if copy.location.file.isEmpty { copy.location.file = file }
    return copy
  }

  /// The same diagnostic about the value of option `name`, where the location names no file: it then names the option.
  public func inOption(_ name: String) -> Diagnostic {
    guard location.file.isEmpty else { return self }
    var copy = inFile("--\(name)")
    copy.option = name
    return copy
  }
}

extension Diagnostic: CustomStringConvertible {
  /// One line: `where: error: message [id]`, and a line for each note.
  public var description: String {
    let place = location.description
    let head = "\(place.isEmpty ? "" : "\(place): ")\(severity.rawValue): \(message) [\(id)]"
    return ([head] + notes.map { "  note: \($0)" }).joined(separator: "\n")
  }
}

/// Several diagnostics thrown as one, in the order in which they were found; never empty when thrown.
public struct DiagnosticList: Error, Sendable {
  /// What was found.
  public var items: [Diagnostic]

  /// Wraps `items`.
  public init(_ items: [Diagnostic]) { self.items = items }

  /// Wraps one diagnostic.
  public init(_ item: Diagnostic) { self.items = [item] }
}

extension DiagnosticList: CustomStringConvertible {
  /// All diagnostics, one below the other.
  public var description: String { items.map(\.description).joined(separator: "\n") }
}
