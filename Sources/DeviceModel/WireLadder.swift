/// One wordline with its cells while all bitlines are held at 0 V: a ladder of segments in series and cells to ground.
///
/// Solved from the far end to the driver and back; every step adds and multiplies positive numbers, so that segments of
/// 0 ohms and open cells need no care and nothing cancels.
struct WireLadder {
  /// The voltage at each cell divided by that at the cell before; the first by the driver's.
  let steps: [Double]
  /// The voltage at each cell for 1 A that flows into the wordline there, the driver at 0 V: ohms to ground.
  let resistances: [Double]

  /// Wordline `row` of a network.
  init(_ network: WireNetwork, row: Int) {
    let first = row * network.columns
    var steps = [Double](repeating: 1, count: network.columns)
    // The conductance to ground of a cell and all that follows it.
    var behind = 0.0
    for j in (0..<network.columns).reversed() {
      behind += network.conductances[first + j]
      steps[j] = 1 / (1 + network.wordlines[first + j] * behind)
      behind *= steps[j]
    }
    var before = 0.0
    resistances = (0..<network.columns).map { j in
      before = network.wordlines[first + j] * steps[j] + steps[j] * steps[j] * before
      return before
    }
    self.steps = steps
  }

  /// The voltage at each cell for 1 V at the driver.
  var voltages: [Double] {
    var voltage = 1.0
    return steps.map { step in
      voltage *= step
      return voltage
    }
  }
}
