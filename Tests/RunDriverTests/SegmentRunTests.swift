import Evaluation
import DeviceModel
import Executor
import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Report
import RunDriver
import Support
import Tensors
import TestTools
import Testing

/// What `xbarrun` says of programs whose segments take turns.
@Suite("Runs of segments")
struct SegmentRunTests {
  /// LeNet-5 with the two convolutions in one segment and the products in one each.
  private func network(_ figures: WriteFigures?) -> Program {
    var program = sampleNetwork
    for (layer, segment) in zip(program.layers.indices, [0, 0, 1, 2]) {
      program.layers[layer].segment = segment
    }
    program.machine.writing = figures
    return program
  }

  private let figures = WriteFigures(wordlineNanoseconds: 50, cellPicojoules: 4000)

  private func record(_ program: Program, samples: Int = 3, batch: Int = 1) throws -> RunRecord {
    let set = try SampleSet(
      count: samples, inputs: [blobImages(samples, seed: 2)], labels: nil, for: program.samplePorts)
    return try run(program, on: set, segmentBatch: batch, threads: 1)
  }

  @Test func writingIsALineOfItsOwnAndInTheTotal() throws {
    let (with, without) = (try record(network(figures)), try record(sampleNetwork))
    #expect(with.outputs == without.outputs)
    #expect(Array(with.layers.dropLast()) == without.layers)
    let writing = try #require(with.layers.last)
    #expect(writing.name == "writing" && writing.layer == nil)
    let segments = SegmentWriting(with.program).segments
    let (cells, steps) = (segments.reduce(0) { $0 + $1.cells }, segments.reduce(0) { $0 + $1.steps })
    #expect(writing.events.cellWrites == 3 * cells && writing.events.writeSteps == 3 * steps)
    #expect(writing.cost.energyPicojoules.total == Double(3 * cells) * 4000)
    #expect(writing.cost.latencyNanoseconds == Double(3 * steps) * 50)
    let energy = with.total.cost.energyPicojoules.total - without.total.cost.energyPicojoules.total
    #expect(abs(energy - writing.cost.energyPicojoules.total) < 1)
    #expect(with.total.events.cellWrites == 3 * cells)
  }

  @Test func textNamesSegments() throws {
    let record = try record(network(figures), batch: 2)
    let text = record.text
    let largest = SegmentWriting(record.program).segments.map(\.crossbars).max() ?? 0
    #expect(text.contains("\nsegments   3 of at most \(largest) crossbars, written for every 2 samples\n"))
    #expect(text.contains("\none writing of each segment:\nsegment  layers"))
    #expect(text.contains("\n0        conv1, conv2 ") && text.contains("\n2        fc2 "))
    #expect(text.contains("\nenergy and time include the writing of segments\n"))
    #expect(text.contains("\nwriting "))
    #expect(record.page.html.contains("one writing of each segment"))
    let one = try self.record(sampleNetwork)
    #expect(one.segments == nil && one.segmentTable == nil)
    #expect(!one.text.contains("segment") && !one.text.contains("writing"))
  }

  /// A machine without figures counts what is written; nothing says that it costs nothing.
  @Test func unknownCostsAreCalledUnknown() throws {
    let record = try record(network(nil))
    #expect(record.total.cost.omitsWriting && record.total.events.cellWrites > 0)
    let row = try #require(record.text.split(separator: "\n").first { $0.hasPrefix("writing ") })
    #expect(row.hasSuffix("not known  not known"))
    #expect(
      record.text.contains(
        "\nenergy and time leave out what writing takes: machine sample does not tell it\n"))
    for entry in [record.json["layers"]?.elements?.last, record.json["total"]] {
      #expect(entry?["energyPicojoules"]?["write"] == .null && entry?["omitsWriting"] == true)
      #expect((entry?["cellWrites"]?.integer ?? 0) > 0)
    }
    let known = try self.record(network(figures)).json["total"]
    #expect(known?["omitsWriting"] == nil && (known?["energyPicojoules"]?["write"]?.number ?? 0) > 0)
  }

  @Test func metricsHoldSegmentsAndBatch() throws {
    let place = try Workplace()
    let program = try place.program(network(figures))
    let input = try place.npz("x.npz", [("images", Tensor([4, 1, 28, 28], blobImages(4, seed: 2)))])
    let words = [program, "--input", input, "--quiet"]
    for (batch, writings) in [(1, 4), (3, 2), (4, 1), (100, 1)] {
      let more = ["--segment-batch", "\(batch)", "--metrics", place.path("m.json")]
      #expect(runXbarrun(words + more) == 0)
      let metrics = try place.json("m.json")
      let segments = try #require(metrics["segments"])
      #expect(segments["batch"]?.integer == batch && segments["writings"]?.integer == writings)
      let list = try #require(segments["segments"]?.elements)
      #expect(list.map { $0["layers"] } == [["conv1", "conv2"], ["fc1"], ["fc2"]])
      let cells = list.compactMap { $0["cells"]?.integer }.reduce(0, +)
      let writing = try #require(metrics["layers"]?.elements?.last)
      #expect(writing["name"] == "writing" && writing["cellWrites"]?.integer == writings * cells)
      let stored = try #require(segments["storedElements"]?.integer)
      #expect(stored > 0 && writing["dramWrites"]?.integer == (batch > 1 ? 4 * stored : 0))
    }
    for wrong in ["0", "-1", "x"] { #expect(runXbarrun(words + ["--segment-batch", wrong]) == 2) }
    let plain = try place.program(sampleNetwork, "q.xbar")
    let more = ["--metrics", place.path("q.json"), "--segment-batch", "7"]
    #expect(runXbarrun([plain, "--input", input, "--quiet"] + more) == 0)
    #expect(try place.json("q.json")["segments"] == .null)
  }

  /// Cells vary from trial to trial and stay as they are when a segment is written again: trials are those of one
  /// segment.
  @Test func trialsAreThoseOfOneSegment() throws {
    var device = Device.ideal
    device = try device.setting("sigma", to: "0.1")
    let set = try SampleSet(
      count: 2, inputs: [blobImages(2, seed: 2)], labels: [1, 2], for: sampleNetwork.samplePorts)
    let settings = TrialSettings(device: device, trials: 2, seed: 5)
    let runs = try [network(figures), sampleNetwork].map { program in
      try run(program, on: set, settings: settings, threads: 2)
    }
    #expect(runs[0].outputs == runs[1].outputs && runs[0].trials?.trials == runs[1].trials?.trials)
    #expect(runs[0].layers.last?.events.cellWrites ?? 0 > 0)
  }
}
