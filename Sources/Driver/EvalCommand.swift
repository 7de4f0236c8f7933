import CommandLineTools
import IR
import Import
import ONNX
import Reference
public import Support
public import Tensors

/// What the float evaluation of a model gave.
public struct FloatEvaluation: Sendable {
  /// The first output of every sample.
  public var outputs: [Tensor]
  /// The classes that the samples belong to, where they are known.
  public var labels: [Int]?

  /// The share of samples whose class scores best, where classes are known.
  public var top1: Double? { share(best: 1) }
  /// The share of samples whose class is among the five best, where classes are known.
  public var top5: Double? { share(best: 5) }

  private func share(best: Int) -> Double? {
    labels.map { accuracy(outputs.map(\.floats), $0, best: best) }
  }
}

/// Evaluates a model in floats on the samples of a file.
public func evaluateFloat(
  model path: String, input: String, labels: String?, limit: Int, threads: Int, quiet: Bool
) throws(DiagnosticList) -> FloatEvaluation {
  let module: Module<TensorLevel>
  do throws(Diagnostic) {
    let model = try readModel(path: path)
    do throws(DiagnosticList) { module = try importModel(model) } catch {
      throw error.items.first ?? Diagnostic("internal.import", "the import failed without a reason")
    }
    let file = try sampleFile(input, module)
    let count = min(limit, file.count)
    let interpreter = try Interpreter(module)
    let progress = ProgressLine("evaluating", total: count, unit: "samples", quiet: quiet)
    let outputs = try parallelMap(count, threads: threads) { index throws(Diagnostic) in
      let evaluation = try interpreter.evaluate([file.sample(index)])
      progress.advance(by: 1)
      guard let first = evaluation.outputs.first else {
        throw Diagnostic("eval.output", "the network has no output", at: Location(file: path))
      }
      return first
    }
    progress.finish()
    let classes = try labels.map { path throws(Diagnostic) in try readLabels(path: path) } ?? file.labels
    return FloatEvaluation(outputs: outputs, labels: classes)
  } catch {
    throw DiagnosticList(error)
  }
}

/// `xbarc eval`.
func evalCommand(_ arguments: ParsedArguments) throws(DiagnosticList) {
  let limit: Int
  let threads: Int
  do throws(Diagnostic) {
    limit = try arguments.integer("limit", in: 1...Int.max) ?? .max
    threads = try threadCount(arguments, "threads")
  } catch {
    throw DiagnosticList(error)
  }
  let result = try evaluateFloat(
    model: arguments.positional(0) ?? "", input: arguments.value("input") ?? "", labels: arguments.value("labels"),
    limit: limit, threads: threads, quiet: arguments.has("quiet"))
  do throws(Diagnostic) {
    if let path = arguments.value("output"), let first = result.outputs.first {
      let rest = first.shape.first == 1 ? Array(first.shape.dropFirst()) : first.shape
      let all = Tensor([result.outputs.count] + rest, result.outputs.flatMap(\.floats))
      try writeFile(npyBytes(all), to: path)
    }
    var table = TextTable([.init("samples"), .init("top-1"), .init("top-5")])
    table.add([
      grouped(result.outputs.count), result.top1.map(percentage) ?? "-", result.top5.map(percentage) ?? "-",
    ])
    try printOut(table.plain)
  } catch {
    throw DiagnosticList(error)
  }
}
