import CommandLineTools
import Driver
import Foundation
import Report
import RunDriver
import Support

/// `xbar sweep` with its help.
let sweepSpec = CommandSpec(
  name: "xbar sweep",
  summary: "measures accuracy against active wordlines, converter bits or figures of a device",
  positionals: [PositionalSpec("MODEL.onnx", file: .input(.model, .again), "the trained network")],
  options: sweepOptions,
  examples: [
    ExampleSpec(
      "xbar sweep models/lenet5/model.onnx --input models/data/fashion-mnist-test.npz --limit 1000 "
        + "--device ratio10,ratio50 --over height=2..128 --trials 10 --svg heights.svg",
      "how many wordlines may be active on two kinds of cells; a line for each in a figure"),
    ExampleSpec(
      "xbar sweep MODEL.onnx --input X.npz --device dlrsim --over sigma=0:0.3:0.05 --over height=8,16,32 "
        + "--trials 50 --stop-when ci=0.5",
      "accuracy over the spread of cells, a line for each height of a unit"),
    ExampleSpec(
      "xbar sweep MODEL.onnx --input X.npz --scheme dense,sre --over adc=3..8 --csv adc.csv",
      "bits of a converter on the ideal device: what saturation costs"),
    ExampleSpec(
      "xbar sweep MODEL.onnx --input X.npz --over readNoise.cell=0,0.01,0.03,0.1 --trials 10 --json - --quiet",
      "any figure of a device, see 'xbar nonidealities'; results as JSON on standard output"),
  ],
  remarks: [
    "AXIS is 'height' (wordlines of an operation unit), 'adc' (bits of a converter), 'ratio' (on/off ratio), 'sigma' (spread "
      + "of programmed cells), 'sigma-scale' (a factor of the device's), or any figure of a device. VALUES are a list with "
      + "commas, START:END:STEP, or FIRST..LAST: powers of two for height, whole numbers for adc.",
    "The first --over goes from left to right. Each value of a second one, each scheme and each device is a series.",
    "Where height is an axis and adc is not, converters get as many bits as a full unit needs, so that the sweep shows the "
      + "device and not saturation, unless --set 'form-units(adc: N)' fixes them. The height of the whole crossbar is the "
      + "over-idealized array; it is marked.",
    "Values of axes are set after --set-device, --only and --without. All points use the same seed, so that they differ by "
      + "their settings and not by chance. A point that is refused is reported with its reason, and the rest goes on. "
      + "Results do not depend on --threads.",
  ])

private let sweepOptions =
  [
    OptionSpec("input", value: "X.npz", file: .input(), required: true, "samples: .npy, .npz or .pb"),
    OptionSpec(
      "labels", value: "Y.npy", file: .input(),
      "the class of each sample (default: 'labels' of the input file)"),
    OptionSpec(
      "over", value: "AXIS=VALUES", required: true, repeats: true,
      "what to vary, such as height=2..128; at most two axes"),
    OptionSpec("scheme", value: "A,B,C", "schemes, see 'xbarc schemes' (default: dense)"),
    OptionSpec(
      "target", value: "NAME|FILE.json", file: .nameOrInput(.again),
      "one machine for all schemes (default: each scheme's own)"),
    segmentsOption, segmentBatchOption,
    OptionSpec("set", value: "OPTIONS", "options of the schemes' passes, such as 'quantize(weights: 4)'"),
    OptionSpec(
      "calibration", value: "C.npz", file: .input(.plain, .again),
      "typical inputs, used to measure ranges"),
    shapeOption,
    OptionSpec(
      "device", value: "NAME|FILE.json,...", file: .nameOrInput(),
      "devices, see 'xbar devices' (default: ideal)"),
  ] + TrialOptions.changes + TrialOptions.trials + [strictOption] + [
    OptionSpec("limit", value: "N", "the largest number of samples"),
    OptionSpec("threads", value: "N", "threads (default: all processors)"),
    maxStepsOption, maxMemoryOption,
    OptionSpec("csv", value: "R.csv", file: .output(), "write all numbers as comma-separated values"),
    OptionSpec("svg", value: "R.svg", file: .output(), "plot accuracy against the first axis"),
    OptionSpec("json", value: "R.json", file: .output(), "write all numbers as JSON"),
    OptionSpec(flag: "markdown", "the table in Markdown"),
    OptionSpec(flag: "quiet", short: "q", "print neither table nor progress"),
  ]

