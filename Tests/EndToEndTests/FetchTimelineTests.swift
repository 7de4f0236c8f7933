import Evaluation
import DeviceModel
import Driver
import Executor
import Foundation
import Hardware
import Mapping
import ProgramFormat
import Report
import RunDriver
import Support
import Testing

/// The timeline of a sample is what its events count.
@Suite("Timelines of fetches")
struct FetchTimelineTests {
  private func load(_ scheme: String) throws -> (program: Program, inputs: [[Float]], events: [LayerResult]) {
    let program = try decode(
      try compile(request("lenet5-grouplasso", "fashion-mnist", scheme: scheme)).bytes, file: "a")
    let set = try SampleSet(input: dataPath("fashion-mnist", "test"), limit: 1, for: program.samplePorts)
    let run = try ExecutablePlan(program).run(inputs: set.inputs, samples: 1, threads: 1)
    return (program, set.inputs, run.layers)
  }

  @Test(arguments: ["recom-base", "recom-swof", "recom"])
  func spansAreTheEvents(scheme: String) throws {
    let (program, inputs, layers) = try load(scheme)
    let fetches = try ExecutablePlan(program).fetches(inputs: inputs)
    #expect(fetches.map(\.name) == ["conv1", "conv2", "fc1", "fc2"])
    for (fetch, layer) in zip(fetches, layers) {
      let spans = fetch.positions.joined()
      #expect(spans.count == layer.events.bufferFills)
      #expect(spans.count { $0.compute == nil } == layer.events.skippedBuffers)
      let clocks = fetch.positions.reduce(fetch.outsideClocks) { $0 + LayerFetches.clocks($1) }
      #expect(clocks == layer.events.clocks)
    }
    let timeline = try fetchTimeline(of: program, inputs: inputs)
    let clock = try #require(program.machine.memory).clockNanoseconds
    let end = timeline.spans.map(\.end).max() ?? 0
    let total = layers.reduce(0) { $0 + $1.events.clocks }
    #expect(abs(end - Double(total) * clock) < 1e-6 * end)
    let skips = timeline.spans.count { $0.kind == .skip }
    #expect(skips == layers.reduce(0) { $0 + $1.events.skippedBuffers })
    #expect((skips > 0) == (scheme == "recom"))
  }

  /// Nothing happens twice at the same time on a lane.
  @Test(arguments: ["recom-base", "recom"]) func lanesDoOneThingAtATime(scheme: String) throws {
    let (program, inputs, _) = try load(scheme)
    let timeline = try fetchTimeline(of: program, inputs: inputs)
    #expect(timeline.lanes.first == "memory outside of the chip" && timeline.lanes.contains("PE 0 crossbars"))
    for lane in timeline.lanes.indices {
      let spans = timeline.spans.filter { $0.lane == lane }.sorted { $0.start < $1.start }
      #expect(
        zip(spans, spans.dropFirst()).allSatisfy { $0.end <= $1.start + 1e-9 }, "\(timeline.lanes[lane])")
    }
  }

  @Test func programsWithoutFetchesHaveNone() throws {
    let (program, inputs, _) = try load("dense")
    #expect(throws: Diagnostic.self) { _ = try fetchTimeline(of: program, inputs: inputs) }
  }

  /// As a user calls it: a file that the project's own parser reads, with a lane for the buffers and crossbars of each
  /// processing element.
  @Test func theCommandLineWritesATrace() throws {
    let scratch = try ScratchFolder()
    defer { scratch.remove() }
    let compiled = try scratch.run(
      "xbarc",
      [
        "compile", modelPath("digits"), "-o", "d.xbar", "--scheme", "recom", "--calibration",
        dataPath("digits", "calibration"),
      ])
    #expect(compiled.status == 0, "\(compiled.errors)")
    let words = ["d.xbar", "--input", dataPath("digits", "test"), "--limit", "3", "--trace", "t.json"]
    let ran = try scratch.run("xbarrun", words)
    #expect(ran.status == 0 && ran.output.contains("per sample"), "\(ran.errors)")
    let text = try String(contentsOfFile: scratch.path("t.json"), encoding: .utf8)
    let json = try JSON(parsing: text)
    let events = try #require(json["traceEvents"]?.elements)
    #expect(events.count > 100)
    #expect(text.contains("PE 0 buffers") && text.contains("conv1, position 0, buffer 0"))
    let refused = try scratch.run(
      "xbarc",
      ["compile", modelPath("digits"), "-o", "e.xbar", "--calibration", dataPath("digits", "calibration")])
    #expect(refused.status == 0)
    let none = try scratch.run(
      "xbarrun", ["e.xbar", "--input", dataPath("digits", "test"), "--trace", "u.json"])
    #expect(none.status == 1 && none.errors.contains("[trace.fetches]"), "\(none.errors)")
  }
}
