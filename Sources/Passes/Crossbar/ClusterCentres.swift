/// Centres of clusters of binary columns: for each wordline the share of a cluster's columns that hold something on it.
///
/// The squared distance of a binary column from a centre is its mean Hamming distance from the cluster's columns, less a
/// part that is the same for all columns. Centres rounded to bits would be empty where columns are sparse: hardly a
/// wordline holds something in half of a cluster.
struct ClusterCentres: Sendable {
  /// How many there are.
  let count: Int
  /// `[wordline][centre]`.
  private var shares: [Float]
  /// The squared length of each centre.
  private var squares: [Float]

  /// `count` centres that are 0 on all of `height` wordlines.
  init(height: Int, count: Int) {
    self.count = count
    shares = [Float](repeating: 0, count: height * count)
    squares = [Float](repeating: 0, count: count)
  }

  /// Moves `centre` to the mean of `members`, at least one column.
  mutating func move(_ centre: Int, to members: [Int], of columns: BitColumns) {
    for place in stride(from: centre, to: shares.count, by: count) { shares[place] = 0 }
    let share = 1 / Float(members.count)
    for column in members { columns.forEachRow(of: column) { shares[$0 * count + centre] += share } }
    squares[centre] = 0
    for place in stride(from: centre, to: shares.count, by: count) {
      squares[centre] += shares[place] * shares[place]
    }
  }

  /// The centre nearest to `column`, the first of equals.
  func nearest(_ column: Int, of columns: BitColumns) -> Int {
    // Squared distances, less the weight of the column.
    var distances = squares
    shares.withUnsafeBufferPointer { shares in
      distances.withUnsafeMutableBufferPointer { distances in
        columns.forEachRow(of: column) { row in
          for centre in 0..<count { distances[centre] -= 2 * shares[row * count + centre] }
        }
      }
    }
    return distances.indices.reduce(0) { distances[$1] < distances[$0] ? $1 : $0 }
  }

  /// The squared distance of `column` from `centre`.
  func distance(_ column: Int, of columns: BitColumns, to centre: Int) -> Float {
    var distance = squares[centre]
    columns.forEachRow(of: column) { distance += 1 - 2 * shares[$0 * count + centre] }
    return distance
  }
}
