public import Tensors

/// An integer matrix `W[rows][columns]` with the blocks of cells that realize it: the one definition that the IR, the
/// passes, the program and the executor share.
///
/// A row is a wordline and an input, a column a bitline and an output. Facets that are not decided yet are nil; the
/// names of the passes that decide them are given with them. `Layer.fields` declares how each is written.
public struct Layer: Equatable, Sendable {
  /// The name: that of the ONNX node, followed by a number where a node becomes several layers.
  public var name: String
  /// Rows of the matrix: inputs.
  public var rows: Int
  /// Columns of the matrix: outputs.
  public var columns: Int
  /// How inputs come to the wordlines.
  public var inputs: InputCoding
  /// Bits of a weight, the sign included; 0 in a program, which holds cells alone.
  public var weightBits: Int
  /// The matrix, `[rows, columns]`; nil in a program.
  public var weights: Tensor?
  /// How weights become cells.
  public var coding = WeightCoding()
  /// How bitlines are read; nil before `form-units`.
  public var readout: Readout?
  /// Whether a bit for each input and each output tells which of them take part (`SparsityMasks`), so that blocks need
  /// no index tables.
  public var hasMasks = false
  /// When inputs come from memory; nil where that takes no time.
  public var fetch: FetchOrder?
  /// When the layer runs; nil before `schedule`, and in a program, whose instructions tell it.
  public var stage: Int?
  /// The segment of the network that it belongs to: segments are written to the crossbars and executed in turn.
  public var segment = 0
  /// Its blocks; none before `slice-bits`.
  public var blocks: [Block]

  /// Creates a layer.
  public init(
    name: String, rows: Int, columns: Int, inputs: InputCoding, weightBits: Int = 0, weights: Tensor? = nil,
    readout: Readout? = nil, blocks: [Block] = []
  ) {
    self.name = name
    self.rows = rows
    self.columns = columns
    self.inputs = inputs
    self.weightBits = weightBits
    self.weights = weights
    self.readout = readout
    self.blocks = blocks
  }
}

extension Layer {
  /// Which inputs and outputs a block has; all are within the matrix.
  public var masks: SparsityMasks {
    SparsityMasks(
      inputs: rows, outputs: columns, columnLayout: coding.columnLayout,
      blocks: blocks.map { ($0.rows, $0.columns) })
  }

  /// Input digits of a pass through `block`, for digits of `dacBits` bits.
  public func digits(of block: Block, dacBits: Int) -> Int {
    (inputs.magnitudeBits + (block.rows.map(\.shift).max() ?? 0) + dacBits - 1) / dacBits
  }

  /// The layer as a program has it: without weights and what only passes need, its cells left to the crossbars.
  public var programmed: Layer {
    var bare = self
    bare.weights = nil
    bare.weightBits = 0
    bare.coding.signs = nil
    bare.coding.cellBits = nil
    bare.stage = nil
    for index in bare.blocks.indices { bare.blocks[index].cells = [] }
    return bare
  }
}

/// A rectangle of cells inside one crossbar.
public struct Block: Equatable, Sendable {
  /// Where it lies; nil before `place-blocks`.
  public var placement: Placement?
  /// What drives each wordline, top down.
  public var rows: [RowEntry]
  /// How the inputs of the wordlines are stored; nil for a plain map.
  public var rowIndex: IndexCoding?
  /// What each bitline adds to, left to right.
  public var columns: [ColumnEntry]
  /// How the bitlines are stored, as numbers of the layer's column layout; nil for a plain map.
  public var columnIndex: IndexCoding?
  /// How operation units are formed; nil before `form-units`.
  public var units: UnitForming?
  /// Levels, row-major, `rows.count * columns.count`; empty in a program, whose crossbars hold them.
  public var cells: [UInt8]

  /// Creates a block.
  public init(
    rows: [RowEntry], columns: [ColumnEntry], cells: [UInt8] = [], units: UnitForming? = nil,
    placement: Placement? = nil, rowIndex: IndexCoding? = nil, columnIndex: IndexCoding? = nil
  ) {
    self.rows = rows
    self.columns = columns
    self.cells = cells
    self.units = units
    self.placement = placement
    self.rowIndex = rowIndex
    self.columnIndex = columnIndex
  }
}

/// Where a block lies.
public struct Placement: Hashable, Sendable {
  /// The crossbar.
  public var crossbar: Int
  /// The first wordline.
  public var row: Int
  /// The first bitline.
  public var column: Int

  /// Creates a place.
  public init(crossbar: Int, row: Int = 0, column: Int = 0) {
    self.crossbar = crossbar
    self.row = row
    self.column = column
  }
}

extension Block {
  /// Copies the cells into the image of a crossbar of `width` bitlines in which the block is placed.
  public func write(into image: inout [UInt8], width: Int) {
    guard let placement else { return }
    let count = columns.count
    image.withUnsafeMutableBufferPointer { image in
      cells.withUnsafeBufferPointer { cells in
        for row in rows.indices {
          let target = (placement.row + row) * width + placement.column
          for column in 0..<count { image[target + column] = cells[row * count + column] }
        }
      }
    }
  }
}

// What a valid program has of every layer and block; before passes have decided it, the smallest value is used.
extension Layer {
  /// Bits of a digit.
  public var dacBits: Int { readout?.dacBits ?? 1 }

  /// Resolution of the converters, in bits.
  public var adcBits: Int { readout?.adcBits ?? 1 }

  /// Neighboring bitlines of a conversion.
  public var bitlinesPerConversion: Int { readout?.bitlinesPerConversion ?? 1 }

  /// What a conversion does.
  public var converter: Converter { readout?.converter ?? Converter(bits: 1) }

  /// Input digits of a pass through `block`.
  public func digits(of block: Block) -> Int { digits(of: block, dacBits: dacBits) }
}

extension Block {
  /// The operation units.
  public var formedUnits: UnitForming { units ?? .fixed(height: 1, width: 1) }

  /// The crossbar.
  public var crossbar: Int { placement?.crossbar ?? 0 }

  /// The first wordline in the crossbar.
  public var row: Int { placement?.row ?? 0 }

  /// The first bitline in the crossbar.
  public var column: Int { placement?.column ?? 0 }
}
