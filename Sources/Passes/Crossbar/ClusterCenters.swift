/// Centers of clusters of binary columns: for each wordline the share of a cluster's columns that are nonzero on it.
///
/// The squared distance of a binary column from a center is its mean Hamming distance from the cluster's columns, less
/// a part that is the same for all columns. Centers rounded to bits would be empty where columns are sparse: hardly a
/// wordline is nonzero in half of a cluster.
struct ClusterCenters: Sendable {
  /// How many there are.
  let count: Int
  /// `[wordline][center]`.
  private var shares: [Float]
  /// The squared length of each center.
  private var squares: [Float]

  /// `count` centers that are 0 on all of `height` wordlines.
  init(height: Int, count: Int) {
    self.count = count
    shares = [Float](repeating: 0, count: height * count)
    squares = [Float](repeating: 0, count: count)
  }

  /// Moves `center` to the mean of `members`, at least one column.
  mutating func move(_ center: Int, to members: [Int], of columns: BitColumns) {
    for place in stride(from: center, to: shares.count, by: count) { shares[place] = 0 }
    let share = 1 / Float(members.count)
    for column in members { columns.forEachRow(of: column) { shares[$0 * count + center] += share } }
    squares[center] = 0
    for place in stride(from: center, to: shares.count, by: count) {
      squares[center] += shares[place] * shares[place]
    }
  }

  /// The center nearest to `column`, the first of equals.
  func nearest(_ column: Int, of columns: BitColumns) -> Int {
    // Squared distances, less the weight of the column.
    var distances = squares
    shares.withUnsafeBufferPointer { shares in
      distances.withUnsafeMutableBufferPointer { distances in
        columns.forEachRow(of: column) { row in
          for center in 0..<count { distances[center] -= 2 * shares[row * count + center] }
        }
      }
    }
    return distances.indices.reduce(0) { distances[$1] < distances[$0] ? $1 : $0 }
  }

  /// The squared distance of `column` from `center`.
  func distance(_ column: Int, of columns: BitColumns, to center: Int) -> Float {
    var distance = squares[center]
    columns.forEachRow(of: column) { distance += 1 - 2 * shares[$0 * count + center] }
    return distance
  }
}
