public import IR
import ProgramFormat
public import Support

/// Everything that is wrong with a module of any level; of a sound module at program level also what an assembler or
/// the executor would refuse, at the operation in question.
public func verifyFully(_ module: AnyModule) -> [Diagnostic] {
  let found = verify(module)
  guard found.isEmpty, case .program(let program) = module else { return found }
  var emitter = ProgramEmitter(program)
  do throws(Diagnostic) {
    let emitted = try emitter.emit()
    try validate(emitted) { emitter.location(of: $0) }
    return []
  } catch {
    return [error]
  }
}
