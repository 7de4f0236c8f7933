import DeviceModel
import Mapping
import Testing

/// The numbers of a device are those that ir-spec.md defines, to the bit.
@Suite struct SpecifiedRandomNumberTests {
  private func device(_ change: (inout Device) -> Void) -> Device {
    var device = Device.ideal
    device.cell.offResistance = 100_000
    change(&device)
    return device
  }

  @Test func wordsAndNormalsAreTheSpecifiedOnes() {
    let stream = RandomStream(seed: 0x1234_5678_9ABC_DEF0, trial: 3, .conversions, part: 17)
    let drawn = stream.draw(first: 40, 5, 6, 7, count: 500)
    for k in 0..<500 {
      let expected = SpecifiedDraw(
        seed: 0x1234_5678_9ABC_DEF0, trial: 3, purpose: 4, part: 17, [40 + k, 5, 6, 7])
      #expect(Array(drawn.words[4 * k..<4 * k + 4]) == expected.words)
      #expect(
        drawn.normals[4 * k..<4 * k + 4].map(\.bitPattern) == expected.normals.map(\.bitPattern),
        "counter \(40 + k)")
    }
  }

  @Test(arguments: Variation.Distribution.allCases, CellResistances.Spacing.allCases)
  func cellsAreTheSpecifiedOnes(distribution: Variation.Distribution, spacing: CellResistances.Spacing) {
    let device = device {
      $0.cell.spacing = spacing
      $0.variation.distribution = distribution
      ($0.variation.on, $0.variation.off) = (0.2, 0.45)
      ($0.drift.seconds, $0.drift.on, $0.drift.off, $0.drift.spread) = (1e4, 0.01, 0.05, 0.02)
      ($0.stuckCells.on, $0.stuckCells.off) = (0.1, 0.2)
    }
    let levels = (0..<1000).map { UInt8($0 * 7 % 4) }
    let found = CellProgrammer(device, levels: 4, seed: 9, trial: 2).conductances(levels, crossbar: 11)
    for (cell, level) in levels.enumerated() {
      let expected = specifiedConductance(
        device, levels: 4, Int(level), cell: cell, crossbar: 11, seed: 9, trial: 2)
      #expect(found[cell].bitPattern == expected.bitPattern, "cell \(cell)")
    }
  }

  @Test(arguments: [Sensing.References.fixed, .inputAware], [false, true])
  func codesAreTheSpecifiedOnes(references: Sensing.References, isPair: Bool) {
    let device = device {
      $0.sensing.references = references
      $0.sensing.referenceError = 0.05
      $0.readNoise.cell = 0.03
      ($0.converter.offset, $0.converter.gain, $0.converter.inl, $0.converter.noise) = (0.4, 0.1, 0.6, 0.3)
    }
    let converter = Converter(bits: 5, fullScale: 120)
    let errors = SenseErrors(device, seed: 5, trial: 1).converters(of: 3, count: 400)
    var codes: Set<Int> = []
    for k in 0..<400 {
      let draws = (0...1).map { SpecifiedDraw(seed: 77, trial: 0, purpose: 4, [k, $0]).normals }
      let reading = SpecifiedReading(
        current: 40 + 40 * draws[0][0], active: Float(k % 17), squares: abs(draws[0][1]) * 100, weight: 5,
        height: 16, isPair: isPair)
      let line = SenseLine(
        device, levels: 4, weight: isPair ? 1 : 5, height: 16, converter: converter, paired: isPair,
        errors: errors[k])
      let found = line.openCode(
        at: line.position(
          current: reading.current, active: reading.active, squares: reading.squares, noise: draws[1][0]))
      let expected = specifiedCode(
        device, levels: 4, reading, bits: 5, fullScale: 120,
        converter: SpecifiedDraw(seed: 5, trial: 1, purpose: 2, [k, 3]).normals, noise: draws[1][0])
      #expect(found == expected, "conversion \(k)")
      codes.insert(found)
    }
    #expect(codes.count > 15)
  }

  @Test func factorsOfBitlinesAreTheSpecifiedOnes() {
    let device = device { $0.sensing.clampError = 0.05 }
    let found = SenseErrors(device, seed: 6, trial: 4).clampFactors(of: 2, count: 50)
    for (bitline, factor) in found.enumerated() {
      let z = SpecifiedDraw(seed: 6, trial: 4, purpose: 3, [bitline, 2]).normals[0]
      #expect(factor.bitPattern == specifiedFactor(device, z).bitPattern)
    }
  }

  @Test func errorTablesAreTheSpecifiedOnes() {
    let device = device {
      ($0.variation.on, $0.variation.off) = (0.2, 0.4)
      $0.sensing.clampError = 0.01
      $0.readNoise.cell = 0.05
      ($0.converter.offset, $0.converter.noise) = (0.2, 0.1)
    }
    let shares = [5.0, 3, 0, 2]
    let found = ErrorTable(
      device, shares: shares, height: 3, converter: Converter(bits: 3), samples: 300, seed: 12)
    let expected = specifiedTable(device, shares: shares, height: 3, bits: 3, samples: 300, seed: 12)
    for (active, sums) in expected.enumerated() {
      for (sum, codes) in sums.enumerated() {
        let place = active * sums.count + sum
        let entries = found.entries[Int(found.starts[place])..<Int(found.starts[place + 1])]
        #expect(entries.map(\.bound) == codes.map(\.bound), "\(active) active, sum \(sum)")
        #expect(entries.map { Int($0.code) } == codes.map(\.code), "\(active) active, sum \(sum)")
      }
    }
  }
}
