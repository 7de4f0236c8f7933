import Driver
import IR
import Import
import ONNX
import Passes
import ProgramFormat
import CodeGen
import Hardware
import Support
import Tensors

/// Takes the bytes of a model as far as they go; whether they made it to a program.
///
/// Throws where a pass gave a module that does not verify: no input may do that.
func survives(_ bytes: [UInt8]) throws(Diagnostic) -> Bool {
  guard let module = damagedModule(bytes) else { return false }
  // A damaged shape can be legal and enormous: the limits refuse it where memory would be taken, but time is short.
  guard module.values.elements.allSatisfy({ $0.type.count <= 1 << 16 }) else { return false }
  do throws(Diagnostic) {
    let program = try emitProgram(try lowered(module))
    return try decode(try encode(program), file: "damaged") == program
  } catch {
    if error.id == "pass.broken" { throw error }
    return false
  }
}

private func damagedModule(_ bytes: [UInt8]) -> Module<TensorLevel>? {
  guard let model = try? readModel(bytes: bytes, path: "damaged.onnx"), var module = try? importModel(model)
  else {
    return nil
  }
  module.machine = try? Machine.target(named: "sre")
  return module
}

private func lowered(_ module: Module<TensorLevel>) throws(Diagnostic) -> Module<ProgramLevel> {
  var current = AnyModule.tensor(module)
  var context = PassContext()
  for call in try scheme(named: "dense").calls() {
    current = try PassRegistry.standard.entry(named: call.name).apply(to: current, call.options, in: &context)
  }
  guard case .program(let program) = current else { throw Diagnostic("test.level", "another level") }
  return program
}
