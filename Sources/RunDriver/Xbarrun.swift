import Evaluation
import CommandLineTools
import Glibc
public import ProgramFormat
import Report
public import Support
import Tensors

/// The command line of `xbarrun`.
let xbarrunCommand = CommandSpec(
  name: "xbarrun", summary: "executes a crossbar program and reports accuracy, events, time and energy",
  positionals: [PositionalSpec("PROGRAM.xbar", file: .input(), "the program, as written by 'xbarc compile'")],
  options: [
    OptionSpec(
      "input", value: "X.npy", file: .input(), required: true,
      "the samples: .npy, .npz or ONNX TensorProto .pb"),
    OptionSpec(
      "labels", value: "Y.npy", file: .input(),
      "the class of each sample; else the array 'labels' of an .npz input"),
    OptionSpec(
      "output", short: "o", value: "O.npy", file: .output(),
      "write the program's output; .npz for all outputs by name"),
  ] + TrialOptions.all + [
    OptionSpec("limit", value: "N", "run the first N samples only"),
    segmentBatchOption,
    OptionSpec("threads", value: "N", "threads to use (default: all processors)"),
    maxStepsOption, maxMemoryOption,
    OptionSpec(
      "metrics", value: "M.json", file: .output(), "write accuracy, events, energy and time as JSON"),
    OptionSpec("html", value: "R.html", file: .output(), "write a report as a page"),
    OptionSpec(
      "trace", value: "T.json", file: .output(),
      "write a timeline of input buffers and crossbars for the first sample, for chrome://tracing or Perfetto"
    ),
    OptionSpec(flag: "quiet", short: "q", "print neither table nor progress"),
  ],
  examples: [
    ExampleSpec("xbarrun lenet.xbar --input mnist-test.npz", "accuracy and costs on a test set with labels"),
    ExampleSpec("xbarrun lenet.xbar --input x.npy -o y.npy --quiet", "only compute outputs"),
    ExampleSpec("xbarrun lenet.xbar --input x.npz --metrics -", "metrics as JSON on standard output"),
  ],
  remarks: [
    "An .npz may hold several arrays: the samples are the array named like the graph input, else 'images', 'x' or "
      + "'input', or the only array. Integers are multiplied by a 0-d array 'scale' where there is one.",
    "Results and counts do not depend on --threads.",
  ])

/// Runs `xbarrun` with the words of its command line; returns the exit status.
public func runXbarrun(_ words: [String]) -> Int32 {
  runCommand(name: "xbarrun") { () throws(DiagnosticList) in
    do throws(Diagnostic) {
      if let text = versionText(words, of: "xbarrun") { return try printOut(text) }
      switch try xbarrunCommand.parse(words) {
      case .help(let text): try printOut(text)
      case .run(_, let arguments): try execute(arguments)
      }
    } catch {
      throw DiagnosticList(error)
    }
  }
}

private func execute(_ arguments: ParsedArguments) throws(Diagnostic) {
  let settings = try TrialSettings(arguments)
  let limit = try arguments.integer("limit", in: 1...Int(Int32.max))
  let threads = try arguments.integer("threads", in: 1...1024) ?? processorCount()
  let batch = try segmentBatchSize(arguments)
  let limits = try arguments.runLimits()
  let quiet = arguments.has("quiet")
  try reportNoEffect(settings.warnings, arguments)
  let path = arguments.positional(0) ?? ""
  let program = try readProgram(path: path)
  try checkOutputKind(arguments.value("output"), outputs: program.outputs.count)
  let samples = try SampleSet(
    input: arguments.value("input") ?? "", labels: arguments.value("labels"), limit: limit,
    for: program.samplePorts)
  let timeline = try timeline(of: program, samples, path, arguments)
  let progress = ProgressLine(
    "running", total: samples.count * (settings.isIdeal ? 1 : settings.trials), unit: "samples", quiet: quiet)
  let record: RunRecord
  do throws(Diagnostic) {
    record = try run(
      program, on: samples, settings: settings, segmentBatch: batch, threads: threads,
      limits: limits
    ) { progress.advance(by: $0) }
  } catch {
    progress.finish()
    throw error.inFile(path)
  }
  progress.finish()
  if !quiet { show(samples.notes + record.warnings) }
  try write(record, timeline, arguments)
  if !quiet && !arguments.takesStandardOutput { try printOut(record.text) }
  if !quiet && standardErrorIsTerminal {
    let seconds = progress.elapsedSeconds
    let rate = significant(Double(samples.count) / max(seconds, 1e-9))
    writeToStandardError("ran \(durationText(seconds: seconds)), \(rate) samples per s\n")
  }
}

/// What a trace shows, the first sample; nil where none is wanted.
private func timeline(
  of program: Program, _ samples: SampleSet, _ path: String, _ arguments: ParsedArguments
) throws(Diagnostic) -> Timeline? {
  guard arguments.has("trace") else { return nil }
  let first = zip(samples.inputs, program.samplePorts).map { Array($0.prefix($1.count)) }
  do throws(Diagnostic) {
    return try fetchTimeline(of: program, inputs: first)
  } catch {
    throw error.inFile(path)
  }
}

/// Reads a program file.
public func readProgram(path: String) throws(Diagnostic) -> Program {
  try InputFile(path: path).withBytes { bytes throws(Diagnostic) in try decode(bytes, file: path) }
}

/// Writes all files that are asked for, or none.
private func write(
  _ record: RunRecord, _ timeline: Timeline?, _ arguments: ParsedArguments
) throws(Diagnostic) {
  var files: [(path: String, bytes: [UInt8])] = []
  if let path = arguments.value("output") {
    files.append((path, try outputBytes(arrays(record), path: path)))
  }
  if let path = arguments.value("metrics") { files.append((path, Array(record.json.encoded.utf8))) }
  if let path = arguments.value("html") { files.append((path, Array(record.page.html.utf8))) }
  if let timeline, let path = arguments.value("trace") { files.append((path, Array(timeline.trace.utf8))) }
  try writeFiles(files)
}

/// The outputs of all samples.
private func arrays(_ record: RunRecord) -> [NamedTensor] {
  zip(record.program.outputs, record.outputs).map { port, values in
    outputArray(
      port.name, shape: record.program.buffers[port.buffer].shape, samples: record.samples, values)
  }
}

private func processorCount() -> Int {
  max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}
