import CodeGen
import IR
import Passes
import Evaluator
import Support
import Tensors

/// How a pipeline is run.
struct PipelineSettings {
  /// The pass after which the module is printed, or `all`.
  var printAfter: String?
  /// Whether outputs before and after each pass are compared.
  var validates = false
  /// Whether modules are inspected between passes.
  var inspectsBetweenPasses: Bool { printAfter != nil || validates }
  /// The file of the reproducer of an internal error; another name is taken where it is there already.
  var reproducer = "xbarc-reproducer.xir"
}

/// The time that a pass took.
struct PassTime {
  var name: String
  var seconds: Double
}

/// The times that the passes of the end of a pipeline took on one layer, in the order of the passes.
struct LayerTime {
  var layer: String
  var passes: [PassTime]
}

/// Seconds from `start` to now.
func seconds(since start: ContinuousClock.Instant) -> Double { seconds(ContinuousClock.now - start) }

/// A duration in seconds.
func seconds(_ duration: Duration) -> Double {
  Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

/// Runs passes one after the other, prints and compares as asked, and measures.
struct PipelineRunner {
  let settings: PipelineSettings
  var context: PassContext
  var times: [PassTime] = []
  /// The times of each layer, where the end of the pipeline ran layer by layer.
  var layerTimes: [LayerTime] = []
  /// What `--validate` found, a line for each pass.
  var findings: [String] = []

  init(_ settings: PipelineSettings, _ context: PassContext) {
    self.settings = settings
    self.context = context
  }

  /// Runs `calls` on `module`, which gives up its old values step by step; `each` sees it before every pass.
  mutating func run(
    _ calls: [PassCall], on module: inout AnyModule,
    before each: (PassEntry, PassCall, AnyModule, PassContext) throws(Diagnostic) -> Void = {
      (_, _, _, _) throws(Diagnostic) in
    }
  ) throws(Diagnostic) {
    for (index, call) in calls.enumerated() {
      let entry = try PassRegistry.standard.entry(named: call.name)
      try each(entry, call, module, context)
      let clock = ContinuousClock.now
      let next: AnyModule
      do throws(Diagnostic) {
        next = try entry.apply(to: module, call.options, in: &context)
      } catch {
        throw error.id == "pass.broken" ? reproduce(error, module, Array(calls[index...])) : error
      }
      times.append(PassTime(name: call.text, seconds: seconds(since: clock)))
      if settings.validates { findings.append(try compare(entry, module, next)) }
      if prints(after: call) {
        writeToStandardError(terminalText("// after \(call.text)\n\(next.text)", keepingLines: true))
      }
      module = next
    }
  }

  private func prints(after call: PassCall) -> Bool {
    settings.printAfter == "all" || settings.printAfter == call.name
  }

  /// Prints and notes what is asked of the last step, which makes a program of `source`.
  mutating func show(_ source: Module<CrossbarLevel>, after call: PassCall) throws(Diagnostic) {
    if settings.validates {
      findings.append("\(call.name): not compared, the program level runs in xbarrun")
    }
    guard prints(after: call) else { return }
    let lowered = try PassRegistry.standard.entry(named: call.name)
      .apply(to: .crossbar(source), call.options, in: &context)
    writeToStandardError(terminalText("// after \(call.text)\n\(lowered.text)", keepingLines: true))
  }

  /// Turns a module that a pass broke into an internal error with a file to reproduce it.
  private func reproduce(_ error: Diagnostic, _ module: AnyModule, _ rest: [PassCall]) -> Diagnostic {
    let pipeline = rest.map(\.text).joined(separator: ", ")
    var notes = error.notes
    let path = freePath(settings.reproducer)
    if (try? write(module, to: path)) != nil {
      notes.append("reproduce: xbarc opt \(path) --pipeline '\(pipeline)'")
    }
    return Diagnostic("internal.\(error.id)", error.message, at: error.location, notes: notes)
  }

  // MARK: Comparison

  /// Evaluates both modules on a few samples; throws where an exact pass changed an output.
  private func compare(_ entry: PassEntry, _ before: AnyModule, _ after: AnyModule) throws(Diagnostic)
    -> String
  {
    let samples = Array(context.calibration.prefix(2))
    guard !samples.isEmpty else { return "\(entry.name): not compared, no calibration samples" }
    guard let first = try evaluate(before, samples), let second = try evaluate(after, samples) else {
      return "\(entry.name): not compared, the program level runs in xbarrun"
    }
    if first.outputs == second.outputs { return "\(entry.name): equal" }
    let (difference, size) = distance(first.outputs, second.outputs)
    if case .exact = entry.guarantee, second.saturations == 0 {
      throw Diagnostic(
        "validate.changed", "\(entry.name) is exact, but outputs changed by up to \(difference)")
    }
    let saturated = second.saturations > 0 ? ", \(second.saturations) conversions saturated" : ""
    return "\(entry.name): outputs change by up to \(difference), the largest output is \(size)\(saturated)"
  }

  private func evaluate(_ module: AnyModule, _ samples: [[Tensor]]) throws(Diagnostic)
    -> (outputs: [Tensor], saturations: Int)?
  {
    switch module {
    case .tensor(let module):
      let interpreter = try Interpreter(module)
      return try run(samples) { inputs throws(Diagnostic) in try interpreter.evaluate(inputs) }
    case .crossbar(let module):
      let interpreter = try Interpreter(module)
      return try run(samples) { inputs throws(Diagnostic) in try interpreter.evaluate(inputs) }
    case .program: return nil
    }
  }

  private func run(_ samples: [[Tensor]], _ evaluate: ([Tensor]) throws(Diagnostic) -> EvaluationResult)
    throws(Diagnostic) -> (outputs: [Tensor], saturations: Int)
  {
    var outputs: [Tensor] = []
    var saturations = 0
    for inputs in samples {
      let evaluation = try evaluate(inputs)
      outputs += evaluation.outputs
      saturations += evaluation.saturations.values.reduce(0, +)
    }
    return (outputs, saturations)
  }

  private func distance(_ a: [Tensor], _ b: [Tensor]) -> (difference: Float, size: Float) {
    var (difference, size): (Float, Float) = (0, 0)
    for (x, y) in zip(a, b) {
      for (p, q) in zip(x.floats, y.floats) {
        difference = max(difference, abs(p - q))
        size = max(size, abs(p))
      }
    }
    return (difference, size)
  }
}
