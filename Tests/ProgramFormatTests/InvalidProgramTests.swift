import Hardware
import Mapping
import ProgramSamples
import Support
import Tensors
import Testing

@testable import ProgramFormat

/// A change that makes the small program invalid, and why.
struct InvalidCase: Sendable {
  let fault: ProgramFault
  let name: String
  /// The section that decoding must name, or nil where the change cannot be written into a file.
  let section: String?
  let change: @Sendable (inout Program) -> Void

  init(
    _ fault: ProgramFault, _ name: String, _ section: String?,
    _ change: @escaping @Sendable (inout Program) -> Void
  ) {
    self.fault = fault
    self.name = name
    self.section = section
    self.change = change
  }
}

private let window = Window(
  batch: 1, channels: 1, height: 2, width: 2, kernelHeight: 2, kernelWidth: 1, outHeight: 1, outWidth: 2)

/// A changed memory.
private func memory(_ change: (inout MemorySystem) -> Void) -> MemorySystem {
  var random = SeededGenerator(seed: 1)
  var memory = randomMemory(&random)
  change(&memory)
  return memory
}

let partCases: [InvalidCase] = [
  InvalidCase(.machine, "no rows", "MACH") { $0.machine.array.rows = 0 },
  InvalidCase(.machine, "rows", "MACH") { $0.machine.array.rows = 5000 },
  InvalidCase(.machine, "cell bits", "MACH") { $0.machine.array.cellBits = 9 },
  InvalidCase(.machine, "cost", "MACH") { $0.machine.energy.cellRead = -.infinity },
  InvalidCase(.machine, "not a number", "MACH") { $0.machine.area.adc = .nan },
  InvalidCase(.machine, "cycle", "MACH") { $0.machine.timing.cycleNanoseconds = -1 },
  InvalidCase(.machine, "pipeline", "MACH") { $0.machine.timing.pipelineCycles = -1 },
  // The text of a machine knows no negative zero.
  InvalidCase(.machine, "negative zero", "MACH") { $0.machine.energy.adcConversion = -0.0 },
  InvalidCase(.machine, "negative zero of a latency", "MACH") {
    $0.machine.memory = memory { $0.dramLatencyNanoseconds = -0.0 }
  },
  InvalidCase(.machine, "clock", "MACH") { $0.machine.memory = memory { $0.clockMegahertz = 0 } },
  InvalidCase(.machine, "clock is no number", "MACH") {
    $0.machine.memory = memory { $0.clockMegahertz = .nan }
  },
  InvalidCase(.machine, "SRAM", "MACH") { $0.machine.memory = memory { $0.sramBytes = 0 } },
  InvalidCase(.machine, "large SRAM", "MACH") { $0.machine.memory = memory { $0.sramBytes = 1 << 31 } },
  InvalidCase(.machine, "buffer", "MACH") { $0.machine.memory = memory { $0.bufferBytes = -1 } },
  InvalidCase(.machine, "latency", "MACH") { $0.machine.memory = memory { $0.dramLatencyNanoseconds = -1 } },
  InvalidCase(.machine, "values", "MACH") { $0.machine.memory = memory { $0.valuesPerClock = 65_537 } },
  InvalidCase(.limit, "name", "PORT") { $0.name = String(repeating: "x", count: 70_000) },
  InvalidCase(.limit, "buffer name", "PORT") { $0.buffers[1].name = String(repeating: "x", count: 70_000) },
  InvalidCase(.limit, "elements", "PORT") { $0.buffers[1].shape = [1 << 20, 1 << 20] },
  InvalidCase(.limit, "elements overflow", "PORT") { $0.buffers[1].shape = [1 << 31, 1 << 31, 1 << 31] },
  InvalidCase(.limit, "rank", "PORT") { $0.buffers[1].shape = [Int](repeating: 1, count: 9) },
  InvalidCase(.buffer, "empty axis", "PORT") { $0.buffers[1].shape = [1, 0] },
  InvalidCase(.buffer, "negative axis", nil) { $0.buffers[1].shape = [-1, -1] },
  InvalidCase(.buffer, "element", nil) { $0.buffers[1].element = .integer(bits: 65, signed: true) },
  InvalidCase(.buffer, "initial range", nil) { $0.buffers[7].initial = Tensor([2], .i8([-17, 15])) },
  InvalidCase(.buffer, "initial shape", nil) { $0.buffers[7].initial = Tensor([1, 2], .i8([1, 2])) },
  InvalidCase(.buffer, "initial container", nil) { $0.buffers[7].initial = Tensor([2], .i64([1, 2])) },
  InvalidCase(.buffer, "initial float", nil) { $0.buffers[7].initial = Tensor([2], [Float(1), 2]) },
  InvalidCase(.buffer, "initial integer", nil) { $0.buffers[8].initial = Tensor([], .i32([1])) },
  InvalidCase(.name, "no name of the text", "PORT") { $0.name = "a b" },
  InvalidCase(.name, "no name at all", "PORT") { $0.name = "" },
  InvalidCase(.name, "a buffer's name with an escape", "PORT") { $0.buffers[1].name = "q\u{1B}[31m" },
  InvalidCase(.name, "a layer's name with a slash", "MAPS") { $0.layers[0].name = "a/b" },
  InvalidCase(.name, "two layers", "MAPS") { program in
    var other = program.layers[0]
    other.blocks = []
    program.layers.append(other)
  },
  InvalidCase(.port, "no input", "PORT") { $0.inputs = [] },
  InvalidCase(.port, "no output", "PORT") { $0.outputs = [] },
  InvalidCase(.port, "two inputs in a buffer", "PORT") { $0.inputs.append(Port(name: "z", buffer: 0)) },
  InvalidCase(.unwritten, "instructions the wrong way round", "CODE") { $0.code.swapAt(2, 3) },
  InvalidCase(.unwritten, "wordlines driven before the window is loaded", "CODE") { program in
    guard case .loop(let count, var body) = program.code[1].operation else { return }
    body.swapAt(0, 1)
    program.code[1].operation = .loop(count: count, body: body)
  },
  InvalidCase(.unwritten, "an output that nothing writes", "PORT") { program in
    program.buffers.append(Buffer(name: "z", shape: [1], element: .float32))
    program.outputs.append(Port(name: "z", buffer: program.buffers.count - 1))
  },
  InvalidCase(.name, "buffer", "PORT") { $0.buffers[1].name = "x" },
  InvalidCase(.name, "port", "PORT") { $0.inputs.append(Port(name: "x", buffer: 0)) },
  InvalidCase(.name, "info", "INFO") { $0.info.append($0.info[0]) },
  InvalidCase(.index, "port", "PORT") { $0.outputs[0].buffer = 9 },
  InvalidCase(.index, "negative port", nil) { $0.outputs[0].buffer = -1 },
  InvalidCase(.port, "type", "PORT") { $0.outputs[0].buffer = 1 },
  InvalidCase(.crossbar, "cells", nil) { $0.crossbars[1].cells.append(0) },
  InvalidCase(.level, "cell", nil) { $0.crossbars[1].cells[3] = 8 },
  InvalidCase(.layer, "inputs", "MAPS") { $0.layers[0].rows = 0 },
  InvalidCase(.layer, "outputs", "MAPS") { $0.layers[0].columns = (1 << 20) + 1 },
  InvalidCase(.layer, "input bits", "MAPS") { $0.layers[0].inputs = .unsigned(bits: 33) },
  InvalidCase(.layer, "signed bit", "MAPS") {
    $0.layers[0].inputs = .twoPass(bits: 1)
  },
  InvalidCase(.layer, "DAC", "MAPS") { $0.layers[0].readout?.dacBits = 9 },
  InvalidCase(.layer, "ADC", "MAPS") { $0.layers[0].readout?.adcBits = 0 },
  InvalidCase(.layer, "no composed bitlines", "MAPS") { $0.layers[0].readout?.bitlinesPerConversion = 0 },
  InvalidCase(.layer, "composed bitlines", "MAPS") { $0.layers[0].readout?.bitlinesPerConversion = 17 },
  InvalidCase(.layer, "no readout", nil) { $0.layers[0].readout = nil },
  InvalidCase(.layer, "cells", nil) { $0.blocks[0].cells = [1, 2, 3, 4] },
  InvalidCase(.unit, "no units", nil) { $0.blocks[0].units = nil },
  InvalidCase(.blockBounds, "no place", nil) { $0.blocks[0].placement = nil },
  InvalidCase(.layer, "negative composed bitlines", "MAPS") {
    $0.layers[0].readout?.bitlinesPerConversion = -2
  },
  InvalidCase(.layer, "segment", nil) { $0.layers[0].segment = -1 },
  InvalidCase(.layer, "huge segment", nil) { $0.layers[0].segment = 1 << 31 },
  InvalidCase(.layer, "crossbar", "MAPS") { $0.blocks[1].placement?.crossbar = 1 << 24 },
  InvalidCase(.layer, "full scale", "MAPS") { $0.layers[0].readout?.fullScale = 1 << 48 + 1 },
  InvalidCase(.layer, "negative full scale", "MAPS") { $0.layers[0].readout?.fullScale = -1 },
  InvalidCase(.limit, "layer name", "MAPS") { $0.layers[0].name = String(repeating: "x", count: 70_000) },
  InvalidCase(.limit, "layer sides", "MAPS") { program in
    program.layers[0].columns = 1 << 20
    var other = program.layers[0]
    other.blocks = []
    for number in 0..<64 {
      other.name = "conv.\(number)"
      program.layers.append(other)
    }
  },
  InvalidCase(.index, "crossbar", "MAPS") { $0.blocks[1].placement?.crossbar = 2 },
  InvalidCase(.blockBounds, "rows", "MAPS") { $0.blocks[1].placement?.row = 3 },
  InvalidCase(.blockBounds, "columns", "MAPS") { $0.blocks[1].placement?.column = 60_000 },
  InvalidCase(.blockBounds, "negative", nil) { $0.blocks[1].placement?.row = -1 },
  InvalidCase(.blockBounds, "no wordline", "MAPS") { $0.blocks[1].rows = [] },
  InvalidCase(.blockBounds, "no bitline", "MAPS") { $0.blocks[1].columns = [] },
  InvalidCase(.blockOverlap, "two", "MAPS") { $0.blocks[1].placement?.crossbar = 0 },
  InvalidCase(.blockOverlap, "corner", "MAPS") {
    $0.blocks[1].placement?.crossbar = 0
    $0.blocks[1].placement?.row = 2
    $0.blocks[1].placement?.column = 2
  },
  InvalidCase(.row, "input", "MAPS") { $0.blocks[1].rows[1].input = 2 },
  InvalidCase(.row, "shift", "MAPS") { $0.blocks[0].rows[1].shift = 55 },
  InvalidCase(.row, "wide shift", "MAPS") { $0.blocks[0].rows[1].shift = 255 },
  InvalidCase(.column, "output", "MAPS") { $0.blocks[0].columns[1].output = 2 },
  InvalidCase(.column, "shift", "MAPS") { $0.blocks[0].columns[1].shift = 62 },
  InvalidCase(.column, "composed outputs", "MAPS") { $0.layers[0].readout?.bitlinesPerConversion = 2 },
  InvalidCase(.column, "composed signs", "MAPS") { $0.compose { $0.negative.toggle() } },
  InvalidCase(.column, "composed shifts that fall", "MAPS") { $0.compose { $0.shift = 0 } },
  InvalidCase(.column, "composed shifts far apart", "MAPS") { $0.compose { $0.shift = 18 } },
  InvalidCase(.unit, "composed", "MAPS") {
    $0.compose { _ in }
    $0.blocks[0].units = .fixed(height: 1, width: 1)
  },
  InvalidCase(.column, "output of a logical column", "MAPS") { program in
    program.layers[0].coding.columnLayout[1].output = 2
    program.blocks[1].columnIndex = nil
  },
  InvalidCase(.column, "shift of a logical column", "MAPS") { program in
    program.layers[0].coding.columnLayout[0].shift = 62
    program.blocks[1].columnIndex = nil
  },
  InvalidCase(.column, "logical column twice", nil) {
    $0.layers[0].coding.columnLayout += [$0.layers[0].coding.columnLayout[0]]
  },
  InvalidCase(.indexTable, "descending", nil) { $0.blocks[1].rows.swapAt(0, 1) },
  InvalidCase(.indexTable, "no logical column", nil) { $0.blocks[1].columns[0].shift = 1 },
  InvalidCase(.indexTable, "no bits", nil) { $0.blocks[1].rowIndex = .delta(bits: 0, first: 0) },
  InvalidCase(.indexTable, "wide", nil) { $0.blocks[1].columnIndex = .absolute(bits: 25, first: 0) },
  InvalidCase(.indexTable, "first", nil) { $0.blocks[1].columnIndex = .absolute(bits: 1, first: 1) },
  InvalidCase(.unit, "height", "MAPS") { $0.blocks[1].units = .dynamic(height: 5, width: 1) },
  InvalidCase(.unit, "width", "MAPS") { $0.blocks[1].units = .fixed(height: 1, width: 0) },
  InvalidCase(.accumulatorRange, "bitline", "MAPS") { $0.blocks[0].columns[1].shift = 50 },
  InvalidCase(.accumulatorRange, "full scale", "MAPS") {
    $0.layers[0].readout?.fullScale = 1 << 48
    $0.blocks[0].columns[1].shift = 8
  },
  InvalidCase(.accumulatorRange, "offset", "MAPS") { $0.layers[0].coding.offset = 1 << 61 },
  InvalidCase(.accumulatorRange, "negative offset", "MAPS") { $0.layers[0].coding.offset = -(1 << 61) },
  InvalidCase(.layer, "offset", "MAPS") { $0.layers[0].coding.offset = 1 << 61 + 1 },
  InvalidCase(.layer, "lowest offset", "MAPS") { $0.layers[0].coding.offset = .min },
  InvalidCase(.accumulatorRange, "wordline", "MAPS") { $0.blocks[0].rows[1].shift = 54 },
  InvalidCase(.limit, "info text", "INFO") { $0.info[0].text = String(repeating: "x", count: (1 << 20) + 1) },
]

