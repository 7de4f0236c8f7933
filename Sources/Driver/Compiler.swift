import CodeGen
import CommandLineTools
import Evaluation
import Report
import Hardware
import IR
import Import
import Mapping
import ONNX
import Passes
public import ProgramFormat
public import Support
import Tensors

/// What a compilation is asked to do.
public struct CompileRequest: Sendable {
  /// The ONNX file.
  public var model: String
  /// The scheme's name; the pipeline decides where there is one.
  public var scheme: String
  /// A pipeline's text instead of a scheme.
  public var pipeline: String?
  /// Options of the scheme's passes that replace its own, written like a pipeline.
  public var overrides: String
  /// A target's name or a JSON file; nil takes the scheme's.
  public var target: String?
  /// Operation units and converters other than the scheme's and the target's.
  public var units = UnitSettings()
  /// Whether a network that needs more crossbars than the machine has is cut into segments.
  public var segments = false
  /// A file of samples for calibration.
  public var calibration: String?
  /// Lengths of inputs that the file leaves open, such as `image=1x3x48x320`.
  public var shapes: [String] = []
  /// Bytes that the values of the model may take.
  public var maxMemory = WorkLimits.modelMemory
  /// Threads.
  public var jobs: Int

  /// Asks for the dense scheme with defaults.
  public init(model: String) {
    self.model = model
    scheme = "dense"
    overrides = ""
    jobs = 1
  }
}

/// A compiled program with its record and the warnings on the way.
public struct CompileResult: Sendable {
  /// The program.
  public var program: Program
  /// Its bytes.
  public var bytes: [UInt8]
  /// What the compilation did.
  public var record: CompileRecord
  /// Warnings.
  public var warnings: [Diagnostic]
}

/// A module on its way through a pipeline.
struct Compilation {
  let request: CompileRequest
  let registry = PassRegistry.standard
  let calls: [PassCall]
  let machine: Machine
  /// The name of the network.
  let network: String
  var runner: PipelineRunner
  var module: AnyModule
  var layers: [LayerRecord] = []

  /// Reads the model and the calibration samples.
  init(_ request: CompileRequest, _ settings: PipelineSettings) throws(DiagnosticList) {
    self.request = request
    var warnings: [Diagnostic] = []
    do throws(Diagnostic) {
      let named = try request.namedScheme()
      if let text = request.pipeline {
        calls = try request.scheduled(
          try request.units.calls(try registry.pipeline(text, ofOption: "pipeline", &warnings)))
      } else {
        let overrides = try registry.overrides(request.overrides, of: named, &warnings)
        calls = try request.scheduled(try request.units.calls(overrides))
      }
      machine = try request.units.machine(try request.namedTarget(named.target))
    } catch {
      throw DiagnosticList(error)
    }
    let file = try importFile(request.model, request.shapes, maxMemory: request.maxMemory)
    var imported = file.module
    imported.machine = machine
    network = imported.name
    imported.info = [
      InfoLine(key: "producer", text: "xbarc \(version)"),
      InfoLine(key: "pipeline", text: calls.map(\.text).joined(separator: ", ")),
    ]
    var context = PassContext(threads: request.jobs)
    context.warnings = warnings + file.notes
    if let path = request.calibration {
      do throws(Diagnostic) { context.calibration = try calibrationSamples(path, imported) } catch {
        throw DiagnosticList(error)
      }
    }
    runner = PipelineRunner(settings, context)
    module = .tensor(imported)
  }

  /// Runs the passes that come before those which take the module below `level`.
  mutating func run(until level: LevelName) throws(Diagnostic) {
    var wanted: [PassCall] = []
    for call in calls {
      let entry = try registry.entry(named: call.name)
      if entry.to != level, entry.from == level { break }
      wanted.append(call)
    }
    var collector = RecordCollector(machine: machine)
    try run(wanted, &collector)
  }

