import Hardware
import Mapping
public import Support
import Tensors

/// Checks that `program` can be written and executed: every index in range, sizes and types that fit, cells of the
/// machine's levels, blocks inside their crossbars and apart from each other, accumulators that cannot overflow.
///
/// Throws a diagnostic of the first `ProgramFault` found.
public func validate(_ program: Program) throws(Diagnostic) {
  try validate(program) { Location(.item(program.text(of: $0))) }
}

/// The same, with the places of parts that `locate` knows.
public func validate(_ program: Program, at locate: (ProgramPart) -> Location) throws(Diagnostic) {
  do throws(Issue) { try findIssue(program) } catch {
    throw error.fault.diagnostic(error.message, at: locate(error.part))
  }
}

extension Program {
  /// What a part is called in messages.
  func text(of part: ProgramPart) -> String {
    func named(_ what: String, _ index: Int, _ names: [String]) -> String {
      names.indices.contains(index) ? "\(what) \(index) '\(names[index])'" : "\(what) \(index)"
    }
    switch part {
    case .machine: return "machine '\(machine.name)'"
    case .name: return "name"
    case .buffer(let index): return named("buffer", index, buffers.map(\.name))
    case .input(let index): return named("input", index, inputs.map(\.name))
    case .output(let index): return named("output", index, outputs.map(\.name))
    case .crossbar(let index): return "crossbar \(index)"
    case .layer(let index): return named("layer", index, layers.map(\.name))
    case .block(let layer, let index):
      return "\(text(of: .layer(layer))): block \(index)"
    case .instruction(let index): return "instruction \(index)"
    case .info(let index): return named("info entry", index, info.map(\.key))
    }
  }
}

/// Throws the first issue of `program`, in the order of the binary's sections.
func findIssue(_ program: Program) throws(Issue) {
  try checkMachine(program.machine)
  try checkName(program.name, .name)
  try checkBuffers(program.buffers)
  try checkPorts(program.inputs, program.buffers, "input") { .input($0) }
  try checkPorts(program.outputs, program.buffers, "output") { .output($0) }
  try checkInputs(program)
  try checkCrossbars(program)
  try checkLayers(program)
  try checkSegments(program)
  try checkCode(program)
  try checkInfo(program.info)
}

func checkMachine(_ machine: Machine) throws(Issue) {
  try checkText(machine.name, .machine)
  try checkText(machine.summary, .machine, limit: ProgramLimits.textBytes)
  do throws(Diagnostic) { try machine.validate() } catch {
    throw Issue(.machine, error.message, .machine)
  }
}

private func checkText(
  _ text: String, _ part: ProgramPart, limit: Int = ProgramLimits.nameBytes
) throws(Issue) {
  guard text.utf8.count <= limit else {
    throw Issue(.limit, "a text of \(text.utf8.count) bytes, limit \(limit)", part)
  }
}

/// A name is one that the text writes as it is.
func checkName(_ name: String, _ part: ProgramPart) throws(Issue) {
  try checkText(name, part)
  guard sanitize(name) == name else { throw Issue(.name, "the text has no such name", part) }
}

private func checkLimit(_ count: Int, _ limit: Int, _ what: String, _ part: ProgramPart) throws(Issue) {
  guard count <= limit else { throw Issue(.limit, "\(count) \(what), limit \(limit)", part) }
}

private func checkBuffers(_ buffers: [Buffer]) throws(Issue) {
  try checkLimit(buffers.count, ProgramLimits.buffers, "buffers", .buffer(0))
  var names: Set<String> = []
  var total = 0
  for (index, buffer) in buffers.enumerated() {
    try checkName(buffer.name, .buffer(index))
    guard names.insert(buffer.name).inserted else {
      throw Issue(.name, "the name '\(buffer.name)' is given twice", .buffer(index))
    }
    try checkLimit(buffer.shape.count, ProgramLimits.rank, "axes", .buffer(index))
    guard buffer.shape.allSatisfy({ $0 >= 1 }) else {
      throw Issue(.buffer, "the shape \(buffer.shape) has an axis without elements", .buffer(index))
    }
    if case .integer(let bits, let signed) = buffer.element, !(1...(signed ? 64 : 63)).contains(bits) {
      throw Issue(.buffer, "an integer type of \(bits) bits", .buffer(index))
    }
    if let initial = buffer.initial {
      guard initial.shape == buffer.shape, initial.data.isFloat == buffer.element.isFloat,
        initial.data.isFloat || holds(initial, as: buffer.element)
      else { throw Issue(.buffer, "its numbers do not have its type", .buffer(index)) }
    }
    let count = checkedProduct(buffer.shape) ?? .max
    guard count <= ProgramLimits.bufferElements - total else {
      throw Issue(
        .limit, "buffers have more than \(ProgramLimits.bufferElements) elements in all", .buffer(index))
    }
    total += count
  }
}

/// Whether the integers of `tensor` are of type `element` and lie in its container.
private func holds(_ tensor: Tensor, as element: ElementType) -> Bool {
  let values = tensor.integers
  guard values.allSatisfy({ $0 >= element.lowest && $0 <= element.highest }) else { return false }
  return tensor.data == Tensor(tensor.shape, values, as: element).data
}

private func checkPorts(
  _ ports: [Port], _ buffers: [Buffer], _ kind: String, _ part: (Int) -> ProgramPart
) throws(Issue) {
  guard !ports.isEmpty else { throw Issue(.port, "the program has no \(kind)", .name) }
  try checkLimit(ports.count, ProgramLimits.ports, "ports", part(0))
  var names: Set<String> = []
  for (index, port) in ports.enumerated() {
    try checkText(port.name, part(index))
    guard names.insert(port.name).inserted else {
      throw Issue(.name, "the name '\(port.name)' is given twice", part(index))
    }
    guard buffers.indices.contains(port.buffer) else {
      throw Issue(.index, "there is no buffer \(port.buffer)", part(index))
    }
    guard buffers[port.buffer].element == .float32 else {
      throw Issue(
        .port, "its buffer is of type \(buffers[port.buffer].element), expected f32", part(index))
    }
  }
}

private func checkInputs(_ program: Program) throws(Issue) {
  var buffers: Set<Int> = []
  for (index, port) in program.inputs.enumerated() where !buffers.insert(port.buffer).inserted {
    throw Issue(
      .port, "%\(program.buffers[port.buffer].name) has the numbers of another input", .input(index))
  }
}

private func checkCrossbars(_ program: Program) throws(Issue) {
  try checkLimit(program.crossbars.count, ProgramLimits.crossbars, "crossbars", .crossbar(0))
  let array = program.machine.array
  let count = array.rows * array.columns
  let levels = 1 << array.cellBits
  for (index, crossbar) in program.crossbars.enumerated() {
    guard crossbar.cells.count == count else {
      throw Issue(.crossbar, "\(crossbar.cells.count) cells, expected \(count)", .crossbar(index))
    }
    if let top = crossbar.cells.max(), Int(top) >= levels {
      throw Issue(.level, "a cell of level \(top), expected less than \(levels)", .crossbar(index))
    }
  }
}

private func checkInfo(_ info: [InfoEntry]) throws(Issue) {
  try checkLimit(info.count, ProgramLimits.infoEntries, "entries", .info(0))
  var keys: Set<String> = []
  for (index, entry) in info.enumerated() {
    try checkText(entry.key, .info(index))
    try checkText(entry.text, .info(index), limit: ProgramLimits.textBytes)
    guard keys.insert(entry.key).inserted else {
      throw Issue(.name, "the key '\(entry.key)' is given twice", .info(index))
    }
  }
}
