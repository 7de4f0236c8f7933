import Report
import Support
import Testing

/// Two buffers, of which the second one is left out, at 1 GHz.
private func sample() throws -> Timeline {
  var timeline = Timeline(title: "conv1, position 0")
  timeline.addLane("memory")
  try timeline.add(.fetch, lane: "memory", from: 0, to: 256, label: "buffer 0")
  try timeline.add(.compute, lane: "crossbars", from: 256, to: 288, label: "buffer 0")
  try timeline.add(.fetch, lane: "memory", from: 256, to: 512, label: "buffer 1")
  try timeline.add(.skip, lane: "memory", from: 512, to: 512, label: "buffer 1")
  return timeline
}

/// The events of a trace of a kind, `X` or `M`.
private func events(_ timeline: Timeline, _ phase: String) throws -> [JSON] {
  let all = try #require(try JSON(parsing: timeline.trace)["traceEvents"]?.elements)
  return all.filter { $0["ph"]?.text == phase }
}

private func refusal(
  _ change: (inout Timeline) throws(Diagnostic) -> Void, of timeline: inout Timeline
) -> Diagnostic? {
  do throws(Diagnostic) {
    try change(&timeline)
    return nil
  } catch { return error }
}

@Suite struct TimelineTests {
  @Test func writesOneEventToALine() throws {
    let expected = """
      {"displayTimeUnit": "ns", "traceEvents": [
      {"ph": "M", "pid": 1, "tid": 0, "name": "process_name", "args": {"name": "conv1, position 0"}},
      {"ph": "M", "pid": 1, "tid": 1, "name": "thread_name", "args": {"name": "memory"}},
      {"ph": "M", "pid": 1, "tid": 1, "name": "thread_sort_index", "args": {"sort_index": 0}},
      {"ph": "M", "pid": 1, "tid": 2, "name": "thread_name", "args": {"name": "crossbars"}},
      {"ph": "M", "pid": 1, "tid": 2, "name": "thread_sort_index", "args": {"sort_index": 1}},
      {"ph": "X", "pid": 1, "tid": 1, "ts": 0.0, "dur": 0.256, "cat": "fetch", "name": "buffer 0"},
      {"ph": "X", "pid": 1, "tid": 2, "ts": 0.256, "dur": 0.032, "cat": "compute", "name": "buffer 0"},
      {"ph": "X", "pid": 1, "tid": 1, "ts": 0.256, "dur": 0.256, "cat": "fetch", "name": "buffer 1"},
      {"ph": "X", "pid": 1, "tid": 1, "ts": 0.512, "dur": 0.0, "cat": "skip", "name": "buffer 1"}
      ]}

      """
    #expect(try sample().trace == expected)
    let empty = Timeline(title: "")
    #expect(try JSON(parsing: empty.trace)["traceEvents"]?.elements?.count == 1)
  }

  @Test func lanesKeepTheirOrder() throws {
    let timeline = try sample()
    #expect(timeline.title == "conv1, position 0" && timeline.lanes == ["memory", "crossbars"])
    let metadata = try events(timeline, "M")
    let names = metadata.filter { $0["name"]?.text == "thread_name" }
    #expect(names.map { $0["args"]?["name"]?.text } == ["memory", "crossbars"])
    #expect(names.map { $0["tid"]?.integer } == [1, 2])
    let places = metadata.filter { $0["name"]?.text == "thread_sort_index" }
    #expect(places.map { $0["args"]?["sort_index"]?.integer } == [0, 1])
    #expect(metadata.first?["name"]?.text == "process_name")
    #expect(metadata.first?["args"]?["name"]?.text == "conv1, position 0")
  }

  @Test func namedLanesAreAddedOnce() throws {
    var timeline = Timeline(title: "t")
    #expect(timeline.addLane("a") == 0 && timeline.addLane("b") == 1 && timeline.addLane("a") == 0)
    try timeline.add(.fetch, lane: "b", from: 1, to: 2, label: "")
    #expect(timeline.lanes == ["a", "b"] && timeline.spans.map(\.lane) == [1])
    let names = try events(timeline, "M").filter { $0["name"]?.text == "thread_name" }
    #expect(names.count == 2)
  }

  @Test func timesAreMicroseconds() throws {
    var timeline = Timeline(title: "t")
    try timeline.add(.compute, lane: "a", from: 1500, to: 4000, label: "x")
    try timeline.add(.compute, lane: "a", from: -250, to: 0, label: "y")
    let spans = try events(timeline, "X")
    #expect(spans.map { $0["ts"]?.number } == [1.5, -0.25])
    #expect(spans.map { $0["dur"]?.number } == [2.5, 0.25])
  }

  @Test func kindsAreCategories() throws {
    var timeline = Timeline(title: "t")
    for kind in Timeline.Kind.allCases { try timeline.add(kind, lane: "a", from: 0, to: 1, label: "x") }
    #expect(try events(timeline, "X").map { $0["cat"]?.text } == ["fetch", "compute", "skip"])
  }

  @Test func readsBackRandomTimelines() throws {
    var random = SeededGenerator(seed: 12)
    let words = ["conv1", "a \"b\"", "é\\", "line\nline", "</script>", ""]
    for _ in 0..<100 {
      var timeline = Timeline(title: words[random.below(words.count)])
      for _ in 0..<random.below(30) {
        let start = 1e6 * random.unit()
        try timeline.add(
          Timeline.Kind.allCases[random.below(3)], lane: words[random.below(words.count)], from: start,
          to: start + 1000 * random.unit(), label: words[random.below(words.count)])
      }
      let names = try events(timeline, "M").filter { $0["name"]?.text == "thread_name" }
      #expect(names.map { $0["args"]?["name"]?.text } == timeline.lanes)
      let spans = try events(timeline, "X")
      #expect(spans.count == timeline.spans.count)
      for (event, span) in zip(spans, timeline.spans) {
        #expect(event["tid"]?.integer == span.lane + 1 && event["pid"]?.integer == 1)
        #expect(event["ts"]?.number == span.start / 1000)
        #expect(event["dur"]?.number == (span.end - span.start) / 1000)
        #expect(event["cat"]?.text == span.kind.rawValue && event["name"]?.text == span.label)
      }
    }
  }

  @Test func equalTimelinesGiveEqualBytes() throws {
    #expect(try sample() == sample())
    #expect(try sample().trace == sample().trace)
  }

  @Test func writesPieceByPiece() throws {
    var pieces: [String] = []
    let timeline = try sample()
    timeline.writeTrace { pieces.append($0) }
    #expect(pieces.joined() == timeline.trace)
    #expect(pieces.count == 2 + 1 + 2 * timeline.lanes.count + timeline.spans.count)
  }

  @Test func stopsWhereWritingFails() throws {
    let timeline = try sample()
    var count = 0
    do throws(Diagnostic) {
      try timeline.writeTrace { (_) throws(Diagnostic) in
        count += 1
        if count == 3 { throw Diagnostic("test.full", "no space") }
      }
      Issue.record("nothing was thrown")
    } catch { #expect(error.id == "test.full" && count == 3) }
  }

  @Test(arguments: [(2, 1), (.nan, 1), (0, .nan), (0, .infinity), (-.infinity, 0), (-1e308, 1e308)])
  func refusesWrongTimes(_ start: Double, _ end: Double) throws {
    var timeline = try sample()
    let error = refusal(
      { (timeline) throws(Diagnostic) in
        try timeline.add(.fetch, lane: "new", from: start, to: end, label: "x")
      }, of: &timeline)
    #expect(error?.id == "timeline.span" && error?.message.contains("'new'") == true)
    #expect(try timeline == sample())
  }
}
