import Hardware
import Support
import Tensors

func decodeMachine(_ reader: inout SectionReader) throws(Diagnostic) -> Machine {
  let name = try reader.string()
  let summary = try reader.string(limit: ProgramLimits.textBytes)
  var n: [Int] = []
  for _ in 0..<13 { n.append(try reader.u32()) }
  let cycle = try reader.double()
  var energy = EnergyTable()
  try decodeTable(&reader, EnergyTable.fields.map(\.path), &energy)
  var area = AreaTable()
  try decodeTable(&reader, AreaTable.fields.map(\.path), &area)
  // What is left tells which of the two are there: 28 bytes of memories, 16 of writing.
  let memory = [0, writeBytes].contains(reader.remaining) ? nil : try decodeMemory(&reader)
  let writing = reader.remaining == writeBytes ? try decodeWriting(&reader) : nil
  try reader.checkEnd()
  let machine = Machine(
    name: name, summary: summary,
    array: ArrayDescription(
      rows: n[0], columns: n[1], cellBits: n[2], unitHeight: n[3], unitWidth: n[4], dacBits: n[5],
      adcBits: n[6]),
    operands: OperandWidths(weightBits: n[7], inputBits: n[8]),
    hierarchy: Hierarchy(crossbarsPerComputeUnit: n[9], computeUnitsPerTile: n[10], tiles: n[11]),
    timing: Timing(cycleNanoseconds: cycle, pipelineCycles: n[12]), energy: energy, area: area,
    memory: memory, writing: writing)
  // The other sections are read with these sizes, so they are checked first.
  do throws(Issue) { try checkMachine(machine) } catch {
    throw reader.failure(error.fault, error.message, at: 0)
  }
  return machine
}

/// Bytes of the figures of writing.
private let writeBytes = 16

private func decodeWriting(_ reader: inout SectionReader) throws(Diagnostic) -> WriteFigures {
  let wordline = try reader.double()
  return WriteFigures(wordlineNanoseconds: wordline, cellPicojoules: try reader.double())
}

private func decodeMemory(_ reader: inout SectionReader) throws(Diagnostic) -> MemorySystem {
  let sramBytes = try reader.u32()
  let bufferBytes = try reader.u32()
  let valuesPerClock = try reader.u32()
  let clock = try reader.double()
  let latency = try reader.double()
  return MemorySystem(
    clockMegahertz: clock, sramBytes: sramBytes, bufferBytes: bufferBytes, dramLatencyNanoseconds: latency,
    valuesPerClock: valuesPerClock)
}

private func decodeTable<Table>(
  _ reader: inout SectionReader, _ paths: [WritableKeyPath<Table, Double>], _ table: inout Table
) throws(Diagnostic) {
  let start = reader.offset
  let count = try reader.u32()
  guard count == paths.count else {
    throw reader.failure(.value, "a table of \(count) numbers, expected \(paths.count)", at: start)
  }
  for path in paths { table[keyPath: path] = try reader.double() }
}

func decodePorts(
  _ reader: inout SectionReader, _ offsets: inout OffsetMap
) throws(Diagnostic) -> (name: String, buffers: [Buffer], inputs: [Port], outputs: [Port]) {
  let name = try reader.string()
  let count = try reader.count("buffers", limit: ProgramLimits.buffers, size: 8)
  var buffers: [Buffer] = []
  buffers.reserveCapacity(count)
  for _ in 0..<count {
    offsets.buffers.append(reader.offset)
    buffers.append(try decodeBuffer(&reader))
  }
  let inputs = try decodePortList(&reader, &offsets.inputs)
  let outputs = try decodePortList(&reader, &offsets.outputs)
  try reader.checkEnd()
  return (name, buffers, inputs, outputs)
}

private func decodeBuffer(_ reader: inout SectionReader) throws(Diagnostic) -> Buffer {
  let name = try reader.string()
  let start = reader.offset
  let code = try reader.u8()
  let hasNumbers = code & Layout.initialFlag != 0
  let kind = code & ~Layout.initialFlag
  let bits = try reader.u8()
  let element: ElementType
  switch (kind, bits) {
  case (0, 32): element = .float32
  case (1, 1...63): element = .integer(bits: bits, signed: false)
  case (2, 1...64): element = .integer(bits: bits, signed: true)
  default: throw reader.failure(.value, "element kind \(kind) of \(bits) bits", at: start)
  }
  let rank = try reader.u16()
  try reader.check(rank, "axes", limit: ProgramLimits.rank, size: 4, at: start + 2)
  var shape: [Int] = []
  for _ in 0..<rank { shape.append(try reader.u32()) }
  var buffer = Buffer(name: name, shape: shape, element: element)
  if hasNumbers { buffer.initial = try decodeNumbers(&reader, shape, element) }
  return buffer
}

