import Hardware
public import IR
import Mapping
public import ProgramFormat
public import Support
import Tensors

/// The program that a module at program level describes, one instruction for one operation.
///
/// Throws `codegen.*` where the module has something that a program cannot hold.
public func emitProgram(_ module: Module<ProgramLevel>) throws(Diagnostic) -> Program {
  var emitter = ProgramEmitter(module)
  return try emitter.emit()
}

/// The program that a module at program level without layers describes, for layers that follow in the order of `names`.
///
/// Throws `codegen.*` where the module has something that a program cannot hold.
func emitCode(_ module: Module<ProgramLevel>, layers names: [String]) throws(Diagnostic) -> Program {
  var emitter = ProgramEmitter(module, layers: names)
  return try emitter.emit()
}

struct ProgramEmitter {
  private let module: Module<ProgramLevel>
  private var buffers: [ValueID: Int] = [:]
  private var layers: [String: Int] = [:]
  private var program: Program
  /// The operations that the parts of the program come from.
  private var sources = Sources()

  private struct Sources {
    var buffers: [OpID] = []
    var crossbars: [OpID] = []
    var layers: [OpID] = []
    var inputs: [OpID] = []
    var outputs: [OpID] = []
    /// In the order of the text, bodies after their loops.
    var instructions: [OpID] = []
  }

  init(_ module: Module<ProgramLevel>, layers names: [String] = []) {
    self.module = module
    for (number, name) in names.enumerated() { layers[name] = number }
    program = Program(
      name: module.name, machine: module.machine ?? ProgramEmitter.noMachine, inputs: [], outputs: [],
      buffers: [], crossbars: [], layers: [], code: [],
      info: module.info.map { InfoEntry(key: $0.key, text: $0.text) })
  }

  /// A placeholder until `emit` has refused a module without a machine.
  private static let noMachine = Machine(
    name: "", summary: "",
    array: ArrayDescription(
      rows: 1, columns: 1, cellBits: 1, unitHeight: 1, unitWidth: 1, dacBits: 1, adcBits: 1),
    operands: OperandWidths(weightBits: 2, inputBits: 1),
    hierarchy: Hierarchy(crossbarsPerComputeUnit: 1, computeUnitsPerTile: 1, tiles: 0),
    timing: Timing(cycleNanoseconds: 1, pipelineCycles: 0), energy: EnergyTable(), area: AreaTable())

  mutating func emit() throws(Diagnostic) -> Program {
    guard module.machine != nil else {
      throw Diagnostic(
        "codegen.machine", "the module names no machine", at: module.location,
        notes: ["a program begins with its machine, as in 'machine isaac'"])
    }
    for id in module.body {
      let op = module.ops[id]
      switch op.opcode.kind {
      case .buffer:
        sources.buffers.append(id)
        try buffer(op)
      case .crossbar:
        sources.crossbars.append(id)
        try crossbar(op)
      case .layer:
        sources.layers.append(id)
        try layer(id, op)
      case .input:
        sources.inputs.append(id)
        program.inputs.append(Port(name: op[.portName], buffer: try index(op.results.first, op)))
      case .output:
        sources.outputs.append(id)
        program.outputs.append(Port(name: op[.portName], buffer: try index(op.operands.first, op)))
      case .constant, .conv, .gemm, .batchNorm, .digital, .scan, .carry, .scanSlice, .yield, .scanOutput,
        .window, .mvm,
        .col2im, .block, .load, .drive, .convert, .accumulate, .store, .repeat:
        program.code.append(try instruction(id))
      }
    }
    return program
  }

  /// Where a message about a part of the program points.
  func location(of part: ProgramPart) -> Location {
    func place(_ ids: [OpID], _ index: Int) -> Location {
      ids.indices.contains(index) ? module.ops[ids[index]].location : .none
    }
    switch part {
    case .machine, .name, .info: return module.location
    case .buffer(let index): return place(sources.buffers, index)
    case .input(let index): return place(sources.inputs, index)
    case .output(let index): return place(sources.outputs, index)
    case .crossbar(let index): return place(sources.crossbars, index)
    case .layer(let index): return place(sources.layers, index)
    case .block(let layer, let index):
      guard sources.layers.indices.contains(layer) else { return .none }
      return place(module.ops[sources.layers[layer]].body, index)
    case .instruction(let index): return place(sources.instructions, index)
    }
  }

