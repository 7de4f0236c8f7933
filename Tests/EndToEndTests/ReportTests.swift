import Evaluation
import Report
import Driver
import Executor
import Foundation
import Hardware
import Mapping
import Passes
import ProgramFormat
import RunDriver
import Support
import Testing

/// Reports of a compilation and of a comparison say what the program and its run say.
@Suite("Reports")
struct ReportTests {
  private func compiled(_ scheme: String) throws -> (json: JSON, program: Program) {
    let result = try compile(request("digits", "digits", scheme: scheme))
    let text = result.record.json.encoded
    return (try JSON(parsing: text), try decode(result.bytes, file: "a"))
  }

  private func integer(_ json: JSON?, _ name: String) throws -> Int { try #require(json?[name]?.integer) }

  @Test(arguments: schemes.map(\.name)) func recordsCountTheProgram(scheme: String) throws {
    let (json, program) = try compiled(scheme)
    #expect(json["kind"]?.text == "compile" && json["scheme"]?.text == scheme)
    #expect(json["machine"]?.text == program.machine.name)
    #expect(try integer(json, "programBytes") == encode(program).count)
    let layers = try #require(json["layers"]?.elements)
    #expect(layers.map { $0["name"]?.text } == program.layers.map(\.name))
    for (entry, layer) in zip(layers, program.layers) {
      let blocks = layer.blocks
      #expect(try integer(entry, "rows") == layer.rows && integer(entry, "columns") == layer.columns)
      #expect(try integer(entry, "blocks") == blocks.count)
      #expect(try integer(entry, "crossbars") == Set(blocks.map(\.crossbar)).count)
      #expect(try integer(entry, "cellsUsed") == blocks.reduce(0) { $0 + $1.rows.count * $1.columns.count })
    }
    #expect(try integer(json["total"], "crossbars") == program.crossbars.count)
  }

  /// Every count of the total is the sum over the layers.
  @Test(arguments: ["dense", "sre", "sme", "clustered", "recom"]) func totalsAreSums(scheme: String) throws {
    let (json, _) = try compiled(scheme)
    let layers = try #require(json["layers"]?.elements)
    let names = [
      "weights", "nonzeroWeights", "crossbars", "blocks", "cellsUsed", "cellsProvisioned", "indexEntries",
      "indexBits", "shiftBits",
    ]
    for name in names {
      let sum = try layers.reduce(0) { $0 + (try integer($1, name)) }
      #expect(try integer(json["total"], name) == sum, "\(name)")
    }
    let cells = try layers.map { try integer($0, "cellsUsed") }
    #expect(cells.allSatisfy { $0 > 0 })
  }

  /// What the index tables would take under each coding holds for the one that was chosen.
  @Test func storageOfTheChosenCodingIsTheStorage() throws {
    let json = try JSON(
      parsing: try compile(
        request("digits", "digits", scheme: "sre", options: "encode-indices(bits: 3, padding: any)")
      ).record.json.encoded)
    let layers = try #require(json["layers"]?.elements)
    for layer in layers {
      let storage = try #require(layer["indexStorage"]?.elements)
      let chosen = try #require(storage.first { $0["coding"]?.text == "delta(3)" })
      #expect(try integer(chosen, "bits") == integer(layer, "indexBits"))
      #expect(try integer(chosen, "entries") == integer(layer, "indexEntries"))
    }
  }

  /// A page has every layer, closes what it opens and needs nothing from elsewhere.
  @Test func pagesAreWhole() throws {
    let scratch = try ScratchFolder()
    defer { scratch.remove() }
    let words = [
      "compile", modelPath("digits"), "-o", "d.xbar", "--scheme", "sre", "--calibration",
      dataPath("digits", "calibration"), "--html", "r.html", "--quiet",
    ]
    let ended = try scratch.run("xbarc", words)
    #expect(ended.status == 0 && ended.output.isEmpty, "\(ended.errors)")
    let html = try String(contentsOfFile: scratch.path("r.html"), encoding: .utf8)
    for layer in ["conv1", "conv2", "fc1"] {
      #expect(html.contains("<td class=\"left\">\(layer)</td>"), "\(layer)")
    }
    for tag in ["table", "svg", "html", "body", "tr", "td", "th"] {
      let opened = html.ranges(of: "<\(tag)>").count + html.ranges(of: "<\(tag) ").count
      #expect(opened > 0 && opened == html.ranges(of: "</\(tag)>").count, "\(tag)")
    }
    #expect(!html.contains("http://") || html.contains("www.w3.org"), "the page needs nothing from elsewhere")
  }

  /// The comparison's figures are those of a run of each scheme.
  @Test func comparisonsAreTheirRuns() throws {
    let scratch = try ScratchFolder()
    defer { scratch.remove() }
    let names = ["dense", "sre", "clustered", "recom"]
    let ended = try scratch.run(
      "xbar",
      [
        "compare", modelPath("digits"), "--schemes", names.joined(separator: ","), "--input",
        dataPath("digits", "test"), "--calibration", dataPath("digits", "calibration"), "--limit", "30",
        "--json",
        "c.json",
      ])
    #expect(ended.status == 0, "\(ended.errors)")
    let json = try JSON(parsing: try String(contentsOfFile: scratch.path("c.json"), encoding: .utf8))
    let entries = try #require(json["schemes"]?.elements)
    #expect(entries.map { $0["scheme"]?.text ?? $0["name"]?.text } == names)
    for (name, entry) in zip(names, entries) {
      let compiled = try compile(request("digits", "digits", scheme: name))
      let program = try decode(compiled.bytes, file: "a")
      let set = try SampleSet(
        input: dataPath("digits", "test"), limit: 30, for: program.samplePorts)
      let run = try RunDriver.run(program, on: set, threads: 1)
      #expect(try integer(entry, "crossbars") == compiled.record.total.crossbars, "\(name)")
      #expect(try integer(entry, "top1") == run.accuracy?.top1, "\(name)")
    }
  }
}
