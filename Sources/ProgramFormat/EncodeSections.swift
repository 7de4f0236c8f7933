import Hardware
import Support
import Tensors

func encodeMachine(_ machine: Machine) -> [UInt8] {
  var out = ByteWriter()
  out.put(string: machine.name)
  out.put(string: machine.summary)
  for number in machine.counts { out.put32(number.value) }
  out.put(machine.timing.cycleNanoseconds)
  out.put32(EnergyTable.fields.count)
  for field in EnergyTable.fields { out.put(machine.energy[keyPath: field.path]) }
  out.put32(AreaTable.fields.count)
  for field in AreaTable.fields { out.put(machine.area[keyPath: field.path]) }
  if let memory = machine.memory { encodeMemory(memory, into: &out) }
  if let writing = machine.writing {
    out.put(writing.wordlineNanoseconds)
    out.put(writing.cellPicojoules)
  }
  return out.bytes
}

/// The end of the section, which a machine without memories does not have.
private func encodeMemory(_ memory: MemorySystem, into out: inout ByteWriter) {
  out.put32(memory.sramBytes)
  out.put32(memory.bufferBytes)
  out.put32(memory.valuesPerClock)
  out.put(memory.clockMegahertz)
  out.put(memory.dramLatencyNanoseconds)
}

func encodePorts(_ program: Program) -> [UInt8] {
  var out = ByteWriter()
  out.put(string: program.name)
  out.put32(program.buffers.count)
  for buffer in program.buffers {
    out.put(string: buffer.name)
    let flag = buffer.initial == nil ? 0 : Layout.initialFlag
    switch buffer.element {
    case .float32:
      out.put8(0 | flag)
      out.put8(32)
    case .integer(let bits, let signed):
      out.put8((signed ? 2 : 1) | flag)
      out.put8(bits)
    }
    out.put16(buffer.shape.count)
    for length in buffer.shape { out.put32(length) }
    if let initial = buffer.initial { encodeNumbers(of: initial, into: &out) }
  }
  for ports in [program.inputs, program.outputs] {
    out.put32(ports.count)
    for port in ports {
      out.put(string: port.name)
      out.put32(port.buffer)
    }
  }
  return out.bytes
}

/// Floats as 4 bytes each, integers as 8.
private func encodeNumbers(of tensor: Tensor, into out: inout ByteWriter) {
  if case .f32(let values) = tensor.data {
    for value in values { out.put(value) }
  } else {
    for value in tensor.integers { out.put(value) }
  }
}

func encodeCells(_ program: Program) -> [UInt8] {
  var out = ByteWriter()
  out.put(bytes: encodeCellsHead(crossbars: program.crossbars.count))
  for crossbar in program.crossbars {
    out.put(bytes: packLevels(crossbar.cells, bits: program.machine.array.cellBits))
  }
  return out.bytes
}

/// The start of the section of cells.
func encodeCellsHead(crossbars: Int) -> [UInt8] {
  var out = ByteWriter()
  out.put32(crossbars)
  out.put32(0)
  return out.bytes
}

func encodeMaps(_ program: Program) -> [UInt8] {
  var out = ByteWriter()
  out.put(bytes: encodeMapsHead(layers: program.layers.count, blocks: program.blocks.count))
  for layer in program.layers { encode(layer, program.blocks[layer.blocks], into: &out) }
  return out.bytes + encodeSegments(program)
}

/// The end of the section of maps, which a program of one segment does not have.
func encodeSegments(_ program: Program) -> [UInt8] {
  var out = ByteWriter()
  if program.segments > 1 {
    for layer in program.layers { out.put32(layer.segment) }
  }
  return out.bytes
}

/// The start of the section of maps.
func encodeMapsHead(layers: Int, blocks: Int) -> [UInt8] {
  var out = ByteWriter()
  out.put32(layers)
  out.put32(blocks)
  return out.bytes
}

/// Appends a layer with its blocks.
func encode(_ layer: Layer, _ blocks: ArraySlice<Block>, into out: inout ByteWriter) {
  out.put(string: layer.name)
  out.put32(layer.inputs)
  out.put32(layer.outputs)
  out.put8(layer.inputBits)
  out.put8(layer.inputSigned ? 1 : 0)
  out.put8(layer.dacBits)
  out.put8(layer.adcBits)
  out.put(layer.offset)
  out.put16(layer.composed)
  out.put16((layer.hasVectors ? 1 : 0) | code(of: layer.fetch) << 1)
  out.put(Int64(layer.fullScale ?? 0))
  out.put32(layer.bitlines.count)
  out.put(bytes: words(layer.bitlines))
  let runs = layer.hasVectors ? encodeVectors(SparsityVectors(of: blocks, in: layer), into: &out) : nil
  out.put32(layer.blocks.count)
  let numbering = BitlineNumbering(layer.bitlines)
  for block in blocks { encode(block, numbering, runs, into: &out) }
}

