/// A crossbar taken as wordlines whose bitlines are at 0 V, and as bitlines whose wordlines are at 0 V; row-major.
struct WireSeparation {
  /// Siemens of each cell times what its wordline lets through of the drive, times what its bitline lets through of the
  /// cell's current.
  let products: [Double]
  /// The volts that are lost along the wordline up to each cell, times those lost along the bitline: for 1 V at the
  /// lines' ends, and in the first order of the resistances, by the currents that `products` is made of.
  let drops: [Double]

  /// Separates the lines of a network.
  init(_ network: WireNetwork) {
    let wordlines = Drops(ofWordlines: network)
    let bitlines = Drops(ofWordlines: network.turned).turned(
      rows: network.columns, columns: network.rows)
    products = zip(network.conductances, zip(wordlines.voltages, bitlines.voltages)).map { g, parts in
      g * (parts.0 * parts.1)
    }
    drops = zip(wordlines.drops, bitlines.drops).map { $0 * $1 }
  }
}

/// Voltages along the wordlines of a network for 1 V at all drivers, all bitlines at 0 V.
private struct Drops {
  /// At each cell.
  let voltages: [Double]
  /// What the cells' currents cost on the way to each cell.
  let drops: [Double]

  init(ofWordlines network: WireNetwork) {
    voltages = (0..<network.rows).flatMap { WireLadder(network, row: $0).voltages }
    var drops = zip(network.conductances, voltages).map { $0 * $1 }
    for i in 0..<network.rows {
      let line = i * network.columns..<(i + 1) * network.columns
      // The current through each segment, and then the sum of the voltages across the segments before.
      for k in line.dropLast().reversed() { drops[k] += drops[k + 1] }
      for k in line { drops[k] *= network.wordlines[k] }
      for k in line.dropFirst() { drops[k] += drops[k - 1] }
    }
    self.drops = drops
  }

  private init(voltages: [Double], drops: [Double]) {
    self.voltages = voltages
    self.drops = drops
  }

  func turned(rows: Int, columns: Int) -> Drops {
    Drops(
      voltages: turn180AndTranspose(voltages, rows: rows, columns: columns),
      drops: turn180AndTranspose(drops, rows: rows, columns: columns))
  }
}