/// Runs `xbar sweep`.
func sweepCommand(_ arguments: ParsedArguments) throws(Diagnostic) {
  let request = try SweepRequest(arguments)
  if arguments.has("svg"), request.axes[0].isWord {
    throw Diagnostic(
      "usage.value", "words have no place on the axis of a figure: \(request.axes[0].name)",
      notes: ["give it as the second --over, so that each word is a line"])
  }
  try reportNoEffect(request.warnings, arguments)
  let record = try sweep(request)
  let files = [
    ("csv", record.csv.text), ("svg", record.plot.svgDocument), ("json", record.json.encoded + "\n"),
  ]
  try writeFiles(
    files.compactMap { option, text in arguments.value(option).map { ($0, Array(text.utf8)) } })
  if !request.quiet && !arguments.takesStandardOutput {
    try printOut(record.text(markdown: arguments.has("markdown")))
  }
  guard record.outcomes.contains(where: { $0.measurement != nil }) else {
    throw Diagnostic("sweep.refused", "no point could be run", notes: record.notes)
  }
}

extension SweepRequest {
  /// What the options ask for in vain on all devices; nothing is said where an axis changes the device.
  var warnings: [Diagnostic] {
    guard !axes.contains(where: { $0.kind == .device }), let first = devices.first else { return [] }
    return first.warnings.filter { warning in devices.allSatisfy { $0.warnings.contains(warning) } }
  }

  /// What the command line asks for.
  init(_ arguments: ParsedArguments) throws(Diagnostic) {
    var axes: [SweepAxis] = []
    for text in arguments.values("over") {
      do throws(Diagnostic) { axes.append(try SweepAxis(text)) } catch { throw error.inOption("over") }
    }
    guard axes.count <= 2, Set(axes.map(\.name)).count == axes.count else {
      throw Diagnostic(
        "sweep.axis",
        axes.count > 2 ? "--over is given \(axes.count) times" : "\(axes[0].name) is varied twice",
        notes: ["the first --over is the axis from left to right, a second one gives the series"])
    }
    let schemes = (arguments.value("scheme") ?? "dense").split(separator: ",").map { $0.filter { $0 != " " } }
    guard !schemes.isEmpty, Set(schemes).count == schemes.count else {
      throw Diagnostic("usage.value", "--scheme names no scheme, or one twice")
    }
    let threads =
      try arguments.integer("threads", in: 1...1024) ?? ProcessInfo.processInfo.activeProcessorCount
    var compilation = CompileRequest(model: arguments.positional(0) ?? "")
    compilation.target = arguments.value("target")
    compilation.segments = arguments.has("segments")
    compilation.overrides = arguments.value("set") ?? ""
    compilation.shapes = arguments.values("shape")
    compilation.calibration = arguments.value("calibration")
    compilation.jobs = threads
    compilation.maxMemory = try arguments.bytes("max-memory") ?? WorkLimits.modelMemory
    self.init(
      compilation: compilation, schemes: schemes, devices: try TrialSettings.forEachDevice(arguments),
      changes: TrialOptions.changes(in: arguments), axes: axes, input: arguments.value("input") ?? "",
      labels: arguments.value("labels"), limit: try arguments.integer("limit", in: 1...Int.max) ?? .max,
      segmentBatch: try segmentBatchSize(arguments), threads: threads,
      limits: try arguments.runLimits(), quiet: arguments.has("quiet"))
  }
}

extension SweepRecord {
  /// What the command prints.
  func text(markdown: Bool) -> String {
    let notes = notes.map { markdown ? "\n\($0)\n" : "\($0)\n" }.joined()
    return "\(subject); \(measure); energy and time per sample\n\n"
      + (markdown ? table.markdown : table.plain)
      + (notes.isEmpty ? "" : markdown ? notes : "\n\(notes)")
  }
}