let codeCases: [InvalidCase] = [
  InvalidCase(.index, "load", "CODE") {
    $0.edit(1, 0) { $0 = .load(register: 19, source: 1, window: window, padding: 0) }
  },
  InvalidCase(.index, "load itself", "CODE") {
    $0.edit(1, 0) { $0 = .load(register: 1, source: 1, window: window, padding: 0) }
  },
  InvalidCase(.type, "load", "CODE") {
    $0.edit(1, 0) { $0 = .load(register: 3, source: 1, window: window, padding: 0) }
  },
  InvalidCase(.type, "float load", "CODE") {
    $0.buffers[2].element = .float32
    $0.edit(1, 0) { $0 = .load(register: 2, source: 0, window: window, padding: 0) }
  },
  InvalidCase(.type, "padding", "CODE") {
    $0.edit(1, 0) { $0 = .load(register: 2, source: 1, window: window, padding: -1) }
  },
  InvalidCase(.size, "load", "CODE") {
    $0.edit(1, 0) { $0 = .load(register: 2, source: 1, window: .rows(2, 1), padding: 0) }
  },
  InvalidCase(.window, "load", "CODE") {
    var bad = window
    bad.outWidth = 0
    $0.edit(1, 0) { [bad] in $0 = .load(register: 2, source: 1, window: bad, padding: 0) }
  },
  InvalidCase(.round, "load", "CODE") {
    $0.edit(1) { operation in
      if case .loop(_, let body) = operation { operation = .loop(count: 3, body: body) }
    }
  },
  InvalidCase(.round, "store", "CODE") {
    $0.edit(1, 4) {
      $0 = .store(
        destination: 4, register: 3, layout: OutputLayout(channels: 4, positions: 1, channelStart: 0))
    }
  },
  InvalidCase(.index, "drive", "CODE") { $0.edit(1, 1) { $0 = .drive(register: 2, layer: 1) } },
  InvalidCase(.type, "drive", "CODE") { $0.layers[0].inputs = .unsigned(bits: 7) },
  InvalidCase(.type, "drive unsigned", "CODE") { $0.layers[0].inputs = .twoPass(bits: 8) },
  InvalidCase(.size, "drive", "CODE") { $0.edit(1, 1) { $0 = .drive(register: 1, layer: 0) } },
  InvalidCase(.sequence, "convert first", "CODE") { $0.edit(1, 1) { $0 = .convert(layer: 0) } },
  InvalidCase(.sequence, "drive twice", "CODE") { $0.edit(1, 2) { $0 = .drive(register: 2, layer: 0) } },
  InvalidCase(.sequence, "no convert", "CODE") {
    $0.edit(1, 2) { $0 = .load(register: 2, source: 1, window: window, padding: 0) }
  },
  InvalidCase(.sequence, "no accumulate", "CODE") {
    $0.edit(1, 3) { $0 = .load(register: 2, source: 1, window: window, padding: 0) }
  },
  InvalidCase(.sequence, "across bodies", "CODE") { program in
    guard case .loop(let count, let body) = program.code[1].operation else { return }
    let inner = Instruction(.loop(count: 1, body: Array(body[2...3])))
    program.code[1].operation = .loop(count: count, body: [body[0], body[1], inner, body[4]])
  },
  InvalidCase(.type, "accumulate", "CODE") { $0.edit(1, 3) { $0 = .accumulate(register: 2, layer: 0) } },
  InvalidCase(.size, "accumulate", "CODE") { $0.edit(1, 3) { $0 = .accumulate(register: 4, layer: 0) } },
  InvalidCase(.type, "store", "CODE") {
    $0.edit(1, 4) {
      $0 = .store(
        destination: 5, register: 3, layout: OutputLayout(channels: 2, positions: 2, channelStart: 0))
    }
  },
  InvalidCase(.size, "store", "CODE") {
    $0.edit(1, 4) {
      $0 = .store(
        destination: 4, register: 3, layout: OutputLayout(channels: 2, positions: 2, channelStart: 1))
    }
  },
  InvalidCase(.size, "store places", "CODE") {
    $0.edit(1, 4) {
      $0 = .store(
        destination: 4, register: 3, layout: OutputLayout(channels: 3, positions: 2, channelStart: 0))
    }
  },
  InvalidCase(.index, "store itself", "CODE") {
    $0.edit(1, 4) {
      $0 = .store(
        destination: 3, register: 3, layout: OutputLayout(channels: 2, positions: 1, channelStart: 0))
    }
  },
  InvalidCase(.loop, "no rounds", "CODE") {
    $0.edit(1) { if case .loop(_, let body) = $0 { $0 = .loop(count: 0, body: body) } }
  },
  InvalidCase(.loop, "too long", "CODE") {
    let inner = Instruction(.loop(count: Int(Int32.max), body: []))
    $0.code.append(Instruction(.loop(count: Int(Int32.max), body: [inner])))
  },
  InvalidCase(.depth, "loops", "CODE") {
    var body: [Instruction] = []
    for _ in 0..<9 { body = [Instruction(.loop(count: 1, body: body))] }
    $0.code += body
  },
  InvalidCase(.origin, "node", nil) { $0.code[0].origin = NodeOrigin(index: -1, name: "", op: "") },
  InvalidCase(.limit, "node name", "DBUG") {
    $0.code[0].origin = NodeOrigin(index: 1, name: String(repeating: "x", count: 70_000), op: "")
  },
]

