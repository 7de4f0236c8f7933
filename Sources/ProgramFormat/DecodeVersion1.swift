import Hardware
import Mapping
import Support

// What version 1 of the format writes in another way: the machine's numbers by their place, optional parts by flags and
// by the bytes that are left. It is read only.

func decodeMachineOfVersion1(_ reader: inout SectionReader) throws(Diagnostic) -> Machine {
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
  do throws(Diagnostic) { try machine.validate() } catch {
    throw reader.failure(.machine, error.message, at: 0)
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

func decodeLayerOfVersion1(_ reader: inout SectionReader) throws(Diagnostic) -> Layer {
  let name = try reader.string()
  let rows = try reader.u32()
  let columns = try reader.u32()
  let inputs = try decodeInputs(&reader)
  let dac = try reader.u8()
  var readout = Readout(dacBits: dac, adcBits: try reader.u8())
  var layer = Layer(name: name, rows: rows, columns: columns, inputs: inputs)
  layer.coding.offset = try reader.i64()
  readout.bitlinesPerConversion = try reader.u16()
  let features = try reader.u16()
  let fetches: [FetchOrder?] = [nil, .serial, .doubleBuffered]
  guard features >> 1 < fetches.count else {
    throw reader.failure(.value, "features \(features) of a layer", at: reader.offset - 2)
  }
  layer.hasMasks = features & 1 == 1
  layer.fetch = fetches[features >> 1]
  let fullScale = try reader.i64()
  readout.fullScale = fullScale == 0 ? nil : Int(fullScale)
  layer.readout = readout
  let count = try reader.count("bitlines", limit: LayerLimits.columnLayout, size: 4)
  layer.coding.columnLayout = try reader.columnWords(count)
  return layer
}

/// The segments of the layers, which only a program of several segments has.
func decodeSegmentsOfVersion1(_ reader: inout SectionReader, _ layers: inout [Layer]) throws(Diagnostic) {
  let start = reader.offset
  guard reader.remaining == 4 * layers.count else { return }
  for index in layers.indices { layers[index].segment = try reader.u32() }
  guard layers.isEmpty || layers.contains(where: { $0.segment > 0 }) else {
    throw reader.failure(.value, "a list of segments for one segment", at: start)
  }
}
