import IR
import Evaluator
public import Evaluation
import Report
import CommandLineTools
public import Support
public import Tensors

/// What the float evaluation of a model gave.
public struct FloatEvaluation: Sendable {
  /// The names of the outputs.
  public var names: [String]
  /// For every sample, all outputs.
  public var outputs: [[Tensor]]
  /// Right answers, where the classes are known.
  public var accuracy: Accuracy?
  /// What is worth saying about the samples.
  public var notes: [Diagnostic] = []

  /// Each output of all samples.
  var arrays: [NamedTensor] {
    names.indices.map { index in
      outputArray(
        names[index], shape: outputs.first?[index].shape ?? [], samples: outputs.count,
        outputs.flatMap { $0[index].floats })
    }
  }
}

/// Evaluates a model in floats on the samples of a file; `shapes` fixes lengths of inputs that the model leaves open. Before
/// the work `check` sees the names of the outputs.
public func evaluateFloat(
  model path: String, shapes: [String] = [], input: String, labels: String?, limit: Int,
  threads: Int, quiet: Bool, maxMemory: Int = WorkLimits.modelMemory,
  check: ([String]) throws(Diagnostic) -> Void = { _ throws(Diagnostic) in }
) throws(DiagnosticList) -> FloatEvaluation {
  let file: ImportedFile
  do throws(Diagnostic) {
    do throws(DiagnosticList) { file = try importFile(path, shapes, maxMemory: maxMemory) } catch {
      throw error.items.first ?? Diagnostic("internal.import", "the import failed without a reason")
    }
    let module = file.module
    let ports = samplePorts(module)
    let names = module.bodyOps.filter { $0.opcode == .output }.map { $0[.portName] }
    try check(names)
    let set = try SampleSet(input: input, labels: labels, limit: limit, for: ports)
    let interpreter = try Interpreter(module)
    let progress = ProgressLine("evaluating", total: set.count, unit: "samples", quiet: quiet)
    let outputs = try parallelMap(set.count, threads: threads) { index throws(Diagnostic) in
      let evaluation = try interpreter.evaluate(set.sample(index, for: ports))
      progress.advance(by: 1)
      return evaluation.outputs
    }
    progress.finish()
    return FloatEvaluation(
      names: names, outputs: outputs, accuracy: try accuracy(outputs, set.labels, path),
      notes: file.notes + set.notes)
  } catch {
    throw DiagnosticList(error)
  }
}

private func accuracy(_ outputs: [[Tensor]], _ labels: [Int]?, _ path: String) throws(Diagnostic)
  -> Accuracy?
{
  let scores = outputs.compactMap(\.first)
  guard scores.count == outputs.count else {
    throw Diagnostic("eval.output", "the network has no output", at: Location(file: path))
  }
  guard let labels, let first = scores.first else { return nil }
  return try Accuracy(scores: scores.flatMap(\.floats), classes: first.count, labels: labels)
}

/// `xbarc eval`.
func evalCommand(_ arguments: ParsedArguments) throws(DiagnosticList) {
  let limit: Int
  let threads: Int
  let maxMemory: Int
  do throws(Diagnostic) {
    maxMemory = try arguments.bytes("max-memory") ?? WorkLimits.modelMemory
    limit = try arguments.integer("limit", in: 1...Int.max) ?? .max
    threads = try threadCount(arguments, "threads")
  } catch {
    throw DiagnosticList(error)
  }
  let result = try evaluateFloat(
    model: arguments.positional(0) ?? "", shapes: arguments.values("shape"),
    input: arguments.value("input") ?? "",
    labels: arguments.value("labels"),
    limit: limit, threads: threads, quiet: arguments.has("quiet"),
    maxMemory: maxMemory
  ) { names throws(Diagnostic) in try checkOutputKind(arguments.value("output"), outputs: names.count) }
  do throws(Diagnostic) {
    if let path = arguments.value("output") {
      try writeFile(try outputBytes(result.arrays, path: path), to: path)
    }
    if !arguments.has("quiet") { show(result.notes) }
    if arguments.takesStandardOutput { return }
    let interval = TextTable.Column("95 % interval")
    var table = TextTable([.init("samples"), .init("top-1"), interval, .init("top-5"), interval])
    func share(_ hits: Int?) -> String {
      hits.map { percentage(Double($0) / Double(max(1, result.outputs.count))) } ?? "-"
    }
    func text(_ interval: ShareInterval?) -> String { interval.map { intervalText($0.low, $0.high) } ?? "-" }
    table.add([
      grouped(result.outputs.count), share(result.accuracy?.top1), text(result.accuracy?.top1Interval),
      share(result.accuracy?.top5), text(result.accuracy?.top5Interval),
    ])
    try printOut(table.plain)
  } catch {
    throw DiagnosticList(error)
  }
}
