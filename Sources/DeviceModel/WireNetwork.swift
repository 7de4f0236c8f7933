/// Cells and wires of a crossbar, every segment with a resistance of its own. All arrays are row-major.
struct WireNetwork {
  /// Wordlines.
  let rows: Int
  /// Bitlines.
  let columns: Int
  /// Siemens of each cell, between its wordline and its bitline.
  let conductances: [Double]
  /// Ohms of the piece of wordline before each cell, the driver's included.
  let wordlines: [Double]
  /// Ohms of the piece of bitline after each cell, those of the sensing circuit included.
  let bitlines: [Double]

  /// A crossbar whose segments are alike.
  init(_ g: [Double], rows: Int, columns: Int, wires: Wires) {
    self.init(
      g, rows: rows, columns: columns,
      wordline: segments(columns, wires.wordlineOhms, end: wires.driverOhms),
      bitline: segments(rows, wires.bitlineOhms, end: wires.senseOhms).reversed())
  }

  /// A crossbar whose wordlines are alike and whose bitlines are alike: `wordline` has the ohms before each cell of a
  /// wordline, `bitline` the ohms after each cell of a bitline. Where `heights` and `widths` are given, wordline `i`
  /// is `heights[i]` wires side by side and bitline `j` is `widths[j]`.
  init(
    _ g: [Double], rows: Int, columns: Int, wordline: [Double], bitline: [Double],
    heights: [Double]? = nil, widths: [Double]? = nil
  ) {
    self.rows = rows
    self.columns = columns
    conductances = g
    wordlines = (0..<rows).flatMap { i in wordline.map { $0 / (heights?[i] ?? 1) } }
    bitlines = (0..<rows).flatMap { i in (0..<columns).map { bitline[i] / (widths?[$0] ?? 1) } }
  }

  private init(
    rows: Int, columns: Int, conductances: [Double], wordlines: [Double], bitlines: [Double]
  ) {
    self.rows = rows
    self.columns = columns
    self.conductances = conductances
    self.wordlines = wordlines
    self.bitlines = bitlines
  }

  /// The crossbar seen from the virtual grounds: bitlines become wordlines, the last one the first.
  ///
  /// A network of resistors is reciprocal: the current at bitline `j` for 1 V at wordline `i` is that at the driver of
  /// wordline `i` for 1 V at the end of bitline `j`. So this crossbar's effective conductances are those of the other
  /// one, turned in the same way.
  var turned: WireNetwork {
    func turn(_ x: [Double]) -> [Double] { turn180AndTranspose(x, rows: rows, columns: columns) }
    return WireNetwork(
      rows: columns, columns: rows, conductances: turn(conductances), wordlines: turn(bitlines),
      bitlines: turn(wordlines))
  }
}

/// The ohms before each of `count` cells, `end` before the first segment.
private func segments(_ count: Int, _ ohms: Double, end: Double) -> [Double] {
  (0..<count).map { $0 == 0 ? end + ohms : ohms }
}

/// Element (i, j) of a matrix goes to (columns - 1 - j, rows - 1 - i).
func turn180AndTranspose(_ x: [Double], rows: Int, columns: Int) -> [Double] {
  var result: [Double] = []
  result.reserveCapacity(x.count)
  for j in (0..<columns).reversed() {
    for i in (0..<rows).reversed() { result.append(x[i * columns + j]) }
  }
  return result
}
