public import Hardware
import Support

extension Layer {
  /// Bits of an input's magnitude.
  public var magnitudeBits: Int { inputSigned ? inputBits - 1 : inputBits }

  /// Passes for an input: one, or one for the positive and one for the negative part.
  public var passes: Int { inputSigned ? 2 : 1 }

  /// What a conversion does; the layer is valid.
  public var converter: Converter { Converter(bits: adcBits, fullScale: fullScale) }

  /// Input digits of a pass through `block`.
  public func digits(of block: Block) -> Int {
    ceilDivide(magnitudeBits + (block.rows.map(\.shift).max() ?? 0), dacBits)
  }
}

func checkLayers(_ program: Program) throws(Issue) {
  guard program.layers.count <= ProgramLimits.layers else {
    throw Issue(.limit, "\(program.layers.count) layers, limit \(ProgramLimits.layers)", .layer(0))
  }
  guard program.blocks.count <= ProgramLimits.blocks else {
    throw Issue(.limit, "\(program.blocks.count) blocks, limit \(ProgramLimits.blocks)", .block(0))
  }
  var next = 0
  var (inputs, outputs) = (0, 0)
  for (index, layer) in program.layers.enumerated() {
    try checkLayer(layer, .layer(index))
    guard layer.fetch == nil || program.machine.memory != nil else {
      throw Issue(.layer, "fetches are planned, but the machine has no memories", .layer(index))
    }
    inputs += layer.inputs
    outputs += layer.outputs
    guard max(inputs, outputs) <= ProgramLimits.layerSides else {
      throw Issue(
        .limit, "layers have more than \(ProgramLimits.layerSides) inputs or outputs in all", .layer(index))
    }
    guard layer.blocks.lowerBound == next, layer.blocks.upperBound <= program.blocks.count else {
      throw Issue(
        .blockOrder,
        "blocks \(layer.blocks), expected to begin with block \(next) of \(program.blocks.count)",
        .layer(index))
    }
    next = layer.blocks.upperBound
  }
  guard next == program.blocks.count else {
    throw Issue(.blockOrder, "block \(next) belongs to no layer", .block(next))
  }
}

private func checkLayer(_ layer: Layer, _ subject: Subject) throws(Issue) {
  guard layer.name.utf8.count <= ProgramLimits.nameBytes else {
    throw Issue(.limit, "a name of \(layer.name.utf8.count) bytes, limit \(ProgramLimits.nameBytes)", subject)
  }
  let numbers = [
    ("inputs", layer.inputs, 1...ProgramLimits.layerSide),
    ("outputs", layer.outputs, 1...ProgramLimits.layerSide),
    ("input bits", layer.inputBits, (layer.inputSigned ? 2 : 1)...ProgramLimits.inputBits),
    ("DAC bits", layer.dacBits, 1...ProgramLimits.cellBits),
    ("ADC bits", layer.adcBits, 1...ProgramLimits.adcBits),
    ("full scale", layer.fullScale ?? 1, Converter.fullScales),
    ("composed bitlines", layer.composed, Composition.sizes),
  ]
  for (name, value, range) in numbers where !range.contains(value) {
    throw Issue(
      .layer, "\(name): \(value), expected \(range.lowerBound) ... \(range.upperBound)", subject)
  }
}

func checkBlocks(_ program: Program) throws(Issue) {
  for (number, layer) in program.layers.enumerated() {
    let numbering = try checkBitlines(layer, .layer(number))
    for index in layer.blocks {
      let block = program.blocks[index]
      try checkBlock(block, layer, program, .block(index))
      try checkIndexTables(block, numbering, .block(index))
    }
    if layer.hasVectors { try checkRuns(program, layer) }
    if layer.fetch != nil, let index = layer.blocks.first(where: { !program.blocks[$0].units.isFixed }) {
      throw Issue(.unit, "units formed at run time in a layer whose fetches are planned", .block(index))
    }
    try checkAccumulators(program, layer, .layer(number))
  }
  try checkOverlaps(program)
}

