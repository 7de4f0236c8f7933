public import Hardware
import Support

/// What can be wrong with a layer. The raw value is the end of a diagnostic's identifier, at every level.
public enum LayerFault: String, CaseIterable, Hashable, Sendable {
  /// A field is missing or out of its range, or fields do not go together.
  case layer
  /// A wordline's input or shift is out of range.
  case row
  /// A bitline's output or shift is out of range, bitlines are no groups that can be converted together, or the column
  /// layout names one twice.
  case column
  /// An index table's numbers do not ascend, leave the layer, or do not fit their fields; or masks and blocks differ.
  case indexTable = "index-table"
  /// An operation unit's size is out of range, divides bitlines of a conversion, or cannot be planned for.
  case unit
  /// A block has no wordline or no bitline, or does not fit into its crossbar.
  case blockBounds = "block-bounds"
  /// A block has other cells than its maps ask for.
  case cells
  /// The cells do not decode to the weights.
  case decode
  /// An output could reach a number that an accumulator cannot hold.
  case accumulatorRange = "accumulator-range"
}

/// Something wrong with a layer, or with one of its blocks.
public struct LayerProblem: Error, Equatable, Sendable {
  /// What kind of thing.
  public let fault: LayerFault
  /// What exactly.
  public let message: String
  /// The name of the field in question.
  public let field: String?
  /// The block's place in the layer; nil where it is the layer.
  public let block: Int?

  /// Creates a problem.
  public init(_ fault: LayerFault, _ message: String, field: String? = nil, block: Int? = nil) {
    self.fault = fault
    self.message = message
    self.field = field
    self.block = block
  }

  /// The message with the field that it is about.
  public var text: String { field.map { "'\($0)': \(message)" } ?? message }
}

/// The stage of a layer: what it must have there.
public enum LayerStage: Hashable, Sendable {
  /// In a module on its way: weights and, in blocks, cells; facets may be missing.
  case module
  /// In a program: converters, units and places, and no cells of its own.
  case program
}

extension Layer {
  /// What is wrong with the layer at `stage` on a machine, if anything: ir-spec.md, *Sound layers*. Without a
  /// machine, what depends on it is not checked.
  public func problem(at stage: LayerStage, on machine: Machine?) -> LayerProblem? {
    LayerCheck(layer: self, stage: stage, machine: machine).problem()
  }

  /// An output that conversions could take beyond an accumulator, if there is one; the layer is sound otherwise.
  public var accumulatorProblem: LayerProblem? {
    LayerCheck(layer: self, stage: .program, machine: nil).reachProblem()
  }
}

private struct LayerCheck {
  let layer: Layer
  let stage: LayerStage
  let machine: Machine?

  func problem() -> LayerProblem? {
    if let found = fieldProblem(layer, Layer.fields) ?? facetProblem() { return found }
    guard let numbering = ColumnNumbering(layer.coding.columnLayout) else {
      return LayerProblem(.column, "the column layout names a bitline twice", field: "column-layout")
    }
    for (place, block) in layer.blocks.enumerated() {
      if let found = problem(of: block, numbering) {
        return LayerProblem(found.fault, found.message, field: found.field, block: place)
      }
    }
    return maskProblem() ?? reachProblem()
  }

  /// A field whose value is none that it may take.
  private func fieldProblem<Owner>(_ owner: Owner, _ fields: [LayerField<Owner>]) -> LayerProblem? {
    for field in fields {
      guard let value = field.get(owner), let found = field.problem(of: value) else { continue }
      // A text that gives one of the two has 0 for the other, which it cannot spell.
      let isMissing = value == .int(0) && ["dac", "adc"].contains(field.name)
      return isMissing ? LayerProblem(found.fault, "is missing", field: field.name) : found
    }
    return nil
  }

