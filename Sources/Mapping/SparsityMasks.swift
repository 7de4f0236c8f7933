/// Which lines of a matrix take part: a bit for each input and one for each output, the column and row sparsity vectors
/// of ReCom (DATE 2018; reference: section 5.2).
///
/// Blocks of a layer with such masks need no index tables: their wordlines are driven by neighbors among the inputs in
/// use, unshifted, and their bitlines are neighbors among columns of the layout whose outputs are in use.
public struct SparsityMasks: Equatable, Sendable {
  /// Whether each input drives a wordline: the column sparsity vectors of all channels, one after the other.
  public let inputs: [Bool]
  /// Whether each output has bitlines: the row sparsity vector.
  public let outputs: [Bool]
  /// The inputs in use, ascending.
  public let usedInputs: [Int]
  /// The columns of the column layout whose outputs are in use, in their order.
  public let usedColumns: [ColumnEntry]

  /// Creates masks for the column layout of a matrix, whose outputs lie in `outputs`.
  public init(inputs: [Bool], outputs: [Bool], columnLayout: [ColumnEntry]) {
    self.inputs = inputs
    self.outputs = outputs
    usedInputs = inputs.indices.filter { inputs[$0] }
    usedColumns = columnLayout.filter { outputs[$0.output] }
  }

  /// The masks of blocks with these maps; lines must lie in the matrix.
  public init(
    inputs: Int, outputs: Int, columnLayout: [ColumnEntry],
    blocks: [(rows: [RowEntry], columns: [ColumnEntry])]
  ) {
    var (isInput, isOutput) = (
      [Bool](repeating: false, count: inputs), [Bool](repeating: false, count: outputs)
    )
    for block in blocks {
      for row in block.rows { isInput[row.input] = true }
      for column in block.columns { isOutput[column.output] = true }
    }
    self.init(inputs: isInput, outputs: isOutput, columnLayout: columnLayout)
  }

  /// Bits of both masks.
  public var bits: Int { inputs.count + outputs.count }
}

/// Finds the positions of block lines among the lines in use.
public struct MaskRuns: Sendable {
  private let masks: SparsityMasks
  private let places: [Int: Int]
  private let numbers: [ColumnEntry: Int]

  /// Prepares for `masks`.
  public init(_ masks: SparsityMasks) {
    self.masks = masks
    places = Dictionary(
      masks.usedInputs.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    numbers = Dictionary(
      masks.usedColumns.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The number of the first of `rows` among the inputs in use; nil unless they are neighbors there, unshifted.
  public func start(of rows: [RowEntry]) -> Int? {
    guard let first = rows.first, let start = places[first.input],
      start + rows.count <= masks.usedInputs.count
    else { return nil }
    let run = masks.usedInputs[start..<start + rows.count]
    return zip(run, rows).allSatisfy { RowEntry(input: $0) == $1 } ? start : nil
  }

  /// The number of the first of `columns` among the bitlines in use; nil unless they are neighbors there.
  public func start(of columns: [ColumnEntry]) -> Int? {
    guard let first = columns.first, let start = numbers[first],
      start + columns.count <= masks.usedColumns.count
    else { return nil }
    return Array(masks.usedColumns[start..<start + columns.count]) == columns ? start : nil
  }
}
