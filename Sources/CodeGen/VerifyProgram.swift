public import IR
import ProgramFormat
public import Support

/// Everything that is wrong with a module of any level; of a sound module at program level also what an assembler or the
/// executor would refuse, at the operation in question, and of one that is ready for `lower-to-program` what that refuses.
public func verifyFully(_ module: AnyModule) -> [Diagnostic] {
  let found = verify(module)
  guard found.isEmpty else { return found }
  do throws(Diagnostic) {
    switch module {
    case .program(let module):
      var emitter = ProgramEmitter(module)
      let emitted = try emitter.emit()
      try validate(emitted) { emitter.location(of: $0) }
    case .crossbar(let module) where module.facts.isSuperset(of: LowerToProgram.requires):
      _ = try program(of: module)
    case .crossbar, .tensor: break
    }
    return []
  } catch {
    return [error]
  }
}
