/// The effective conductances of a crossbar with IR drop, row-major in siemens.
///
/// `g` has the conductance of each cell, row-major in siemens, from 0 up. Undriven wordlines are held at 0 V by their
/// drivers and bitlines at 0 V by what senses them, so that the current of bitline `j` is `sum over i of T[i][j] V[i]`
/// for the voltages `V` of the drivers. The result is `T`, exact but for rounding; without resistances it is `g`.
///
/// Takes time `rows * columns * min(rows, columns)^2`.
public func effectiveConductances(_ g: [Double], rows: Int, columns: Int, wires: Wires) -> [Double] {
  precondition(g.count == rows * columns, "conductances differ from rows times columns")
  return wires.isIdeal ? g : transfer(WireNetwork(g, rows: rows, columns: columns, wires: wires))
}

/// The effective conductances of a network; see `effectiveConductances(_:rows:columns:wires:)`.
func transfer(_ network: WireNetwork) -> [Double] {
  guard network.rows < network.columns else { return eliminate(network) }
  return turn180AndTranspose(
    eliminate(network.turned), rows: network.columns, columns: network.rows)
}

/// Builds the crossbar up wordline by wordline from the top.
private func eliminate(_ network: WireNetwork) -> [Double] {
  var front = BitlineFront(columns: network.columns, rows: network.rows)
  for i in 0..<network.rows {
    front.addWordline(i, of: network)
    front.addSegments(network.bitlines[i * network.columns..<(i + 1) * network.columns])
  }
  return front.transfer
}

/// What the lower ends of all bitlines are to the rest of the crossbar, after some wordlines from the top: the Norton
/// equivalent `current = sum over i of F[i] V[i] - A voltage`, with a symmetric matrix `A` of conductances between the
/// ends and, for each driver, the currents `F[i]` that 1 V there drives out of ends at 0 V.
///
/// A wordline is in parallel to what is there: its conductances are added. A resistor `r` in series with end `k` takes
/// `r / (1 + r A[k][k])` times column `k` of `A` times row `k` from `A` and from `F` (Sherman and Morrison's formula
/// for the inverse of `A` plus `r` at (k, k)). Nothing is divided by a resistance, so that `r` may be 0.
private struct BitlineFront {
  private let columns: Int
  private let rows: Int
  /// Wordlines so far.
  private var driven = 0
  /// `A`, of which only the elements at and left of the diagonal are kept up.
  private var admittance: [Double]
  /// `F`, `rows` elements for each end.
  private var currents: [Double]

  /// Ends to which nothing is connected.
  init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
    admittance = [Double](repeating: 0, count: columns * columns)
    currents = [Double](repeating: 0, count: columns * rows)
  }

  /// `F` by drivers.
  var transfer: [Double] {
    (0..<rows).flatMap { i in (0..<columns).map { currents[$0 * rows + i] } }
  }

  /// Connects wordline `i`. From bitline `l` to `k`, `l` before `k`, its conductance is that of both cells times the
  /// voltage at `k` for 1 A at `l`.
  mutating func addWordline(_ i: Int, of network: WireNetwork) {
    let ladder = WireLadder(network, row: i)
    let cells = network.conductances[i * columns..<(i + 1) * columns]
    let reach = zip(cells, ladder.resistances).map { $0 * $1 }
    for (k, (cell, voltage)) in zip(cells, ladder.voltages).enumerated() {
      currents[k * rows + i] = cell * voltage
      admittance[k * columns + k] += cell * (1 - reach[k])
      var coupled = cell
      for l in (0..<k).reversed() {
        coupled *= ladder.steps[l + 1]
        admittance[k * columns + l] -= coupled * reach[l]
      }
    }
    driven = i + 1
  }

  /// Puts a resistor in series with each end.
  mutating func addSegments(_ ohms: ArraySlice<Double>) {
    for (k, r) in ohms.enumerated() where r > 0 { addResistor(r, at: k) }
  }

  private mutating func addResistor(_ r: Double, at k: Int) {
    let column = (0..<columns).map { admittance[max($0, k) * columns + min($0, k)] }
    let row = Array(currents[k * rows..<k * rows + driven])
    let part = r / (1 + r * column[k])
    let (ends, drivers) = (columns, rows)
    admittance.withUnsafeMutableBufferPointer { a in
      currents.withUnsafeMutableBufferPointer { f in
        for j in 0..<ends where column[j] != 0 {
          subtract(part * column[j], column, from: a, at: j * ends, count: j + 1)
          subtract(part * column[j], row, from: f, at: j * drivers, count: row.count)
        }
      }
    }
  }
}

/// Subtracts `factor` times the first `count` elements of `x` from `target`, from element `first` on.
private func subtract(
  _ factor: Double, _ x: [Double], from target: UnsafeMutableBufferPointer<Double>, at first: Int, count: Int
) {
  guard count > 0 else { return }
  x.withUnsafeBufferPointer { x in
    guard let from = x.baseAddress, let to = target.baseAddress else { return }
    let start = to + first
    for k in 0..<count { start[k] -= factor * from[k] }
  }
}
