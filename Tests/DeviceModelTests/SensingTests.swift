import DeviceModel
import Hardware
import Mapping
import Support
import Testing

/// A line without errors, for a device with the on/off ratio `ratio`.
private func senseLine(
  ratio: Double?, _ references: Sensing.References, levels: Int = 2, weight: Int = 1, height: Int,
  converter: Converter = Converter(bits: 8), paired: Bool = false, errors: ConverterDraw = ConverterDraw()
) -> SenseLine {
  SenseLine(
    device(ratio, references), levels: levels, weight: weight, height: height, converter: converter,
    paired: paired, errors: errors)
}

private func device(_ ratio: Double?, _ references: Sensing.References) -> Device {
  var device = Device.ideal
  if let ratio { device.cell.offResistance = ratio * device.cell.onResistance }
  device.sensing.references = references
  return device
}

/// Leakage of a cell in steps of a level.
private func leakage(ratio: Double?, levels: Int) -> Double {
  ratio.map { Double(levels - 1) / ($0 - 1) } ?? 0
}

@Suite struct SensingTests {
  /// Just below reference i the code is i, just above it i + 1.
  private func expect(
    _ line: SenseLine, active: Int, references: [Double], first: Int = 0,
    _ place: SourceLocation = #_sourceLocation
  ) {
    for (index, reference) in references.enumerated() {
      let codes = [-1e-4, 1e-4].map { line.code(current: Float(reference + $0), active: Float(active)) }
      #expect(codes == [first + index, first + index + 1], "reference \(reference)", sourceLocation: place)
    }
  }

  // MARK: - References by hand

  /// A ratio of 11 leaks a tenth of a step. Reference 0 of four wordlines lies between four leaking cells, 0.4, and one
  /// cell at level 1 alone, 1.1; reference 1 between 1.4 and 2.2; and so on, whatever the active wordlines.
  @Test(arguments: [1, 2, 4]) func fixedReferencesByHand(_ active: Int) {
    let line = senseLine(ratio: 11, .fixed, height: 4)
    expect(line, active: active, references: [0.75, 1.8, 2.85, 3.9])
  }

  /// Two active wordlines leak 0.2: references are 0.7 and 1.7. Beyond, sums need more wordlines than are active, and
  /// references follow cells that leak as much as these: 2.5 * 1.1 and 3.5 * 1.1.
  @Test func inputAwareReferencesByHand() {
    let line = senseLine(ratio: 11, .inputAware, height: 4)
    expect(line, active: 2, references: [0.7, 1.7, 2.75, 3.85])
    expect(line, active: 4, references: [0.9, 1.9, 2.9, 3.9])
    // Of no active wordline the first reference is half a cell.
    expect(line, active: 0, references: [0.55, 1.65])
  }

  /// Cells of two bits at a ratio of 31 leak a tenth of a step as well, but a cell of level 3 passes 3.1.
  @Test func referencesOfTwoBitCellsByHand() {
    expect(
      senseLine(ratio: 31, .fixed, levels: 4, height: 2), active: 1,
      references: [0.61667, 1.63333, 2.65, 3.66667])
    // One active wordline: the bend lies at the largest level, as no more than 3 can be summed.
    expect(
      senseLine(ratio: 31, .inputAware, levels: 4, height: 2), active: 1,
      references: [0.6, 1.6, 2.6, 3.5 * 3.1 / 3])
  }

  /// Two bitlines of weights 1 and 4, composed, leak five times as much as one: 1 in all for two wordlines.
  @Test func referencesOfComposedBitlinesByHand() {
    expect(
      senseLine(ratio: 11, .fixed, weight: 5, height: 2), active: 1,
      references: [(1 + 1.1) / 2, (2 + 2.2) / 2])
    expect(
      senseLine(ratio: 11, .inputAware, weight: 5, height: 2), active: 2, references: [1.5, 2.5, 3.5])
  }

  /// Differences of bitlines do not leak; codes have both signs, and references lie halfway between them.
  @Test func referencesOfPairsByHand() {
    for references in Sensing.References.allCases {
      let line = senseLine(ratio: 3, references, height: 9, converter: Converter(bits: 2), paired: true)
      #expect(line.minimum == -3 && line.maximum == 3)
      expect(line, active: 5, references: [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], first: -3)
      #expect(line.code(current: -100, active: 5) == -3 && line.code(current: 100, active: 5) == 3)
    }
  }

  /// A converter of two bits for sums up to 12 has steps of 4, and takes the nearest code, halves upwards.
  @Test func stepsByHand() {
    let line = senseLine(ratio: nil, .inputAware, height: 12, converter: Converter(bits: 2, fullScale: 12))
    let codes = (0...20).map { line.code(current: Float($0), active: 12) }
    #expect(codes == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3])
    expect(line, active: 12, references: [1.5, 5.5, 9.5])
  }

  // MARK: - Errors by hand

  private func draw(reference: Double = 0, offset: Double = 0, gain: Double = 0, inl: Double = 0)
    -> ConverterDraw
  {
    var draw = ConverterDraw()
    (draw.reference, draw.offset, draw.gain, draw.inl) = (reference, offset, gain, inl)
    return draw
  }

