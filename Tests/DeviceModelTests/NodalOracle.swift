import DeviceModel

/// The crossbar as a list of resistors between numbered nodes, solved as one dense system of Kirchhoff's current law.
/// Knows nothing of ladders and fronts; a resistor of 0 ohms makes two nodes one.
struct NodalOracle {
  private enum Node: Equatable {
    case free(Int)
    case driver(Int)
    case ground
  }

  private var resistors: [(a: Node, b: Node, siemens: Double)] = []
  private var wordlines: [Node] = []
  private var bitlines: [Node] = []
  private let sample: WireSample

  /// Effective conductances, row-major.
  private(set) var transfer: [Double] = []
  /// The largest current that is left at a node, by the largest current of a driver.
  private(set) var residual = 0.0

  init(_ sample: WireSample, _ wires: Wires) {
    self.sample = sample
    let (m, n) = (sample.rows, sample.columns)
    wordlines = [Node](repeating: .ground, count: m * n)
    bitlines = wordlines
    var count = 0
    func node(behind ohms: Double, of other: Node, _ resistors: inout [(a: Node, b: Node, siemens: Double)])
      -> Node
    {
      guard ohms > 0 else { return other }
      resistors.append((.free(count), other, 1 / ohms))
      count += 1
      return .free(count - 1)
    }
    for i in 0..<m {
      for j in 0..<n {
        let other = j == 0 ? .driver(i) : wordlines[i * n + j - 1]
        let ohms = wires.wordlineOhms + (j == 0 ? wires.driverOhms : 0)
        wordlines[i * n + j] = node(behind: ohms, of: other, &resistors)
      }
    }
    for i in (0..<m).reversed() {
      for j in 0..<n {
        let other = i == m - 1 ? .ground : bitlines[(i + 1) * n + j]
        let ohms = wires.bitlineOhms + (i == m - 1 ? wires.senseOhms : 0)
        bitlines[i * n + j] = node(behind: ohms, of: other, &resistors)
      }
    }
    for k in 0..<m * n { resistors.append((wordlines[k], bitlines[k], sample.cells[k])) }
    solve(count)
  }

  /// The conductances between free nodes, and for each driver the current that 1 V there brings to them.
  private func system(_ count: Int) -> [[Double]] {
    var rows = [[Double]](repeating: [Double](repeating: 0, count: count + sample.rows), count: count)
    for resistor in resistors {
      for (here, there) in [(resistor.a, resistor.b), (resistor.b, resistor.a)] {
        guard case .free(let k) = here else { continue }
        rows[k][k] += resistor.siemens
        if case .free(let other) = there { rows[k][other] -= resistor.siemens }
        if case .driver(let i) = there { rows[k][count + i] += resistor.siemens }
      }
    }
    return rows
  }

  private mutating func solve(_ count: Int) {
    let system = system(count)
    let voltages = solved(system)
    let (m, n) = (sample.rows, sample.columns)
    transfer = [Double](repeating: 0, count: m * n)
    for i in 0..<m {
      func volts(_ node: Node) -> Double {
        switch node {
        case .free(let k): voltages[k][i]
        case .driver(let other): other == i ? 1 : 0
        case .ground: 0
        }
      }
      for k in 0..<m * n {
        transfer[i * n + k % n] += sample.cells[k] * (volts(wordlines[k]) - volts(bitlines[k]))
      }
      for (k, row) in system.enumerated() {
        let left = (0..<count).reduce(-row[count + i]) { $0 + row[$1] * voltages[$1][i] }
        residual = max(residual, abs(left) / row[k])
      }
    }
  }

  /// Gauss's elimination with the largest pivot of each column.
  private func solved(_ system: [[Double]]) -> [[Double]] {
    var rows = system
    let count = rows.count
    for k in 0..<count {
      let pivot = (k..<count).max { abs(rows[$0][k]) < abs(rows[$1][k]) } ?? k
      rows.swapAt(k, pivot)
      for other in 0..<count where other != k && rows[other][k] != 0 {
        let factor = rows[other][k] / rows[k][k]
        for column in k..<rows[k].count { rows[other][column] -= factor * rows[k][column] }
      }
    }
    return rows.enumerated().map { k, row in row[count...].map { $0 / row[k] } }
  }
}
