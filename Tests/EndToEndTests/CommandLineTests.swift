import Foundation
import ONNX
import Support
import Tensors
import Testing

/// The programs as a user calls them, each in a folder of its own.
@Suite("Command lines")
struct CommandLineTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private func path(_ name: String) -> String { scratch.path(name) }
  private func run(_ name: String, _ words: [String]) throws -> Ended { try scratch.run(name, words) }

  @Test func compilesRunsAndReports() throws {
    defer { scratch.remove() }
    let compiled = try run(
      "xbarc",
      [
        "compile", modelPath("digits"), "-o", "d.xbar", "--calibration", dataPath("digits", "calibration"),
        "--report", "r.json", "--html", "r.html", "--validate", "--time-passes",
      ])
    #expect(compiled.status == 0)
    #expect(compiled.output.contains("digits: scheme dense on machine sre"))
    #expect(compiled.errors.contains("validate: lower-to-crossbar: equal"))
    #expect(compiled.errors.contains("total"))
    let report = try String(contentsOfFile: path("r.json"), encoding: .utf8)
    for key in [
      "name", "rows", "columns", "weights", "nonzeroWeights", "crossbars", "blocks", "cellsUsed",
      "cellsProvisioned",
      "indexEntries", "indexBits", "shiftBits", "utilization", "areaSquareMicrometers",
    ] { #expect(report.contains("\"\(key)\"")) }
    #expect(try String(contentsOfFile: path("r.html"), encoding: .utf8).contains("<svg"))
    let ran = try run(
      "xbarrun", ["d.xbar", "--input", dataPath("digits", "test"), "--metrics", "m.json", "--limit", "50"])
    #expect(ran.status == 0)
    let metrics = try String(contentsOfFile: path("m.json"), encoding: .utf8)
    for key in [
      "ouActivations", "cycles", "adcConversions", "adcSaturations", "wordlineDrives", "cellReads",
      "shiftAdds",
      "indexReads", "inputFetches", "energyPicojoules", "latencyNanoseconds", "samples", "top1", "top5",
    ] { #expect(metrics.contains("\"\(key)\""), "\(key)") }
  }

  /// What is wrong with the value of an option names the option and the place in it, and neither the model nor `<text>`.
  @Test(arguments: [
    ("--set", "quantize(weights 4)", "--set:1:18: error: "),
    ("--set", "quantize(weights: 40)", "--set:1:1: error: "),
    ("--set", "slice-bits, quantize(weights: 4), quantize(inputs: 4)", "--set:1:35: error: pass 'quantize'"),
    ("--pipeline", "infer-shapes, nope", "--pipeline:1:15: error: unknown pass"),
    ("--scheme", "dens", "--scheme: error: "), ("--target", "sra", "--target: error: "),
    ("--print-after", "nope", "--print-after: error: "),
  ])
  func wrongValuesNameTheirOption(_ option: String, _ value: String, _ start: String) throws {
    defer { scratch.remove() }
    let ended = try run("xbarc", ["compile", modelPath("digits"), "-o", "x.xbar", option, value])
    #expect(ended.status == 2 && ended.errors.hasPrefix(start), "\(ended.errors)")
    if value.contains("40") { #expect(ended.errors.contains("must be int 2...")) }
  }

  @Test func everyProgramTellsItsVersion() throws {
    defer { scratch.remove() }
    for name in ["xbarc", "xbarrun", "xbar"] {
      let ended = try run(name, ["--version"])
      #expect(ended.status == 0 && ended.output.hasPrefix("\(name) 0."), "\(name)")
    }
  }

  /// There is no report on IR text: a warning, and an error under `--strict`.
  @Test func reportsOfTextAreNotIgnoredInSilence() throws {
    defer { scratch.remove() }
    let words = ["compile", modelPath("digits"), "-o", "x.xir", "--emit", "tensor", "--html", "r.html"]
    let warned = try run("xbarc", words)
    #expect(warned.status == 0 && warned.errors.contains("warning: --html has no effect with --emit tensor"))
    let strict = try run("xbarc", words + ["--strict"])
    #expect(strict.status == 2 && strict.errors.contains("[usage.no-effect]"))
  }

  /// `docs/report.md` names every member of the report, and no other.
  @Test func theReportIsDocumented() throws {
    defer { scratch.remove() }
    #expect(
      try run(
        "xbarc",
        ["compile", modelPath("digits"), "-o", "d.xbar", "--scheme", "sme", "--report", "r.json", "--quiet"]
      )
      .status == 0)
    let report = try String(contentsOfFile: path("r.json"), encoding: .utf8)
    let text = try String(contentsOfFile: "\(packageRoot)/docs/report.md", encoding: .utf8)
    let members = Set(report.matches(of: /"([A-Za-z]+)":/).map { String($0.1) })
    let documented = Set(text.matches(of: /`([A-Za-z]+)`/).map { String($0.1) })
    #expect(members.subtracting(documented).isEmpty)
    #expect(
      documented.subtracting(members).subtracting(["compile", "run", "pipeline", "coding", "entries", "bits"])
        .isEmpty)
  }

  @Test func textAndBinaryAreTwoFormsOfOneProgram() throws {
    defer { scratch.remove() }
    #expect(try run("xbarc", ["compile", modelPath("digits"), "-o", "a.xbar", "--quiet"]).status == 0)
    #expect(try run("xbarc", ["disassemble", "a.xbar", "-o", "a.xir"]).status == 0)
    #expect(try run("xbarc", ["verify", "a.xir"]).output.contains("a valid module at level program"))
    #expect(try run("xbarc", ["assemble", "a.xir", "-o", "b.xbar"]).status == 0)
    #expect(try run("xbarc", ["verify", "b.xbar"]).output.contains("a valid program"))
    let (a, b) = (
      FileManager.default.contents(atPath: path("a.xbar")),
      FileManager.default.contents(atPath: path("b.xbar"))
    )
    #expect(a != nil && a == b)
    #expect(try run("xbarc", ["inspect", "a.xbar"]).output.contains("crossbars"))
  }

  @Test func aProgramWithTooFewCrossbarsIsWarnedAbout() throws {
    defer { scratch.remove() }
    #expect(try run("xbarc", ["compile", modelPath("lenet5"), "-o", "a.xbar", "--quiet"]).status == 0)
    #expect(try run("xbarc", ["disassemble", "a.xbar", "-o", "a.xir"]).status == 0)
    #expect(!(try run("xbarc", ["verify", "a.xbar"]).errors.contains("warning")))
    let text = try String(contentsOfFile: path("a.xir"), encoding: .utf8)
    let head = try #require(text.firstMatch(of: /machine ([a-z]+)\n/))
    let small =
      "machine \(head.1) { hierarchy.crossbarsPerComputeUnit: 1, hierarchy.computeUnitsPerTile: 1, hierarchy.tiles: 1 }\n"
    try text.replacing(head.0, with: small).write(toFile: path("a.xir"), atomically: true, encoding: .utf8)
    let assembled = try run("xbarc", ["assemble", "a.xir", "-o", "b.xbar"])
    #expect(assembled.status == 0 && assembled.errors.contains("[program.capacity]"))
    let verified = try run("xbarc", ["verify", "b.xbar"])
    #expect(
      verified.status == 0
        && verified.errors.contains("crossbars, the machine \(head.1) has 1 [program.capacity]"))
  }

  @Test func aFileThatIsNamedLikeAProgramIsReadAsOne() throws {
    defer { scratch.remove() }
    try "no program\n".write(toFile: path("h.xbar"), atomically: true, encoding: .utf8)
    let verified = try run("xbarc", ["verify", "h.xbar"])
    #expect(verified.status == 1 && verified.errors.contains("h.xbar"))
    #expect(verified.errors.contains("[program.magic]") || verified.errors.contains("[program.truncated]"))
  }

  @Test(arguments: [
    (["effects"], ["nonidealities"]),
    (
      ["errors", "--device", "ratio10", "--height", "4", "--samples", "100"],
      ["error-rate", "--device", "ratio10", "--height", "4", "--samples", "100"]
    ),
  ])
  func formerCommandsPrintOneWarningAndTheSameText(_ former: [String], _ today: [String]) throws {
    defer { scratch.remove() }
    let (old, new) = (try run("xbar", former), try run("xbar", today))
    #expect(new.status == 0 && new.errors.isEmpty && !new.output.isEmpty)
    #expect(old.status == 0 && old.output == new.output)
    #expect(old.errors.split(separator: "\n").count == 1)
    #expect(old.errors.contains("warning: 'xbar \(former[0])' is now 'xbar \(today[0])'"))
    #expect(try !run("xbar", ["--help"]).output.contains("\(former[0]) "))
  }

  @Test func irIsEditedBetweenTheSteps() throws {
    defer { scratch.remove() }
    for level in ["tensor", "crossbar", "program"] {
      let file = "\(level).xir"
      #expect(
        try run("xbarc", ["compile", modelPath("digits"), "-o", file, "--emit", level, "--quiet"]).status == 0
      )
      #expect(try run("xbarc", ["verify", file]).output.contains("at level \(level)"))
      #expect(try run("xbarc", ["opt", file, "--pipeline", "", "-o", "again.xir"]).status == 0)
      for suffix in ["", ".npz"] {
        #expect(
          FileManager.default.contents(atPath: path("again.xir\(suffix)"))
            == FileManager.default.contents(atPath: path(file + suffix)))
      }
    }
    let pipeline = "lower-to-crossbar, slice-bits, form-units, place-blocks, schedule, lower-to-program"
    #expect(try run("xbarc", ["opt", "tensor.xir", "--pipeline", pipeline, "-o", "p.xir"]).status == 0)
    #expect(try run("xbarc", ["assemble", "p.xir", "-o", "p.xbar"]).status == 0)
    #expect(try run("xbarc", ["import", modelPath("digits"), "-o", "i.xir"]).status == 0)
    #expect(try run("xbarc", ["verify", "i.xir"]).status == 0)
  }

  @Test func evaluatesAndCompares() throws {
    defer { scratch.remove() }
    let evaluated = try run(
      "xbarc", ["eval", modelPath("digits"), "--input", dataPath("digits", "test"), "--output", "o.npy"])
    #expect(evaluated.output.contains("99.44 %"))
    #expect(FileManager.default.fileExists(atPath: path("o.npy")))
    let compared = try run(
      "xbar",
      [
        "compare", modelPath("digits"), "--schemes", "dense,isaac", "--input", dataPath("digits", "test"),
        "--calibration", dataPath("digits", "calibration"), "--layers", "--json", "c.json",
      ])
    #expect(compared.status == 0)
    for word in ["float", "dense", "isaac", "99.44 %", "conv1", "per layer"] {
      #expect(compared.output.contains(word))
    }
    #expect(FileManager.default.fileExists(atPath: path("c.json")))
  }

  /// Without `dense` among the schemes a comparison says where its yardsticks come from.
  @Test func comparesWithYardsticksThatWereNotAskedFor() throws {
    defer { scratch.remove() }
    let compared = try run(
      "xbar",
      [
        "compare", modelPath("digits"), "--schemes", "sre", "--input", dataPath("digits", "test"), "--labels",
        dataPath("digits", "test"), "--calibration", dataPath("digits", "calibration"), "--limit", "20",
      ])
    #expect(compared.status == 0, "\(compared.errors)")
    #expect(compared.output.contains("dense: the dense baseline of sre"), "\(compared.output)")
    #expect(compared.output.contains("isaac"))
  }

  /// Pruned weights are 0 in the model and in its mask; all others are as they were.
  @Test(arguments: ["dense", "sre"]) func prunes(scheme: String) throws {
    defer { scratch.remove() }
    let pruned = try run(
      "xbarc",
      [
        "prune", modelPath("lenet5"), "-o", "p.onnx", "--masks", "m.npz", "--scheme", scheme, "--ratio",
        "0.3",
      ])
    #expect(pruned.status == 0 && pruned.output.contains("fc1"))
    let (before, after) = (try readModel(path: modelPath("lenet5")), try readModel(path: path("p.onnx")))
    let masks = try readArrays(path: path("m.npz"))
    #expect(masks.map(\.name) == ["conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight"])
    var removed = 0
    for (old, new) in zip(before.graph.initializers, after.graph.initializers) {
      let (old, new, name) = (try old.floats(), try new.floats(), new.name)
      guard let mask = masks.first(where: { $0.name == name })?.tensor.integers else {
        #expect(old == new)
        continue
      }
      #expect(zip(old, new).allSatisfy { $1 == $0 || $1 == 0 })
      #expect(zip(new, mask).allSatisfy { ($0 != 0) == ($1 == 1) })
      removed += zip(old, new).reduce(0) { $0 + ($1.0 != $1.1 ? 1 : 0) }
    }
    #expect(removed > 50_000)
    #expect(try run("xbarc", ["compile", "p.onnx", "-o", "p.xbar", "--scheme", scheme]).status == 0)
    #expect(try run("xbarc", ["prune", modelPath("lenet5"), "-o", "q.onnx", "--ratio", "2"]).status != 0)
    #expect(!FileManager.default.fileExists(atPath: path("q.onnx")))
  }

  @Test func everythingExplainsItself() throws {
    defer { scratch.remove() }
    let lists = [
      (["schemes"], "isaac"), (["schemes", "dense"], "quantize"), (["passes"], "slice-bits"),
      (["passes", "quantize"], "zero-point"), (["targets"], "issc18"), (["targets", "sre"], "adcConversion"),
      (["--help"], "compile"), (["compile", "--help"], "--calibration"), (["--version"], "xbarc"),
    ]
    for (words, expected) in lists {
      let ended = try run("xbarc", words)
      #expect(ended.status == 0 && ended.output.contains(expected), "xbarc \(words)")
    }
  }

  /// Each with its exit status, the id of its message and a word of help.
  @Test func mistakesAreExplained() throws {
    defer { scratch.remove() }
    try "no model".write(toFile: path("bad.onnx"), atomically: true, encoding: .utf8)
    try "xir 2\nmodule @x level tensor facts [] {\n  %y = relu %x : tensor<1xf32>\n}\n".write(
      toFile: path("bad.xir"), atomically: true, encoding: .utf8)
    try "XBAR".write(toFile: path("bad.xbar"), atomically: true, encoding: .utf8)
    let digits = modelPath("digits")
    let cases: [([String], Int32, String)] = [
      ([], 2, "usage"), (["compil"], 2, "compile"), (["compile", digits], 2, "output"),
      (["compile", digits, "-o", "x", "--shceme", "dense"], 2, "--scheme"),
      (["compile", "none.onnx", "-o", "x"], 1, "io.open"), (["compile", "bad.onnx", "-o", "x"], 1, "onnx."),
      (["compile", digits, "-o", "x", "--scheme", "dens"], 2, "scheme.unknown"),
      (["compile", digits, "-o", "x", "--target", "sra"], 2, "target.unknown"),
      (["compile", digits, "-o", "x", "--pipeline", "quantizze"], 2, "pass.unknown"),
      (["compile", digits, "-o", "x", "--pipeline", "quantize"], 1, "compile.level"),
      (["compile", digits, "-o", "x", "--pipeline", "quantize, lower-to-program"], 1, "pass.requires"),
      (["compile", digits, "-o", "x", "--set", "quantize(weights: 40)"], 2, "pass.option"),
      (["compile", digits, "-o", "no/such/folder/x", "--quiet"], 1, "io.write"),
      (["compile", digits, "-o", "x", "--calibration", dataPath("fashion-mnist", "test")], 1, "samples."),
      (["verify", "bad.xir"], 1, "bad.xir:3:"), (["verify", "bad.xbar"], 1, "program.truncated"),
      (["opt", "bad.xir", "--pipeline", "quantize"], 1, "text.undefined"),
      (["assemble", "bad.xir", "-o", "x"], 1, "text.undefined"),
      (["inspect", "bad.onnx"], 1, "program.magic"),
      (["eval", digits, "--input", "none.npy"], 1, "io.open"),
    ]
    for (words, status, expected) in cases {
      let ended = try run("xbarc", words)
      #expect(ended.status == status, "xbarc \(words): \(ended.errors)")
      #expect(ended.errors.contains(expected), "xbarc \(words): \(ended.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: path("x")), "a failed compilation leaves no file")
  }

  /// Damaged ONNX files through import and compilation: a clear error or a program, never a crash.
  @Test func damagedModelsNeverCrash() throws {
    defer { scratch.remove() }
    let original = [UInt8](try Data(contentsOf: URL(filePath: modelPath("digits"))))
    var random = SeededGenerator(seed: 31)
    var (failed, compiled) = (0, 0)
    for _ in 0..<2000 {
      let bytes = damaged(original, &random)
      if try survives(bytes) { compiled += 1 } else { failed += 1 }
    }
    #expect(failed > 100 && compiled > 100, "\(failed) refused, \(compiled) compiled")
  }

  /// Damages a few bytes; most of them in the graph, which stands around the weights.
  private func damaged(_ original: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = original
    for _ in 0..<random.inside(1...4) {
      let at = random.below(bytes.count)
      switch random.below(4) {
      case 0: bytes[at] ^= UInt8(1 << random.below(8))
      case 1: bytes[at] = UInt8(random.below(256))
      case 2: bytes.remove(at: at)
      default: bytes.insert(UInt8(random.below(256)), at: at)
      }
    }
    return bytes
  }
}
