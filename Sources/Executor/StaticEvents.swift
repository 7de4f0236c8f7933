import DeviceModel
import Hardware
import Mapping
import ProgramFormat
import Support
import Tensors

/// Events of one position that do not depend on its inputs.
func eventsOfPosition(_ layer: Layer, _ program: Program) -> Events {
  let blocks = layer.blocks
  var pass = Events()
  for block in blocks where block.formedUnits.isFixed { pass += eventsOfFixedUnits(block, layer) }
  if layer.fetch == nil && !blocks.isEmpty && blocks.allSatisfy(\.formedUnits.isFixed) {
    let longest = activationsOfPass(layer, program, crossbarPlaces(layer, program)).max() ?? 0
    pass.cycles = longest + program.machine.timing.pipelineCycles
  }
  var events = Events()
  events.add(pass, times: layer.inputs.passes)
  events.positions = 1
  for block in blocks {
    if layer.fetch == nil { events.inputFetches.buffer += block.rows.count }
    if layer.hasMasks { continue }
    for table in [wordlineTable(block, layer), bitlineTable(block, layer)] {
      events.indexReads += table.entries
      events.indexBits += table.entries * table.bits
    }
  }
  if layer.hasMasks {
    events.indexReads += layer.rows + layer.columns
    events.indexBits += layer.rows + layer.columns
  }
  for group in Set(blocks.map(ShiftGroup.init)) {
    let bits = bitWidth(of: group.rows.map(\.shift).max() ?? 0)
    events.indexReads += bits > 0 ? group.rows.count : 0
    events.indexBits += group.rows.count * bits
  }
  return events
}

/// What the fixed units of `block` do in a pass.
func eventsOfFixedUnits(_ block: Block, _ layer: Layer) -> Events {
  var events = Events()
  let readings = layer.digits(of: block) * ceilDivide(block.rows.count, block.formedUnits.height)
  events.ouActivations = readings * ceilDivide(block.columns.count, block.formedUnits.width)
  events.adcConversions = readings * block.columns.count / layer.bitlinesPerConversion
  events.shiftAdds = events.adcConversions
  return events
}

/// Activations of the fixed blocks of each crossbar in one pass.
func activationsOfPass(_ layer: Layer, _ program: Program, _ places: [Int: Int]) -> [Int] {
  var activations = [Int](repeating: 0, count: places.count)
  for block in layer.blocks where block.formedUnits.isFixed {
    guard let place = places[block.crossbar] else { continue }
    let units =
      ceilDivide(block.rows.count, block.formedUnits.height)
      * ceilDivide(block.columns.count, block.formedUnits.width)
    activations[place] += layer.digits(of: block) * units
  }
  return activations
}

/// Blocks with the same wordlines and outputs share a table of wordline shifts, as the bit planes of a matrix do.
struct ShiftGroup: Hashable {
  let rows: [RowEntry]
  let outputs: [Int]

  init(_ block: Block) {
    rows = block.rows
    outputs = block.columns.map(\.output)
  }
}

/// Entries and their bits of what tells the inputs of a block's wordlines: those of its index table; where it has none,
/// whole numbers, unless neighboring wordlines have neighboring inputs.
func wordlineTable(_ block: Block, _ layer: Layer) -> (entries: Int, bits: Int) {
  if let index = block.rowIndex { return (block.rows.count, index.bits) }
  return (block.hasRunOfInputs ? 0 : block.rows.count, bitWidth(of: layer.rows - 1))
}

/// The same for the outputs of bitlines: those of its index table; where it has none, a whole number for each run of
/// bitlines with one output, unless neighboring runs have neighboring outputs.
func bitlineTable(_ block: Block, _ layer: Layer) -> (entries: Int, bits: Int) {
  if let index = block.columnIndex { return (block.columns.count, index.bits) }
  var runs: [Int] = []
  for column in block.columns where runs.last != column.output { runs.append(column.output) }
  let first = runs.first ?? 0
  let isRun = runs.enumerated().allSatisfy { $1 == first + $0 }
  return (isRun ? 0 : runs.count, bitWidth(of: layer.columns - 1))
}

/// Events of one sample that do not depend on its values, by layer, and those that belong to no layer.
struct SampleEvents: Sendable {
  var layers: [Events]
  var digital = Events()

