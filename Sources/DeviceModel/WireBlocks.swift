import Glibc

/// A crossbar drawn together to few blocks of cells. The wordlines of a block are side by side, and so are its
/// bitlines; its cells sit in its middle.
struct WireBlocks {
  /// The most blocks in a direction. Half as many make errors hardly larger; the crossbar of these solves in a
  /// millisecond.
  static let most = 32

  /// How wordlines fall into blocks.
  let rows: LineBlocks
  /// How bitlines fall into blocks.
  let columns: LineBlocks
  /// For each block, row-major, the siemens of a cell that come on top of `WireSeparation.products`, divided by
  /// `WireSeparation.drops`.
  private let couplings: [Double]

  /// By how much the current that remains after IR drop is the exponent of the spread of lines in a block. Fitted to
  /// exact solutions: of 0, 0.5, 1, 1.5 and 2 it leaves the least errors where lines are unlike; where they are alike,
  /// all do nearly as well (`WireMeasurements` in the tests).
  static let fittedExponent = 1.0

  /// Draws a crossbar of some conductance together and solves it.
  ///
  /// The lines of a block are alike, but the coupling grows with the squares of their conductances. Hence the factor:
  /// the mean square of the lines in a block by the square of their mean, to the power of `exponent` times the part of
  /// the current that remains after IR drop. A line that carries much loses much, and where little is left, all carry
  /// alike.
  init(_ g: [Double], rows: Int, columns: Int, wires: Wires, exponent: Double) {
    let (down, across) = (LineBlocks(rows, most: Self.most), LineBlocks(columns, most: Self.most))
    let network = drawnTogether(blockSums(g, down, across), down, across, wires)
    let exact = transfer(network)
    let separate = WireSeparation(network)
    let kept = exact.reduce(0, +) / network.conductances.reduce(0, +)
    let factor = pow(spread(g, down, across), exponent * kept)
    couplings = exact.indices.map { k in
      let weight = Double(down.sizes[k / across.count] * across.sizes[k % across.count]) * separate.drops[k]
      return weight > 0 ? factor * (exact[k] - separate.products[k]) / weight : 0
    }
    self.rows = down
    self.columns = across
  }

  /// The coupling of one block.
  func coupling(_ row: Int, _ column: Int) -> Double { couplings[row * columns.count + column] }
}

/// The conductance of each block; an open block gets a millionth of their mean, so that it has lines to interpolate
/// from.
private func blockSums(_ g: [Double], _ down: LineBlocks, _ across: LineBlocks) -> [Double] {
  var sums = [Double](repeating: 0, count: down.count * across.count)
  let columns = across.block.count
  for (i, row) in down.block.enumerated() {
    for (j, column) in across.block.enumerated() { sums[row * across.count + column] += g[i * columns + j] }
  }
  let least = 1e-6 * sums.reduce(0, +) / Double(sums.count)
  return sums.map { max($0, least) }
}

/// The crossbar of blocks: its segments lead from middle to middle.
private func drawnTogether(_ g: [Double], _ down: LineBlocks, _ across: LineBlocks, _ wires: Wires)
  -> WireNetwork
{
  // Places of cells count from 1 at the driver and from the ground.
  let places = across.middles.map { $0 + 1 }
  let wordline = zip(places, [0] + places).enumerated().map { k, place in
    wires.wordlineOhms * (place.0 - place.1) + (k == 0 ? wires.driverOhms : 0)
  }
  let heights = down.middles.map { Double(down.block.count) - $0 }
  let bitline = zip(heights, heights.dropFirst() + [0]).enumerated().map { k, place in
    wires.bitlineOhms * (place.0 - place.1) + (k == down.count - 1 ? wires.senseOhms : 0)
  }
  return WireNetwork(
    g, rows: down.count, columns: across.count, wordline: wordline, bitline: bitline,
    heights: down.sizes.map(Double.init), widths: across.sizes.map(Double.init))
}

/// The mean square of the lines in a block by the square of their mean, over all blocks, for rows times that for
/// columns.
private func spread(_ g: [Double], _ down: LineBlocks, _ across: LineBlocks) -> Double {
  var (rows, columns) = (
    [Double](repeating: 0, count: down.block.count), [Double](repeating: 0, count: across.block.count)
  )
  for i in rows.indices {
    for j in columns.indices {
      rows[i] += g[i * columns.count + j]
      columns[j] += g[i * columns.count + j]
    }
  }
  return down.spread(of: rows) * across.spread(of: columns)
}

/// Neighboring lines in blocks of equal size, or of two sizes that differ by 1.
struct LineBlocks {
  /// The block of each line.
  let block: [Int]
  /// The number of lines in each block.
  let sizes: [Int]
  /// The mean number of the lines in each block.
  let middles: [Double]

  /// Puts `count` lines, 1 or more, into at most `most` blocks.
  init(_ count: Int, most: Int) {
    let blocks = min(count, most)
    let edges = (0...blocks).map { count * $0 / blocks }
    let ranges = zip(edges, edges.dropFirst()).map { $0..<$1 }
    block = ranges.enumerated().flatMap { number, lines in lines.map { _ in number } }
    sizes = ranges.map(\.count)
    middles = ranges.map { Double($0.lowerBound + $0.upperBound - 1) / 2 }
  }

  /// The number of blocks.
  var count: Int { sizes.count }

  /// For each line, a block and the next one between whose middles it is, and the part of the way to the next; lines
  /// before the first middle or after the last one have a part below 0 or above 1.
  var neighbors: [(block: Int, next: Int, part: Double)] {
    guard count > 1 else { return block.map { _ in (0, 0, 0) } }
    return block.enumerated().map { line, number in
      let before = Double(line) < middles[number] ? number - 1 : number
      let first = min(max(before, 0), count - 2)
      return (first, first + 1, (Double(line) - middles[first]) / (middles[first + 1] - middles[first]))
    }
  }

  /// The mean square of `values`, one for each line, by the square of their mean in the block; 1 where all are 0.
  func spread(of values: [Double]) -> Double {
    var sums = [Double](repeating: 0, count: count)
    var squares = sums
    for (value, number) in zip(values, block) {
      sums[number] += value
      squares[number] += value * value * Double(sizes[number])
    }
    let whole = sums.reduce(0) { $0 + $1 * $1 }
    return whole > 0 ? squares.reduce(0, +) / whole : 1
  }
}
