import CodeGen
import DeviceModel
import Executor
import Foundation
import IR
import Mapping
import Passes
import ProgramFormat
import Evaluator
import Support
import Tensors
import Testing

/// Runs one command on one section.
struct CommandRun {
  let file: String
  var section: Section

  /// Records what is wrong, naming the file and the line where the section starts.
  func fail(_ message: String) { Issue.record("\(file):\(section.before + 1): \(message)") }

  /// Runs `command`; where goldens are updated, the section is changed to what was found.
  mutating func run(_ command: Command) {
    do throws(Diagnostic) {
      switch command {
      case .verify: verifySection()
      case .roundTrip: try roundTrip()
      case .opt(let pipeline): try optimize(pipeline)
      case .eval(let asked): try evaluate(asked)
      case .run(let asked): try evaluate(asked)
      case .encode: try encodeSection()
      case .disassemble: try disassemble()
      }
      if command != .verify { check([]) }
    } catch {
      check([error])
    }
  }

  /// Compares the errors found with those expected.
  private func check(_ found: [Diagnostic]) {
    var expected = section.errors
    for error in found {
      if let at = expected.firstIndex(where: { $0.matches(error, codeLines: section.codeLines) }) {
        expected.remove(at: at)
      } else {
        fail("unexpected: \(error)")
      }
    }
    for error in expected { fail("expected but not found: \(error.id) on line \(error.line)") }
  }

  private func verifySection() {
    do throws(Diagnostic) {
      check(verifyFully(try parseModule(section.text)))
    } catch {
      check([error])
    }
  }

  /// The printed text is the code of the section, or what is expected.
  private mutating func roundTrip() throws(Diagnostic) {
    guard section.errors.isEmpty else { return }
    let printed = try parseModule(section.text).text
    if section.expected != nil { return compare(printed) }
    let code = section.code.joined(separator: "\n") + "\n"
    if printed == code { return }
    if updatesGoldens { return section.setCode(printed) }
    fail("prints as\n\(printed)")
  }

  /// Compares `output` with what stands behind `// expect:`.
  private mutating func compare(_ output: String) {
    var lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if lines.last == "" { lines.removeLast() }
    if updatesGoldens {
      section.expected = lines
    } else if section.expected != lines {
      fail(
        "expected another output than\n\(lines.map { $0.isEmpty ? "//" : "// \($0)" }.joined(separator: "\n"))"
      )
    }
  }

  /// Applies the pipeline and compares the module, with the warnings in front.
  private mutating func optimize(_ pipeline: String) throws(Diagnostic) {
    var context = try calibrated(try parseModule(section.text))
    let result = try apply(pipeline, to: try parseModule(section.text), &context)
    compare(context.warnings.map { "warning: \($0.message) [\($0.id)]\n" }.joined() + result.text)
  }

  /// A context whose calibration samples are the inputs of the section.
  private func calibrated(_ module: AnyModule) throws(Diagnostic) -> PassContext {
    let shapes = inputShapes(of: module)
    var samples: [[Tensor]] = []
    for sample in section.samples { samples.append(try tensors(sample, shapes)) }
    return PassContext(calibration: samples)
  }

  private func tensors(_ sample: Sample, _ shapes: [[Int]]) throws(Diagnostic) -> [Tensor] {
    var tensors: [Tensor] = []
    for (shape, values) in zip(shapes, sample.inputs) {
      guard checkedProduct(shape) == values.count else {
        throw Diagnostic("test.input", "\(values.count) numbers for the shape \(shape)")
      }
      tensors.append(Tensor(shape, values))
    }
    return tensors
  }

  // MARK: Evaluation

  /// The outputs are those of the section, before and after the pipeline; programs run on the ideal device.
  private mutating func evaluate(_ asked: Evaluated) throws(Diagnostic) {
    let module = try parseModule(section.text)
    let shapes = inputShapes(of: module)
    if section.samples.isEmpty { fail("'eval' and 'run' need a line '// in: [...]'") }
    var results: [[String]] = []
    var transformed: AnyModule?
    if let pipeline = asked.pipeline {
      var context = try calibrated(module)
      transformed = try apply(pipeline, to: module, &context)
    }
    for sample in section.samples {
      let inputs = try tensors(sample, shapes)
      let before = try evaluation(of: module, inputs)
      results.append(before.lines)
      checkCounts(transformed == nil ? before : nil, asked)
      guard let transformed else { continue }
      let after = try evaluation(of: transformed, inputs)
      checkCounts(after, asked)
      if !before.isNear(after, asked.tolerance) {
        fail("after the passes: \(after.lines.joined(separator: "; "))")
      }
    }
    if updatesGoldens {
      section.setResults(results)
    } else if section.samples.map(\.outputs) != results {
      fail(
        "expected other results than\n\(results.map { $0.joined(separator: "\n") }.joined(separator: "\n"))")
    }
  }

