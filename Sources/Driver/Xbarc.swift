import CodeGen
import Report
import CommandLineTools
import Dispatch
import Foundation
import IR
import Import
import ONNX
import Passes
import ProgramFormat
import Evaluator
import Support
import Tensors

/// Runs `xbarc` with the words of its command line; returns the exit status.
public func runXbarc(_ words: [String]) -> Int32 {
  runCommand(name: "xbarc") { () throws(DiagnosticList) in
    let request: CommandLineRequest
    do throws(Diagnostic) {
      if let text = versionText(words, of: "xbarc") { return try printOut(text) }
      request = try XbarcCommands.program.parse(words) { path throws(Diagnostic) in try modelDataFiles(path) }
      if case .help(let text) = request { return try printOut(text) }
    } catch {
      throw DiagnosticList(error)
    }
    guard case .run(let command, let arguments) = request else { return }
    switch command.name {
    case "xbarc compile": try compileCommand(arguments)
    case "xbarc import": try importCommand(arguments)
    case "xbarc eval": try evalCommand(arguments)
    case "xbarc prune": try pruneCommand(arguments)
    default:
      do throws(Diagnostic) { try runSimple(command, arguments) } catch { throw DiagnosticList(error) }
    }
  }
}

private func runSimple(_ command: CommandSpec, _ arguments: ParsedArguments) throws(Diagnostic) {
  let path = arguments.positional(0) ?? ""
  switch command.name {
  case "xbarc opt": try optCommand(arguments)
  case "xbarc verify": try verifyCommand(path)
  case "xbarc inspect": try printOut(list(try readProgram(path)))
  case "xbarc disassemble": try disassembleCommand(path, output: arguments.value("output") ?? "-")
  case "xbarc assemble": try assembleCommand(path, output: arguments.value("output") ?? "-")
  case "xbarc schemes": try printOut(try describeSchemes(arguments.positional(0)))
  case "xbarc passes": try printOut(try describePasses(arguments.positional(0)))
  default: try printOut(try describeTargets(arguments.positional(0)))
  }
}

/// The threads that an option asks for; all processors unless it says otherwise.
func threadCount(_ arguments: ParsedArguments, _ name: String) throws(Diagnostic) -> Int {
  try arguments.integer(name, in: 1...1024) ?? ProcessInfo.processInfo.activeProcessorCount
}

// MARK: compile

private func compileCommand(_ arguments: ParsedArguments) throws(DiagnosticList) {
  var request = CompileRequest(model: arguments.positional(0) ?? "")
  var settings = PipelineSettings()
  let emit: String
  do throws(Diagnostic) {
    request.scheme = arguments.value("scheme") ?? "dense"
    request.pipeline = arguments.value("pipeline")
    request.overrides = arguments.value("set") ?? ""
    request.target = arguments.value("target")
    request.segments = arguments.has("segments")
    request.shapes = arguments.values("shape")
    request.calibration = arguments.value("calibration")
    request.jobs = try threadCount(arguments, "jobs")
    request.maxMemory = try arguments.bytes("max-memory") ?? request.maxMemory
    if request.pipeline != nil, arguments.has("scheme") || arguments.has("set") {
      throw Diagnostic("usage.conflict", "--pipeline excludes --scheme and --set")
    }
    emit = try arguments.choice("emit", of: ["tensor", "crossbar", "program", "binary"]) ?? "binary"
    settings.printAfter = arguments.value("print-after")
    if let pass = settings.printAfter, pass != "all" {
      do throws(Diagnostic) { _ = try PassRegistry.standard.entry(named: pass) } catch {
        throw error.inOption("print-after")
      }
    }
    settings.validates = arguments.has("validate")
    try reportNoEffect(
      emit == "binary"
        ? []
        : ["report", "html"].filter(arguments.has).map {
          noEffect("--\($0) has no effect with --emit \(emit): there is no program to report on")
        }, arguments)
  } catch {
    throw DiagnosticList(error)
  }
  var compilation = try Compilation(request, settings)
  do throws(Diagnostic) {
    if emit == "binary" {
      let record = try compilation.write(to: arguments.value("output") ?? "-", reports: reports(arguments))
      try finish(compilation, record, arguments)
    } else {
      try compilation.run(until: LevelName(rawValue: emit) ?? .program)
      try finish(compilation, emit: emit, arguments)
    }
  } catch {
    throw DiagnosticList(error.inFile(request.model))
  }
}

/// The reports that are asked for.
private func reports(_ arguments: ParsedArguments) -> [(path: String, text: (CompileRecord) -> String)] {
  var reports: [(path: String, text: (CompileRecord) -> String)] = []
  if let path = arguments.value("report") { reports.append((path, { $0.json.encoded + "\n" })) }
  if let path = arguments.value("html") { reports.append((path, { compilePage($0) })) }
  return reports
}

