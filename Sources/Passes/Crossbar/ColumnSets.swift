import Support

/// In which order columns go to sets.
enum ColumnOrder: String, OptionWord {
  /// Sets are clusters of columns that are nonzero on the same wordlines.
  case kmeans
  /// Sets grow from the densest column by the one that adds the fewest wordlines.
  case greedy
  /// Columns keep their order.
  case original

  static let formerWords: [String: ColumnOrder] = ["natural": .original]
}

/// Sets of columns that share crossbars, each with the nonzero wordlines in it (Lin et al., ASP-DAC 2019;
/// reference: section 4.2).
struct ColumnSets: Sendable {
  /// The columns of each set, ascending.
  var sets: [[Int]]
  /// Crossbars that the sets fill together.
  var crossbars: Int
  /// Wordlines in which columns differ from what most columns of their sets hold, together.
  var distance: Int

  /// Whether these need fewer crossbars than `other`, or as many with columns that are more alike.
  func isBetter(than other: ColumnSets) -> Bool {
    (crossbars, distance) < (other.crossbars, other.distance)
  }
}

/// How columns become sets.
struct ColumnSetting: Sendable {
  /// Columns of a set.
  var size: Int
  /// Wordlines of a crossbar.
  var height: Int
  /// Bitlines of a crossbar.
  var breadth: Int
  /// Crossbars that a set takes side by side: more than one only where a single column is wider than a crossbar.
  var width = 1
  /// The order.
  var order: ColumnOrder
  /// How often k-means starts anew.
  var restarts = 1
  /// Seed of the starts.
  var seed: UInt64 = 1

  /// The sets of all columns that are nonzero: in the wanted order, or in the original one where that takes as few
  /// crossbars.
  func sets(of columns: BitColumns) -> ColumnSets {
    let held = (0..<columns.count).filter { columns.weight($0) > 0 }
    let original = measured(cut(held), columns)
    guard original.sets.count > 1 else { return original }
    let chosen: ColumnSets
    switch order {
    case .original: return original
    case .greedy: chosen = measured(greedySets(held, columns), columns)
    case .kmeans: chosen = clusteredSets(held, columns)
    }
    return chosen.crossbars < original.crossbars ? chosen : original
  }

  private func cut(_ columns: [Int]) -> [[Int]] {
    stride(from: 0, to: columns.count, by: size).map { Array(columns[$0..<min($0 + size, columns.count)]) }
  }

  private func measured(_ sets: [[Int]], _ columns: BitColumns) -> ColumnSets {
    var result = ColumnSets(sets: sets.map { $0.sorted() }, crossbars: 0, distance: 0)
    var center = BitColumns(height: columns.height, count: 1)
    for set in sets {
      result.crossbars += width * ceilDivide(columns.rows(of: set).count, height)
      center.becomeMajority(of: set, in: columns, at: 0)
      for column in set { result.distance += columns.distance(column, to: 0, of: center) }
    }
    return result
  }

  // MARK: Greedy

  private func greedySets(_ held: [Int], _ columns: BitColumns) -> [[Int]] {
    let weights = held.map { (weight: columns.weight($0), column: $0) }
    var rest = weights.sorted { (-$0.weight, $0.column) < (-$1.weight, $1.column) }.map(\.column)
    var sets: [[Int]] = []
    while !rest.isEmpty {
      var set = [rest.removeFirst()]
      var union = BitColumns(height: columns.height, count: 1)
      union.merge(set[0], of: columns, into: 0)
      while set.count < size && !rest.isEmpty {
        let column = rest.remove(at: columns.leastGrowth(of: union, among: rest))
        union.merge(column, of: columns, into: 0)
        set.append(column)
      }
      sets.append(set)
    }
    return sets
  }

  // MARK: K-means

  private func clusteredSets(_ held: [Int], _ columns: BitColumns) -> ColumnSets {
    var seeds = SeededGenerator(seed: seed)
    var best: ColumnSets?
    for _ in 0..<restarts {
      var random = SeededGenerator(seed: seeds.next())
      let found = measured(clusteredSets(held, columns, &random), columns)
      if best.map(found.isBetter) ?? true { best = found }
    }
    return best ?? measured(cut(held), columns)
  }

  /// Algorithm 1: every round takes at least one set away, so it ends after as many rounds as there are sets, at most.
  private func clusteredSets(_ held: [Int], _ columns: BitColumns, _ random: inout SeededGenerator) -> [[Int]]
  {
    var rest = held
    var sets: [[Int]] = []
    while rest.count > size {
      let clusters = clusters(of: rest, columns, &random)
      var taken = clusters.members.indices.filter { clusters.members[$0].count >= size }.map {
        nearest(clusters.members[$0], to: $0, clusters.centers, columns)
      }
      if taken.isEmpty, let largest = clusters.largest {
        let others = Set(clusters.members[largest])
        let filling = nearest(
          rest.filter { !others.contains($0) }, to: largest, clusters.centers, columns)
        taken = [clusters.members[largest] + filling.prefix(size - clusters.members[largest].count)]
      }
      let gone = Set(taken.joined())
      rest.removeAll { gone.contains($0) }
      sets += taken
    }
    return rest.isEmpty ? sets : sets + [rest]
  }

  /// The `size` columns nearest to a center, the first of equals.
  private func nearest(_ members: [Int], to center: Int, _ centers: ClusterCenters, _ columns: BitColumns)
    -> [Int]
  {
    let distances = members.map { (distance: centers.distance($0, of: columns, to: center), column: $0) }
    return distances.sorted { ($0.distance, $0.column) < ($1.distance, $1.column) }.prefix(size).map(\.column)
  }

  private func clusters(of rest: [Int], _ columns: BitColumns, _ random: inout SeededGenerator) -> Clusters {
    let count = max(1, rest.count / size)
    var starts = rest
    for place in 0..<count { starts.swapAt(place, place + random.below(starts.count - place)) }
    var clusters = Clusters(members: [], centers: ClusterCenters(height: columns.height, count: count))
    for place in 0..<count { clusters.centers.move(place, to: [starts[place]], of: columns) }
    for _ in 0..<ColumnSetting.iterations {
      let members = clusters.assigned(rest, columns)
      if members == clusters.members { break }
      clusters.members = members
      for (place, members) in members.enumerated() where !members.isEmpty {
        clusters.centers.move(place, to: members, of: columns)
      }
    }
    return clusters
  }

  /// Steps of k-means, at most: a bound on its time.
  private static let iterations = 8
}

/// Columns around centers.
private struct Clusters {
  /// The columns of each cluster.
  var members: [[Int]]
  /// The center of each cluster.
  var centers: ClusterCenters

  /// The first cluster of the most columns.
  var largest: Int? { members.indices.max { (members[$0].count, $1) < (members[$1].count, $0) } }

  func assigned(_ rest: [Int], _ columns: BitColumns) -> [[Int]] {
    var members = [[Int]](repeating: [], count: centers.count)
    for column in rest { members[centers.nearest(column, of: columns)].append(column) }
    return members
  }
}

extension BitColumns {
  /// Makes `column` hold the nonzero wordlines in at least half of `members`.
  fileprivate mutating func becomeMajority(of members: [Int], in columns: BitColumns, at column: Int) {
    var counts = [Int](repeating: 0, count: columns.height)
    for member in members { columns.forEachRow(of: member) { counts[$0] += 1 } }
    clear(column)
    for (row, count) in counts.enumerated() where 2 * count >= members.count && count > 0 {
      insert(row: row, column: column)
    }
  }
}
