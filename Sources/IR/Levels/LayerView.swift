public import Hardware
public import Support
public import Tensors

/// How signed weights are written as cell levels, which are never negative.
public enum SignEncoding: String, Hashable, Sendable, CaseIterable {
  /// Magnitudes in cells; positive and negative weights in columns of their own that add or subtract.
  case differential
  /// A column for the sign bit that subtracts, and columns for the other bits.
  case twosComplement = "twos-complement"
  /// Weights plus `2^(weightBits - 1)`; the excess is subtracted digitally.
  case offset
}

/// A layer as plain values: an integer matrix `W[rows][columns]` and the blocks that realise it.
public struct LayerView: Equatable, Sendable {
  /// The symbol.
  public var name: String
  /// Rows of the matrix: inputs.
  public var rows: Int
  /// Columns of the matrix: outputs.
  public var columns: Int
  /// The type of the inputs.
  public var inputs: ElementType
  /// Bits of a weight, sign included; 0 at program level, where only cells are left.
  public var weightBits: Int
  /// The matrix, `[rows, columns]`; always there at crossbar level.
  public var weights: Tensor?
  /// How signs are encoded; nil before `slice-bits`.
  public var encoding: SignEncoding?
  /// Bits of a cell; nil before `slice-bits`.
  public var cellBits: Int?
  /// What the cells hold in excess of the weights.
  public var offset: Int64
  /// The bitlines that the whole matrix takes, in their natural order, before any is left out: what column index tables
  /// number. Empty before `slice-bits`.
  public var bitlines: [ColumnEntry]
  /// Bits that a wordline driver presents at once; nil before `form-units`.
  public var dacBits: Int?
  /// Resolution of the converters; nil before `form-units`.
  public var adcBits: Int?
  /// The largest sum that the converters are made for; nil for `2^adc - 1`.
  public var fullScale: Int?
  /// Neighbouring bitlines that are summed before one conversion; 1 where each has its own.
  public var composed: Int
  /// Whether the layer tells by a bit for each input and each output which of them take part (`SparsityVectors`), so that
  /// its blocks need no index tables.
  public var hasVectors: Bool
  /// When inputs come from memory; nil where that takes no time.
  public var fetch: FetchOrder?
  /// When the layer runs; nil before `schedule`.
  public var stage: Int?
  /// Which segment of the network it belongs to: segments are written to the crossbars and executed in turn.
  public var segment: Int
  /// Its blocks; none before `slice-bits`.
  public var blocks: [BlockView]

  /// Creates a layer without blocks.
  public init(name: String, rows: Int, columns: Int, inputs: ElementType, weightBits: Int, weights: Tensor?) {
    self.name = name
    self.rows = rows
    self.columns = columns
    self.inputs = inputs
    self.weightBits = weightBits
    self.weights = weights
    offset = 0
    composed = 1
    hasVectors = false
    segment = 0
    bitlines = []
    blocks = []
  }

  /// Bits of an input's magnitude: signed inputs run as a positive and a negative part.
  public var magnitudeBits: Int {
    guard case .integer(let bits, let signed) = inputs else { return 1 }
    return signed ? bits - 1 : bits
  }

  /// Which inputs and outputs stand in a block; all of them lie in the matrix.
  public var vectors: SparsityVectors {
    SparsityVectors(
      inputs: rows, outputs: columns, bitlines: bitlines, blocks: blocks.map { ($0.rows, $0.columns) })
  }

  /// Whether inputs are signed.
  public var hasSignedInputs: Bool {
    if case .integer(_, signed: true) = inputs { return true }
    return false
  }
}

/// A block as plain values: a rectangle of cells.
public struct BlockView: Equatable, Sendable {
  /// The crossbar; nil before `place-blocks`.
  public var crossbar: Int?
  /// First wordline and first bitline in the crossbar; nil before `place-blocks`.
  public var corner: [Int]?
  /// What drives each wordline.
  public var rows: [RowEntry]
  /// How the inputs of the wordlines are stored; nil for a plain list.
  public var rowIndex: IndexCoding?
  /// What each bitline adds to.
  public var columns: [ColumnEntry]
  /// How the numbers of the bitlines are stored; nil for a plain list.
  public var columnIndex: IndexCoding?
  /// How operation units are formed; nil before `form-units`.
  public var units: UnitForming?
  /// Cell levels, row-major, `rows.count * columns.count`; empty at program level, where crossbars hold them.
  public var cells: [UInt8]

  /// Creates a block.
  public init(rows: [RowEntry], columns: [ColumnEntry], cells: [UInt8]) {
    self.rows = rows
    self.columns = columns
    self.cells = cells
  }
}

extension Module {
  /// The layer that `id` spells; nil where an attribute does not fit.
  public func layer(_ id: OpID) -> LayerView? {
    let op = ops[id]
    guard op.opcode == .layer, let name = op.symbol, let rows = op["rows"]?.asInt,
      let columns = op["columns"]?.asInt, let inputs = ElementType(text: op[.inputs]),
      let bits = L.name == .program ? 0 : op["weight-bits"]?.asInt
    else { return nil }
    var weights: Tensor?
    if let attribute = op["weights"], bits > 0 {
      weights = tensor(attribute, element: .integer(bits: bits, signed: true), shape: [rows, columns])
      guard weights != nil else { return nil }
    }
    var layer = LayerView(
      name: name, rows: rows, columns: columns, inputs: inputs, weightBits: bits, weights: weights)
    layer.encoding = SignEncoding(rawValue: op[.encoding])
    layer.cellBits = op["cell-bits"]?.asInt
    layer.offset = op[.offset]
    if case .columns(let bitlines)? = op["bitlines"] { layer.bitlines = bitlines }
    layer.dacBits = op["dac"]?.asInt
    layer.adcBits = op["adc"]?.asInt
    layer.fullScale = op["full-scale"]?.asInt
    layer.composed = op["compose"]?.asInt ?? 1
    layer.hasVectors = op["vectors"] == .bool(true)
    layer.fetch = FetchOrder(rawValue: op[.fetch])
    layer.stage = op["stage"]?.asInt
    layer.segment = op["segment"]?.asInt ?? 0
    for inner in op.body {
      guard let block = block(inner, cellBits: layer.cellBits ?? 8) else { return nil }
      layer.blocks.append(block)
    }
    return layer
  }

