import CommandLineTools
import Foundation
import RunDriver
import Support

/// Every command of `xbar` with its help.
private enum XbarCommands {
  static let program = ProgramSpec(
    name: "xbar", summary: "compares schemes by compiling and running them", commands: [compare])

  static let compare = CommandSpec(
    name: "xbar compare", summary: "compiles a model with several schemes, runs each, and prints one table",
    positionals: [PositionalSpec("MODEL.onnx", "the trained network")],
    options: [
      OptionSpec("schemes", value: "A,B,C", required: true, "schemes, see 'xbarc schemes'"),
      OptionSpec("input", value: "X.npy", required: true, "samples: .npy, .npz or .pb"),
      OptionSpec("labels", value: "Y.npy", "the class of each sample (default: 'labels' of the input file)"),
      OptionSpec("calibration", value: "C.npy", "typical inputs, from which ranges are measured"),
      OptionSpec(
        "target", value: "NAME|FILE.json", "one machine for all schemes (default: each scheme's own)"),
      OptionSpec("set", value: "OPTIONS", "options of the schemes' passes, such as 'quantize(weights: 4)'"),
      OptionSpec(flag: "layers", "a table for every scheme, layer by layer"),
      OptionSpec(flag: "markdown", "tables in Markdown"),
      OptionSpec("json", value: "C.json", "all counts as JSON"),
      OptionSpec("limit", value: "N", "samples, at most"),
      OptionSpec("threads", value: "N", "threads (default: all processors)"),
      OptionSpec(flag: "quiet", "print no progress"),
    ],
    examples: [
      ExampleSpec(
        "xbar compare models/lenet5/model.onnx --schemes dense,isaac --input models/data/fashion-mnist-test.npz",
        "operation units beside whole arrays")
    ])
}

/// Runs `xbar` with the words of its command line; returns the exit status.
public func runXbar(_ words: [String]) -> Int32 {
  runCommand(name: "xbar") { () throws(DiagnosticList) in
    let request: CommandLineRequest
    do throws(Diagnostic) {
      request = try XbarCommands.program.parse(words)
      if case .help(let text) = request { return try printOut(text) }
    } catch {
      throw DiagnosticList(error)
    }
    guard case .run(_, let arguments) = request else { return }
    try compareCommand(arguments)
  }
}

private func compareCommand(_ arguments: ParsedArguments) throws(DiagnosticList) {
  let request: CompareRequest
  do throws(Diagnostic) {
    request = CompareRequest(
      model: arguments.positional(0) ?? "",
      schemes: (arguments.value("schemes") ?? "").split(separator: ",").map { $0.filter { $0 != " " } },
      input: arguments.value("input") ?? "", labels: arguments.value("labels"),
      calibration: arguments.value("calibration"), target: arguments.value("target"),
      overrides: arguments.value("set") ?? "", limit: try arguments.integer("limit", in: 1...Int.max) ?? .max,
      threads: try arguments.integer("threads", in: 1...1024) ?? ProcessInfo.processInfo.activeProcessorCount,
      quiet: arguments.has("quiet"))
    guard !request.schemes.isEmpty else { throw Diagnostic("usage.value", "--schemes names no scheme") }
  } catch {
    throw DiagnosticList(error)
  }
  let comparison = try compare(request)
  do throws(Diagnostic) {
    let samples = comparison.schemes.first?.run.samples ?? 0
    let table = comparison.table
    try printOut(
      "\(comparison.network), \(grouped(samples)) samples; events, energy and time per sample\n\n"
        + (arguments.has("markdown") ? table.markdown : table.plain)
        + (comparison.notes.isEmpty ? "" : "\n" + comparison.notes))
    if arguments.has("layers") {
      for (title, table) in comparison.layerTables {
        try printOut("\n\(title)\n\n" + (arguments.has("markdown") ? table.markdown : table.plain))
      }
    }
    if let path = arguments.value("json") { try writeFile(text: comparison.json.encoded + "\n", to: path) }
  } catch {
    throw DiagnosticList(error)
  }
}
