import Hardware
public import IR
public import ProgramFormat
public import Support
import Tensors

/// The program that a module at program level spells, one instruction for one operation.
///
/// Throws `codegen.*` where the module has something that a program cannot hold.
public func emitProgram(_ module: Module<ProgramLevel>) throws(Diagnostic) -> Program {
  var emitter = ProgramEmitter(module)
  return try emitter.emit()
}

/// The program that a module at program level without layers spells, for layers that follow in the order of `names`.
///
/// Throws `codegen.*` where the module has something that a program cannot hold.
public func emitCode(_ module: Module<ProgramLevel>, layers names: [String]) throws(Diagnostic) -> Program {
  var emitter = ProgramEmitter(module, layers: names)
  return try emitter.emit()
}

/// The layer of a program that `view` is, and its blocks; nil where a number that a program needs is missing.
///
/// Its range of blocks begins at 0.
public func emitLayer(_ view: LayerView) -> (layer: Layer, blocks: [Block])? {
  guard let dac = view.dacBits, let adc = view.adcBits, case .integer(let bits, let signed) = view.inputs
  else { return nil }
  var blocks: [Block] = []
  blocks.reserveCapacity(view.blocks.count)
  for block in view.blocks {
    guard let crossbar = block.crossbar, let corner = block.corner, corner.count == 2, let units = block.units
    else { return nil }
    blocks.append(
      Block(
        crossbar: crossbar, row: corner[0], column: corner[1], rows: block.rows, columns: block.columns,
        units: units, rowIndex: block.rowIndex, columnIndex: block.columnIndex))
  }
  let layer = Layer(
    name: view.name, inputs: view.rows, outputs: view.columns, inputBits: bits, inputSigned: signed,
    dacBits: dac, adcBits: adc, fullScale: view.fullScale, composed: view.composed, offset: view.offset,
    bitlines: view.bitlines, hasVectors: view.hasVectors, fetch: view.fetch, segment: view.segment,
    blocks: 0..<blocks.count)
  return (layer, blocks)
}

private struct ProgramEmitter {
  private let module: Module<ProgramLevel>
  private var buffers: [ValueID: Int] = [:]
  private var layers: [String: Int] = [:]
  private var program: Program

  init(_ module: Module<ProgramLevel>, layers names: [String] = []) {
    self.module = module
    for (number, name) in names.enumerated() { layers[name] = number }
    program = Program(
      name: module.name, machine: module.machine ?? ProgramEmitter.noMachine, inputs: [], outputs: [],
      buffers: [],
      crossbars: [], layers: [], blocks: [], code: [],
      info: module.info.map { InfoEntry(key: $0.key, text: $0.text) })
  }

  /// Stands in until `emit` has refused a module without a machine.
  private static let noMachine = Machine(
    name: "", summary: "",
    array: ArrayDescription(
      rows: 1, columns: 1, cellBits: 1, unitHeight: 1, unitWidth: 1, dacBits: 1, adcBits: 1),
    operands: OperandWidths(weightBits: 2, inputBits: 1),
    hierarchy: Hierarchy(crossbarsPerComputeUnit: 1, computeUnitsPerTile: 1, tiles: 0),
    timing: Timing(cycleNanoseconds: 1, pipelineCycles: 0), energy: EnergyTable(), area: AreaTable())

  mutating func emit() throws(Diagnostic) -> Program {
    guard module.machine != nil else { throw Diagnostic("codegen.machine", "the module names no machine") }
    for id in module.body {
      let op = module.ops[id]
      switch op.opcode.kind {
      case .buffer: try buffer(op)
      case .crossbar: try crossbar(op)
      case .layer: try layer(id, op)
      case .input:
        program.inputs.append(Port(name: op[.portName], buffer: try index(op.results.first, op)))
      case .output:
        program.outputs.append(Port(name: op[.portName], buffer: try index(op.operands.first, op)))
      case .constant, .conv, .gemm, .batchNorm, .digital, .loop, .state, .step, .next, .stack, .window, .mvm,
        .arrange, .block, .load, .drive, .convert, .accumulate, .store, .repeat:
        program.code.append(try instruction(op))
      }
    }
    return program
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
      throw failure("crossbars are numbered from 0 without gaps", op)
    }
    let element = ElementType.integer(bits: array.cellBits, signed: false)
    guard let cells = module.tensor(op.find(.cells), element: element, shape: [array.rows, array.columns]),
      case .u8(let levels) = cells.data
    else { throw failure("the cells are not \(array.rows)x\(array.columns) levels of \(element)", op) }
    program.crossbars.append(Crossbar(cells: levels))
  }

  private mutating func layer(_ id: OpID, _ op: Op) throws(Diagnostic) {
    guard let view = module.layer(id), view.dacBits != nil, view.adcBits != nil, case .integer = view.inputs
    else { throw failure("a layer needs integer inputs, dac and adc", op) }
    guard let (emitted, blocks) = emitLayer(view) else {
      throw failure("a block needs a crossbar, a corner and units", op)
    }
    let first = program.blocks.count
    program.blocks += blocks
    var layer = emitted
    layer.blocks = first..<program.blocks.count
    layers[view.name] = program.layers.count
    program.layers.append(layer)
  }

  private func layerIndex(_ op: Op) throws(Diagnostic) -> Int {
    guard let found = layers[op[.layer]] else {
      throw failure("no layer is called @\(op[.layer])", op)
    }
    return found
  }

  private func instruction(_ op: Op) throws(Diagnostic) -> Instruction {
    Instruction(try operation(op), origin: op.origin)
  }

  private func operation(_ op: Op) throws(Diagnostic) -> Operation {
    switch op.opcode.kind {
    case .repeat:
      var body: [Instruction] = []
      for id in op.body { body.append(try instruction(module.ops[id])) }
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
        arrangement: Arrangement(
          channels: op[.channels], spots: op[.spots], channelStart: op[.channelStart]))
    case .step:
      return .step(
        register: try index(op.results.first, op), source: try index(op.operands.first, op),
        parts: parts(of: op))
    case .stack:
      return .stack(
        destination: try index(op.results.first, op), register: try index(op.operands.first, op),
        parts: parts(of: op))
    case .digital, .input, .output, .constant, .conv, .gemm, .batchNorm, .loop, .state, .next, .window, .mvm,
      .arrange, .layer, .block, .buffer, .crossbar:
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
