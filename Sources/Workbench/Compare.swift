import CommandLineTools
import DeviceModel
import Driver
import Executor
import ProgramFormat
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
  let top1: Double?
  let top5: Double?

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
      results.append(try run(compiled, request, labels: float.labels))
    } catch {
      throw DiagnosticList(error)
    }
  }
  return Comparison(network: results.first?.record.network ?? request.model, float: float, schemes: results)
}

private func run(_ compiled: CompileResult, _ request: CompareRequest, labels: [Int]?) throws(Diagnostic)
  -> SchemeResult
{
  // The executor gets what a program file would give it, not the compiler's values.
  let program = try decode(compiled.bytes, file: "\(compiled.record.scheme) program")
  guard program.inputs.count == 1, let port = program.inputs.first else {
    throw Diagnostic("compare.inputs", "the network has \(program.inputs.count) inputs, samples serve one")
  }
  let file = try SampleFile(path: request.input, inputName: port.name, shape: program.buffers[port.buffer].shape)
  let count = min(request.limit, file.count)
  let values = (0..<count).flatMap { file.sample($0).floats }
  let progress = ProgressLine(compiled.record.scheme, total: count, unit: "samples", quiet: request.quiet)
  let result = try ExecutablePlan(program).run(inputs: [values], samples: count, threads: request.threads) {
    progress.advance(by: $0)
  }
  progress.finish()
  let layerCosts = result.layers.map { cost(of: $0.events, machine: program.machine, adcBits: $0.adcBits) }
  var total = cost(of: result.digital, machine: program.machine)
  for layer in layerCosts { total += layer }
  let scores = rows(of: result, program)
  return SchemeResult(
    record: compiled.record, run: result, cost: total, layerCosts: layerCosts,
    top1: labels.map { accuracy(scores, $0, best: 1) }, top5: labels.map { accuracy(scores, $0, best: 5) })
}

/// The first output, sample by sample.
private func rows(of result: RunResult, _ program: Program) -> [[Float]] {
  guard let values = result.outputs.first, let port = program.outputs.first else { return [] }
  let size = program.buffers[port.buffer].count
  return (0..<result.samples).map { Array(values[$0 * size..<($0 + 1) * size]) }
}