/// What is said of a program after it was written.
private func finish(_ compilation: Compilation, _ record: CompileRecord, _ arguments: ParsedArguments)
  throws(Diagnostic)
{
  if !arguments.has("quiet") { show(compilation.runner.context.warnings) }
  if !arguments.has("quiet") && !arguments.takesStandardOutput { try printOut(record.text) }
  report(compilation.runner, arguments)
}

private func finish(_ compilation: Compilation, emit: String, _ arguments: ParsedArguments) throws(Diagnostic)
{
  if !arguments.has("quiet") { show(compilation.runner.context.warnings) }
  guard compilation.module.level.rawValue == emit else {
    throw Diagnostic("compile.level", "the pipeline has no module at level \(emit) at its end")
  }
  try write(compilation.module, to: arguments.value("output") ?? "-")
  report(compilation.runner, arguments)
}

/// Prints what was compared and measured.
private func report(_ runner: PipelineRunner, _ arguments: ParsedArguments) {
  for finding in runner.findings { writeToStandardError(terminalText("validate: \(finding)") + "\n") }
  guard arguments.has("time-passes") else { return }
  writeToStandardError(timeTable(runner.times))
  if !runner.layerTimes.isEmpty { writeToStandardError(layerTimeTable(runner.layerTimes)) }
}

private func timeTable(_ times: [PassTime]) -> String {
  var table = TextTable([.init("pass", .left), .init("time")])
  for time in times { table.add([time.name, timeText(nanoseconds: time.seconds * 1e9)]) }
  table.add(total: ["total", timeText(nanoseconds: times.reduce(0) { $0 + $1.seconds } * 1e9)])
  return table.plain
}

/// The time of every layer, pass by pass.
private func layerTimeTable(_ times: [LayerTime]) -> String {
  func text(_ seconds: Double) -> String { timeText(nanoseconds: seconds * 1e9) }
  let passes = times.first?.passes.map { $0.name.prefix { $0 != "(" } } ?? []
  var table = TextTable([.init("layer", .left)] + passes.map { .init(String($0)) } + [.init("total")])
  for time in times {
    table.add(
      [time.layer] + time.passes.map { text($0.seconds) } + [text(time.passes.reduce(0) { $0 + $1.seconds })])
  }
  return table.plain
}

// MARK: IR text

private func importCommand(_ arguments: ParsedArguments) throws(DiagnosticList) {
  let limit: Int
  do throws(Diagnostic) { limit = try arguments.bytes("max-memory") ?? WorkLimits.modelMemory } catch {
    throw DiagnosticList(error)
  }
  let file = try importFile(arguments.positional(0) ?? "", arguments.values("shape"), maxMemory: limit)
  show(file.notes)
  do throws(Diagnostic) { try write(.tensor(file.module), to: arguments.value("output") ?? "-") } catch {
    throw DiagnosticList(error)
  }
}

private func optCommand(_ arguments: ParsedArguments) throws(Diagnostic) {
  let path = arguments.positional(0) ?? ""
  var module = try readVerifiedModule(path)
  var settings = PipelineSettings()
  settings.printAfter = arguments.value("print-after")
  var runner = PipelineRunner(settings, PassContext(threads: try threadCount(arguments, "jobs")))
  do throws(Diagnostic) {
    let text = arguments.value("pipeline") ?? ""
    let calls = try PassRegistry.standard.pipeline(
      text, ofOption: "pipeline", &runner.context.warnings)
    try runner.run(calls, on: &module)
    show(runner.context.warnings)
    try write(module, to: arguments.value("output") ?? "-")
  } catch {
    throw error.location == .none ? error : error.inFile(path)
  }
}

/// Reads IR text and throws the first thing that is wrong with it.
func readVerifiedModule(_ path: String) throws(Diagnostic) -> AnyModule {
  let module = try readModule(path)
  if let first = verifyFully(module).first { throw first.inFile(path) }
  return module
}

private func verifyCommand(_ path: String) throws(Diagnostic) {
  let file = try InputFile(path: path)
  if try isProgram(file) {
    let program = try readProgram(file)
    show(capacityWarnings(program, path))
    return try printOut("\(path): a valid program\n")
  }
  let module = try readModule(file)
  let found = verifyFully(module).map { $0.inFile(path) }
  if found.isEmpty { return try printOut("\(path): a valid module at level \(module.level.rawValue)\n") }
  show(Array(found.dropLast()))
  throw found[found.count - 1]
}