  /// What must be there, and facets that do not go together.
  private func facetProblem() -> LayerProblem? {
    switch stage {
    case .module:
      if layer.weights == nil { return LayerProblem(.layer, "the layer has no weights", field: "weights") }
    case .program:
      if layer.readout == nil { return LayerProblem(.layer, "the layer has no converters", field: "adc") }
    }
    if let found = offsetProblem() { return found }
    guard layer.fetch != nil else { return nil }
    if let machine, machine.memory == nil {
      return LayerProblem(
        .layer, "inputs are fetched, but the machine \(machine.name) has no memories", field: "fetch")
    }
    return nil
  }

  private func offsetProblem() -> LayerProblem? {
    let (offsets, offset) = (layer.coding.offsets, layer.coding.offset)
    if offsets.isEmpty { return nil }
    if offset != 0 {
      return LayerProblem(
        .layer, "is given as well as 'offset', \(offset); a layer has one of the two", field: "offsets")
    }
    if offsets.count != layer.columns {
      return LayerProblem(.layer, "\(offsets.count) numbers for \(layer.columns) outputs", field: "offsets")
    }
    return nil
  }

  private func problem(of block: Block, _ numbering: ColumnNumbering) -> LayerProblem? {
    if let found = fieldProblem(block, Block.fields) { return found }
    guard !block.rows.isEmpty, !block.columns.isEmpty else {
      return LayerProblem(.blockBounds, "a block has no wordline or no bitline", field: "rows")
    }
    return mapProblem(of: block) ?? placeProblem(of: block) ?? indexProblem(of: block, numbering)
      ?? groupProblem(of: block)
  }

  private func mapProblem(of block: Block) -> LayerProblem? {
    let most = LayerLimits.shiftedBits - layer.inputs.magnitudeBits
    if let place = block.rows.firstIndex(where: { $0.input >= layer.rows || $0.shift > most }) {
      let row = block.rows[place]
      return LayerProblem(
        .row,
        "wordline \(place) is input \(row.input) << \(row.shift), there are \(layer.rows) inputs and shifts up to \(most)",
        field: "rows")
    }
    if let place = block.columns.firstIndex(where: { $0.output >= layer.columns }) {
      let column = block.columns[place]
      return LayerProblem(
        .column, "bitline \(place) adds to output \(column.output), there are \(layer.columns)",
        field: "columns")
    }
    let count = block.rows.count * block.columns.count
    switch stage {
    case .module where block.cells.count != count:
      return LayerProblem(.cells, "a block has \(block.cells.count) cells, expected \(count)", field: "cells")
    case .program where !block.cells.isEmpty:
      return LayerProblem(.cells, "the cells of a program lie in its crossbars", field: "cells")
    case .module, .program: return nil
    }
  }

  private func placeProblem(of block: Block) -> LayerProblem? {
    if stage == .program {
      if block.units == nil { return LayerProblem(.unit, "a block has no operation units", field: "units") }
      if block.placement == nil {
        return LayerProblem(.blockBounds, "a block has no place in a crossbar", field: "crossbar")
      }
    }
    if layer.fetch != nil, let units = block.units, !units.isFixed {
      return LayerProblem(.unit, "inputs are fetched for units that are formed at run time", field: "units")
    }
    guard let array = machine?.array else { return nil }
    if let place = block.placement,
      place.row < 0 || place.row + block.rows.count > array.rows || place.column < 0
        || place.column + block.columns.count > array.columns || place.crossbar < 0
    {
      return LayerProblem(
        .blockBounds,
        "\(block.rows.count)x\(block.columns.count) cells at (\(place.row), \(place.column)) of a crossbar of "
          + "\(array.rows)x\(array.columns)", field: "at")
    }
    if let units = block.units, units.height > array.rows || units.width > array.columns {
      return LayerProblem(
        .unit, "\(units) is larger than a crossbar of \(array.rows)x\(array.columns)", field: "units")
    }
    return nil
  }

