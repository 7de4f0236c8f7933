public import DeviceModel
import Hardware
import Mapping
import NaiveTwin
public import ProgramFormat
public import Support
import Tensors

/// A slow interpreter of programs that follows the definitions word by word: one sample, one round, one digit, one
/// operation unit at a time.
public struct Oracle {
  /// What an instruction drives into a layer, with the numbers of its place in a run.
  public struct Driven {
    /// The layer.
    public let layer: Int
    /// The inputs.
    public let inputs: [Int64]
    /// The driving instruction, counted from the beginning of the code.
    public let site: Int
    /// How often the instruction was executed for this sample before.
    public let visit: Int
    /// The sample, counted from the first run of this interpreter.
    public let sample: Int
  }

  /// The program.
  public let program: Program
  /// What layers give; nil for the meaning of the program. Events of conversions are not counted where it is set.
  public var conversion: ((Driven) -> [Int64])?
  private var sample = -1
  private var visits: [Int: Int] = [:]
  private var sites: [Int]
  private var values: [Tensor]
  private var driven: [[Int64]]
  private var bitlines: [[Int64]]
  /// Events by layer.
  public private(set) var events: [Events]
  /// Events that belong to no layer.
  public private(set) var digital = Events()

  /// Interprets `program`.
  public init(_ program: Program) {
    self.program = program
    values = program.buffers.map { Oracle.start($0) }
    driven = program.layers.map { [Int64](repeating: 0, count: $0.rows) }
    bitlines = program.layers.map { [Int64](repeating: 0, count: $0.columns) }
    sites = program.layers.map { _ in 0 }
    events = program.layers.map { _ in Events() }
  }

  private static func start(_ buffer: Buffer) -> Tensor {
    if let initial = buffer.initial {
      return buffer.element.isFloat ? initial : Tensor(buffer.shape, initial.integers)
    }
    return buffer.element.isFloat
      ? Tensor(buffer.shape, [Float](repeating: 0, count: buffer.count))
      : Tensor(buffer.shape, [Int64](repeating: 0, count: buffer.count))
  }

  /// Runs one sample; `inputs` holds one array for each graph input.
  public mutating func run(_ inputs: [[Float]]) throws(Diagnostic) -> [[Float]] {
    values = program.buffers.map { Oracle.start($0) }
    visits = [:]
    sample += 1
    for (port, elements) in zip(program.inputs, inputs) {
      values[port.buffer] = Tensor(program.buffers[port.buffer].shape, elements)
      digital.inputFetches.dram += elements.count
    }
    try run(program.code, round: 0, firstSite: 0)
    for port in program.outputs { digital.dramWrites += values[port.buffer].count }
    return program.outputs.map { values[$0.buffer].floats }
  }

  private mutating func run(_ body: [Instruction], round: Int, firstSite: Int) throws(Diagnostic) {
    var site = firstSite
    for (place, instruction) in body.enumerated() {
      defer { site += Oracle.drives(instruction) }
      switch instruction.operation {
      case .loop(let count, let inner):
        for k in 0..<count { try run(inner, round: k, firstSite: site) }
      case .load(let register, let source, let window, let padding):
        let from = values[source].integers
        let to = naiveWindow(window, from, position: round).map { $0 ?? padding }
        values[register] = Tensor(program.buffers[register].shape, to)
        count(loadOf: register, in: body[(place + 1)...])
      case .drive(let register, let layer):
        driven[layer] = values[register].integers
        sites[layer] = site
        visits[site, default: 0] += 1
      case .convert(let layer): bitlines[layer] = conversion.map { $0(lastDriven(layer)) } ?? convert(layer)
      case .accumulate(let register, let layer):
        values[register] = Tensor(program.buffers[register].shape, bitlines[layer])
      case .store(let destination, let register, let layout):
        store(destination, register, layout, round)
        count(storeOf: register, in: body[..<place])
      case .scanSlice(let register, let source, let parts):
        let from = values[source]
        let places = Oracle.places(of: parts, round, in: from.shape)
        values[register] = Oracle.tensor(program.buffers[register].shape, from, places)
        digital.bufferBits += 2 * bits(register)
      case .scanOutput(let destination, let register, let parts):
        var whole = values[destination]
        for (k, place) in Oracle.places(of: parts, round, in: whole.shape).enumerated() {
          Oracle.copy(values[register], k, to: &whole, place)
        }
        values[destination] = whole
        digital.bufferBits += 2 * bits(register)
      case .digital(let op, let inputs, let output):
        let result = naive(op, inputs.map { values[$0] })
        values[output] = result.data.isFloat ? result : Tensor(result.shape, result.integers)
        count(op, inputs, output)
      }
    }
  }

