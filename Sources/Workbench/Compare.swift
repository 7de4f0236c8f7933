import Evaluation
import CommandLineTools
import Driver
import ProgramFormat
import RunDriver
import Support

/// What a comparison is asked to do.
struct CompareRequest {
  var model: String
  var schemes: [String]
  var input: String
  var labels: String?
  var calibration: String?
  var shapes: [String]
  var target: String?
  /// Whether networks too large for a machine are cut into segments, and how many samples go through one at a time.
  var segments: Bool
  var segmentBatch: Int
  var overrides: String
  var limit: Int
  var threads: Int
  /// What each run, and the values of the model, may take.
  var limits: WorkLimits
  var modelMemory: Int
  /// The device, and how often it is tried.
  var settings: TrialSettings
  /// What the command line changed in the device, for titles.
  var changes: [String]
  var quiet: Bool
}

/// A scheme compiled and run.
struct SchemeResult {
  let compiled: CompileRecord
  let run: RunRecord
}

/// The float evaluation and every scheme on the same samples.
struct Comparison {
  let network: String
  /// What was asked for.
  let request: CompareRequest
  let float: FloatEvaluation
  let schemes: [SchemeResult]
}

/// Compiles the model with every scheme and runs each on the device.
func compare(_ request: CompareRequest) throws(DiagnosticList) -> Comparison {
  let float = try evaluateFloat(
    model: request.model, shapes: request.shapes, input: request.input, labels: request.labels,
    limit: request.limit,
    threads: request.threads, quiet: request.quiet, maxMemory: request.modelMemory)
  var results: [SchemeResult] = []
  for scheme in request.schemes {
    var compilation = CompileRequest(model: request.model)
    compilation.scheme = scheme
    compilation.calibration = request.calibration
    compilation.shapes = request.shapes
    compilation.target = request.target
    compilation.segments = request.segments
    compilation.overrides = request.overrides
    compilation.jobs = request.threads
    compilation.maxMemory = request.modelMemory
    let compiled = try compile(compilation)
    do throws(Diagnostic) {
      results.append(try run(compiled, request))
    } catch {
      throw DiagnosticList(error)
    }
  }
  return Comparison(
    network: results.first?.compiled.network ?? request.model, request: request, float: float,
    schemes: results)
}

private func run(_ compiled: CompileResult, _ request: CompareRequest) throws(Diagnostic) -> SchemeResult {
  // The executor gets what a program file would give it, not the compiler's values.
  let program = try decode(compiled.bytes, file: "\(compiled.record.scheme) program")
  let samples = try SampleSet(
    input: request.input, labels: request.labels, limit: request.limit, for: program.samplePorts)
  let progress = ProgressLine(
    compiled.record.scheme, total: samples.count * (request.settings.isIdeal ? 1 : request.settings.trials),
    unit: "samples", quiet: request.quiet)
  let record = try RunDriver.run(
    program, on: samples, settings: request.settings, segmentBatch: request.segmentBatch,
    threads: request.threads, limits: request.limits
  ) { progress.advance(by: $0) }
  progress.finish()
  return SchemeResult(compiled: compiled.record, run: record)
}
