import Tensors

extension Layer {
  /// The fields of a layer in the order of the text. Those that are not required are left out where they say
  /// nothing. A value out of range is never left out: whoever checks a layer must see it.
  public static let fields: [LayerField<Layer>] = [
    .int("rows", 1...LayerLimits.side, .record, required: true, "rows of the matrix: inputs") {
      $0.rows
    } set: {
      $0.rows = $1
    },
    .int("columns", 1...LayerLimits.side, .record, required: true, "columns of the matrix: outputs") {
      $0.columns
    } set: {
      $0.columns = $1
    },
    LayerField("inputs", .inputs, .record, required: true, "the type of the inputs") {
      .element($0.inputs.element)
    } set: { layer, value in
      if case .element(let element) = value, let coding = InputCoding(element) { layer.inputs = coding }
    },
    .int("weight-bits", LayerLimits.weightBits, .module, "bits of a weight, the sign included") {
      $0.weightBits == 0 ? nil : $0.weightBits
    } set: {
      $0.weightBits = $1
    },
    LayerField("weights", .tensor, .module, "the matrix, `[rows, columns]`") { _ in
      nil
    } set: { _, _ in
    },
    LayerField(
      "encoding", .word(SignCoding.allCases.map(\.rawValue)), .module, "how signed weights become levels"
    ) {
      $0.coding.signs.map { .word($0.rawValue) }
    } set: { layer, value in
      if case .word(let word) = value { layer.coding.signs = SignCoding(rawValue: word) }
    },
    .int("cell-bits", LayerLimits.cellBits, .module, "bits of a cell") {
      $0.coding.cellBits
    } set: {
      $0.coding.cellBits = $1
    },
    LayerField(
      "offset", .int(-LayerLimits.offset...LayerLimits.offset), .tagged(1),
      "what the cells hold in excess of every weight"
    ) {
      $0.coding.offset == 0 ? nil : .int($0.coding.offset)
    } set: { layer, value in
      if case .int(let number) = value { layer.coding.offset = number }
    },
    LayerField(
      "offsets", .ints(counts: 1...LayerLimits.side, -LayerLimits.offset...LayerLimits.offset), .tagged(7),
      since: 2,
      "what the cells of each output hold in excess of its weights, instead of one offset for all"
    ) {
      $0.coding.offsets.isEmpty ? nil : .ints($0.coding.offsets)
    } set: { layer, value in
      if case .ints(let numbers) = value { layer.coding.offsets = numbers }
    },
    LayerField(
      "column-layout", .columns, .tagged(2),
      "the column layout: the bitlines of the whole matrix, which column index tables number"
    ) {
      $0.coding.columnLayout.isEmpty ? nil : .columns($0.coding.columnLayout)
    } set: { layer, value in
      if case .columns(let columns) = value { layer.coding.columnLayout = columns }
    },
    .int("dac", LayerLimits.cellBits, .record, "bits of a digit, which a wordline driver presents at once") {
      $0.readout?.dacBits
    } set: {
      $0.set(\.dacBits, $1)
    },
    .int("adc", LayerLimits.adcBits, .record, "resolution of the converters, in bits") {
      $0.readout?.adcBits
    } set: {
      $0.set(\.adcBits, $1)
    },
    .int(
      "full-scale", Converter.fullScales, .tagged(3),
      "the largest sum that the converters are made for; the largest code where left out"
    ) {
      $0.readout?.fullScale
    } set: {
      $0.set(\.fullScale, $1)
    },
    .int(
      "bitlines-per-conversion", Composition.sizes, .tagged(4),
      "neighboring bitlines that are summed before one conversion; 1 where left out"
    ) {
      $0.bitlinesPerConversion == 1 ? nil : $0.bitlinesPerConversion
    } set: {
      $0.set(\.bitlinesPerConversion, $1)
    },
    LayerField(
      "masks", .flag, .tagged(5),
      "whether sparsity masks tell which inputs and outputs take part, instead of index tables"
    ) {
      $0.hasMasks ? .flag(true) : nil
    } set: { layer, value in
      if case .flag(let flag) = value { layer.hasMasks = flag }
    },
    LayerField(
      "fetch", .word(FetchOrder.allCases.map(\.rawValue)), .tagged(6),
      "when inputs come from memory; in no time where left out"
    ) {
      $0.fetch.map { .word($0.rawValue) }
    } set: { layer, value in
      if case .word(let word) = value { layer.fetch = FetchOrder(rawValue: word) }
    },
    .int("stage", 0...Int(Int32.max), .module, "when the layer runs") {
      $0.stage
    } set: {
      $0.stage = $1
    },
    .int(
      "segment", 0...Int(Int32.max), .plan, "the segment that it belongs to; 0 where left out"
    ) {
      $0.segment == 0 ? nil : $0.segment
    } set: {
      $0.segment = $1
    },
  ]

