/// Which lines of a matrix take part: a bit for each input and one for each output, the column and row sparsity vectors of
/// ReCom (DATE 2018; reference: section 5.2).
///
/// Blocks of a layer with such vectors need no index tables: their wordlines are driven by neighbours among the inputs in
/// use, unshifted, and their bitlines are neighbours among the natural bitlines of the outputs in use.
public struct SparsityVectors: Equatable, Sendable {
  /// Whether each input drives a wordline: the column sparsity vectors of all channels, one after the other.
  public let inputs: [Bool]
  /// Whether each output has bitlines: the row sparsity vector.
  public let outputs: [Bool]
  /// The inputs in use, ascending.
  public let usedInputs: [Int]
  /// The natural bitlines of outputs in use, in their order.
  public let usedBitlines: [ColumnEntry]

  /// Creates vectors for the natural `bitlines` of a matrix, whose outputs lie in `outputs`.
  public init(inputs: [Bool], outputs: [Bool], bitlines: [ColumnEntry]) {
    self.inputs = inputs
    self.outputs = outputs
    usedInputs = inputs.indices.filter { inputs[$0] }
    usedBitlines = bitlines.filter { outputs[$0.output] }
  }

  /// The vectors of blocks with these maps; lines must lie in the matrix.
  public init(
    inputs: Int, outputs: Int, bitlines: [ColumnEntry], blocks: [(rows: [RowEntry], columns: [ColumnEntry])]
  ) {
    var (isInput, isOutput) = (
      [Bool](repeating: false, count: inputs), [Bool](repeating: false, count: outputs)
    )
    for block in blocks {
      for row in block.rows { isInput[row.input] = true }
      for column in block.columns { isOutput[column.output] = true }
    }
    self.init(inputs: isInput, outputs: isOutput, bitlines: bitlines)
  }

  /// Bits of both vectors.
  public var bits: Int { inputs.count + outputs.count }
}

/// Finds where the lines of blocks stand among the lines in use.
public struct VectorRuns: Sendable {
  private let vectors: SparsityVectors
  private let places: [Int: Int]
  private let numbers: [ColumnEntry: Int]

  /// Prepares for `vectors`.
  public init(_ vectors: SparsityVectors) {
    self.vectors = vectors
    places = Dictionary(
      vectors.usedInputs.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    numbers = Dictionary(
      vectors.usedBitlines.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The number of the first of `rows` among the inputs in use; nil unless they are neighbours there, unshifted.
  public func start(of rows: [RowEntry]) -> Int? {
    guard let first = rows.first, let start = places[first.input],
      start + rows.count <= vectors.usedInputs.count
    else { return nil }
    let run = vectors.usedInputs[start..<start + rows.count]
    return zip(run, rows).allSatisfy { RowEntry(input: $0) == $1 } ? start : nil
  }

  /// The number of the first of `columns` among the bitlines in use; nil unless they are neighbours there.
  public func start(of columns: [ColumnEntry]) -> Int? {
    guard let first = columns.first, let start = numbers[first],
      start + columns.count <= vectors.usedBitlines.count
    else { return nil }
    return Array(vectors.usedBitlines[start..<start + columns.count]) == columns ? start : nil
  }
}
