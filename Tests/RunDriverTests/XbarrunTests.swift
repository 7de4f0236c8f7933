import Evaluation
import DeviceModel
import Executor
import Foundation
import ProgramFormat
import ProgramSamples
import Report
import RunDriver
import Support
import Tensors
import TestTools
import Testing

@Suite struct XbarrunTests {
  private func files(_ place: Workplace) throws -> (program: String, input: String) {
    let arrays = [
      ("images", Tensor([4, 1, 28, 28], blobImages(4, seed: 2))),
      ("labels", Tensor([4], [Int64(0), 1, 2, 9])),
    ]
    return (try place.program(sampleNetwork), try place.npz("x.npz", arrays))
  }

  @Test func writesOutputsMetricsAndReport() throws {
    let place = try Workplace()
    let (program, input) = try files(place)
    let status = runXbarrun([
      program, "--input", input, "--output", place.path("y.npy"), "--metrics", place.path("m.json"),
      "--html=\(place.path("r.html"))", "--quiet", "--threads", "2", "--device", "ideal", "--seed", "3",
    ])
    #expect(status == 0)
    let output = try readArrays(path: place.path("y.npy"))[0].tensor
    #expect(output.shape == [4, 10, 1, 1])
    var oracle = Oracle(sampleNetwork)
    let images = blobImages(4, seed: 2)
    let expected = try (0..<4).flatMap { try oracle.run([Array(images[$0 * 784..<($0 + 1) * 784])])[0] }
    #expect(output.floats == expected)
    try checkMetrics(try place.json("m.json"), oracle)
    let page = try String(contentsOfFile: place.path("r.html"), encoding: .utf8)
    for part in ["<!DOCTYPE html>", "LeNet-5 on sample", "<svg", "conv1", "adcSaturations", "top-1"] {
      #expect(page.contains(part), "\(part)")
    }
    #expect(!page.contains("http"))
  }

  /// All 64 bits of a seed are in the metrics; trials on an ideal device are refused under `--strict`.
  @Test func metricsHoldTheSeedAndStrictRefusesOptionsInVain() throws {
    let place = try Workplace()
    let (program, input) = try files(place)
    let words = [program, "--input", input, "--quiet", "--trials", "2"]
    let device = ["--device", "ratio10", "--limit", "1", "--seed", "18446744073709551615", "--strict"]
    #expect(runXbarrun(words + device + ["--metrics", place.path("m.json")]) == 0)
    let text = try String(contentsOfFile: place.path("m.json"), encoding: .utf8)
    #expect(text.contains("\"seed\": 18446744073709551615"))
    #expect(runXbarrun(words) == 0 && runXbarrun(words + ["--strict"]) == 2)
  }

  private func checkMetrics(_ metrics: JSON, _ oracle: Oracle) throws {
    #expect(metrics["version"] == 1 && metrics["kind"] == "run" && metrics["samples"] == 4)
    #expect(metrics["top1"]?.number != nil && metrics["top5"]?.number != nil)
    let (low, high) = (metrics["top1Interval"]?["low"]?.number, metrics["top1Interval"]?["high"]?.number)
    #expect(try #require(low) >= 0 && #require(high) <= 1 && #require(low) < #require(high))
    let inputs = try #require(metrics["inputs"]?.elements)
    #expect(inputs.map { $0["values"]?.integer } == [4 * 784] && inputs[0]["inputNaNs"] == 0)
    let layers = try #require(metrics["layers"]?.elements)
    #expect(layers.map { $0["name"]?.text } == ["conv1", "conv2", "fc1", "fc2", "digital"])
    for (layer, events) in zip(layers, oracle.events + [oracle.digital]) {
      for field in Events.fields {
        let parts = field.name.split(separator: ".").map(String.init)
        let value = parts.reduce(Optional(layer)) { $0?[$1] }
        #expect(value?.integer == events[keyPath: field.path], "\(field.name)")
      }
    }
    let total = try #require(metrics["total"])
    let energies = try #require(total["energyPicojoules"]?.members)
    #expect(energies.map(\.key) == EnergyBreakdown.fields.map(\.name) + ["total"])
    let sum = energies.dropLast().reduce(0) { $0 + ($1.value.number ?? 0) }
    #expect(abs(sum - (energies.last?.value.number ?? 0)) < 1e-6 * sum)
    let latencies = layers.reduce(0) { $0 + ($1["latencyNanoseconds"]?.number ?? 0) }
    #expect(abs(latencies - (total["latencyNanoseconds"]?.number ?? 0)) < 1e-6 * latencies)
  }

