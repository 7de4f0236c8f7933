import Hardware
import Mapping
import Support
import Tensors

/// The layers with their blocks. Version 1 tells optional parts of a layer apart by flags in its record.
func decodeMaps(
  _ reader: inout SectionReader, _ offsets: inout OffsetMap, _ array: ArrayDescription, version: Int
) throws(Diagnostic) -> [Layer] {
  let layerCount = try reader.count("layers", limit: ProgramLimits.layers, size: 28)
  let blockStart = reader.offset
  let blockCount = try reader.count("blocks", limit: ProgramLimits.blocks, size: 28)
  var layers: [Layer] = []
  layers.reserveCapacity(layerCount)
  var found = 0
  for _ in 0..<layerCount {
    offsets.layers.append(reader.offset)
    var layer = version == 1 ? try decodeLayerOfVersion1(&reader) : try decodeLayer(&reader)
    let masks = layer.hasMasks ? try decodeMasks(&reader, layer) : nil
    let start = reader.offset
    let count = try reader.count("blocks", limit: blockCount - found, size: 28)
    guard found + count <= blockCount else {
      throw reader.failure(.blockOrder, "more blocks than announced", at: start)
    }
    found += count
    layer.blocks.reserveCapacity(count)
    var places: [Int] = []
    for _ in 0..<count {
      places.append(reader.offset)
      layer.blocks.append(try decodeBlock(&reader, layer.coding.columnLayout, masks, array, version))
    }
    offsets.blocks.append(places)
    if let masks, masks != layer.masks {
      throw reader.failure(.indexTable, "masks name a line that no block has", at: start)
    }
    layers.append(layer)
  }
  guard found == blockCount else {
    throw reader.failure(.blockOrder, "\(blockCount) blocks announced, found \(found)", at: blockStart)
  }
  if version == 1, reader.remaining > 0 { try decodeSegmentsOfVersion1(&reader, &layers) }
  try reader.checkEnd()
  return layers
}

/// What is known after the last layer only.
func decodePlan(_ reader: inout SectionReader, _ layers: inout [Layer]) throws(Diagnostic) {
  let end = reader.offset + reader.remaining
  try reader.readParts(until: end, "plan") { (tag, reader, length) throws(Diagnostic) in
    guard tag == Tag.segments else { return false }
    let start = reader.offset
    guard length == 4 * layers.count else {
      throw reader.failure(.value, "\(length) bytes for the segments of \(layers.count) layers", at: start)
    }
    for index in layers.indices {
      let place = reader.offset
      let segment = try reader.u32()
      if let field = Layer.field("segment") { try reader.check(.int(Int64(segment)), of: field, at: place) }
      layers[index].segment = segment
    }
    guard layers.contains(where: { $0.segment > 0 }) else {
      throw reader.failure(.value, "a list of segments for one segment", at: start)
    }
    return true
  }
}

private func decodeLayer(_ reader: inout SectionReader) throws(Diagnostic) -> Layer {
  let name = try reader.string()
  let rows = try reader.u32()
  let columns = try reader.u32()
  let inputs = try decodeInputs(&reader)
  let dac = try reader.u8()
  let adc = try reader.u8()
  var layer = Layer(
    name: name, rows: rows, columns: columns, inputs: inputs,
    readout: Readout(dacBits: dac, adcBits: adc))
  try reader.readFields(into: &layer)
  return layer
}

/// Bits of the inputs and whether they are signed.
func decodeInputs(_ reader: inout SectionReader) throws(Diagnostic) -> InputCoding {
  let start = reader.offset
  let bits = try reader.u8()
  let place = reader.offset
  let signed = try reader.boolean(try reader.u8(), at: place)
  guard let coding = InputCoding(.integer(bits: bits, signed: signed)) else {
    throw reader.failure(
      .layer, "'inputs': \(bits) bits, expected \(FieldKind.inputs.name)", at: start)
  }
  return coding
}

/// The masks of a layer, of which the whole column layout must lie in it.
private func decodeMasks(_ reader: inout SectionReader, _ layer: Layer) throws(Diagnostic) -> SparsityMasks {
  let start = reader.offset
  guard layer.coding.columnLayout.allSatisfy({ $0.output < layer.columns }) else {
    throw reader.failure(
      .column, "the column layout names an output that the layer does not have", at: start)
  }
  let inputs = try decodeMask(&reader, layer.rows)
  let outputs = try decodeMask(&reader, layer.columns)
  return SparsityMasks(inputs: inputs, outputs: outputs, columnLayout: layer.coding.columnLayout)
}

