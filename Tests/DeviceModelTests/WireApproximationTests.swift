import DeviceModel
import Support
import Testing

@Suite struct WireApproximationTests {
  /// Crossbars of one line are ladders, and where one kind of wire is ideal, so is each line.
  @Test func isExactWhereOnlyOneKindOfWireResists() {
    let choices = [
      Wires(wordlineOhms: 3, driverOhms: 20), Wires(bitlineOhms: 3, senseOhms: 20), Wires(driverOhms: 50),
      Wires(senseOhms: 50),
    ]
    let sample = CellRange.twoDecades.sample(70, 45, seed: 1)
    for wires in choices {
      #expect(RelativeError(sample.approximate(wires), sample.exact(wires)).largest < 1e-10)
    }
  }

  /// Each block of a crossbar of up to 32x32 is a cell, open cells excepted.
  @Test(arguments: CellRange.allCases)
  func isExactUpToTheNumberOfBlocks(_ range: CellRange) {
    let wires = Wires(wordlineOhms: 5, bitlineOhms: 3, driverOhms: 100, senseOhms: 10)
    for (rows, columns) in [(32, 32), (1, 1), (7, 32), (30, 3)] {
      let sample = range.sample(rows, columns, seed: 2)
      #expect(RelativeError(sample.approximate(wires), sample.exact(wires)).largest < 1e-10)
    }
  }

  /// The errors that `docs/wires.md` states: random cells, drivers and sensing circuits with and without resistance.
  @Test(arguments: CellRange.allCases)
  func errorsStayInBounds(_ range: CellRange) {
    for (seed, ohms) in [0.1, 1, 5].enumerated() {
      for wires in [
        Wires(wordlineOhms: ohms, bitlineOhms: ohms),
        Wires(wordlineOhms: ohms, bitlineOhms: ohms / 2, driverOhms: 20 * ohms, senseOhms: 10 * ohms),
      ] {
        for (rows, columns) in [(64, 64), (128, 64), (50, 90)] {
          let error = WireAccuracy(range.sample(rows, columns, seed: seed), wires)
          // Errors of conductances and of sums where the wires leave half of the current, and where they leave less.
          let bounds = error.kept > 0.5 ? [0.04, 0.005, 0.008, 0.001] : [0.06, 0.01, 0.015, 0.002]
          #expect(zip(error.all, bounds).allSatisfy { $0 < $1 }, "\(rows)x\(columns), \(wires): \(error.all)")
        }
      }
    }
  }

  /// Where neighboring lines differ much, the errors are larger.
  @Test func errorsOfUnlikeLines() {
    let sample = WireSample.unlikeLines(96, 128, seed: 4)
    let error = WireAccuracy(sample, Wires(wordlineOhms: 1, bitlineOhms: 1))
    #expect(error.kept < 0.9)
    #expect(error.cells.mean < 0.02 && error.sums.largest < 0.05 && error.sums.mean < 0.002)
  }

  /// Lines without conductance disturb nothing, and pass only what others lend them.
  @Test func openLines() {
    let cells = CellRange.twoLevels.sample(80, 80, seed: 8)
    let sample = WireSample(80, 80) { i, j in i < 30 || j % 8 == 3 ? 0 : cells.cells[i * 80 + j] }
    let wires = Wires(wordlineOhms: 1, bitlineOhms: 1, driverOhms: 10, senseOhms: 10)
    let (exact, found) = (sample.exact(wires), sample.approximate(wires))
    for k in exact.indices where exact[k] == 0 { #expect(found[k] == 0) }
    #expect(exact.count { $0 == 0 } == 30 * 80 + 50 * 10)
    let used = exact.indices.filter { exact[$0] > 0 }
    #expect(RelativeError(used.map { found[$0] }, used.map { exact[$0] }).largest < 0.05)
  }

  /// The smaller the resistances, the better.
  @Test func errorsVanishWithTheWires() {
    let sample = CellRange.twoLevels.sample(64, 64, seed: 9)
    var last = 1.0
    for ohms in [3, 1, 0.3, 0.1, 0.03, 0.01] {
      let error = WireAccuracy(sample, Wires(wordlineOhms: ohms, bitlineOhms: ohms)).cells.largest
      #expect(error < last)
      last = error
    }
    #expect(last < 1e-5)
  }

  @Test func aLimitChoosesTheSolution() {
    let sample = CellRange.twoLevels.sample(50, 40, seed: 10)
    let wires = Wires(wordlineOhms: 2, bitlineOhms: 2)
    func choice(_ cells: Int) -> [Double] {
      var limited = wires
      limited.exactCells = Double(cells)
      return conductancesWithIRDrop(sample.cells, rows: 50, columns: 40, wires: limited)
    }
    #expect(choice(2000) == sample.exact(wires) && choice(1999) == sample.approximate(wires))
    #expect(
      conductancesWithIRDrop(sample.cells, rows: 50, columns: 40, wires: wires) == sample.exact(wires))
    #expect(sample.exact(wires) != sample.approximate(wires))
  }
}
