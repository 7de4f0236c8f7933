import Report
import CommandLineTools
import Driver
import Foundation
import RunDriver
import Support

/// `xbar compare` with its help.
let compareSpec = CommandSpec(
  name: "xbar compare", summary: "compiles a model with several schemes, runs each, and prints one table",
  positionals: [PositionalSpec("MODEL.onnx", file: .input(.model, .again), "the trained network")],
  options: compareOptions,
  examples: [
    ExampleSpec(
      "xbar compare models/lenet5/model.onnx --schemes dense,isaac --input models/data/fashion-mnist-test.npz",
      "operation units against whole arrays"),
    ExampleSpec(
      "xbar compare MODEL.onnx --schemes dense,sre --input X.npz --device dlrsim --trials 10",
      "the same cells under two mappings: accuracies with their 95 % intervals"),
  ],
  remarks: [
    "On a device that is not ideal, accuracy is the mean over trials; events, energy and time are those of the first "
      + "trial."
  ])

private let compareOptions =
  [
    OptionSpec("schemes", value: "A,B,C", required: true, "schemes, see 'xbarc schemes'"),
    OptionSpec(
      "input", value: "X.npy", file: .input(.plain, .again), required: true, "samples: .npy, .npz or .pb"),
    OptionSpec(
      "labels", value: "Y.npy", file: .input(.plain, .again),
      "the class of each sample (default: 'labels' of the input file)"),
    OptionSpec(
      "calibration", value: "C.npy", file: .input(.plain, .again),
      "typical inputs, used to measure ranges"),
    shapeOption,
    OptionSpec(
      "target", value: "NAME|FILE.json", file: .nameOrInput(.again),
      "one machine for all schemes (default: each scheme's own)"),
    segmentsOption, segmentBatchOption,
    OptionSpec("set", value: "OPTIONS", "options of the schemes' passes, such as 'quantize(weights: 4)'"),
  ] + TrialOptions.all + [
    OptionSpec(flag: "layers", "a table for every scheme, layer by layer"),
    OptionSpec(flag: "markdown", "tables in Markdown"),
    OptionSpec("json", value: "C.json", file: .output(), "all counts as JSON"),
    OptionSpec("limit", value: "N", "the largest number of samples"),
    OptionSpec("threads", value: "N", "threads (default: all processors)"),
    maxStepsOption, maxMemoryOption,
    OptionSpec(flag: "quiet", "print no progress"),
  ]

/// Runs `xbar compare`.
func compareCommand(_ arguments: ParsedArguments) throws(DiagnosticList) {
  let request: CompareRequest
  do throws(Diagnostic) {
    request = CompareRequest(
      model: arguments.positional(0) ?? "",
      schemes: (arguments.value("schemes") ?? "").split(separator: ",").map { $0.filter { $0 != " " } },
      input: arguments.value("input") ?? "", labels: arguments.value("labels"),
      calibration: arguments.value("calibration"), shapes: arguments.values("shape"),
      target: arguments.value("target"), segments: arguments.has("segments"),
      segmentBatch: try segmentBatchSize(arguments),
      overrides: arguments.value("set") ?? "", limit: try arguments.integer("limit", in: 1...Int.max) ?? .max,
      threads: try arguments.integer("threads", in: 1...1024) ?? ProcessInfo.processInfo.activeProcessorCount,
      limits: try arguments.runLimits(),
      modelMemory: try arguments.bytes("max-memory") ?? WorkLimits.modelMemory,
      settings: try TrialSettings(arguments), changes: TrialOptions.changes(in: arguments),
      quiet: arguments.has("quiet"))
    try reportNoEffect(request.settings.warnings, arguments)
    guard !request.schemes.isEmpty else { throw Diagnostic("usage.value", "--schemes names no scheme") }
  } catch {
    throw DiagnosticList(error)
  }
  let comparison = try compare(request)
  if !request.quiet { show(comparison.warnings) }
  do throws(Diagnostic) {
    if !arguments.takesStandardOutput { try printOut(comparison.text(arguments)) }
    if let path = arguments.value("json") { try writeFile(text: comparison.json.encoded + "\n", to: path) }
  } catch {
    throw DiagnosticList(error)
  }
}

extension Comparison {
  /// What the command prints.
  fileprivate func text(_ arguments: ParsedArguments) -> String {
    func text(_ table: TextTable) -> String { arguments.has("markdown") ? table.markdown : table.plain }
    let layers = arguments.has("layers") ? layerTables.map { "\n\($0.0)\n\n\(text($0.1))" }.joined() : ""
    return "\(title)\n\n\(text(table))\(notes.isEmpty ? "" : "\n\(notes)")\(layers)"
  }
}