  private func indexProblem(of block: Block, _ numbering: ColumnNumbering) -> LayerProblem? {
    if let index = block.rowIndex, index.fields(of: block.rows.map(\.input)) == nil {
      return LayerProblem(
        .indexTable, "the inputs of the wordlines are no ascending numbers that \(index) can hold",
        field: "row-index")
    }
    guard let index = block.columnIndex else { return nil }
    guard let numbers = numbering.numbers(of: block.columns), index.fields(of: numbers) != nil else {
      return LayerProblem(
        .indexTable, "the bitlines are no ascending numbers of the column layout that \(index) can hold",
        field: "column-index")
    }
    return nil
  }

  private func groupProblem(of block: Block) -> LayerProblem? {
    let size = layer.bitlinesPerConversion
    guard block.columns.areGroups(of: size) else {
      return LayerProblem(
        .column,
        "the bitlines are no groups of \(size) neighbors with one output, one sign and growing shifts",
        field: "columns")
    }
    if let units = block.units, units.width % size != 0 {
      return LayerProblem(.unit, "\(units) divides groups of \(size) bitlines", field: "units")
    }
    return nil
  }

  /// Columns of the layout lie in the matrix; blocks of a layer with masks are runs of its lines in use.
  private func maskProblem() -> LayerProblem? {
    if let column = layer.coding.columnLayout.first(where: { $0.output >= layer.columns }) {
      return LayerProblem(
        .column, "the column layout names output \(column.output), there are \(layer.columns)",
        field: "column-layout")
    }
    guard layer.hasMasks else { return nil }
    let runs = MaskRuns(layer.masks)
    for (place, block) in layer.blocks.enumerated() {
      if block.rowIndex != nil || block.columnIndex != nil {
        return LayerProblem(
          .indexTable, "a block has an index table in addition to the masks of its layer", field: "row-index",
          block: place)
      }
      if runs.start(of: block.rows) == nil {
        return LayerProblem(
          .indexTable, "the wordlines are no neighbors among the inputs in use, unshifted, as masks ask for",
          field: "rows", block: place)
      }
      if runs.start(of: block.columns) == nil {
        return LayerProblem(
          .indexTable, "the bitlines are no neighbors among those of the outputs in use, as masks ask for",
          field: "columns", block: place)
      }
    }
    return nil
  }

  // MARK: Accumulators

  private func power(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }

  /// The largest sums, over the largest inputs and cells that are all full, and over the largest results of converters.
  func reachProblem() -> LayerProblem? {
    let excess =
      layer.coding.largestExcess * Double(layer.rows) * power(layer.inputs.magnitudeBits)
    let limit = power(LayerLimits.accumulatorBits)
    let found =
      [reachOfCells(excess), reachOfConversions(excess)].lazy.compactMap { reach in
        reach?.firstIndex { $0 > limit }
      }.first
    let isExcess = excess > limit / 2
    let field = !isExcess ? "columns" : layer.coding.offsets.isEmpty ? "offset" : "offsets"
    return found.map {
      LayerProblem(
        .accumulatorRange, "output \($0) could exceed \(LayerLimits.accumulatorBits) bits", field: field)
    }
  }

  private func reachOfCells(_ excess: Double) -> [Double]? {
    guard stage == .module else { return nil }
    var reach = [Double](repeating: excess, count: layer.columns)
    let input = power(layer.inputs.magnitudeBits) * (power(layer.coding.cellBits ?? 8) - 1)
    for block in layer.blocks {
      let drive = block.rows.reduce(0) { $0 + power($1.shift) } * input
      for column in block.columns { reach[column.output] += drive * power(column.shift) }
    }
    return reach
  }

  private func reachOfConversions(_ excess: Double) -> [Double]? {
    guard let readout = layer.readout else { return nil }
    var reach = [Double](repeating: excess, count: layer.columns)
    let top = Double(1 << readout.adcBits) * Double(readout.converter.step)
    for block in layer.blocks {
      guard let units = block.units else { continue }
      let count = Double(ceilDivide(block.rows.count, units.height))
      let digits = power(layer.digits(of: block) * readout.dacBits)
      for first in stride(from: 0, to: block.columns.count, by: readout.bitlinesPerConversion) {
        let column = block.columns[first]
        reach[column.output] += count * top * digits * power(column.shift)
      }
    }
    return reach
  }
}
