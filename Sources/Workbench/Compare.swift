import CommandLineTools
import DeviceModel
import Driver
import Executor
import ProgramFormat
import RunDriver
import Support
import Tensors

/// What a comparison is asked to do.
struct CompareRequest {
  var model: String
  var schemes: [String]
  var input: String
  var labels: String?
  var calibration: String?
  var target: String?
  var overrides: String
  var limit: Int
  var threads: Int
  var quiet: Bool
}

/// A scheme compiled and run.
struct SchemeResult {
  let record: CompileRecord
  let run: RunResult
  /// Time and energy of all samples.
  let cost: Cost
  let layerCosts: [Cost]
  /// Right answers, where the classes are known.
  let accuracy: Accuracy?

  /// Energy of one sample in picojoules.
  var energyPerSample: Double { cost.energyPicojoules.total / Double(max(1, run.samples)) }
  /// Time of one sample in nanoseconds.
  var timePerSample: Double { cost.latencyNanoseconds / Double(max(1, run.samples)) }
}

/// The float evaluation and every scheme on the same samples.
struct Comparison {
  let network: String
  let float: FloatEvaluation
  let schemes: [SchemeResult]
}

/// Compiles the model with every scheme and runs each on the ideal device.
func compare(_ request: CompareRequest) throws(DiagnosticList) -> Comparison {
  let float = try evaluateFloat(
    model: request.model, input: request.input, labels: request.labels, limit: request.limit,
    threads: request.threads, quiet: request.quiet)
  var results: [SchemeResult] = []
  for scheme in request.schemes {
    var compilation = CompileRequest(model: request.model)
    compilation.scheme = scheme
    compilation.calibration = request.calibration
    compilation.target = request.target
    compilation.overrides = request.overrides
    compilation.jobs = request.threads
    let compiled = try compile(compilation)
    do throws(Diagnostic) {
      results.append(try run(compiled, request))
    } catch {
      throw DiagnosticList(error)
    }
  }
  return Comparison(network: results.first?.record.network ?? request.model, float: float, schemes: results)
}

private func run(_ compiled: CompileResult, _ request: CompareRequest) throws(Diagnostic) -> SchemeResult {
  // The executor gets what a program file would give it, not the compiler's values.
  let program = try decode(compiled.bytes, file: "\(compiled.record.scheme) program")
  let samples = try SampleSet(
    input: request.input, labels: request.labels, limit: request.limit, for: program.samplePorts)
  let progress = ProgressLine(
    compiled.record.scheme, total: samples.count, unit: "samples", quiet: request.quiet)
  let result = try ExecutablePlan(program).run(
    inputs: samples.inputs, samples: samples.count, threads: request.threads
  ) { progress.advance(by: $0) }
  progress.finish()
  let layerCosts = result.layers.map { cost(of: $0.events, machine: program.machine, adcBits: $0.adcBits) }
  var total = cost(of: result.digital, machine: program.machine)
  for layer in layerCosts { total += layer }
  return SchemeResult(
    record: compiled.record, run: result, cost: total, layerCosts: layerCosts,
    accuracy: try accuracy(result, program, samples.labels))
}

private func accuracy(_ result: RunResult, _ program: Program, _ labels: [Int]?) throws(Diagnostic)
  -> Accuracy?
{
  guard let labels, let scores = result.outputs.first, let port = program.outputs.first else { return nil }
  return try Accuracy(scores: scores, classes: program.buffers[port.buffer].count, labels: labels)
}
