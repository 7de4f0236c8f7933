import CodeGen
import IR
import ProgramFormat
import Support

/// Whether `file` begins like a program.
func isProgram(_ file: InputFile) throws(Diagnostic) -> Bool {
  try file.withBytes { $0.starts(with: "XBAR".utf8) }
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
    try writeFile(try encode(try emitProgram(module)), to: output)
  } catch {
    throw error.inFile(path)
  }
}