  private func block(_ id: OpID, cellBits: Int) -> BlockView? {
    let op = ops[id]
    guard case .rows(let rows)? = op["rows"], case .columns(let columns)? = op["columns"] else { return nil }
    var cells: [UInt8] = []
    if let attribute = op["cells"] {
      let element = ElementType.integer(bits: cellBits, signed: false)
      guard let found = tensor(attribute, element: element, shape: [rows.count, columns.count]),
        case .u8(let levels) = found.data
      else { return nil }
      cells = levels
    }
    var block = BlockView(rows: rows, columns: columns, cells: cells)
    block.crossbar = op["crossbar"]?.asInt
    block.corner = op["at"]?.asInts?.map { Int($0) }
    if case .index(let index)? = op["row-index"] { block.rowIndex = index }
    if case .index(let index)? = op["column-index"] { block.columnIndex = index }
    if case .units(let units)? = op["units"] { block.units = units }
    return block
  }

  /// Spells `layer` as an operation with its blocks; cells become constants of the module.
  public mutating func spell(_ layer: LayerView, origin: NodeOrigin?) -> Op {
    var op = Op(.layer, symbol: layer.name, origin: origin)
    op["rows"] = .int(Int64(layer.rows))
    op["columns"] = .int(Int64(layer.columns))
    op["inputs"] = .element(layer.inputs)
    if layer.weightBits > 0 { op["weight-bits"] = .int(Int64(layer.weightBits)) }
    if let weights = layer.weights, layer.weightBits > 0 {
      let element = ElementType.integer(bits: layer.weightBits, signed: true)
      op["weights"] = constant(weights, element: element, name: "\(layer.name).weights")
    }
    if let encoding = layer.encoding { op["encoding"] = .word(encoding.rawValue) }
    if let bits = layer.cellBits { op["cell-bits"] = .int(Int64(bits)) }
    if layer.offset != 0 { op["offset"] = .int(layer.offset) }
    if !layer.bitlines.isEmpty { op["bitlines"] = .columns(layer.bitlines) }
    if let bits = layer.dacBits { op["dac"] = .int(Int64(bits)) }
    if let bits = layer.adcBits { op["adc"] = .int(Int64(bits)) }
    if let fullScale = layer.fullScale { op["full-scale"] = .int(Int64(fullScale)) }
    if layer.composed > 1 { op["compose"] = .int(Int64(layer.composed)) }
    if layer.hasVectors { op["vectors"] = .bool(true) }
    if let fetch = layer.fetch { op["fetch"] = .word(fetch.rawValue) }
    if let stage = layer.stage { op["stage"] = .int(Int64(stage)) }
    if layer.segment > 0 { op["segment"] = .int(Int64(layer.segment)) }
    op.body = layer.blocks.enumerated().map { number, block in
      add(spell(block, name: "\(layer.name).cells\(number)", cellBits: layer.cellBits ?? 8))
    }
    return op
  }

  private mutating func spell(_ block: BlockView, name: String, cellBits: Int) -> Op {
    var op = Op(.block)
    if let crossbar = block.crossbar { op["crossbar"] = .int(Int64(crossbar)) }
    if let corner = block.corner { op["at"] = .ints(corner) }
    op["rows"] = .rows(block.rows)
    if let index = block.rowIndex { op["row-index"] = .index(index) }
    op["columns"] = .columns(block.columns)
    if let index = block.columnIndex { op["column-index"] = .index(index) }
    if let units = block.units { op["units"] = .units(units) }
    if !block.cells.isEmpty {
      let cells = Tensor([block.rows.count, block.columns.count], .u8(block.cells))
      op["cells"] = constant(cells, element: .integer(bits: cellBits, signed: false), name: name)
    }
    return op
  }

  /// The layers in order, with the operations that spell them; layers that cannot be read are left out.
  public var layers: [(id: OpID, layer: LayerView)] {
    body.compactMap { id in
      ops[id].opcode == .layer ? layer(id).map { (id, $0) } : nil
    }
  }

  /// Replaces the operation `id` by `layer`, keeping its origin, and drops the constants that nothing uses now.
  public mutating func replaceLayers(_ layers: [(id: OpID, layer: LayerView)]) {
    // Old cells go first, so that the new ones can have their names.
    for (id, _) in layers { ops[id].body = [] }
    dropUnusedResources()
    for (id, layer) in layers { ops[id] = spell(layer, origin: ops[id].origin) }
    dropUnusedResources()
  }

  /// Removes the resources that no operation of the module names.
  public mutating func dropUnusedResources() {
    var used: Set<String> = []
    func collect(_ ids: [OpID]) {
      for id in ids {
        for attribute in ops[id].attributes {
          if case .resource(let name) = attribute.value { used.insert(name) }
        }
        collect(ops[id].body)
      }
    }
    collect(body)
    keepResources(used)
  }
}
