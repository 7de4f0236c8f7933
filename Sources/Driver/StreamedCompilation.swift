import CodeGen
import Hardware
import IR
import Passes
import ProgramFormat
public import Support

/// Compiles a model to the program at `path`, layer by layer where the pipeline allows it; `compile(_:)` gives the same bytes.
public func compile(_ request: CompileRequest, to path: String) throws(DiagnosticList) -> CompileRecord {
  var compilation = try Compilation(request, PipelineSettings())
  do throws(Diagnostic) {
    return try compilation.write(to: path)
  } catch {
    throw DiagnosticList(error.inFile(request.model))
  }
}

extension Compilation {
  /// Runs all passes and writes the program to `path`.
  ///
  /// Where the end of the pipeline can be taken layer by layer, each layer is written as soon as it is done, so that the
  /// cells of one layer alone are in memory. That is not so where modules are printed or compared between the passes, where
  /// a pass needs all layers at once, and where `path` is no file that can be replaced. The bytes are the same.
  mutating func write(to path: String) throws(Diagnostic) -> CompileRecord {
    let length = try streamedPasses(path)
    let front = calls.dropLast(length)
    var collector = RecordCollector(machine: machine)
    try runner.run(Array(front), on: &module) { call, before in
      if case .crossbar(let crossbars) = before { collector.look(at: crossbars, before: call.name) }
    }
    guard length > 0, case .crossbar(var crossbars) = module else {
      try runner.run(calls.suffix(length), on: &module)
      layers = completed(collector.records)
      let result = try self.result()
      try writeFile(result.bytes, to: path)
      return result.record
    }
    module = .crossbar(Module(name: crossbars.name))
    let bytes = try stream(&crossbars, calls.suffix(length), &collector, to: path)
    layers = completed(collector.records)
    return record(network: crossbars.name, programBytes: bytes)
  }

  /// How many passes at the end are taken layer by layer.
  private func streamedPasses(_ path: String) throws(Diagnostic) -> Int {
    let isPlain = runner.settings.printAfter == nil && !runner.settings.validates
    guard isPlain, OutputFile.canReplace(path) else { return 0 }
    return try LayerPipeline.length(of: calls, in: runner.context)
  }

  /// Takes the layers of `source` through `calls`, which end with `lower-to-program`, and writes the program; returns its size
  /// in bytes. Each layer of `source` is given up when its turn comes.
  private mutating func stream(
    _ source: inout Module<CrossbarLevel>, _ calls: ArraySlice<PassCall>, _ collector: inout RecordCollector,
    to path: String
  ) throws(Diagnostic) -> Int {
    let clock = ContinuousClock.now
    var pipeline = try LayerPipeline(Array(calls.dropLast()), for: source, in: runner.context)
    let ids = source.body.filter { source.ops[$0].opcode == .layer }
    let code = try lowerCode(of: source)
    var writer = try ProgramWriter(
      try emitCode(code, layers: ids.compactMap { source.ops[$0].symbol }), to: path)
    let codeSeconds = seconds(since: clock)
    for id in ids {
      guard var layer = source.layer(id) else {
        throw Diagnostic("compile.layer", "the layer cannot be read", at: source.ops[id].location)
      }
      source.ops[id].body = []
      source.ops[id].remove(.weights)
      source.dropUnusedResources()
      var passes: [PassTime] = []
      do throws(Diagnostic) {
        let first = pipeline.crossbars
        try pipeline.run(on: &layer, at: source.ops[id].location) { call, before in
          collector.look(at: before, before: call.name)
        } after: { call, time in
          passes.append(PassTime(name: call.text, seconds: seconds(time)))
        }
        collector.look(at: layer, before: "lower-to-program")
        layer.weights = nil
        let clock = ContinuousClock.now
        try append(layer, to: &writer, first..<pipeline.crossbars)
        passes.append(PassTime(name: calls.last?.text ?? "", seconds: seconds(since: clock)))
      } catch {
        throw internalError(error)
      }
      runner.layerTimes.append(LayerTime(layer: layer.name, passes: passes))
    }
    try pipeline.conclude(in: &runner.context)
    let segments = try pipeline.segments()
    collector.assign(segments)
    return try finish(&writer, segments, calls, codeSeconds)
  }

  private mutating func finish(
    _ writer: inout ProgramWriter, _ segments: [String: Int], _ calls: ArraySlice<PassCall>, _ before: Double
  ) throws(Diagnostic) -> Int {
    let clock = ContinuousClock.now
    let bytes = try writer.finish(segments: segments)
    let rest = before + seconds(since: clock)
    for (place, call) in calls.enumerated() {
      let sum = runner.layerTimes.reduce(0) { $0 + $1.passes[place].seconds }
      runner.times.append(
        PassTime(name: call.text, seconds: sum + (place == calls.count - 1 ? rest : 0)))
    }
    return bytes
  }

  /// Writes a layer whose blocks lie in `crossbars`.
  private func append(_ layer: LayerView, to writer: inout ProgramWriter, _ crossbars: Range<Int>)
    throws(Diagnostic)
  {
    guard let (placed, blocks) = emitLayer(layer.withoutCells) else {
      throw Diagnostic("compile.layer", "@\(layer.name) has no converters, or a block no place")
    }
    var residents = [[Int]](repeating: [], count: crossbars.count)
    for (index, block) in layer.blocks.enumerated() {
      guard let crossbar = block.crossbar, crossbars.contains(crossbar) else { continue }
      residents[crossbar - crossbars.lowerBound].append(index)
    }
    let array = machine.array
    let (inside, views) = (residents, layer.blocks)
    try writer.append(placed, blocks, crossbars: crossbars.count, threads: request.jobs) { number in
      var image = [UInt8](repeating: 0, count: array.rows * array.columns)
      for index in inside[number] {
        views[index].write(into: &image, at: views[index].corner ?? [0, 0], width: array.columns)
      }
      return image
    }
  }

  /// A defect of a pass as an internal error.
  private func internalError(_ error: Diagnostic) -> Diagnostic {
    guard error.id == "pass.broken" else { return error }
    return Diagnostic(
      "internal.\(error.id)", error.message, at: error.location,
      notes: error.notes + ["run again with --validate for a file that reproduces it"])
  }
}
