import Support

/// A share of a matrix whose columns are put into sets for themselves.
struct ColumnPart: Sendable {
  /// The wordlines.
  var rows: Range<Int>
  /// The columns.
  var columns: Range<Int>
  /// The sets of these columns, numbered from the first of them.
  var sets: ColumnSets
}

/// The size of the shares that a matrix is cut into; the last ones are smaller.
struct ColumnSplit: Hashable, Sendable {
  /// Wordlines of a share.
  var rows: Int
  /// Columns of a share.
  var columns: Int

  /// The shares of a matrix of these sizes, top down, each row of them left to right.
  func shares(height: Int, count: Int) -> [(rows: Range<Int>, columns: Range<Int>)] {
    stride(from: 0, to: height, by: rows).flatMap { top in
      stride(from: 0, to: count, by: columns).map { left in
        (top..<min(top + rows, height), left..<min(left + columns, count))
      }
    }
  }
}

/// How a matrix is cut into shares.
enum SplitChoice: Sendable {
  /// Into shares of this size.
  case given(ColumnSplit)
  /// As took the fewest crossbars on random matrices as tall and as dense, by a table.
  case measured
  /// As takes the fewest crossbars on some shares of the matrix itself.
  case searched
}

extension ColumnSetting {
  /// The sets of every share of `matrix`, cut as `choice` says, and never more crossbars than the original order takes
  /// without a cut, or with the given one. The result does not depend on `threads`.
  func parts(of matrix: BitColumns, _ choice: SplitChoice, threads: Int) throws(Diagnostic) -> [ColumnPart] {
    var whole = ColumnSplit(rows: max(1, matrix.height), columns: max(1, matrix.count))
    if case .given(let split) = choice { whole = split }
    var inOrder = self
    inOrder.order = .original
    let original = try inOrder.parts(of: matrix, cutBy: whole, threads: threads)
    guard order != .original else { return original }
    let split = try split(of: matrix, choice, threads: threads)
    let chosen = try parts(of: matrix, cutBy: split, threads: threads)
    return chosen.crossbars < original.crossbars ? chosen : original
  }

  private func split(of matrix: BitColumns, _ choice: SplitChoice, threads: Int) throws(Diagnostic)
    -> ColumnSplit
  {
    switch choice {
    case .given(let split): return split
    case .searched: return try bestSplit(of: matrix, threads: threads)
    case .measured:
      let rows = SplitTable.measured(order).rows(for: matrix, in: self)
      return ColumnSplit(rows: rows, columns: sharedColumns(of: matrix))
    }
  }

  private func parts(of matrix: BitColumns, cutBy split: ColumnSplit, threads: Int) throws(Diagnostic)
    -> [ColumnPart]
  {
    let shares = split.shares(height: matrix.height, count: matrix.count)
    return try parallelMap(shares.count, threads: threads) { number throws(Diagnostic) in
      part(shares[number], of: matrix, number)
    }
  }

  private func part(_ share: (rows: Range<Int>, columns: Range<Int>), of matrix: BitColumns, _ number: Int)
    -> ColumnPart
  {
    var setting = self
    setting.seed = seed &+ UInt64(number)
    return ColumnPart(
      rows: share.rows, columns: share.columns,
      sets: setting.sets(of: matrix.part(rows: share.rows, columns: share.columns)))
  }

  // MARK: The choice of a cut

  /// Of the candidates the one whose shares take the fewest crossbars, by up to four of them and a single start of
  /// k-means; the larger one of equals.
  func bestSplit(of matrix: BitColumns, threads: Int) throws(Diagnostic) -> ColumnSplit {
    let candidates = candidates(matrix)
    guard candidates.count > 1 else { return candidates[0] }
    var trial = self
    trial.restarts = 1
    var tries: [(split: Int, share: (rows: Range<Int>, columns: Range<Int>))] = []
    for (number, split) in candidates.enumerated() {
      let shares = split.shares(height: matrix.height, count: matrix.count)
      let taken = min(ColumnSetting.triedShares, shares.count)
      tries += (0..<taken).map { (number, shares[$0 * shares.count / taken]) }
    }
    let crossbars = try parallelMap(tries.count, threads: threads) {
      [trial, tries] number throws(Diagnostic) in
      trial.part(tries[number].share, of: matrix, number).sets.crossbars
    }
    // Crossbars for each place of the matrix that was tried.
    var (used, places) = (
      [Int](repeating: 0, count: candidates.count), [Int](repeating: 0, count: candidates.count)
    )
    for (attempt, crossbars) in zip(tries, crossbars) {
      used[attempt.split] += crossbars
      places[attempt.split] += attempt.share.rows.count * attempt.share.columns.count
    }
    let cost = candidates.indices.map { Double(used[$0]) / Double(max(1, places[$0])) }
    return candidates[candidates.indices.reduce(0) { cost[$1] < cost[$0] ? $1 : $0 }]
  }

  private static let triedShares = 4

  /// Cuts of 1 to 32 crossbars' wordlines, the largest first (reference: section 4.2).
  private func candidates(_ matrix: BitColumns) -> [ColumnSplit] {
    let rows = [32, 24, 16, 12, 8, 6, 4, 3, 2, 1].map { $0 * height }.filter { $0 < matrix.height }
    let whole = matrix.height <= 32 * height ? [max(1, matrix.height)] : []
    return (whole + rows).map { ColumnSplit(rows: $0, columns: sharedColumns(of: matrix)) }
  }

  /// Columns of a share: more of them to choose from were never seen to cost crossbars, so all are taken, but for
  /// k-means, whose time grows with their square, only as many as 32 crossbars have bitlines.
  private func sharedColumns(of matrix: BitColumns) -> Int {
    max(1, min(matrix.count, order == .kmeans ? 32 * breadth : matrix.count))
  }
}

extension [ColumnPart] {
  /// Crossbars of all sets.
  var crossbars: Int { reduce(0) { $0 + $1.sets.crossbars } }
  /// The number of sets.
  var setCount: Int { reduce(0) { $0 + $1.sets.sets.count } }
}
