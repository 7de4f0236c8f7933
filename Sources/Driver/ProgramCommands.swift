import CodeGen
import CommandLineTools
import Hardware
import IR
import ProgramFormat
import Support

/// Whether `file` is to be read as a program: it begins like one, or its name ends like one's.
func isProgram(_ file: InputFile) throws(Diagnostic) -> Bool {
  if file.path.hasSuffix(".xbar") { return true }
  return try file.withBytes { $0.starts(with: "XBAR".utf8) }
}

/// What to say of a program that needs more crossbars at once than its machine has: it was compiled, or edited, as if
/// there were enough.
func capacityWarnings(_ program: Program, _ path: String) -> [Diagnostic] {
  guard program.segments <= 1, let room = program.machine.hierarchy.crossbars,
    program.crossbars.count > room
  else { return [] }
  return [
    Diagnostic(
      "program.capacity",
      "the program has \(program.crossbars.count) crossbars, the machine \(program.machine.name) has \(room)",
      at: Location(file: path), severity: .warning)
  ]
}

/// Reads and validates a program.
func readProgram(_ path: String) throws(Diagnostic) -> Program { try readProgram(try InputFile(path: path)) }

/// Validates the program that `file` holds.
func readProgram(_ file: InputFile) throws(Diagnostic) -> Program {
  try file.withBytes { (bytes) throws(Diagnostic) in try decode(bytes, file: file.path) }
}

/// Writes the text of a program. Throws `verify.name` where a name of it cannot be written in a text.
func disassembleCommand(_ path: String, output: String) throws(Diagnostic) {
  let module = AnyModule.program(liftProgram(try readProgram(path)))
  if let problem = verify(module).first {
    throw Diagnostic(problem.id, "the program has no text: \(problem.message)", at: Location(file: path))
  }
  try write(module, to: output)
}

/// Writes the program of a text.
func assembleCommand(_ path: String, output: String) throws(Diagnostic) {
  guard case .program(let module) = try readVerifiedModule(path) else {
    throw Diagnostic(
      "assemble.level", "the module is not at level program", at: Location(file: path),
      notes: ["lower it first: xbarc opt \(path) --pipeline '..., lower-to-program'"])
  }
  do throws(Diagnostic) {
    let program = try emitProgram(module)
    show(capacityWarnings(program, path))
    try writeFile(try encode(program), to: output)
  } catch {
    throw error.inFile(path)
  }
}