private func decodeMask(_ reader: inout SectionReader, _ count: Int) throws(Diagnostic) -> [Bool] {
  let packed = try reader.raw(packedWordBytes(count, bits: 1))
  guard let bits: [UInt8] = unpackBits(packed, count: count, bits: 1) else {
    throw reader.failure(
      .padding, "bits after the last one of a mask are not zero", at: reader.offset - 4)
  }
  return bits.map { $0 == 1 }
}

private func decodeBlock(
  _ reader: inout SectionReader, _ layout: [ColumnEntry], _ masks: SparsityMasks?,
  _ array: ArrayDescription, _ version: Int
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
  var block = Block(
    rows: [], columns: [], units: units, placement: Placement(crossbar: crossbar, row: row, column: column))
  if version > 1 { try reader.readFields(into: &block) }
  if let masks {
    // Runs take no room in the file, so their lengths are checked before their lines are written out.
    guard rowCount <= array.rows, columnCount <= array.columns else {
      throw reader.failure(
        .blockBounds, "\(rowCount)x\(columnCount) cells in a crossbar of \(array.rows)x\(array.columns)",
        at: start)
    }
    guard (rowCode, columnCode, shiftBits) == (runCode, runCode, 0) else {
      throw reader.failure(
        .value, "a block with a map of its own in addition to the masks of its layer", at: start)
    }
    block.rows = try decodeRun(&reader, masks.usedInputs, rowCount).map { RowEntry(input: $0) }
    block.columns = try decodeRun(&reader, masks.usedColumns, columnCount)
    return block
  }
  try decodeRows(&reader, rowCode, rowCount, shiftBits: shiftBits, at: start, into: &block)
  block.columnIndex = try reader.indexCoding(columnCode, for: "column-index")
  if let index = block.columnIndex {
    block.columns = try decodeNumbers(&reader, index, columnCount, below: layout.count).map { layout[$0] }
  } else {
    block.columns = try reader.columnWords(columnCount)
  }
  return block
}

private func decodeRows(
  _ reader: inout SectionReader, _ code: Int, _ count: Int, shiftBits: Int, at start: Int,
  into block: inout Block
) throws(Diagnostic) {
  block.rowIndex = try reader.indexCoding(code, for: "row-index")
  guard shiftBits <= (block.rowIndex == nil ? 0 : 6) else {
    throw reader.failure(.value, "shift fields of \(shiftBits) bits", at: start + 3)
  }
  guard let index = block.rowIndex else {
    block.rows = try reader.rowWords(count)
    return
  }
  block.rows = try decodeNumbers(&reader, index, count, below: LayerLimits.side).map { RowEntry(input: $0) }
  try decodeShifts(&reader, shiftBits, &block.rows)
}

/// `count` neighbors of the `lines` in use, from a number on.
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

extension SectionReader {
  /// The coding of an index table of a kind, for the field `name` of a block; nil for a plain map.
  mutating func indexCoding(_ kind: Int, for name: String) throws(Diagnostic) -> IndexCoding? {
    let start = offset
    let coding = try indexCoding(kind)
    if let coding, let field = Block.field(name) { try check(.index(coding), of: field, at: start) }
    return coding
  }

  /// The coding of an index table of a kind, whose bits are not looked at; nil for a plain map.
  mutating func indexCoding(_ kind: Int) throws(Diagnostic) -> IndexCoding? {
    let start = offset
    guard kind <= 2 else { throw failure(.value, "an index table of kind \(kind)", at: start) }
    if kind == 0 { return nil }
    let word = try u32()
    let (bits, first) = (word >> 24, word & 0xFF_FFFF)
    return kind == 1 ? .absolute(bits: bits, first: first) : .delta(bits: bits, first: first)
  }

  /// A plain map of `count` wordlines.
  mutating func rowWords(_ count: Int) throws(Diagnostic) -> [RowEntry] {
    try words(count).map { RowEntry(input: Int($0 & 0xFF_FFFF), shift: Int($0 >> 24)) }
  }

  /// A plain map of `count` bitlines.
  mutating func columnWords(_ count: Int) throws(Diagnostic) -> [ColumnEntry] {
    try words(count).map {
      ColumnEntry(output: Int($0 & 0xFF_FFFF), shift: Int($0 >> 24 & 0x7F), negative: $0 >> 31 == 1)
    }
  }

  private mutating func words(_ count: Int) throws(Diagnostic) -> [UInt32] {
    let bytes = try raw(4 * count)
    return (0..<count).map {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
    }
  }
}