  private func failure(_ message: String, _ op: Op) -> Diagnostic {
    Diagnostic("codegen.operation", message, at: op.location)
  }

  private func index(_ value: ValueID?, _ op: Op) throws(Diagnostic) -> Int {
    guard let value, let found = buffers[value] else { throw failure("a buffer is not declared", op) }
    return found
  }

  private mutating func buffer(_ op: Op) throws(Diagnostic) {
    guard let result = op.results.first else { throw failure("a buffer without a name", op) }
    let value = module.values[result]
    guard let shape = value.type.shape else { throw failure("a buffer needs a shape", op) }
    buffers[result] = program.buffers.count
    var buffer = Buffer(name: value.name, shape: shape, element: value.type.element)
    if let attribute = op.find(.value) {
      guard let tensor = module.tensor(attribute, element: value.type.element, shape: shape) else {
        throw failure("the numbers do not have the type of the buffer", op)
      }
      buffer.initial = tensor
    }
    program.buffers.append(buffer)
  }

  private mutating func crossbar(_ op: Op) throws(Diagnostic) {
    let array = program.machine.array
    guard op[.crossbarNumber] == program.crossbars.count else {
      throw failure(
        "'id': crossbars are numbered from 0 without gaps, expected \(program.crossbars.count)", op)
    }
    let element = ElementType.integer(bits: array.cellBits, signed: false)
    guard let cells = module.tensor(op.find(.cells), element: element, shape: [array.rows, array.columns]),
      case .u8(let levels) = cells.data
    else { throw failure("'cells': expected \(array.rows)x\(array.columns) levels of \(element)", op) }
    program.crossbars.append(Crossbar(cells: levels))
  }

  private mutating func layer(_ id: OpID, _ op: Op) throws(Diagnostic) {
    guard let layer = module.layer(id) else { throw failure("the layer cannot be read", op) }
    layers[layer.name] = program.layers.count
    program.layers.append(layer)
  }

  private func layerIndex(_ op: Op) throws(Diagnostic) -> Int {
    guard let found = layers[op[.layer]] else {
      throw failure("no layer is called @\(op[.layer])", op)
    }
    return found
  }

  private mutating func instruction(_ id: OpID) throws(Diagnostic) -> Instruction {
    sources.instructions.append(id)
    let op = module.ops[id]
    return Instruction(try operation(op), origin: op.origin)
  }

  private mutating func operation(_ op: Op) throws(Diagnostic) -> Operation {
    switch op.opcode.kind {
    case .repeat:
      var body: [Instruction] = []
      for id in op.body { body.append(try instruction(id)) }
      return .loop(count: op[.repetitions], body: body)
    case .load:
      guard let window = op.window else { throw failure("load needs a window", op) }
      return .load(
        register: try index(op.results.first, op), source: try index(op.operands.first, op), window: window,
        padding: op[.padding])
    case .drive: return .drive(register: try index(op.operands.first, op), layer: try layerIndex(op))
    case .convert: return .convert(layer: try layerIndex(op))
    case .accumulate: return .accumulate(register: try index(op.results.first, op), layer: try layerIndex(op))
    case .store:
      return .store(
        destination: try index(op.results.first, op), register: try index(op.operands.first, op),
        layout: OutputLayout(
          channels: op[.channels], positions: op[.positions], channelStart: op[.channelStart]))
    case .scanSlice:
      return .scanSlice(
        register: try index(op.results.first, op), source: try index(op.operands.first, op),
        parts: parts(of: op))
    case .scanOutput:
      return .scanOutput(
        destination: try index(op.results.first, op), register: try index(op.operands.first, op),
        parts: parts(of: op))
    case .digital, .input, .output, .constant, .conv, .gemm, .batchNorm, .scan, .carry, .yield, .window, .mvm,
      .col2im, .layer, .block, .buffer, .crossbar:
      guard let digital = module.digitalOperator(of: op) else {
        throw failure("\(op.opcode.rawValue) is no instruction", op)
      }
      var inputs: [Int] = []
      for operand in op.operands { inputs.append(try index(operand, op)) }
      return .digital(digital, inputs: inputs, output: try index(op.results.first, op))
    }
  }

  private func parts(of op: Op) -> Parts {
    Parts(axis: op[.axis], count: op[.parts], isReversed: op[.reverse])
  }
}