  /// Where the elements of the part of a round lie, found by asking each element of the array which part it is in.
  private static func places(of parts: Parts, _ round: Int, in shape: [Int]) -> [Int] {
    let inner = shape[(parts.axis + 1)...].reduce(1, *)
    let length = shape[parts.axis] / parts.count
    let number = parts.isReversed ? parts.count - 1 - round : round
    return (0..<shape.reduce(1, *)).filter { $0 / inner % shape[parts.axis] / length == number }
  }

  private static func tensor(_ shape: [Int], _ from: Tensor, _ places: [Int]) -> Tensor {
    if from.data.isFloat {
      let values = from.floats
      return Tensor(shape, places.map { values[$0] })
    }
    let values = from.integers
    return Tensor(shape, places.map { values[$0] })
  }

  private static func copy(_ part: Tensor, _ k: Int, to whole: inout Tensor, _ place: Int) {
    if part.data.isFloat {
      var values = whole.floats
      values[place] = part.floats[k]
      whole = Tensor(whole.shape, values)
    } else {
      var values = whole.integers
      values[place] = part.integers[k]
      whole = Tensor(whole.shape, values)
    }
  }

  /// How many instructions drive.
  private static func drives(_ instruction: Instruction) -> Int {
    switch instruction.operation {
    case .loop(_, let body): body.reduce(0) { $0 + drives($1) }
    case .drive: 1
    default: 0
    }
  }

  private func lastDriven(_ layer: Int) -> Driven {
    Driven(
      layer: layer, inputs: driven[layer], site: sites[layer], visit: (visits[sites[layer]] ?? 1) - 1,
      sample: sample)
  }

  private mutating func store(_ destination: Int, _ register: Int, _ place: OutputLayout, _ round: Int) {
    let (image, spot) = (round / place.positions, round % place.positions)
    let shape = program.buffers[destination].shape
    func index(_ k: Int) -> Int { (image * place.channels + place.channelStart + k) * place.positions + spot }
    var elements = values[destination].integers
    for (k, value) in values[register].integers.enumerated() { elements[index(k)] = value }
    values[destination] = Tensor(shape, elements)
  }

  // MARK: - The meaning of a layer

  private mutating func convert(_ index: Int) -> [Int64] {
    let layer = program.layers[index]
    let x = driven[index]
    events[index].positions += 1
    var y: [Int64]
    if layer.inputs.isSigned {
      let positive = pass(index, x.map { max($0, 0) })
      let negative = pass(index, x.map { max(-$0, 0) })
      y = zip(positive, negative).map { $0 - $1 }
    } else {
      y = pass(index, x)
    }
    let sum = x.reduce(0, +)
    for o in y.indices { y[o] -= layer.correction(o) * sum }
    countFetches(index)
    return y
  }

  private mutating func pass(_ index: Int, _ x: [Int64]) -> [Int64] {
    let layer = program.layers[index]
    var y = [Int64](repeating: 0, count: layer.columns)
    var activations: [Int: Int] = [:]
    for block in layer.blocks {
      let shift = block.rows.map(\.shift).max() ?? 0
      let bits = (layer.inputs.isSigned ? layer.inputs.bits - 1 : layer.inputs.bits) + shift
      for t in 0..<(bits + layer.dacBits - 1) / layer.dacBits {
        let digits = block.rows.map { row in
          Int((x[row.input] << Int64(row.shift)) >> Int64(t * layer.dacBits)) & ((1 << layer.dacBits) - 1)
        }
        let units = unitRows(block, digits)
        if block.formedUnits.isDynamic { events[index].wordlineVectors += units.count }
        for rows in units {
          for start in stride(from: 0, to: block.columns.count, by: block.formedUnits.width) {
            let columns = start..<min(start + block.formedUnits.width, block.columns.count)
            activations[block.crossbar, default: 0] += 1
            activate(index, block, rows, columns, digits, t, &y)
          }
        }
      }
    }
    if !layer.blocks.isEmpty {
      events[index].cycles += (activations.values.max() ?? 0) + program.machine.timing.pipelineCycles
    }
    return y
  }

  /// The wordlines of each unit that is activated, top down.
  private func unitRows(_ block: Block, _ digits: [Int]) -> [[Int]] {
    let all = Array(block.rows.indices)
    let list = block.formedUnits.isDynamic ? all.filter { digits[$0] != 0 } : all
    let units = stride(from: 0, to: list.count, by: block.formedUnits.height).map {
      Array(list[$0..<min($0 + block.formedUnits.height, list.count)])
    }
    return block.formedUnits.isFixed ? units : units.filter { $0.contains { digits[$0] != 0 } }
  }

