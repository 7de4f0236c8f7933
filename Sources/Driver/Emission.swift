import CodeGen
import Hardware
import IR
import Mapping
import Passes
import ProgramFormat
public import Support

/// Compiles a model to the program at `path`; `compile(_:)` gives the same one.
public func compile(_ request: CompileRequest, to path: String) throws(DiagnosticList) -> CompileRecord {
  var compilation = try Compilation(request, PipelineSettings())
  do throws(Diagnostic) {
    return try compilation.write(to: path)
  } catch {
    throw DiagnosticList(error.inFile(request.model))
  }
}

/// Compiles a model to a program.
public func compile(_ request: CompileRequest) throws(DiagnosticList) -> CompileResult {
  var compilation = try Compilation(request, PipelineSettings())
  do throws(Diagnostic) {
    let program = try compilation.emit { ProgramBuilder($0) }
    let bytes = try encode(program)
    return CompileResult(
      program: program, bytes: bytes, record: compilation.record(programBytes: bytes.count),
      warnings: compilation.runner.context.warnings)
  } catch {
    throw DiagnosticList(error.inFile(request.model))
  }
}

extension Compilation {
  /// Runs all passes and writes the program to `path`, and beside it what `reports` make of the record: all or none.
  mutating func write(
    to path: String, reports: [(path: String, text: (CompileRecord) -> String)] = []
  ) throws(Diagnostic) -> CompileRecord {
    let file = try OutputFile(path: path)
    // Opened before the work, so that what cannot be written is said at once.
    var outputs: [OutputFile] = []
    for report in reports { outputs.append(try OutputFile(path: report.path)) }
    let count = try emit { (program) throws(Diagnostic) in try ProgramWriter(program, to: file) }
    // The record of a compilation that is done.
    let record = record(programBytes: count)
    for (output, report) in zip(outputs, reports) { try output.write(Array(report.text(record).utf8)) }
    try OutputFile.commit([file] + outputs)
    return record
  }

  /// Runs all passes and hands the layers to a sink, one by one.
  ///
  /// Where modules are printed or compared between passes, each pass takes all layers before the next one begins.
  /// Otherwise the end of the pipeline is taken layer by layer, so that the cells of one layer alone are in memory. The
  /// two differ in who holds the iterator, and in nothing that comes out.
  mutating func emit<Sink: ProgramSink>(_ sink: (Program) throws(Diagnostic) -> Sink) throws(Diagnostic)
    -> Sink.Output
  {
    guard let last = calls.last, try registry.entry(named: last.name).to == .program else {
      throw Diagnostic(
        "compile.level", "the pipeline does not end at level program",
        notes: ["end it with lower-to-program, or ask for --emit crossbar"])
    }
    let passes = Array(calls.dropLast())
    let length =
      runner.settings.inspectsBetweenPasses
      ? 0 : try LayerPipeline.length(of: passes, in: registry, runner.context)
    var collector = RecordCollector(machine: machine)
    try run(Array(passes.dropLast(length)), &collector)
    guard case .crossbar(var source) = module else {
      throw Diagnostic("compile.level", "the pipeline has no module at level crossbar before its end")
    }
    module = .crossbar(Module(name: source.name))
    try runner.show(source, after: last)
    let output = try stream(&source, Array(passes.suffix(length)), &collector, sink)
    layers = completed(collector.records)
    return output
  }

  /// Takes the layers of `source` through `calls` and hands them to a sink. Each layer of `source` is given up when its
  /// turn comes.
  private mutating func stream<Sink: ProgramSink>(
    _ source: inout Module<CrossbarLevel>, _ passes: [PassCall], _ collector: inout RecordCollector,
    _ sink: (Program) throws(Diagnostic) -> Sink
  ) throws(Diagnostic) -> Sink.Output {
    let clock = ContinuousClock.now
    var pipeline = try LayerPipeline(passes, in: registry, for: source, runner.context)
    try registry.entry(named: calls[calls.count - 1].name).checkRequired(pipeline.facts)
    let ids = source.body.filter { source.ops[$0].opcode == .layer }
    var emitter = try LayerEmitter(source, threads: request.jobs, sink: sink)
    var times = StreamTimes(passes: passes, before: seconds(since: clock))
    for id in ids {
      var layer = try source.takeLayer(id)
      let name = layer.name
      do throws(Diagnostic) {
        try pipeline.run(on: &layer, at: source.ops[id].location) { seen in
          collector.inspect(seen, of: name)
        } after: { call, time in
          times.add(seconds(time), of: call)
        }
        collector.add(layer)
        layer.weights = nil
        let clock = ContinuousClock.now
        try emitter.emit(layer)
        times.close(name, emission: seconds(since: clock))
      } catch {
        throw internalError(error)
      }
    }
    let plan = try pipeline.plan(in: &runner.context) { call, time in times.add(seconds(time), planning: call)
    }
    collector.assign(plan)
    let end = ContinuousClock.now
    let output = try emitter.finish(segments: plan.segments)
    times.end(seconds(since: end), last: calls[calls.count - 1], into: &runner)
    return output
  }

  /// A defect of a pass as an internal error.
  private func internalError(_ error: Diagnostic) -> Diagnostic {
    guard error.id == "pass.broken" else { return error }
    return Diagnostic(
      "internal.\(error.id)", error.message, at: error.location,
      notes: error.notes + ["run again with --validate for a file that reproduces it"])
  }
}

extension Module<CrossbarLevel> {
  /// The layer that `id` describes; its numbers and blocks are no longer in the module.
  fileprivate mutating func takeLayer(_ id: OpID) throws(Diagnostic) -> Layer {
    guard let layer = layer(id) else {
      throw Diagnostic("compile.layer", "the layer cannot be read", at: ops[id].location)
    }
    ops[id].body = []
    ops[id]["weights"] = nil
    dropUnusedResources()
    return layer
  }
}

/// The times of passes that layers take one by one.
private struct StreamTimes {
  private let passes: [PassCall]
  private let before: Double
  private var open: [PassTime] = []
  private var layers: [LayerTime] = []
  private var plans: [PassTime] = []
  private var emission = 0.0

  init(passes: [PassCall], before: Double) {
    self.passes = passes
    self.before = before
  }

  mutating func add(_ seconds: Double, of call: PassCall) {
    open.append(PassTime(name: call.text, seconds: seconds))
  }

  mutating func add(_ seconds: Double, planning call: PassCall) {
    plans.append(PassTime(name: call.text, seconds: seconds))
  }

  /// Ends a layer, which took `emission` seconds to be written.
  mutating func close(_ layer: String, emission seconds: Double) {
    open.append(PassTime(name: "lower-to-program", seconds: seconds))
    layers.append(LayerTime(layer: layer, passes: open))
    emission += seconds
    open = []
  }

  /// Hands the times over; the end of the program took `seconds`.
  mutating func end(_ seconds: Double, last: PassCall, into runner: inout PipelineRunner) {
    if !passes.isEmpty { runner.layerTimes = layers }
    for call in passes {
      let sum =
        layers.reduce(0) { sum, layer in
          sum + layer.passes.filter { $0.name == call.text }.reduce(0) { $0 + $1.seconds }
        } + plans.filter { $0.name == call.text }.reduce(0) { $0 + $1.seconds }
      runner.times.append(PassTime(name: call.text, seconds: sum))
    }
    runner.times.append(PassTime(name: last.text, seconds: before + emission + seconds))
  }
}