  @Test(arguments: Sensing.References.allCases) func referenceErrorsMoveAllReferences(
    _ references: Sensing.References
  ) {
    let plain = [0.75, 1.8, 2.85, 3.9]
    let line = senseLine(ratio: 11, references, height: 4, errors: draw(reference: 0.05))
    let expected = references == .fixed ? plain : [0.9, 1.9, 2.9, 3.9]
    expect(line, active: 4, references: expected.map { 1.05 * $0 })
  }

  /// An offset of a quarter of a step of 4 codes moves sums by 1; in front of it stands the gain.
  @Test func offsetsAndGainsByHand() {
    let converter = Converter(bits: 4, fullScale: 60)
    func position(_ errors: ConverterDraw, _ current: Float) -> Float {
      senseLine(ratio: nil, .fixed, height: 9, converter: converter, errors: errors)
        .position(current: current, active: 0)
    }
    #expect(abs(position(draw(offset: 0.25), 20) - 21) < 1e-5)
    #expect(abs(position(draw(gain: 0.1), 20) - 22) < 1e-5)
    #expect(abs(position(draw(offset: 0.25, gain: 0.1), 20) - 23) < 1e-5)
    #expect(abs(position(draw(offset: -1, gain: -0.5), 20) - 6) < 1e-5)
  }

  /// A bow of half a step of 4 in the middle of the range 60 is 2 there, 1.5 at the quarters and 0 at both ends.
  @Test func bowsByHand() {
    let line = senseLine(
      ratio: nil, .inputAware, height: 60, converter: Converter(bits: 4, fullScale: 60),
      errors: draw(inl: 0.5))
    for (sum, error) in [(0, 0), (15, 1.5), (30, 2), (45, 1.5), (60, 0)] as [(Float, Float)] {
      #expect(abs(line.position(current: sum, active: 9) - sum - error) < 1e-4, "\(sum)")
    }
  }

