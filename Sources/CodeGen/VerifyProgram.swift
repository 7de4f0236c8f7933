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
      let lowered = try program(of: module)
      try validate(lowered) { location(of: $0, in: lowered, from: module) }
    case .crossbar, .tensor: break
    }
    return []
  } catch {
    return [error]
  }
}

/// Where a message about a part of `program` points in the module that it was lowered from.
private func location(
  of part: ProgramPart, in program: Program, from module: Module<CrossbarLevel>
) -> Location {
  func port(_ opcode: Opcode, _ index: Int) -> Location {
    let ports = module.bodyOps.filter { $0.opcode == opcode }
    return ports.indices.contains(index) ? ports[index].location : module.location
  }
  func buffer(_ index: Int) -> Location {
    guard program.buffers.indices.contains(index) else { return module.location }
    let name = program.buffers[index].name
    let op = module.flatBody.map { module.ops[$0] }.first { op in
      op.results.contains { module.values[$0].name == name }
    }
    return op?.location ?? module.location
  }
  switch part {
  case .machine, .name, .info, .crossbar: return module.location
  case .buffer(let index): return buffer(index)
  case .input(let index): return port(.input, index)
  case .output(let index): return port(.output, index)
  case .layer(let index), .block(let index, _):
    let layers = module.layers
    return layers.indices.contains(index) ? module.ops[layers[index].id].location : module.location
  case .instruction(let number):
    let instructions = flattened(program.code)
    guard instructions.indices.contains(number), let written = instructions[number].written else {
      return module.location
    }
    return buffer(written)
  }
}

/// Instructions in the order of the text, bodies after their loops.
private func flattened(_ code: [Instruction]) -> [Operation] {
  code.flatMap { instruction in
    if case .loop(_, let body) = instruction.operation { return [instruction.operation] + flattened(body) }
    return [instruction.operation]
  }
}

extension Operation {
  /// The buffer that the instruction writes.
  fileprivate var written: Int? {
    switch self {
    case .loop, .drive, .convert: return nil
    case .load(let register, _, _, _), .accumulate(let register, _), .scanSlice(let register, _, _):
      return register
    case .store(let destination, _, _), .scanOutput(let destination, _, _): return destination
    case .digital(_, _, let output): return output
    }
  }
}