let digitalCases: [InvalidCase] = [
  InvalidCase(.index, "argument", "CODE") {
    $0.edit(0) { $0 = .digital(.matmul, inputs: [0, 12], output: 1) }
  },
  InvalidCase(.limit, "arguments", "CODE") {
    $0.edit(0) { $0 = .digital(.concat(axis: 0), inputs: [Int](repeating: 0, count: 5000), output: 1) }
  },
  InvalidCase(.digital, "arity", "CODE") { $0.edit(0) { $0 = .digital(.matmul, inputs: [0], output: 6) } },
  InvalidCase(.digital, "no argument", "CODE") {
    $0.edit(0) { $0 = .digital(.unary(.relu), inputs: [], output: 6) }
  },
  InvalidCase(.digital, "shape", "CODE") {
    $0.edit(3) { $0 = .digital(.dequantize(scale: 1, zero: 0), inputs: [1], output: 6) }
  },
  InvalidCase(.digital, "type", "CODE") {
    $0.edit(3) { $0 = .digital(.unary(.relu), inputs: [5], output: 6) }
  },
  InvalidCase(.digital, "clamp", "CODE") {
    $0.edit(0) { $0 = .digital(.quantize(scale: 1, zero: 0, low: 0, high: 256), inputs: [0], output: 1) }
  },
  InvalidCase(.digital, "not a number", "CODE") {
    $0.edit(0) { $0 = .digital(.quantize(scale: .nan, zero: 0, low: 0, high: 255), inputs: [0], output: 1) }
  },
  InvalidCase(.digital, "axis", "CODE") {
    $0.edit(3) { $0 = .digital(.softmax(axis: 1 << 31), inputs: [6], output: 6) }
  },
  InvalidCase(.digital, "negative axis", nil) {
    $0.edit(3) { $0 = .digital(.mean(axes: [-1]), inputs: [6], output: 6) }
  },
  InvalidCase(.digital, "window", nil) {
    var bad = window
    bad.kernelHeight = .max
    $0.edit(3) { [bad] in $0 = .digital(.maxPool(bad), inputs: [6], output: 6) }
  },
  InvalidCase(.digital, "reshape", "CODE") {
    $0.edit(3) { $0 = .digital(.reshape([1 << 31, 1 << 31]), inputs: [6], output: 6) }
  },
  InvalidCase(.digital, "pads", nil) {
    $0.edit(3) { $0 = .digital(.pad(before: [1], after: [], value: 0), inputs: [6], output: 6) }
  },
  InvalidCase(.digital, "starts", nil) {
    $0.edit(3) { $0 = .digital(.slice(start: [0], end: []), inputs: [6], output: 6) }
  },
  InvalidCase(.digital, "end", "CODE") {
    $0.edit(3) { $0 = .digital(.slice(start: [0, 0, 0, 0], end: [9, 9, 9, 9]), inputs: [6], output: 6) }
  },
  InvalidCase(.digital, "index", "CODE") {
    $0.edit(3) { $0 = .digital(.gather(indices: [1 << 40], axis: 0), inputs: [6], output: 6) }
  },
  InvalidCase(.digital, "axis of indices", "CODE") {
    $0.edit(3) { $0 = .digital(.gather(indices: [0], axis: 9), inputs: [6], output: 6) }
  },
  InvalidCase(.digital, "table", "CODE") {
    $0.edit(2) { $0 = .digital(.lookup(table: [0, 300], first: 0), inputs: [1], output: 1) }
  },
  InvalidCase(.digital, "channels", "CODE") {
    $0.edit(2) { $0 = .digital(.addBias(values: [1, 2, 3], axis: 1), inputs: [4], output: 4) }
  },
]