  /// The events of a program are those asked for.
  private func checkCounts(_ outcome: Outcome?, _ asked: Evaluated) {
    guard let outcome else { return }
    for (name, count) in asked.counts.sorted(by: { $0.key < $1.key }) {
      let found = Events.fields.first { $0.name == name }.flatMap { outcome.events?[keyPath: $0.path] }
      if found != count {
        fail(
          "\(found.map { "\($0)" } ?? "no") \(name), expected \(count), after \(asked.pipeline ?? "nothing")")
      }
    }
  }

  // MARK: Programs

  private func program() throws(Diagnostic) -> Program {
    guard case .program(let module) = try parseModule(section.text) else {
      throw Diagnostic("test.level", "the module is not at level program")
    }
    if let wrong = verifyFully(.program(module)).first { throw wrong }
    return try emitProgram(module)
  }

  /// The size and the checksum of the binary are those of the line `// bytes:`.
  private mutating func encodeSection() throws(Diagnostic) {
    let bytes = try encode(try program())
    let crc = String(CRC32C.checksum(bytes), radix: 16)
    let text = "\(bytes.count) crc \(String(repeating: "0", count: 8 - crc.count))\(crc)"
    if updatesGoldens {
      section.lines.removeAll { $0.hasPrefix("// bytes:") }
      section.lines.append("// bytes: \(text)")
    } else if section.values("bytes") != [text] {
      fail("expected another binary than // bytes: \(text)")
    }
  }

  /// The module that the binary lifts to prints as the module itself.
  private func disassemble() throws(Diagnostic) {
    let bytes = try encode(try program())
    let decoded = try bytes.withUnsafeBufferPointer { (bytes) throws(Diagnostic) -> Program in
      try decode(UnsafeRawBufferPointer(bytes), file: file)
    }
    let lifted = liftProgram(decoded).text
    if lifted != (try parseModule(section.text)).text { fail("disassembles to\n\(lifted)") }
    if try encode(try emitProgram(liftProgram(decoded))) != bytes { fail("assembles to other bytes") }
  }
}

/// Applies a pipeline of passes.
func apply(_ pipeline: String, to module: AnyModule, _ context: inout PassContext) throws(Diagnostic)
  -> AnyModule
{
  var module = module
  if let broken = verify(module).first { throw broken }
  for call in try parsePipeline(pipeline) {
    module = try PassRegistry.standard.entry(named: call.name).apply(to: module, call.options, in: &context)
  }
  return module
}

/// The shapes of the graph inputs, in order.
func inputShapes(of module: AnyModule) -> [[Int]] {
  func shapes<L: Level>(_ module: Module<L>) -> [[Int]] {
    module.bodyOps.filter { $0.opcode == .input }
      .map { $0.results.first.flatMap { module.values[$0].type.shape } ?? [] }
  }
  switch module {
  case .tensor(let module): return shapes(module)
  case .crossbar(let module): return shapes(module)
  case .program(let module): return shapes(module)
  }
}

/// The outputs of a module, flat, and the conversions that saturated.
struct Outcome {
  var outputs: [[Float]]
  var saturations: [(layer: String, count: Int)]
  /// Events of all layers; nil where nothing was executed.
  var events: Events?

  /// The lines that stand for it in a file.
  var lines: [String] {
    outputs.map { "out: [\($0.map { $0.isNaN ? "nan" : "\($0)" }.joined(separator: ", "))]" }
      + saturations.filter { $0.count > 0 }.map { "saturated: @\($0.layer) \($0.count)" }
  }

  /// Whether the outputs differ by at most `tolerance`.
  func isNear(_ other: Outcome, _ tolerance: Float) -> Bool {
    guard outputs.map(\.count) == other.outputs.map(\.count) else { return false }
    return zip(outputs.joined(), other.outputs.joined()).allSatisfy { x, y in
      x == y || abs(x - y) <= tolerance || x.isNaN && y.isNaN
    }
  }
}

/// Evaluates a module by the evaluator, or a program by the executor on the ideal device.
func evaluation(of module: AnyModule, _ inputs: [Tensor]) throws(Diagnostic) -> Outcome {
  switch module {
  case .tensor(let module): return Outcome(try Interpreter(module).evaluate(inputs))
  case .crossbar(let module): return Outcome(try Interpreter(module).evaluate(inputs))
  case .program(let module):
    let bytes = try encode(try emitProgram(module))
    let program = try bytes.withUnsafeBufferPointer { (bytes) throws(Diagnostic) -> Program in
      try decode(UnsafeRawBufferPointer(bytes), file: "")
    }
    let result = try ExecutablePlan(program).run(inputs: inputs.map(\.floats), samples: 1, threads: 1)
    let counts = result.layers.map { (layer: $0.name, count: $0.events.adcSaturations) }
    return Outcome(
      outputs: result.outputs, saturations: counts.sorted { $0.layer < $1.layer },
      events: result.layers.reduce(into: Events()) { $0 += $1.events })
  }
}

extension Outcome {
  /// What the evaluator found.
  init(_ evaluation: EvaluationResult) {
    outputs = evaluation.outputs.map(\.floats)
    saturations = evaluation.saturations.sorted { $0.key < $1.key }.map { (layer: $0.key, count: $0.value) }
  }
}