/// Natural bitlines lie in the layer and are distinct.
private func checkBitlines(_ layer: Layer, _ subject: Subject) throws(Issue) -> BitlineNumbering {
  for (number, bitline) in layer.bitlines.enumerated() {
    guard (0..<layer.outputs).contains(bitline.output),
      (0...ProgramLimits.columnShift).contains(bitline.shift)
    else {
      throw Issue(
        .column,
        "natural bitline \(number): output \(bitline.output) << \(bitline.shift) of \(layer.outputs)",
        subject)
    }
  }
  guard let numbering = BitlineNumbering(layer.bitlines) else {
    throw Issue(.column, "a natural bitline stands twice", subject)
  }
  return numbering
}

private func checkIndexTables(_ block: Block, _ numbering: BitlineNumbering, _ subject: Subject) throws(Issue)
{
  if let index = block.rowIndex {
    guard index.holds(block.rows.map(\.input)) else {
      throw Issue(.indexTable, "the inputs of the wordlines are no numbers of \(index)", subject)
    }
  }
  if let index = block.columnIndex {
    guard let numbers = numbering.numbers(of: block.columns), index.holds(numbers) else {
      throw Issue(.indexTable, "the bitlines are no numbers of \(index)", subject)
    }
  }
}

/// Blocks of a layer with bit vectors are runs of its lines in use and have no index tables.
private func checkRuns(_ program: Program, _ layer: Layer) throws(Issue) {
  let runs = VectorRuns(program.vectors(of: layer))
  for index in layer.blocks {
    let block = program.blocks[index]
    guard block.rowIndex == nil, block.columnIndex == nil, runs.start(of: block.rows) != nil,
      runs.start(of: block.columns) != nil
    else {
      throw Issue(
        .indexTable, "the lines are no neighbours among those in use by the bit vectors of the layer",
        .block(index))
    }
  }
}

extension SparsityVectors {
  /// Which inputs and outputs of `layer` stand in its `blocks`.
  init(of blocks: ArraySlice<Block>, in layer: Layer) {
    self.init(
      inputs: layer.inputs, outputs: layer.outputs, bitlines: layer.bitlines,
      blocks: blocks.map { ($0.rows, $0.columns) })
  }
}

extension Program {
  /// Which inputs and outputs of `layer` stand in its blocks; they lie in the layer.
  public func vectors(of layer: Layer) -> SparsityVectors {
    SparsityVectors(of: blocks[layer.blocks], in: layer)
  }
}

extension IndexCoding {
  /// Whether the binary can hold `numbers` so coded.
  fileprivate func holds(_ numbers: [Int]) -> Bool {
    1...24 ~= bits && 0..<ProgramLimits.bitlines ~= first && fields(of: numbers) != nil
  }
}

private func checkBlock(
  _ block: Block, _ layer: Layer, _ program: Program, _ subject: Subject
) throws(Issue) {
  guard program.crossbars.indices.contains(block.crossbar) else {
    throw Issue(.index, "there is no crossbar \(block.crossbar)", subject)
  }
  let array = program.machine.array
  guard block.row >= 0, block.column >= 0, !block.rows.isEmpty, !block.columns.isEmpty,
    block.row <= array.rows, block.rows.count <= array.rows - block.row,
    block.column <= array.columns, block.columns.count <= array.columns - block.column
  else {
    throw Issue(
      .blockBounds,
      "\(block.rows.count)x\(block.columns.count) cells at (\(block.row), \(block.column)) of a crossbar of "
        + "\(array.rows)x\(array.columns)", subject)
  }
  guard (1...array.rows).contains(block.units.height), (1...array.columns).contains(block.units.width) else {
    throw Issue(
      .unit, "operation units \(block.units) in a crossbar of \(array.rows)x\(array.columns)", subject)
  }
  let shifts = 0...(ProgramLimits.shiftedBits - layer.magnitudeBits)
  for (place, row) in block.rows.enumerated() {
    guard (0..<layer.inputs).contains(row.input), shifts.contains(row.shift) else {
      throw Issue(.row, "wordline \(place): input \(row.input) << \(row.shift) of \(layer.inputs)", subject)
    }
  }
  guard block.units.width % layer.composed == 0 else {
    throw Issue(.unit, "\(block.units) divides groups of \(layer.composed) bitlines", subject)
  }
  for (place, column) in block.columns.enumerated() {
    guard (0..<layer.outputs).contains(column.output), (0...ProgramLimits.columnShift).contains(column.shift)
    else {
      throw Issue(
        .column, "bitline \(place): output \(column.output) << \(column.shift) of \(layer.outputs)", subject)
    }
  }
  guard block.columns.areGroups(of: layer.composed) else {
    throw Issue(
      .column, "the bitlines are no groups of \(layer.composed) with one output, one sign and growing shifts",
      subject)
  }
}