  /// Runs `passes` on the module and collects what they tell of layers.
  mutating func run(_ passes: [PassCall], _ collector: inout RecordCollector) throws(Diagnostic) {
    let machine = self.machine
    try runner.run(passes, on: &module) { (entry, call, module, context) throws(Diagnostic) in
      guard case .crossbar(let crossbars) = module, let observe = try entry.observer(call.options) else {
        return
      }
      for (_, layer) in crossbars.layers {
        if let seen = observe(layer, machine) { collector.inspect(seen, of: layer.name) }
      }
    }
  }

  /// The records with what passes reported of their layers.
  func completed(_ records: [LayerRecord]) -> [LayerRecord] {
    records.map { record in
      var complete = record
      complete.quantizationError = runner.context.weightErrors.first { $0.layer == record.name }?.error
      return complete
    }
  }

  /// What the compilation did.
  func record(programBytes: Int) -> CompileRecord {
    CompileRecord(
      network: network, scheme: request.pipeline == nil ? request.scheme : "pipeline",
      machine: machine.name,
      pipeline: calls.map(\.text), layers: layers, programBytes: programBytes,
      seconds: runner.times.map { ($0.name, $0.seconds) },
      area: machine.area(crossbars: layers.crossbarsOfSegments.max() ?? 0))
  }
}

extension CompileRequest {
  /// The passes, with a schedule of segments where they are wanted.
  ///
  /// Throws `compile.segments` for a pipeline that schedules nothing.
  fileprivate func scheduled(_ calls: [PassCall]) throws(Diagnostic) -> [PassCall] {
    guard segments else { return calls }
    guard let at = calls.firstIndex(where: { PassRegistry.standard.establishes(.scheduled, by: $0) }) else {
      throw Diagnostic("compile.segments", "the pipeline has no pass schedule, which forms segments")
    }
    var calls = calls
    calls[at].set("capacity", .word("segments"))
    return calls
  }
}

/// What a file is imported to; `shapes` are texts such as `image=1x3x48x320`. A fixed batch of several samples becomes one,
/// where `shapes` say nothing and samples do not depend on each other.
///
/// Throws `import.memory` where the values of the module take more than `maxMemory` bytes.
func importFile(_ path: String, _ shapes: [String], maxMemory: Int) throws(DiagnosticList) -> ImportedFile {
  let model: ONNXModel
  let given: InputShapes
  do throws(Diagnostic) {
    given = try InputShapes(shapes)
    model = try readModel(path: path)
  } catch {
    throw DiagnosticList(error)
  }
  let module = try importModel(model, shapes: given, maxMemory: maxMemory)
  let file: ImportedFile
  if shapes.isEmpty, let batch = FixedBatch(model), let single = batch.module(insteadOf: module) {
    file = ImportedFile(module: single, notes: [batch.note(path)])
  } else {
    file = ImportedFile(module: module, notes: [])
  }
  // No tensor of the file is read after this.
  do throws(Diagnostic) { try model.checkUnchanged() } catch { throw DiagnosticList(error) }
  return file
}

/// The paths of the files next to the model at `path` that hold its weights.
public func modelDataFiles(_ path: String) throws(Diagnostic) -> [String] {
  try readModel(path: path).dataFiles
}

/// A built-in target by name, or a machine from a JSON file.
func loadTarget(_ name: String) throws(Diagnostic) -> Machine {
  guard namesFile(name) else { return try Machine.target(named: name) }
  let bytes = try InputFile(path: name).withBytes { Array($0) }
  return try Machine(json: bytes, file: name)
}

/// The samples of a file, at most 1,024, each with one tensor for every input of `module`.
func calibrationSamples(_ path: String, _ module: Module<TensorLevel>) throws(Diagnostic) -> [[Tensor]] {
  let ports = samplePorts(module)
  let set = try SampleSet(input: path, limit: 1024, for: ports)
  return (0..<set.count).map { set.sample($0, for: ports) }
}

/// The graph inputs of a module.
func samplePorts(_ module: Module<TensorLevel>) -> [SamplePort] {
  module.bodyOps.filter { $0.opcode == .input }.map { op in
    SamplePort(name: op[.portName], shape: module.values[op.results[0]].type.shape ?? [])
  }
}