private func decodeNumbers(_ reader: inout SectionReader, _ shape: [Int], _ element: ElementType)
  throws(Diagnostic) -> Tensor
{
  let start = reader.offset
  let count = checkedProduct(shape) ?? .max
  try reader.check(
    count, "numbers", limit: ProgramLimits.bufferElements, size: element.isFloat ? 4 : 8, at: start)
  if element.isFloat {
    var values: [Float] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try reader.float()) }
    return Tensor(shape, values)
  }
  var values: [Int64] = []
  values.reserveCapacity(count)
  for _ in 0..<count {
    let value = try reader.i64()
    guard value >= element.lowest, value <= element.highest else {
      throw reader.failure(.value, "the number \(value) does not fit \(element)", at: start)
    }
    values.append(value)
  }
  return Tensor(shape, values, as: element)
}

private func decodePortList(
  _ reader: inout SectionReader, _ offsets: inout [Int]
) throws(Diagnostic) -> [Port] {
  let count = try reader.count("ports", limit: ProgramLimits.ports, size: 8)
  var ports: [Port] = []
  for _ in 0..<count {
    offsets.append(reader.offset)
    let name = try reader.string()
    ports.append(Port(name: name, buffer: try reader.u32()))
  }
  return ports
}

func decodeCells(
  _ reader: inout SectionReader, _ array: ArrayDescription, _ offsets: inout OffsetMap
) throws(Diagnostic) -> [Crossbar] {
  let size = packedBytes(array.rows * array.columns, bits: array.cellBits)
  let start = reader.offset
  let count = try reader.u32()
  try reader.zero32()
  try reader.check(count, "crossbars", limit: ProgramLimits.crossbars, size: size, at: start)
  var crossbars: [Crossbar] = []
  crossbars.reserveCapacity(count)
  for _ in 0..<count {
    offsets.crossbars.append(reader.offset)
    let packed = try reader.raw(size)
    guard let cells: [UInt8] = unpackBits(packed, count: array.rows * array.columns, bits: array.cellBits)
    else {
      throw reader.failure(.padding, "bits after the last cell are not zero", at: reader.offset - 1)
    }
    crossbars.append(Crossbar(cells: cells))
  }
  try reader.checkEnd()
  return crossbars
}

func decodeMaps(
  _ reader: inout SectionReader, _ offsets: inout OffsetMap, _ array: ArrayDescription
) throws(Diagnostic) -> (layers: [Layer], blocks: [Block]) {
  let layerCount = try reader.count("layers", limit: ProgramLimits.layers, size: 44)
  let blockStart = reader.offset
  let blockCount = try reader.count("blocks", limit: ProgramLimits.blocks, size: 28)
  var layers: [Layer] = []
  var blocks: [Block] = []
  layers.reserveCapacity(layerCount)
  blocks.reserveCapacity(blockCount)
  for _ in 0..<layerCount {
    offsets.layers.append(reader.offset)
    var layer = try decodeLayer(&reader)
    let vectors = layer.hasVectors ? try decodeVectors(&reader, layer) : nil
    let start = reader.offset
    let count = try reader.count("blocks", limit: blockCount - blocks.count, size: 28)
    guard blocks.count + count <= blockCount else {
      throw reader.failure(.blockOrder, "more blocks than announced", at: start)
    }
    layer.blocks = blocks.count..<blocks.count + count
    for _ in 0..<count {
      offsets.blocks.append(reader.offset)
      blocks.append(try decodeBlock(&reader, layer.bitlines, vectors, array))
    }
    if let vectors, vectors != SparsityVectors(of: blocks[layer.blocks], in: layer) {
      throw reader.failure(.indexTable, "bit vectors name a line that no block has", at: start)
    }
    layers.append(layer)
  }
  guard blocks.count == blockCount else {
    throw reader.failure(.blockOrder, "\(blockCount) blocks announced, found \(blocks.count)", at: blockStart)
  }
  if reader.remaining == 4 * layerCount { try decodeSegments(&reader, &layers) }
  try reader.checkEnd()
  return (layers, blocks)
}

/// The segments of the layers, which only a program of several segments has.
private func decodeSegments(_ reader: inout SectionReader, _ layers: inout [Layer]) throws(Diagnostic) {
  let start = reader.offset
  for index in layers.indices { layers[index].segment = try reader.u32() }
  guard layers.isEmpty || layers.contains(where: { $0.segment > 0 }) else {
    throw reader.failure(.value, "a list of segments for one segment", at: start)
  }
}

