import Report
import Driver
import Foundation
import IR
import Passes
import ProgramFormat
import Support
import Testing

/// Programs that are written layer by layer beside those that are made as a whole.
@Suite("Compilation layer by layer")
struct StreamedCompilationTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private static let cases = schemes.flatMap { scheme in
    [("digits", "digits"), ("lenet5-grouplasso", "fashion-mnist")].map { ($0, $1, scheme.name) }
  }

  private func expectSame(_ request: CompileRequest) throws {
    defer { scratch.remove() }
    let whole = try compile(request)
    let record = try compile(request, to: scratch.path("p.xbar"))
    let bytes = try #require(FileManager.default.contents(atPath: scratch.path("p.xbar")))
    #expect([UInt8](bytes) == whole.bytes)
    #expect(record.json.encoded == whole.record.json.encoded)
    #expect(record.seconds.map(\.pass) == whole.record.seconds.map(\.pass))
    #expect(try files() == ["p.xbar"])
  }

  private func files() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: scratch.path(""))
  }

  @Test(arguments: cases) func theBytesAreThoseOfTheWholeProgram(
    model: String, data: String, scheme: String
  ) throws {
    try expectSame(request(model, data, scheme: scheme))
  }

  /// Without samples `squeeze-bits` chooses by the weights, layer by layer; with a number of planes always.
  @Test(arguments: ["", "squeeze-bits(planes: 2)"]) func planesAreFreedLayerByLayer(options: String) throws {
    var request = request("digits", "digits", scheme: "sme", options: options)
    request.calibration = nil
    try expectSame(request)
  }

  @Test func anyNumberOfThreadsGivesTheSameBytes() throws {
    var request = request("lenet5-pruned90", "fashion-mnist", scheme: "sre")
    request.jobs = 4
    try expectSame(request)
  }

  @Test func aPipelineWithoutAProgramAtItsEndIsRefused() throws {
    defer { scratch.remove() }
    var request = request("digits", "digits")
    request.pipeline = "infer-shapes, fold-constants, fold-batchnorm, calibrate, quantize"
    #expect(throws: DiagnosticList.self) { try compile(request, to: scratch.path("p.xbar")) }
    #expect(try files().isEmpty)
  }

  /// A step that refuses a layer in the middle leaves neither a program nor a part of one.
  @Test func nothingIsLeftOfARefusedProgram() throws {
    defer { scratch.remove() }
    let refused = [
      ("occ", "form-units(units: dynamic)", "form-units.gathered"),
      ("dense", "form-units(height: 4000)", "form-units.size"),
      ("sme", "squeeze-bits(planes: 12)", "squeeze-bits.count"),
    ]
    for (scheme, options, id) in refused {
      do throws(DiagnosticList) {
        _ = try compile(
          request("digits", "digits", scheme: scheme, options: options), to: scratch.path("p.xbar"))
        Issue.record("\(options) was taken")
      } catch {
        #expect(error.items.map(\.id) == [id])
        #expect(error.items.first?.location.file == modelPath("digits"))
      }
      #expect(try files().isEmpty)
    }
  }

  /// A machine with a stated number of crossbars refuses a network that needs more, whichever way it is compiled.
  @Test func tooSmallAMachineIsRefusedWithFigures() throws {
    defer { scratch.remove() }
    let machine = try String(
      contentsOfFile: "\(packageRoot)/Sources/Hardware/Targets/sre.json", encoding: .utf8)
    let small = machine.replacing(/"tiles": { "value": 0/, with: "\"tiles\": { \"value\": 1")
      .replacing(/"computeUnitsPerTile": { "value": 12/, with: "\"computeUnitsPerTile\": { \"value\": 1")
    try small.write(toFile: scratch.path("small.json"), atomically: true, encoding: .utf8)
    let words = ["compile", modelPath("lenet5"), "--target", "small.json", "-o", "p.xbar"]
    for more in [[], ["--validate"]] {
      let refused = try scratch.run("xbarc", words + more)
      #expect(refused.status == 1)
      #expect(
        refused.errors.contains("crossbars, the machine sre has 8 [schedule.capacity]"), "\(refused.errors)")
      #expect(refused.errors.contains("schedule(capacity: warn)") && refused.errors.contains("more tiles"))
    }
    #expect(try files().filter { $0.hasPrefix("p.xbar") }.isEmpty)
    let warned = try scratch.run("xbarc", words + ["--set", "schedule(capacity: warn)"])
    #expect(warned.status == 0 && warned.errors.contains("has 8 [schedule.capacity]"))
    #expect(try files().contains("p.xbar"))
  }

  /// What is printed between the passes is the whole module; the program is the same.
  @Test func printingChangesNothing() throws {
    defer { scratch.remove() }
    let words = ["compile", modelPath("digits"), "--scheme", "sre", "--quiet", "-o"]
    #expect(try scratch.run("xbarc", words + ["a.xbar"]).status == 0)
    let printed = try scratch.run("xbarc", words + ["b.xbar", "--print-after", "compress-rows"])
    #expect(printed.errors.contains("// after compress-rows\nmodule @digits level crossbar"))
    #expect(printed.errors.contains("layer @conv1") && printed.errors.contains("mvm"))
    let toOutput = try scratch.run("xbarc", words + ["-"])
    #expect(toOutput.status == 0)
    let (a, b) = (
      FileManager.default.contents(atPath: scratch.path("a.xbar")),
      FileManager.default.contents(atPath: scratch.path("b.xbar"))
    )
    #expect(a != nil && a == b)
    #expect(FileManager.default.contents(atPath: scratch.path("stdout")) == a)
  }

  @Test func theTimeOfEveryLayerIsReported() throws {
    defer { scratch.remove() }
    let words = ["compile", modelPath("digits"), "--scheme", "sre", "-o", "a.xbar", "--time-passes"]
    let lines = try scratch.run("xbarc", words).errors.split(separator: "\n")
    let head = try #require(lines.first { $0.hasPrefix("layer ") })
    for word in ["slice-bits", "compress-rows", "form-units", "lower-to-program", "total"] {
      #expect(head.contains(word))
    }
    for layer in ["conv1", "fc"] { #expect(lines.contains { $0.hasPrefix(layer) && $0.contains("s ") }) }
  }
}