private func encodeVectors(_ vectors: SparsityVectors, into out: inout ByteWriter) -> VectorRuns {
  for vector in [vectors.inputs, vectors.outputs] {
    let size = packedWordBytes(vector.count, bits: 1)
    out.put(bytes: packBits(vector.map { $0 ? 1 : 0 }, bits: 1, size: size))
  }
  return VectorRuns(vectors)
}

private func encode(
  _ block: Block, _ numbering: BitlineNumbering?, _ runs: VectorRuns?, into out: inout ByteWriter
) {
  out.put32(block.crossbar)
  out.put16(block.row)
  out.put16(block.column)
  out.put16(block.rows.count)
  out.put16(block.columns.count)
  out.put16(block.units.height)
  out.put16(block.units.width)
  out.put8(UnitForming.keywords.firstIndex(of: block.units.keyword) ?? 0)
  if let runs {
    for code in [runCode, runCode, 0] { out.put8(code) }
    out.put32(runs.start(of: block.rows) ?? 0)
    out.put32(runs.start(of: block.columns) ?? 0)
    return
  }
  out.put8(code(of: block.rowIndex))
  out.put8(code(of: block.columnIndex))
  let shiftBits = block.rowIndex == nil ? 0 : bitWidth(of: block.rows.map(\.shift).max() ?? 0)
  out.put8(shiftBits)
  put(block.rowIndex, block.rows.map(\.input), plain: words(block.rows), into: &out)
  if shiftBits > 0 { putFields(block.rows.map(\.shift), bits: shiftBits, into: &out) }
  put(
    block.columnIndex, numbering?.numbers(of: block.columns) ?? [], plain: words(block.columns), into: &out)
}

private func put(_ index: IndexCoding?, _ numbers: [Int], plain: [UInt8], into out: inout ByteWriter) {
  guard let index else { return out.put(bytes: plain) }
  out.put32(index.first | index.bits << 24)
  putFields(index.fields(of: numbers) ?? [], bits: index.bits, into: &out)
}

private func putFields(_ fields: [Int], bits: Int, into out: inout ByteWriter) {
  out.put(bytes: packBits(fields, bits: bits, size: packedWordBytes(fields.count, bits: bits)))
}

private func words(_ rows: [RowEntry]) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(4 * rows.count)
  for row in rows { append(row.input, row.shift, to: &bytes) }
  return bytes
}

private func words(_ columns: [ColumnEntry]) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(4 * columns.count)
  for column in columns { append(column.output, column.shift | (column.negative ? 0x80 : 0), to: &bytes) }
  return bytes
}

private func append(_ low: Int, _ high: Int, to bytes: inout [UInt8]) {
  for part in [low, low >> 8, low >> 16, high] { bytes.append(UInt8(truncatingIfNeeded: part)) }
}

func encodeInfo(_ info: [InfoEntry]) -> [UInt8] {
  var out = ByteWriter()
  out.put32(info.count)
  for entry in info {
    out.put(string: entry.key)
    out.put(string: entry.text)
  }
  return out.bytes
}

/// A whole number of the machine description with the range that it must lie in.
struct MachineCount {
  let name: String
  let value: Int
  let range: ClosedRange<Int>
}

extension Machine {
  /// The whole numbers in the order of the binary.
  var counts: [MachineCount] {
    let side = 1...ProgramLimits.crossbarSide
    let many = 1...ProgramLimits.machineCount
    return [
      MachineCount(name: "rows", value: array.rows, range: side),
      MachineCount(name: "columns", value: array.columns, range: side),
      MachineCount(name: "cellBits", value: array.cellBits, range: 1...ProgramLimits.cellBits),
      MachineCount(name: "unitHeight", value: array.unitHeight, range: side),
      MachineCount(name: "unitWidth", value: array.unitWidth, range: side),
      MachineCount(name: "dacBits", value: array.dacBits, range: 1...ProgramLimits.cellBits),
      MachineCount(name: "adcBits", value: array.adcBits, range: 1...ProgramLimits.adcBits),
      MachineCount(name: "weightBits", value: operands.weightBits, range: 1...64),
      MachineCount(name: "inputBits", value: operands.inputBits, range: 1...64),
      MachineCount(name: "crossbarsPerComputeUnit", value: hierarchy.crossbarsPerComputeUnit, range: many),
      MachineCount(name: "computeUnitsPerTile", value: hierarchy.computeUnitsPerTile, range: many),
      MachineCount(name: "tiles", value: hierarchy.tiles, range: 0...ProgramLimits.machineCount),
      MachineCount(name: "pipelineCycles", value: timing.pipelineCycles, range: 0...(1 << 20)),
    ]
  }
}