  /// Noise has the variance of the conversion, in steps, and that of the cells for each square of a current.
  @Test func noiseByHand() {
    var noisy = device(nil, .fixed)
    noisy.converter.noise = 0.5
    noisy.readNoise.cell = 0.1
    let line = SenseLine(
      noisy, levels: 2, weight: 1, height: 9, converter: Converter(bits: 4, fullScale: 30), paired: false,
      errors: ConverterDraw())
    // Steps of 2: 0.5 steps are 1; squares of 900 add 9.
    #expect(abs(line.position(current: 4, active: 4, squares: 0, noise: 2) - 6) < 1e-5)
    #expect(
      abs(line.position(current: 4, active: 4, squares: 900, noise: -1) - (4 - Float(10).squareRoot())) < 1e-5
    )
  }

  @Test func emptyUnitsAreSeenWhereTheirCodeMayNotBeZero() {
    func sees(_ errors: ConverterDraw) -> Bool {
      senseLine(ratio: 11, .inputAware, height: 4, errors: errors).seesEmptyUnits
    }
    #expect(!sees(ConverterDraw()) && !sees(draw(offset: 0.49)) && sees(draw(offset: 0.51)))
    #expect(!sees(draw(offset: -2)), "no code is below 0")
    var noisy = device(11, .fixed)
    noisy.converter.noise = 1e-6
    let line = SenseLine(
      noisy, levels: 2, weight: 1, height: 4, converter: Converter(bits: 3), paired: false, errors: draw())
    #expect(line.seesEmptyUnits)
    let pair = senseLine(ratio: 11, .fixed, height: 4, paired: true, errors: draw(offset: -0.51))
    #expect(pair.seesEmptyUnits)
  }

  // MARK: - Without errors

  /// What cells without variation pass for a sum and n digits.
  private func current(_ sum: Int, _ active: Int, _ leakage: Double, _ weight: Int) -> Float {
    Float(Double(sum) + Double(active * weight) * leakage)
  }

  /// Every sum that n digits can have, of all heights, levels and ratios.
  @Test func inputAwareReferencesAreExactWithoutErrors() {
    for ratio in [nil, 1.5, 3, 6.4, 50] as [Double?] {
      for (levels, weight, height) in [(2, 1, 1), (2, 1, 32), (4, 1, 16), (16, 1, 9), (2, 3, 9), (4, 21, 4)] {
        let leakage = leakage(ratio: ratio, levels: levels)
        let line = senseLine(
          ratio: ratio, .inputAware, levels: levels, weight: weight, height: height,
          converter: Converter(bits: 16))
        for active in 0...height {
          for sum in 0...active * (levels - 1) * weight {
            let code = line.code(current: current(sum, active, leakage, weight), active: Float(active))
            #expect(code == sum, "ratio \(ratio ?? .infinity), \(levels) levels, \(active) active")
          }
        }
      }
    }
  }

  /// With r for the leakage, L for the largest level, W for the weight of a group: fixed references are exact for every
  /// sum and n where `r (h W - 1/L) < 1`. What comes first beyond is the sum 0 of h digits: h W r reaches reference 0,
  /// `(1 + r/L + h W r) / 2`; then codes are those of the references that this current reaches.
  @Test func fixedReferencesAreExactWhereLeakageIsSmall() {
    var sides = [0, 0]
    for ratio in stride(from: 1.25, to: 40, by: 0.5) {
      for (levels, weight, height) in [(2, 1, 1), (2, 1, 9), (2, 1, 16), (4, 1, 8), (2, 3, 4), (8, 1, 5)] {
        let leakage = leakage(ratio: ratio, levels: levels)
        let largest = Double(levels - 1)
        let line = senseLine(
          ratio: ratio, .fixed, levels: levels, weight: weight, height: height, converter: Converter(bits: 16)
        )
        var wrong = 0
        for active in 0...height {
          for sum in 0...active * (levels - 1) * weight {
            let code = line.code(current: current(sum, active, leakage, weight), active: Float(active))
            if code != sum { wrong += 1 }
          }
        }
        let bound = leakage * (Double(height * weight) - 1 / largest)
        guard abs(bound - 1) > 1e-4 else { continue }
        sides[bound < 1 ? 0 : 1] += 1
        #expect(
          (wrong == 0) == (bound < 1),
          "ratio \(ratio), \(levels) levels, weight \(weight), \(height) wordlines")
        let ends = Double(height * weight) * leakage
        let reached = (0..<1000).count {
          Double($0) * (1 + leakage / largest / 2) + (1 + leakage / largest + ends) / 2 < ends - 1e-5
        }
        let code = line.code(current: Float(ends), active: Float(height))
        #expect(code == reached || bound == 1, "ratio \(ratio), \(levels) levels: \(code) \(reached)")
      }
    }
    #expect(sides[0] > 100 && sides[1] > 100)
  }

  /// Whatever the converter's step, sums are converted as the program means.
  @Test func stepsAreThoseOfConverters() {
    var random = SeededGenerator(seed: 31)
    for _ in 0..<300 {
      let converter = Converter(bits: random.inside(1...8), fullScale: random.inside(1...900))
      let ratio = [nil, 4, 30][random.below(3)] as Double?
      let height = random.inside(1...40)
      let line = senseLine(ratio: ratio, .inputAware, levels: 8, height: height, converter: converter)
      for active in 0...height {
        let sum = random.inside(0...7 * active)
        let code = line.code(
          current: current(sum, active, leakage(ratio: ratio, levels: 8), 1), active: Float(active))
        #expect(code * converter.step == converter.convert(sum), "\(converter) \(sum)")
      }
    }
  }

  // MARK: - Any errors

  /// Codes stay inside of the converter's, grow with the current, and do not trap.
  @Test func codesStayInside() throws {
    var random = SeededGenerator(seed: 32)
    var ends: Set<Bool> = []
    for _ in 0..<3000 {
      var noisy = device([nil, 1.01, 5, 100][random.below(4)], Sensing.References.allCases[random.below(2)])
      noisy.converter.noise = random.chance(0.5) ? 0 : 10 * random.unit()
      noisy.readNoise.cell = random.chance(0.5) ? 0 : 3 * random.unit()
      func normal(_ scale: Double) -> Double { scale * (random.unit() + random.unit() + random.unit() - 1.5) }
      let errors = draw(
        reference: max(-0.9, normal(0.5)), offset: normal(20), gain: max(-0.9, normal(0.5)), inl: normal(10))
      let line = SenseLine(
        noisy, levels: 1 << random.inside(1...8), weight: random.inside(1...20),
        height: random.inside(1...100),
        converter: Converter(
          bits: random.inside(1...16), fullScale: random.chance(0.5) ? nil : random.inside(1...9000)),
        paired: random.chance(0.3), errors: errors)
      for _ in 0..<20 {
        let magnitude = Float(sign: .plus, exponent: random.inside(-10...100), significand: 1)
        let code = line.code(
          current: random.chance(0.2) ? -magnitude : magnitude, active: Float(random.below(1000)),
          squares: magnitude, noise: Float(normal(4)))
        #expect((Int(line.minimum)...Int(line.maximum)).contains(code))
        if code == Int(line.minimum) { ends.insert(false) }
        if code == Int(line.maximum) { ends.insert(true) }
      }
    }
    #expect(ends.count == 2)
  }

  /// Without a bow, a larger current never gives a smaller code.
  @Test func codesGrowWithCurrents() {
    var random = SeededGenerator(seed: 33)
    for _ in 0..<300 {
      let line = senseLine(
        ratio: 1.1 + 20 * random.unit(), Sensing.References.allCases[random.below(2)], levels: 4,
        height: random.inside(1...30),
        converter: Converter(bits: random.inside(1...8)), errors: draw(reference: 0.3, offset: -1, gain: 0.2))
      let active = Float(random.below(30))
      let codes = (0...400).map { line.code(current: Float($0) / 4, active: active) }
      #expect(zip(codes, codes.dropFirst()).allSatisfy { $0 <= $1 })
    }
  }
}
