import Hardware
import Support
import Tensors

/// Name, summary and the figures by their paths; those that are unknown are skipped where they may be.
func decodeMachine(_ reader: inout SectionReader) throws(Diagnostic) -> Machine {
  let name = try reader.string()
  let summary = try reader.string(limit: ProgramLimits.textBytes)
  let count = try reader.count("figures", limit: ProgramLimits.figures, size: 16)
  var figures: [MachineFigure] = []
  var places: [Int] = []
  for _ in 0..<count {
    places.append(reader.offset)
    if let figure = try decodeFigure(&reader) { figures.append(figure) } else { places.removeLast() }
  }
  try reader.checkEnd()
  let machine: Machine
  do throws(Diagnostic) { machine = try Machine(name: name, summary: summary, figures: figures) } catch {
    throw reader.failure(.machine, error.message, at: 0)
  }
  for (place, (found, expected)) in zip(places, zip(figures, machine.figures))
  where found.path != expected.path {
    throw reader.failure(.value, "expected figure '\(expected.path)', found '\(found.path)'", at: place)
  }
  return machine
}

/// A figure; nil for an unknown one that may be skipped.
private func decodeFigure(_ reader: inout SectionReader) throws(Diagnostic) -> MachineFigure? {
  let start = reader.offset
  let path = try reader.string()
  let place = reader.offset
  let flags = try reader.u32()
  let value = try reader.double()
  guard flags <= Tag.required else { throw reader.failure(.value, "flags \(flags) of a figure", at: place) }
  let isKnown = Machine.isWhole(path) != nil
  if !isKnown && flags == Tag.required {
    throw reader.failure(
      .unknownPart, "figure '\(path)' of the machine is unknown and must be understood", at: start)
  }
  if isKnown && flags != Tag.required {
    throw reader.failure(.value, "figure '\(path)' must carry the flag 'required'", at: place)
  }
  return isKnown ? MachineFigure(path: path, value: value) : nil
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
