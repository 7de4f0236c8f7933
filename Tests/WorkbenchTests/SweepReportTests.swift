import DeviceModel
import Driver
import Report
import RunDriver
import Support
import Testing

@testable import Workbench

@Suite struct SweepReportTests {
  /// Two devices over heights up to the whole array; the last height is refused.
  private func heights() throws -> SweepRecord {
    let request = try sweepRequest(
      "--over", "height=16,128,256", "--device", "ideal,ratio10", "--trials", "3", "--seed", "4")
    return try record(request) { index, point in
      let height = point.units.height ?? 0
      if height == 256 { return outcome(point, []) }
      let isIdeal = point.device == "ideal"
      return outcome(point, isIdeal ? [0.9] : [0.8, 0.9, 0.7], height: height)
    }
  }

  @Test func tableHasALineForEachPoint() throws {
    let table = try heights().table
    #expect(
      table.columns.map(\.title) == [
        "device", "height", "adc", "top-1", "95 % interval", "worst", "best", "trials", "wrong conversions",
        "energy",
        "time",
      ])
    // Half of the interval of the mean is 24.84 %, which would go beyond 100 %.
    let noise = "55.16 % to 100.00 %"
    let single = "85.06 % to 93.43 %"
    #expect(
      table.rows == [
        [
          "ideal", "16 ", "6 bit", "90.00 %", single, "90.00 %", "90.00 %", "1", "2.50 %", "1.50 nJ",
          "2.50 us",
        ],
        [
          "ideal", "128*", "6 bit", "90.00 %", single, "90.00 %", "90.00 %", "1", "2.50 %", "1.50 nJ",
          "2.50 us",
        ],
        ["ideal", "256 ", "-", "refused", "-", "-", "-", "-", "-", "-", "-"],
        [
          "ratio10", "16 ", "6 bit", "80.00 %", noise, "70.00 %", "90.00 %", "3", "2.50 %", "1.50 nJ",
          "2.50 us",
        ],
        [
          "ratio10", "128*", "6 bit", "80.00 %", noise, "70.00 %", "90.00 %", "3", "2.50 %", "1.50 nJ",
          "2.50 us",
        ],
        ["ratio10", "256 ", "-", "refused", "-", "-", "-", "-", "-", "-", "-"],
      ])
  }

  @Test func textSaysWhatAReaderMustKnow() throws {
    let text = try heights().text(markdown: false)
    #expect(
      text.hasPrefix(
        "net, dense on sre; 200 samples, 3 trials a point, seed 4; energy and time per sample\n\n"))
    for part in [
      "over-idealized", "as many bits as a full unit needs", "the machine's cycle",
      "refused: ideal, height 256 and 1 more: it is not wanted [test.refused]",
    ] { #expect(text.contains(part), "\(part)") }
    let markdown = try heights().text(markdown: true)
    #expect(markdown.contains("| device  |") && markdown.contains("| ------: |"))
  }

  /// What is the same in all points stands in the title, what differs in the names of series.
  @Test func namesWhatDiffers() throws {
    let one = try record(
      sweepRequest("--over", "sigma=0,0.1", "--device", "ratio10", "--set-device", "readNoise.cell=0.1")
    ) { outcome($1, [0.5]) }
    #expect(one.subject == "net, dense on sre, device ratio10 (readNoise.cell=0.1)")
    #expect(one.measure == "200 samples, one trial a point, seed 0")
    #expect(one.plot.series.map(\.name) == [""] && one.notes.isEmpty)
    let many = try record(
      sweepRequest(
        "--over", "sigma=0,0.1", "--over", "adc=3,4", "--scheme", "dense,sre", "--device", "ratio10,ratio50",
        "--only", "variation", "--trials", "50", "--stop-when", "ci=0.5")
    ) { outcome($1, [0.5]) }
    #expect(many.subject == "net, all devices (only variation)")
    #expect(many.measure == "200 samples, up to 50 trials a point until the mean is known to 0.50 %, seed 0")
    #expect(many.plot.series.count == 8 && many.plot.series[0].name == "dense, ratio10, adc 3")
    #expect(
      many.plot.series[7].name == "sre, ratio50, adc 4" && many.plot.series[7].points.map(\.x) == [0, 0.1])
    #expect(many.table.columns.map(\.title).prefix(4) == ["scheme", "device", "adc", "sigma"])
    #expect(many.table.columns.filter { $0.title == "adc" }.count == 1)
  }

  @Test func plotHasIntervalsAndLeavesOutRefusedPoints() throws {
    let plot = try heights().plot
    #expect(plot.x.scale == .log2 && plot.y.isPercent && plot.x.label.contains("(128: the whole array)"))
    #expect(plot.series.map(\.name) == ["ideal", "ratio10"])
    let single = plot.series[0].points
    #expect(single.map(\.x) == [16, 128] && single.allSatisfy { $0.y == 0.9 })
    #expect(single.allSatisfy { 0.85 < ($0.low ?? 0) && ($0.high ?? 1) < 0.94 })
    let noisy = plot.series[1].points
    #expect(noisy.map(\.x) == [16, 128] && noisy.allSatisfy { abs($0.y - 0.8) < 1e-12 })
    #expect(noisy.allSatisfy { ($0.low ?? 0) > 0.5 && $0.high == 1 }, "intervals end where accuracies do")
    let sorted = try record(sweepRequest("--over", "ratio=50,5,10")) { outcome($1, [0.5]) }.plot
    #expect(sorted.series[0].points.map(\.x) == [5, 10, 50] && sorted.x.scale == .log10)
  }

  @Test func csvAndJSONHoldAllNumbers() throws {
    let record = try heights()
    let lines = record.csv.text.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    #expect(lines.count == 7 && lines.allSatisfy { $0.count == lines[0].count })
    func cells(_ column: String) throws -> [String] {
      let at = try #require(lines[0].firstIndex { $0 == column })
      return lines.dropFirst().map { String($0[at]) }
    }
    #expect(try cells("height") == ["16", "128", "256", "16", "128", "256"])
    #expect(try cells("top1Mean").prefix(3) == ["0.9", "0.9", ""])
    #expect(try cells("top1ConfidenceHalfWidth").prefix(3) == ["", "", ""])
    #expect(try cells("wholeArray") == ["false", "true", "", "false", "true", ""])
    #expect(try cells("wrongConversions")[0] == "25" && cells("trials")[4] == "3")
    #expect(try cells("refused")[2] == "it is not wanted [test.refused]")
    let json = record.json
    #expect(
      json["kind"] == "sweep" && json["seed"] == 4 && json["trials"] == 3 && json["stopHalfWidth"] == .null)
    let points = try #require(json["points"]?.elements)
    #expect(points.count == 6 && points[2]["refused"]?["id"] == "test.refused" && points[2]["top1"] == nil)
    #expect(points[4]["values"]?["height"]?.number == 128 && points[4]["wholeArray"] == true)
    #expect(points[3]["top1"]?["worst"]?.number == 0.7 && points[0]["top1"]?["standardDeviation"] == .null)
  }
}

@Suite struct DescriptionTests {
  @Test func everyDeviceAndEffectIsListed() throws {
    let devices = try describeDevices(nil)
    for name in Device.names { #expect(devices.contains("\n\(name) "), "\(name)") }
    let text = describeNonidealities()
    for nonideality in Nonideality.allCases { #expect(text.contains(nonideality.summary)) }
    for field in DeviceField.all { #expect(text.contains("\n\(field.path) ")) }
  }

  @Test(arguments: Device.names) func everyFigureStandsWithItsSource(name: String) throws {
    let text = try describeDevices(name)
    let file = try Device.file(named: name)
    #expect(text.hasPrefix("\(name): \(file.device.summary)\n"))
    for figure in file.figures {
      #expect(text.contains(figure.path) && text.contains(figure.value))
      if let source = figure.source { #expect(text.contains(source)) }
    }
    #expect(try DeviceFile(json: try deviceBytes(name), file: "own.json").device == file.device)
  }

  @Test func sharesAreReadableWhenTheyAreSmall() {
    #expect([0, 0.25, 0.001, 0.0005].map(shareText) == ["none", "25.00 %", "0.10 %", "500 ppm"])
  }
}