private func decodeLayer(_ reader: inout SectionReader) throws(Diagnostic) -> Layer {
  let name = try reader.string()
  let inputs = try reader.u32()
  let outputs = try reader.u32()
  let inputBits = try reader.u8()
  let start = reader.offset
  let signed = try reader.boolean(try reader.u8(), at: start)
  let dacBits = try reader.u8()
  let adcBits = try reader.u8()
  let offset = try reader.i64()
  let composed = try reader.u16()
  let features = try reader.u16()
  let fetches: [FetchOrder?] = [nil, .serial, .overlapped]
  guard features >> 1 < fetches.count else {
    throw reader.failure(.value, "features \(features) of a layer", at: reader.offset - 2)
  }
  let fullScale = try reader.i64()
  let bitlines = try reader.count("bitlines", limit: ProgramLimits.bitlines, size: 4)
  return Layer(
    name: name, inputs: inputs, outputs: outputs, inputBits: inputBits, inputSigned: signed, dacBits: dacBits,
    adcBits: adcBits, fullScale: fullScale == 0 ? nil : Int(fullScale), composed: composed, offset: offset,
    bitlines: try decodeColumns(&reader, bitlines), hasVectors: features & 1 == 1,
    fetch: fetches[features >> 1], blocks: 0..<0)
}

/// The bit vectors of a layer, of which all natural bitlines must lie in it.
private func decodeVectors(_ reader: inout SectionReader, _ layer: Layer) throws(Diagnostic)
  -> SparsityVectors
{
  let start = reader.offset
  guard layer.bitlines.allSatisfy({ $0.output < layer.outputs }) else {
    throw reader.failure(
      .column, "a natural bitline adds to an output that the layer does not have", at: start)
  }
  let inputs = try decodeVector(&reader, layer.inputs)
  let outputs = try decodeVector(&reader, layer.outputs)
  return SparsityVectors(inputs: inputs, outputs: outputs, bitlines: layer.bitlines)
}

private func decodeVector(_ reader: inout SectionReader, _ count: Int) throws(Diagnostic) -> [Bool] {
  let packed = try reader.raw(packedWordBytes(count, bits: 1))
  guard let bits: [UInt8] = unpackBits(packed, count: count, bits: 1) else {
    throw reader.failure(
      .padding, "bits after the last one of a bit vector are not zero", at: reader.offset - 4)
  }
  return bits.map { $0 == 1 }
}

private func decodeBlock(
  _ reader: inout SectionReader, _ bitlines: [ColumnEntry], _ vectors: SparsityVectors?,
  _ array: ArrayDescription
) throws(Diagnostic) -> Block {
  let crossbar = try reader.u32()
  let row = try reader.u16()
  let column = try reader.u16()
  let rowCount = try reader.u16()
  let columnCount = try reader.u16()
  let height = try reader.u16()
  let width = try reader.u16()
  let start = reader.offset
  let kind = try reader.u8()
  guard UnitForming.keywords.indices.contains(kind),
    let units = UnitForming(keyword: UnitForming.keywords[kind], height: height, width: width)
  else { throw reader.failure(.value, "units of kind \(kind)", at: start) }
  let rowCode = try reader.u8()
  let columnCode = try reader.u8()
  let shiftBits = try reader.u8()
  if let vectors {
    // Runs take no room in the file, so their lengths are checked before their lines are written out.
    guard rowCount <= array.rows, columnCount <= array.columns else {
      throw reader.failure(
        .blockBounds, "\(rowCount)x\(columnCount) cells in a crossbar of \(array.rows)x\(array.columns)",
        at: start)
    }
    guard (rowCode, columnCode, shiftBits) == (runCode, runCode, 0) else {
      throw reader.failure(
        .value, "a block with a map of its own beside the bit vectors of its layer", at: start)
    }
    let rows = try decodeRun(&reader, vectors.usedInputs, rowCount).map { RowEntry(input: $0) }
    return Block(
      crossbar: crossbar, row: row, column: column, rows: rows,
      columns: try decodeRun(&reader, vectors.usedBitlines, columnCount), units: units)
  }
  let rowIndex = try decodeCoding(&reader, rowCode)
  guard shiftBits <= (rowIndex == nil ? 0 : 6) else {
    throw reader.failure(.value, "shift fields of \(shiftBits) bits", at: start + 3)
  }
  var rows: [RowEntry]
  if let rowIndex {
    rows = try decodeNumbers(&reader, rowIndex, rowCount, below: ProgramLimits.layerSide).map {
      RowEntry(input: $0)
    }
    try decodeShifts(&reader, shiftBits, &rows)
  } else {
    rows = try decodeWords(&reader, rowCount).map {
      RowEntry(input: Int($0 & 0xFF_FFFF), shift: Int($0 >> 24))
    }
  }
  let columnIndex = try decodeCoding(&reader, columnCode)
  let columns: [ColumnEntry]
  if let columnIndex {
    columns = try decodeNumbers(&reader, columnIndex, columnCount, below: bitlines.count).map { bitlines[$0] }
  } else {
    columns = try decodeColumns(&reader, columnCount)
  }
  return Block(
    crossbar: crossbar, row: row, column: column, rows: rows, columns: columns, units: units,
    rowIndex: rowIndex,
    columnIndex: columnIndex)
}