@Suite struct InvalidProgramTests {
  @Test func theSmallProgramIsValid() throws {
    let bytes = try encode(smallProgram())
    #expect(try decoded(bytes) == smallProgram())
  }

  @Test(arguments: (partCases + codeCases + digitalCases).indices)
  func refused(_ index: Int) {
    let wrong = (partCases + codeCases + digitalCases)[index]
    var program = smallProgram()
    wrong.change(&program)
    do throws(Diagnostic) {
      try validate(program)
      Issue.record("\(wrong.fault) \(wrong.name) is accepted")
    } catch { #expect(error.id == wrong.fault.id, "\(wrong.name): \(error)") }
    #expect(throws: Diagnostic.self) { try encode(program) }
    guard let section = wrong.section else { return }
    guard let error = refusal(HostileFile(program).bytes) else {
      Issue.record("\(wrong.fault) \(wrong.name) is decoded")
      return
    }
    #expect(error.id == wrong.fault.id, "\(wrong.name): \(error)")
    #expect(error.location.file == "t.xbar")
    guard case .bytes(section, _) = error.location.place else {
      Issue.record("\(wrong.name) at \(error.location)")
      return
    }
  }

  @Test func namesThePartInAProgram() {
    var program = smallProgram()
    program.layers[0].readout?.adcBits = 99
    do throws(Diagnostic) {
      try validate(program)
      Issue.record("accepted")
    } catch { #expect(error.location.place == .item("layer 0 'conv'")) }
  }

  @Test func findsOverlapsAmongManyBlocks() throws {
    var program = smallProgram()
    program.crossbars.removeLast()
    let first = program.blocks[0]
    program.layers[0].blocks = (0..<20).map { index in
      var block = first
      block.placement = Placement(crossbar: 0, row: index / 6, column: index % 6)
      block.rows = [RowEntry(input: 0)]
      block.columns = [ColumnEntry(output: 0, shift: 0)]
      return block
    }
    try validate(program)
    program.blocks[19].placement?.column = 0
    #expect(throws: Diagnostic.self) { try validate(program) }
  }
}

extension Program {
  /// Composes the two bitlines of block 0, the second one changed.
  fileprivate mutating func compose(_ change: (inout ColumnEntry) -> Void) {
    layers[0].readout?.bitlinesPerConversion = 2
    blocks[0].columns = [ColumnEntry(output: 0, shift: 1), ColumnEntry(output: 0, shift: 3)]
    change(&blocks[0].columns[1])
  }
}
