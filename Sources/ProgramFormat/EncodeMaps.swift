import Mapping
import Support

func encodeMaps(_ program: Program) -> [UInt8] {
  var out = ByteWriter()
  let blocks = program.layers.reduce(0) { $0 + $1.blocks.count }
  out.put(bytes: encodeMapsHead(layers: program.layers.count, blocks: blocks))
  for layer in program.layers { encode(layer, into: &out) }
  return out.bytes
}

/// The start of the section of maps.
func encodeMapsHead(layers: Int, blocks: Int) -> [UInt8] {
  var out = ByteWriter()
  out.put32(layers)
  out.put32(blocks)
  return out.bytes
}

/// What is known after the last layer only: the segments, where there are several.
func encodePlan(_ program: Program) -> [UInt8] {
  var out = ByteWriter()
  guard program.segments > 1 else { return out.bytes }
  var segments = ByteWriter()
  for layer in program.layers { segments.put32(layer.segment) }
  out.put(tag: Tag.segments, content: segments.bytes)
  return out.bytes
}

/// Appends a layer with its blocks.
func encode(_ layer: Layer, into out: inout ByteWriter) {
  out.put(string: layer.name)
  out.put32(layer.rows)
  out.put32(layer.columns)
  out.put8(layer.inputs.bits)
  out.put8(layer.inputs.isSigned ? 1 : 0)
  out.put8(layer.dacBits)
  out.put8(layer.adcBits)
  out.put(fieldsOf: layer)
  let runs = layer.hasMasks ? encodeMasks(layer.masks, into: &out) : nil
  out.put32(layer.blocks.count)
  let numbering = ColumnNumbering(layer.coding.columnLayout)
  for block in layer.blocks { encode(block, numbering, runs, into: &out) }
}

private func encodeMasks(_ masks: SparsityMasks, into out: inout ByteWriter) -> MaskRuns {
  for mask in [masks.inputs, masks.outputs] {
    let size = packedWordBytes(mask.count, bits: 1)
    out.put(bytes: packBits(mask.map { $0 ? 1 : 0 }, bits: 1, size: size))
  }
  return MaskRuns(masks)
}

private func encode(
  _ block: Block, _ numbering: ColumnNumbering?, _ runs: MaskRuns?, into out: inout ByteWriter
) {
  let units = block.formedUnits
  out.put32(block.crossbar)
  out.put16(block.row)
  out.put16(block.column)
  out.put16(block.rows.count)
  out.put16(block.columns.count)
  out.put16(units.height)
  out.put16(units.width)
  out.put8(UnitForming.keywords.firstIndex(of: units.keyword) ?? 0)
  let shiftBits = block.rowIndex == nil ? 0 : bitWidth(of: block.rows.map(\.shift).max() ?? 0)
  let kinds =
    runs == nil ? [code(of: block.rowIndex), code(of: block.columnIndex), shiftBits] : [runCode, runCode, 0]
  for kind in kinds { out.put8(kind) }
  out.put(fieldsOf: block)
  if let runs {
    out.put32(runs.start(of: block.rows) ?? 0)
    out.put32(runs.start(of: block.columns) ?? 0)
    return
  }
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

func words(_ rows: [RowEntry]) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(4 * rows.count)
  for row in rows { append(row.input, row.shift, to: &bytes) }
  return bytes
}

func words(_ columns: [ColumnEntry]) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.reserveCapacity(4 * columns.count)
  for column in columns { append(column.output, column.shift | (column.negative ? 0x80 : 0), to: &bytes) }
  return bytes
}

private func append(_ low: Int, _ high: Int, to bytes: inout [UInt8]) {
  for part in [low, low >> 8, low >> 16, high] { bytes.append(UInt8(truncatingIfNeeded: part)) }
}