/// `count` neighbours of the `lines` in use, from a number on.
private func decodeRun<Line>(_ reader: inout SectionReader, _ lines: [Line], _ count: Int) throws(Diagnostic)
  -> [Line]
{
  let start = reader.offset
  let first = try reader.u32()
  guard first + count <= lines.count else {
    throw reader.failure(
      .indexTable, "lines \(first) ..< \(first + count) in use, there are \(lines.count)", at: start)
  }
  return Array(lines[first..<first + count])
}

private func decodeCoding(_ reader: inout SectionReader, _ code: Int) throws(Diagnostic) -> IndexCoding? {
  let start = reader.offset
  guard code <= 2 else { throw reader.failure(.value, "an index table of kind \(code)", at: start) }
  if code == 0 { return nil }
  let word = try reader.u32()
  let (bits, first) = (word >> 24, word & 0xFF_FFFF)
  guard 1...24 ~= bits else { throw reader.failure(.value, "index fields of \(bits) bits", at: start) }
  return code == 1 ? .absolute(bits: bits, first: first) : .delta(bits: bits, first: first)
}

/// The numbers that an index table of `count` fields means, all of them below `limit`.
private func decodeNumbers(
  _ reader: inout SectionReader, _ coding: IndexCoding, _ count: Int, below limit: Int
) throws(Diagnostic) -> [Int] {
  let start = reader.offset
  let packed = try reader.raw(packedWordBytes(count, bits: coding.bits))
  guard let fields: [Int] = unpackBits(packed, count: count, bits: coding.bits) else {
    throw reader.failure(.padding, "bits after the last index are not zero", at: reader.offset - 4)
  }
  guard let numbers = coding.numbers(of: fields) else {
    throw reader.failure(.indexTable, "the numbers of an index table do not ascend", at: start)
  }
  if let last = numbers.last, last >= limit {
    throw reader.failure(.indexTable, "an index table reaches \(last), there are \(limit)", at: start)
  }
  return numbers
}

/// The shifts of wordlines whose inputs come from an index table: fields as wide as the largest needs.
private func decodeShifts(_ reader: inout SectionReader, _ bits: Int, _ rows: inout [RowEntry])
  throws(Diagnostic)
{
  let start = reader.offset
  guard bits > 0 else { return }
  let packed = try reader.raw(packedWordBytes(rows.count, bits: bits))
  guard let shifts: [Int] = unpackBits(packed, count: rows.count, bits: bits) else {
    throw reader.failure(.padding, "bits after the last shift are not zero", at: reader.offset - 4)
  }
  guard bitWidth(of: shifts.max() ?? 0) == bits else {
    throw reader.failure(.value, "shift fields of \(bits) bits, fewer suffice", at: start)
  }
  for (place, shift) in shifts.enumerated() { rows[place].shift = shift }
}

private func decodeColumns(_ reader: inout SectionReader, _ count: Int) throws(Diagnostic) -> [ColumnEntry] {
  try decodeWords(&reader, count).map {
    ColumnEntry(output: Int($0 & 0xFF_FFFF), shift: Int($0 >> 24 & 0x7F), negative: $0 >> 31 == 1)
  }
}

private func decodeWords(_ reader: inout SectionReader, _ count: Int) throws(Diagnostic) -> [UInt32] {
  let bytes = try reader.raw(4 * count)
  return (0..<count).map {
    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
  }
}

func decodeInfo(_ section: SectionReader?, _ offsets: inout OffsetMap) throws(Diagnostic) -> [InfoEntry] {
  guard var reader = section else { return [] }
  let count = try reader.count("entries", limit: ProgramLimits.infoEntries, size: 8)
  guard count > 0 else { throw reader.failure(.value, "an empty section", at: 0) }
  var info: [InfoEntry] = []
  for _ in 0..<count {
    offsets.info.append(reader.offset)
    let key = try reader.string()
    info.append(InfoEntry(key: key, text: try reader.string(limit: ProgramLimits.textBytes)))
  }
  try reader.checkEnd()
  return info
}