  @Test func metricsAreTheSameForAnyThreads() throws {
    let place = try Workplace()
    let (program, input) = try files(place)
    var texts: Set<String> = []
    for threads in 1...4 {
      let path = place.path("m\(threads).json")
      #expect(
        runXbarrun([program, "--input", input, "--metrics", path, "-q", "--threads", "\(threads)"]) == 0)
      texts.insert(try String(contentsOfFile: path, encoding: .utf8))
    }
    #expect(texts.count == 1)
  }

  @Test func limitTakesTheFirstSamples() throws {
    let place = try Workplace()
    let (program, input) = try files(place)
    #expect(runXbarrun([program, "--input", input, "--limit", "2", "-o", place.path("o.npz"), "-q"]) == 0)
    let arrays = try readArrays(path: place.path("o.npz"))
    #expect(arrays.map(\.name) == ["scores"])
    #expect(arrays[0].tensor.shape == [2, 10, 1, 1])
  }

  @Test func exitsWithTheStatusOfTheError() throws {
    let place = try Workplace()
    let (program, input) = try files(place)
    for (status, words) in [
      (0, ["--help"]),
      (2, []), (2, [program]), (2, [program, "--input"]), (2, [program, "--input", input, "--limit", "0"]),
      (2, [program, "--input", input, "--nonsense"]), (2, [program, "--input", input, "--seed", "x"]),
      (1, [place.path("none.xbar"), "--input", input]), (1, [program, "--input", place.path("none.npy")]),
      (1, [input, "--input", input]), (1, [program, "--input", program]),
      (0, [program, "--input", input, "--trials", "3"]), (2, [program, "--input", input, "--trials", "0"]),
      (1, [program, "--input", input, "--trace", "t.json"]),
      (1, [program, "--input", input, "--device", "noisy.json"]),
      (1, [program, "--input", input, "-q", "-o", place.path("none/o.npy")]),
    ] as [(Int32, [String])] {
      #expect(runXbarrun(words) == status, "\(words)")
    }
  }

  @Test func textNamesLayersAndTotals() throws {
    let samples = try SampleSet(
      count: 2, inputs: [blobImages(2, seed: 2)], labels: [1, 2], for: sampleNetwork.samplePorts)
    let record = try run(sampleNetwork, on: samples, threads: 1)
    let lines = record.text.split(separator: "\n").map(String.init)
    #expect(lines.first == "network    LeNet-5")
    #expect(lines.contains { $0.hasPrefix("top-1") && $0.hasSuffix("%") })
    for name in ["conv1", "conv2", "fc1", "fc2", "digital", "total"] {
      #expect(lines.contains { $0.hasPrefix(name + " ") }, "\(name)")
    }
    let none = try SampleSet(count: 0, inputs: [[]], labels: nil, for: sampleNetwork.samplePorts)
    let empty = try run(sampleNetwork, on: none, threads: 1)
    #expect(empty.samples == 0 && empty.json["top1"] == .null && !empty.text.contains("top-1"))
  }

  /// Values beyond the grid of the first layer, and values that are no numbers, are counted and said.
  @Test func inputsThatCannotBeMeantAreSaid() throws {
    func record(_ images: [Float], threads: Int = 1) throws -> RunRecord {
      let samples = try SampleSet(count: 2, inputs: [images], labels: nil, for: sampleNetwork.samplePorts)
      return try run(sampleNetwork, on: samples, threads: threads)
    }
    let images = blobImages(2, seed: 2)
    let plain = try record(images)
    #expect(
      plain.warnings.isEmpty && plain.inputs.map(\.values) == [1568] && plain.inputs[0].quantized == 1568)
    #expect(plain.inputs[0].clamps == 0 && plain.inputs[0].nans == 0)
    #expect(plain.text.contains("1,568 values, none clamped, no NaN"))
    let pixels = images.map { $0 * 255 }
    let scaled = try record(pixels)
    #expect(scaled.warnings.map(\.id) == ["run.input-range"])
    // The grid is that of 0 to 1 with 8 bits.
    #expect(scaled.inputs[0].clamps == pixels.count { ($0 * 255).rounded(.toNearestOrEven) > 255 })
    #expect(scaled.json["inputs"]?.elements?[0]["inputClamps"]?.integer == scaled.inputs[0].clamps)
    var broken = images
    broken[3] = .nan
    broken[1000] = .nan
    let undefined = try record(broken)
    #expect(undefined.warnings.map(\.id) == ["run.input-nan"] && undefined.inputs[0].nans == 2)
    #expect(try record(pixels, threads: 3).json.encoded == scaled.json.encoded)
  }

  @Test func usageNamesAllOptions() {
    #expect(runXbarrun(["-h"]) == 0)
  }
}

@Suite struct PageTests {
  @Test func escapesText() {
    var page = Page(title: "a < b & \"c\"")
    page.add(.paragraph("<script>"))
    page.add(.facts([Page.Fact("<", ">")]))
    page.add(
      .bars(
        BarChart(title: "<t>", bars: [.init("<n>", 1, "<v>"), .init("n", .nan, "v"), .init("m", -1, "v")])))
    #expect(page.html.contains("<h1>a &lt; b &amp; &quot;c&quot;</h1>"))
    #expect(
      page.html.contains("&lt;script&gt;") && !page.html.contains("<script>") && !page.html.contains("<n>"))
    #expect(page.html.contains("width=\"400.0\"") && page.html.contains("width=\"0.0\""))
  }

  @Test func marksTotals() {
    var table = TextTable([.init("a", .left), .init("b")])
    table.add(["x", "1"])
    table.add(total: ["sum", "1"])
    var page = Page(title: "t")
    page.add(.heading("h"))
    page.add(.table(table))
    #expect(page.html.contains("<tr class=\"total\"><td class=\"left\">sum</td><td>1</td></tr>"))
    #expect(page.html.contains("<tr><th class=\"left\">a</th><th>b</th></tr>"))
    #expect(page.html.contains("<h2>h</h2>"))
  }
}
