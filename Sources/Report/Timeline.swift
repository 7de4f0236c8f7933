public import Support

/// What runs when: spans on lanes, such as the memory and the crossbars of a layer.
public struct Timeline: Equatable, Sendable {
  /// What a span is.
  public enum Kind: String, CaseIterable, Hashable, Sendable {
    /// Values are brought from memory.
    case fetch
    /// Crossbars compute.
    case compute
    /// A buffer is left out.
    case skip
  }

  /// A time on a lane.
  public struct Span: Equatable, Sendable {
    /// The lane, as an index into `lanes`.
    public let lane: Int
    /// What happens.
    public let kind: Kind
    /// When it begins, in nanoseconds.
    public let start: Double
    /// When it ends, in nanoseconds; not before `start`.
    public let end: Double
    /// What viewers write on it.
    public let label: String
  }

  /// The title, which viewers show above the lanes.
  public let title: String
  /// Names of the lanes from top to bottom, each once.
  public private(set) var lanes: [String] = []
  /// The spans in the order in which they were added.
  public private(set) var spans: [Span] = []
  private var lanesByName: [String: Int] = [:]

  /// Starts a timeline without lanes.
  public init(title: String) { self.title = title }

  /// Adds a span to the lane called `lane`, which becomes the lowest one if it is new.
  ///
  /// Throws `timeline.span` unless both ends are finite and `end` is not before `start`.
  public mutating func add(
    _ kind: Kind, lane: String, from start: Double, to end: Double, label: String
  ) throws(Diagnostic) {
    guard start.isFinite, end.isFinite, (end - start).isFinite, start <= end else {
      throw Diagnostic("timeline.span", "a span from \(start) to \(end) ns on lane '\(lane)'")
    }
    spans.append(Span(lane: addLane(lane), kind: kind, start: start, end: end, label: label))
  }

  /// The index of the lane called `name`, which is added if it is new. Lanes may be named before their first span, so
  /// that their order does not depend on the spans.
  @discardableResult
  public mutating func addLane(_ name: String) -> Int {
    if let index = lanesByName[name] { return index }
    lanes.append(name)
    lanesByName[name] = lanes.count - 1
    return lanes.count - 1
  }
}

// The trace-event format of chrome://tracing, which Perfetto (ui.perfetto.dev) opens too: an object with a list of
// events. A complete event (ph "X") has its time and duration in microseconds and a thread number, here that of its
// lane; metadata events (ph "M") name the threads and fix their order. Source: "Trace Event Format", the Chromium
// authors.
extension Timeline {
  private static let process: JSON = 1

  /// Gives the text of a trace-event file to `write`, piece by piece: one event to a line, so that a long timeline
  /// needs no text of its length. Equal timelines give equal bytes.
  public func writeTrace<Failure: Error>(_ write: (String) throws(Failure) -> Void) throws(Failure) {
    try write("{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n")
    try write(event("process_name", thread: 0, ["name": .string(title)]).line)
    for (lane, name) in lanes.enumerated() {
      try write(",\n" + event("thread_name", thread: lane + 1, ["name": .string(name)]).line)
      try write(",\n" + event("thread_sort_index", thread: lane + 1, ["sort_index": .integer(lane)]).line)
    }
    for span in spans { try write(",\n" + event(span).line) }
    try write("\n]}\n")
  }

  /// The text of a trace-event file.
  public var trace: String {
    var text = ""
    writeTrace { text += $0 }
    return text
  }

  /// A metadata event.
  private func event(_ name: String, thread: Int, _ arguments: JSON) -> JSON {
    [
      "ph": "M", "pid": Self.process, "tid": .integer(thread), "name": .string(name), "args": arguments,
    ]
  }

  /// A complete event.
  private func event(_ span: Span) -> JSON {
    [
      "ph": "X", "pid": Self.process, "tid": .integer(span.lane + 1), "ts": .double(span.start / 1000),
      "dur": .double((span.end - span.start) / 1000), "cat": .string(span.kind.rawValue),
      "name": .string(span.label),
    ]
  }
}