  init(_ program: Program, _ plans: [LayerPlan]) {
    layers = [Events](repeating: Events(), count: plans.count)
    count(program.code, times: 1, entries: 1, program, plans)
    for port in program.inputs { digital.inputFetches.dram &+= program.buffers[port.buffer].count }
    for port in program.outputs { digital.dramWrites &+= program.buffers[port.buffer].count }
  }

  /// Counts a body whose rounds are `times` in all, those of a loop that is entered `entries` times.
  private mutating func count(
    _ body: [Instruction], times: Int, entries: Int, _ program: Program, _ plans: [LayerPlan]
  ) {
    for (index, instruction) in body.enumerated() {
      switch instruction.operation {
      case .loop(let rounds, let inner):
        count(inner, times: times &* rounds, entries: times, program, plans)
      case .drive(_, let layer): layers[layer].add(plans[layer].positionEvents, times: times)
      case .convert, .accumulate: break
      case .load(let register, _, let window, _):
        let layer = layerDriven(by: register, in: body[(index + 1)...])
        let buffer = program.buffers[register]
        var events = Events()
        events.inputFetches.sram =
          layer.map { fetched(window, buffer, program.layers[$0], program) } ?? buffer.count
        events.bufferBits = elementBits(buffer) * events.inputFetches.sram
        add(events, times: times, to: layer)
        if let layer {
          layers[layer].add(outsideReads(program.layers[layer], program, window), times: entries)
        }
      case .store(_, let register, _):
        var events = Events()
        events.outputWrites = program.buffers[register].count
        events.bufferBits = bufferBits(program.buffers[register])
        let layer = layerAccumulated(in: register, in: body[..<index])
        add(events, times: times, to: layer)
        if let layer, program.layers[layer].fetch != nil {
          layers[layer].dramWrites &+= times &* program.buffers[register].count
        }
      case .scanSlice(let register, _, _), .scanOutput(_, let register, _):
        // A part is read in one place and written in another.
        var events = Events()
        events.bufferBits = 2 * bufferBits(program.buffers[register])
        digital.add(events, times: times)
      case .digital(let op, let inputs, let output):
        digital.add(
          digitalEvents(op, inputs.map { program.buffers[$0] }, program.buffers[output]), times: times)
      }
    }
  }

  private mutating func add(_ events: Events, times: Int, to layer: Int?) {
    if let layer {
      layers[layer].add(events, times: times)
    } else {
      digital.add(events, times: times)
    }
  }
}

func layerDriven(by register: Int, in body: ArraySlice<Instruction>) -> Int? {
  for instruction in body {
    if case .drive(register, let layer) = instruction.operation { return layer }
  }
  return nil
}

private func layerAccumulated(in register: Int, in body: ArraySlice<Instruction>) -> Int? {
  for instruction in body.reversed() {
    if case .accumulate(register, let layer) = instruction.operation { return layer }
  }
  return nil
}

/// Values that a load copies for `layer`: all of the window; or those of its channels in use, where sparsity masks tell
/// which these are.
private func fetched(_ window: Window, _ register: Buffer, _ layer: Layer, _ program: Program) -> Int {
  guard layer.hasMasks, window.channelCount > 0 else { return register.count }
  return register.count / window.channelCount * program.channelsInUse(of: layer, window)
}

/// Bits of a buffer's elements.
private func bufferBits(_ buffer: Buffer) -> Int { elementBits(buffer) * buffer.count }

/// Bits of an element of a buffer; accumulators pass through registers and need none.
private func elementBits(_ buffer: Buffer) -> Int {
  switch buffer.element {
  case .float32: return 32
  case .integer(let bits, _): return bits >= 64 ? 0 : bits
  }
}

private func digitalEvents(_ op: DigitalOperator, _ inputs: [Buffer], _ output: Buffer) -> Events {
  var events = Events()
  events.bufferBits = (inputs + [output]).reduce(0) { $0 + bufferBits($1) }
  switch op.entry.events {
  case .alias: events.bufferBits = 0
  case .move: break
  case .activations: events.activations = output.count
  case .windowComparisons:
    guard let window = op.window else { break }
    events.poolComparisons = output.count &* window.kernelHeight &* window.kernelWidth
  case .comparisons: events.poolComparisons = inputs.first?.count ?? 0
  case .multiplyAdds:
    events.activations = output.count
    events.digitalMultiplyAdds = output.count &* (inputs.first?.shape.last ?? 0)
  }
  return events
}
