public import Mapping
public import ProgramFormat

// Layers and blocks of programs written down field by field.

extension Layer {
  /// A layer of a program.
  public init(
    name: String, inputs: Int, outputs: Int, inputBits: Int, inputSigned: Bool, dacBits: Int, adcBits: Int,
    fullScale: Int? = nil, composed: Int = 1, offset: Int64 = 0, columnLayout: [ColumnEntry] = [],
    hasMasks: Bool = false, fetch: FetchOrder? = nil, segment: Int = 0, blocks: [Block]
  ) {
    self.init(
      name: name, rows: inputs, columns: outputs,
      inputs: inputSigned ? .twoPass(bits: inputBits) : .unsigned(bits: inputBits),
      readout: Readout(
        dacBits: dacBits, adcBits: adcBits, fullScale: fullScale, bitlinesPerConversion: composed),
      blocks: blocks)
    coding.offset = offset
    coding.columnLayout = columnLayout
    self.hasMasks = hasMasks
    self.fetch = fetch
    self.segment = segment
  }
}

extension Block {
  /// A block of a program.
  public init(
    crossbar: Int, row: Int, column: Int, rows: [RowEntry], columns: [ColumnEntry], units: UnitForming,
    rowIndex: IndexCoding? = nil, columnIndex: IndexCoding? = nil
  ) {
    self.init(
      rows: rows, columns: columns, units: units,
      placement: Placement(crossbar: crossbar, row: row, column: column), rowIndex: rowIndex,
      columnIndex: columnIndex)
  }
}

extension Program {
  /// The blocks of all layers, one after the other; each layer keeps as many as it has.
  public var blocks: [Block] {
    get { layers.flatMap(\.blocks) }
    set {
      var next = 0
      for index in layers.indices {
        let end = next + layers[index].blocks.count
        layers[index].blocks = Array(newValue[next..<end])
        next = end
      }
    }
  }
}