/// Refuses a layer that could reach `2^accumulatorBits`: the sum over its conversions of the converter's largest result
/// for every unit and digit, and the offset correction.
private func checkAccumulators(_ program: Program, _ layer: Layer, _ subject: Subject) throws(Issue) {
  let input = Double(sign: .plus, exponent: layer.magnitudeBits, significand: 1)
  let correction = Double(layer.offset).magnitude * Double(layer.inputs) * input
  var reach = [Double](repeating: correction, count: layer.outputs)
  let top = Double(1 << layer.adcBits) * Double(layer.converter.step)
  for block in program.blocks[layer.blocks] {
    let units = Double(ceilDivide(block.rows.count, block.units.height))
    let digits = Double(sign: .plus, exponent: layer.digits(of: block) * layer.dacBits, significand: 1)
    for first in stride(from: 0, to: block.columns.count, by: layer.composed) {
      let column = block.columns[first]
      reach[column.output] +=
        units * top * digits * Double(sign: .plus, exponent: column.shift, significand: 1)
    }
  }
  let limit = Double(sign: .plus, exponent: ProgramLimits.accumulatorBits, significand: 1)
  if let output = reach.firstIndex(where: { $0 > limit }) {
    throw Issue(
      .accumulatorRange, "output \(output) could exceed \(ProgramLimits.accumulatorBits) bits", subject)
  }
}

/// Refuses two blocks that share a cell.
private func checkOverlaps(_ program: Program) throws(Issue) {
  var groups = [[Int]](repeating: [], count: program.crossbars.count)
  for (index, block) in program.blocks.enumerated() { groups[block.crossbar].append(index) }
  for group in groups where group.count > 1 {
    let overlap = group.count <= 16 ? pairwiseOverlap(group, program) : paintedOverlap(group, program)
    if let index = overlap {
      throw Issue(
        .blockOverlap, "shares cells of crossbar \(program.blocks[index].crossbar) with another block",
        .block(index))
    }
  }
}

private func pairwiseOverlap(_ group: [Int], _ program: Program) -> Int? {
  for (place, second) in group.enumerated() {
    let b = program.blocks[second]
    for first in group.prefix(place) {
      let a = program.blocks[first]
      if a.row < b.row + b.rows.count, b.row < a.row + a.rows.count,
        a.column < b.column + b.columns.count, b.column < a.column + a.columns.count
      {
        return second
      }
    }
  }
  return nil
}

/// Marks the cells of one block after the other; needs no more steps than the crossbar has cells.
private func paintedOverlap(_ group: [Int], _ program: Program) -> Int? {
  let columns = program.machine.array.columns
  var taken = [Bool](repeating: false, count: program.machine.array.rows * columns)
  for index in group {
    let block = program.blocks[index]
    for row in block.row..<block.row + block.rows.count {
      for cell in row * columns + block.column..<row * columns + block.column + block.columns.count {
        if taken[cell] { return index }
        taken[cell] = true
      }
    }
  }
  return nil
}