  private mutating func activate(
    _ index: Int, _ block: Block, _ rows: [Int], _ columns: Range<Int>, _ digits: [Int], _ t: Int,
    _ y: inout [Int64]
  ) {
    let layer = program.layers[index]
    let cells = program.crossbars[block.crossbar].cells
    let maximum = (1 << layer.adcBits) - 1
    let active = rows.filter { digits[$0] != 0 }.count
    events[index].ouActivations += 1
    events[index].wordlineDrives += active
    events[index].cellReads += active * columns.count
    var step = 1
    while step * maximum < layer.readout?.fullScale ?? 0 { step += 1 }
    for c in columns where c % layer.bitlinesPerConversion == 0 {
      var sum = 0
      for k in c..<c + layer.bitlinesPerConversion {
        for r in rows {
          let cell = cells[(block.row + r) * program.machine.array.columns + block.column + k]
          sum += digits[r] * Int(cell) << (block.columns[k].shift - block.columns[c].shift)
        }
      }
      events[index].adcConversions += 1
      events[index].shiftAdds += 1
      let code = (2 * sum + step) / (2 * step)
      if code > maximum { events[index].adcSaturations += 1 }
      let term = Int64(min(code, maximum) * step) << Int64(t * layer.dacBits + block.columns[c].shift)
      y[block.columns[c].output] += block.columns[c].negative ? -term : term
    }
  }

  // MARK: - Events outside of the units

  private mutating func countFetches(_ index: Int) {
    let layer = program.layers[index]
    func width(_ n: Int) -> Int {
      var bits = 0
      while n > 1 << bits { bits += 1 }
      return bits
    }
    for block in layer.blocks {
      events[index].inputFetches.buffer += block.rows.count
      let neighbors = zip(block.rows, block.rows.dropFirst()).allSatisfy { $1.input == $0.input + 1 }
      if block.rowIndex != nil || !neighbors { events[index].indexReads += block.rows.count }
      let shift = block.rows.map(\.shift).max() ?? 0
      let first = layer.blocks.first { other in
        other.rows == block.rows && other.columns.map(\.output) == block.columns.map(\.output)
      }
      // Only the first block of those that share a table of shifts counts it.
      if first?.crossbar == block.crossbar, first?.row == block.row, first?.column == block.column, shift > 0
      {
        events[index].indexReads += block.rows.count
        events[index].indexBits += block.rows.count * width(shift + 1)
      }
      if let table = block.rowIndex {
        events[index].indexBits += block.rows.count * table.bits
      } else if !neighbors {
        events[index].indexBits += block.rows.count * width(layer.rows)
      }
      var runs = [block.columns[0].output]
      for column in block.columns where column.output != runs[runs.count - 1] { runs.append(column.output) }
      if let table = block.columnIndex {
        events[index].indexReads += block.columns.count
        events[index].indexBits += block.columns.count * table.bits
      } else if !zip(runs, runs.dropFirst()).allSatisfy({ $1 == $0 + 1 }) {
        events[index].indexReads += runs.count
        events[index].indexBits += runs.count * width(layer.columns)
      }
    }
  }

  private func bits(_ buffer: Int) -> Int {
    switch program.buffers[buffer].element {
    case .float32: return 32 * program.buffers[buffer].count
    case .integer(let bits, _): return bits == 64 ? 0 : bits * program.buffers[buffer].count
    }
  }

  private mutating func count(loadOf register: Int, in rest: ArraySlice<Instruction>) {
    var events = Events()
    events.inputFetches.sram = program.buffers[register].count
    events.bufferBits = bits(register)
    for instruction in rest {
      if case .drive(register, let layer) = instruction.operation {
        self.events[layer] += events
        return
      }
    }
    digital += events
  }

  private mutating func count(storeOf register: Int, in before: ArraySlice<Instruction>) {
    var events = Events()
    events.outputWrites = program.buffers[register].count
    events.bufferBits = bits(register)
    for instruction in before.reversed() {
      if case .accumulate(register, let layer) = instruction.operation {
        self.events[layer] += events
        return
      }
    }
    digital += events
  }

  private mutating func count(_ op: DigitalOperator, _ inputs: [Int], _ output: Int) {
    if case .reshape = op { return }
    digital.bufferBits += inputs.reduce(bits(output)) { $0 + bits($1) }
    switch op {
    case .transpose, .concat, .pad, .slice, .gather: return
    case .matmul:
      digital.activations += values[output].count
      digital.digitalMultiplyAdds += values[output].count * (values[inputs[0]].shape.last ?? 0)
    case .maxPool(let window), .averagePool(let window, _):
      digital.poolComparisons += values[output].count * window.kernelHeight * window.kernelWidth
    case .reduceMax:
      digital.poolComparisons += inputs.first.map { values[$0].count } ?? 0
    default: digital.activations += values[output].count
    }
  }
}
