import DeviceModel
import Support
import Testing

/// All 16 choices of wires with and without resistance, the latter drawn from three decades.
private func allWires(_ random: inout SeededGenerator) -> [Wires] {
  (0..<16).map { choice in
    let ohms = (0..<4).map { bit in
      choice >> bit & 1 == 0 ? 0 : [0.1, 1, 10, 100][random.below(4)] * (1 + random.unit())
    }
    return Wires(wordlineOhms: ohms[0], bitlineOhms: ohms[1], driverOhms: ohms[2], senseOhms: ohms[3])
  }
}

/// A crossbar of up to 7x7 cells with conductances over three decades, some of them open.
private func smallSample(_ random: inout SeededGenerator) -> WireSample {
  let open = random.chance(0.5) ? 0.0 : 0.3
  return WireSample(random.inside(1...7), random.inside(1...7)) { _, _ in
    let decade = [1e-6, 1e-5, 1e-4][random.below(3)]
    return random.chance(open) ? 0 : decade * (1 + 9 * random.unit())
  }
}

@Suite struct WireNetworkTests {
  /// One cell is in series with all of its wires.
  @Test func oneCell() {
    let wires = Wires(wordlineOhms: 3, bitlineOhms: 5, driverOhms: 70, senseOhms: 110)
    let found = effectiveConductances([1e-3], rows: 1, columns: 1, wires: wires)
    #expect(RelativeError(found, [1 / (1000 + 3 + 5 + 70 + 110)]).largest < 1e-15)
    #expect(effectiveConductances([0], rows: 1, columns: 1, wires: wires) == [0])
  }

  /// Three cells of 10 ohms on a wordline of 1 ohm segments and a driver of 2 ohms. From the far end: 10; 1 + 10 beside
  /// 10 is 110/21; 1 + 110/21 beside 10 is 1310/341; 3 ohms before that.
  @Test func aWordlineByHand() {
    let wires = Wires(wordlineOhms: 1, driverOhms: 2)
    let first = (1310.0 / 341) / (3 + 1310.0 / 341)
    let second = first * (110.0 / 21) / (1 + 110.0 / 21)
    let expected = [first / 10, second / 10, second * 10 / 11 / 10]
    let found = effectiveConductances([0.1, 0.1, 0.1], rows: 1, columns: 3, wires: wires)
    #expect(RelativeError(found, expected).largest < 1e-15)
  }

  /// Two cells of 10 and 20 ohms on a bitline of 2 ohm segments and 3 ohms behind it. 1 V at the upper one meets
  /// 10 + 2 ohms, and then the lower cell's 20 beside 5; at the lower one 20, and then 12 beside 5.
  @Test func aBitlineByHand() {
    let wires = Wires(bitlineOhms: 2, senseOhms: 3)
    let expected = [1 / (12 + 4) * (4.0 / 5), 1 / (20 + 60.0 / 17) * (12.0 / 17)]
    let found = effectiveConductances([0.1, 0.05], rows: 2, columns: 1, wires: wires)
    #expect(RelativeError(found, expected).largest < 1e-15)
  }

  @Test func idealWiresLeaveCellsAsTheyAre() {
    let cells = CellRange.twoDecades.sample(9, 11, seed: 1).cells + [0, 0x1p-1060]
    #expect(effectiveConductances(cells, rows: 1, columns: cells.count, wires: .ideal) == cells)
    #expect(approximateConductances(cells, rows: 1, columns: cells.count, wires: .ideal) == cells)
    #expect(conductancesWithIRDrop(cells, rows: 1, columns: cells.count, wires: .ideal) == cells)
    #expect(Wires.ideal.isIdeal && Wires().isIdeal && !Wires(senseOhms: 1e-9).isIdeal)
  }

  @Test func emptyCrossbars() {
    let wires = Wires(wordlineOhms: 1, bitlineOhms: 1)
    #expect(effectiveConductances([], rows: 0, columns: 0, wires: wires) == [])
    #expect(effectiveConductances([], rows: 3, columns: 0, wires: wires) == [])
    #expect(approximateConductances([], rows: 0, columns: 3, wires: wires) == [])
    #expect(conductancesWithIRDrop([0, 0], rows: 1, columns: 2, wires: wires) == [0, 0])
    #expect(approximateConductances([0, 0], rows: 1, columns: 2, wires: wires) == [0, 0])
  }

  /// Kirchhoff's current law at every node, solved in another way, over all choices of wires without resistance.
  @Test func agreesWithNodalAnalysis() {
    var random = SeededGenerator(seed: 11)
    var worst = 0.0
    for _ in 0..<12 {
      let sample = smallSample(&random)
      for wires in allWires(&random) {
        let oracle = NodalOracle(sample, wires)
        #expect(oracle.residual < 1e-12)
        let (found, largest) = (sample.exact(wires), oracle.transfer.max() ?? 0)
        // An open cell passes a small current by way of others, or none.
        for (a, b) in zip(found, oracle.transfer) where a != b {
          worst = max(worst, abs(a - b) / max(abs(b), 1e-9 * largest))
        }
      }
    }
    #expect(worst < 1e-9)
  }

  /// Turned by 180 degrees and transposed, with drivers and sensing circuits exchanged, a network of resistors has the
  /// same currents. Squares are eliminated in another order then, so that the difference tells of rounding.
  @Test(arguments: [(5, 5), (3, 8), (8, 3), (1, 6), (24, 17), (40, 40), (128, 128)])
  func isReciprocal(_ rows: Int, _ columns: Int) {
    let sample = CellRange.twoDecades.sample(rows, columns, seed: 3)
    let wires = Wires(wordlineOhms: 2, bitlineOhms: 7, driverOhms: 30, senseOhms: 0.5)
    let back = Wires(wordlineOhms: 7, bitlineOhms: 2, driverOhms: 0.5, senseOhms: 30)
    func turned(_ x: [Double]) -> WireSample {
      WireSample(columns, rows) { i, j in x[(rows - 1 - j) * columns + columns - 1 - i] }
    }
    let found = turned(sample.cells).exact(back)
    #expect(RelativeError(found, turned(sample.exact(wires)).cells).largest < 1e-13)
  }

  /// A drive never gives more current than its cells would, and every resistance takes some from the whole.
  @Test func moreResistanceIsLessCurrent() {
    for range in CellRange.allCases {
      let sample = range.sample(20, 14, seed: 5)
      var current = sample.cells.reduce(0, +)
      for k in 1...12 {
        let wires = Wires(
          wordlineOhms: 0.3 * Double(k / 4), bitlineOhms: 0.2 * Double((k + 1) / 4),
          driverOhms: 5 * Double((k + 2) / 4), senseOhms: 3 * Double((k + 3) / 4))
        let found = sample.exact(wires)
        #expect(found.allSatisfy { $0 > 0 } && found.reduce(0, +) < current)
        current = found.reduce(0, +)
      }
    }
  }

  /// Small resistances change little, so that 0 is no special case.
  @Test func resistancesMayVanish() {
    let sample = CellRange.twoLevels.sample(12, 9, seed: 6)
    let some = sample.exact(Wires(wordlineOhms: 1, bitlineOhms: 2))
    let more = sample.exact(Wires(wordlineOhms: 1, bitlineOhms: 2, driverOhms: 1e-12, senseOhms: 1e-12))
    #expect(RelativeError(more, some).largest < 1e-13)
    let tiny = Wires(wordlineOhms: 1e-12, bitlineOhms: 1e-12)
    #expect(RelativeError(sample.exact(tiny), sample.cells).largest < 1e-12)
  }
}
