import Hardware
public import IR
import Mapping
public import ProgramFormat
import Support
import Tensors

/// The module at program level that describes `program`: the inverse of `emitProgram`.
public func liftProgram(_ program: Program) -> Module<ProgramLevel> {
  var lifter = ProgramLifter(program)
  return lifter.lift()
}

private struct ProgramLifter {
  private let program: Program
  private var module: Module<ProgramLevel>
  private var buffers: [ValueID] = []

  init(_ program: Program) {
    self.program = program
    module = Module(name: program.name, machine: program.machine)
    module.info = program.info.map { InfoLine(key: $0.key, text: $0.text) }
  }

  mutating func lift() -> Module<ProgramLevel> {
    for buffer in program.buffers { declare(buffer) }
    for (number, crossbar) in program.crossbars.enumerated() { append(crossbar, number) }
    for layer in program.layers { module.append(module.encode(layer, origin: nil)) }
    for port in program.inputs {
      module.append(
        Op(.input, results: [buffers[port.buffer]], attributes: [NamedAttribute(.portName, port.name)]))
    }
    module.body += program.code.map { add($0) }
    for port in program.outputs {
      module.append(
        Op(
          .output, operands: [buffers[port.buffer]], attributes: [NamedAttribute(.portName, port.name)])
      )
    }
    return module
  }

  private mutating func declare(_ buffer: Buffer) {
    let id = module.values.add(Value(name: buffer.name, type: ValueType(buffer.element, buffer.shape)))
    buffers.append(id)
    var op = Op(.buffer, results: [id])
    if let initial = buffer.initial {
      op[.value] = module.constant(initial, element: buffer.element, name: buffer.name)
    }
    module.append(op)
  }

  private mutating func append(_ crossbar: Crossbar, _ number: Int) {
    let array = program.machine.array
    let cells = module.constant(
      Tensor([array.rows, array.columns], .u8(crossbar.cells)),
      element: .integer(bits: array.cellBits, signed: false), name: "crossbar\(number)")
    module.append(
      Op(.crossbar, attributes: [NamedAttribute(.crossbarNumber, number), NamedAttribute(.cells, cells)]))
  }

  private mutating func add(_ instruction: Instruction) -> OpID {
    var op = operation(instruction.operation)
    op.origin = instruction.origin
    return module.add(op)
  }

  private mutating func operation(_ operation: Operation) -> Op {
    switch operation {
    case .loop(let count, let body):
      let inner = body.map { add($0) }
      return Op(.repeat, attributes: [NamedAttribute(.repetitions, count)], body: inner)
    case .load(let register, let source, let window, let padding):
      return Op(
        .load, operands: [buffers[source]], results: [buffers[register]],
        attributes: [NamedAttribute(.window, window), NamedAttribute(.padding, padding)])
    case .drive(let register, let layer):
      return Op(.drive, operands: [buffers[register]], attributes: [symbol(layer)])
    case .convert(let layer): return Op(.convert, attributes: [symbol(layer)])
    case .accumulate(let register, let layer):
      return Op(.accumulate, results: [buffers[register]], attributes: [symbol(layer)])
    case .store(let destination, let register, let layout):
      return Op(
        .store, operands: [buffers[register]], results: [buffers[destination]],
        attributes: [
          NamedAttribute(.channels, layout.channels),
          NamedAttribute(.positions, layout.positions),
          NamedAttribute(.channelStart, layout.channelStart),
        ])
    case .scanSlice(let register, let source, let parts):
      return Op(
        .scanSlice, operands: [buffers[source]], results: [buffers[register]], attributes: attributes(parts))
    case .scanOutput(let destination, let register, let parts):
      return Op(
        .scanOutput, operands: [buffers[register]], results: [buffers[destination]],
        attributes: attributes(parts))
    case .digital(let digital, let inputs, let output):
      let (opcode, attributes) = module.encoding(of: digital, name: program.buffers[output].name)
      return Op(
        opcode, operands: inputs.map { buffers[$0] }, results: [buffers[output]], attributes: attributes)
    }
  }

  private func attributes(_ parts: Parts) -> [NamedAttribute] {
    [
      NamedAttribute(.axis, parts.axis), NamedAttribute(.parts, parts.count),
      NamedAttribute(.reverse, parts.isReversed),
    ]
  }

  private func symbol(_ layer: Int) -> NamedAttribute {
    NamedAttribute(.layer, program.layers[layer].name)
  }
}