  /// The field of a name.
  public static func field(_ name: String) -> LayerField<Layer>? { fields.first { $0.name == name } }

  /// Changes the readout, which begins without bits where there is none yet.
  private mutating func set<Value>(_ path: WritableKeyPath<Readout, Value>, _ value: Value) {
    var changed = readout ?? Readout(dacBits: 0, adcBits: 0)
    changed[keyPath: path] = value
    readout = changed
  }
}

extension Block {
  /// The fields of a block in the order of the text. Those that are not required are left out where they say nothing.
  public static let fields: [LayerField<Block>] = [
    .int("crossbar", 0...LayerLimits.crossbars - 1, .record, "the crossbar") {
      $0.placement?.crossbar
    } set: {
      $0.set(\.crossbar, $1)
    },
    LayerField(
      "at", .ints(counts: 2...2, 0...Int64(LayerLimits.unitSide) - 1), .record,
      "first wordline and first bitline in the crossbar"
    ) {
      $0.placement.map { .ints([Int64($0.row), Int64($0.column)]) }
    } set: { block, value in
      guard case .ints(let numbers) = value, numbers.count == 2 else { return }
      block.set(\.row, Int(numbers[0]))
      block.set(\.column, Int(numbers[1]))
    },
    LayerField("rows", .rows, .record, required: true, "what drives each wordline, top down") {
      .rows($0.rows)
    } set: { block, value in
      if case .rows(let rows) = value { block.rows = rows }
    },
    LayerField("row-index", .index, .record, "how the inputs of the wordlines are stored") {
      $0.rowIndex.map { .index($0) }
    } set: { block, value in
      if case .index(let index) = value { block.rowIndex = index }
    },
    LayerField("columns", .columns, .record, required: true, "what each bitline adds to, left to right") {
      .columns($0.columns)
    } set: { block, value in
      if case .columns(let columns) = value { block.columns = columns }
    },
    LayerField(
      "column-index", .index, .record, "how the bitlines are stored, as numbers of the column layout"
    ) {
      $0.columnIndex.map { .index($0) }
    } set: { block, value in
      if case .index(let index) = value { block.columnIndex = index }
    },
    LayerField("units", .units, .record, "how operation units are formed") {
      $0.units.map { .units($0) }
    } set: { block, value in
      if case .units(let units) = value { block.units = units }
    },
    LayerField("cells", .tensor, .module, "levels, row-major") { _ in
      nil
    } set: { _, _ in
    },
  ]

  /// The field of a name.
  public static func field(_ name: String) -> LayerField<Block>? { fields.first { $0.name == name } }

  /// Changes the placement, which begins nowhere where there is none yet.
  private mutating func set(_ path: WritableKeyPath<Placement, Int>, _ value: Int) {
    var changed = placement ?? Placement(crossbar: -1, row: -1, column: -1)
    changed[keyPath: path] = value
    placement = changed
  }
}
