import Passes
import Support
import Testing

/// Codes of significant bits against hand-worked numbers and against an enumeration that does not share their
/// arithmetic.
@Suite("Codes of significant bits")
struct SignificantBitsTests {
  /// Every window and every width.
  private static let shapes = (1...15).flatMap { window in (1...15).map { (window: window, bits: $0) } }

  /// All codes by definition, ascending: 0, and numbers whose set positions lie in a window.
  private static func codes(_ window: Int, _ bits: Int) -> [Int64] {
    (0..<Int64(1) << Int64(bits)).filter { isCode($0, window) }
  }

  private static func isCode(_ code: Int64, _ window: Int) -> Bool {
    code == 0 || 64 - code.leadingZeroBitCount - code.trailingZeroBitCount <= window
  }

  private func binary(_ value: Double, _ window: Int = 3) -> String {
    let digits = String(significantBitCode(of: value, window: window, bits: 8), radix: 2)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  // MARK: Hand-worked numbers

  /// The example of SME, and what follows from it.
  @Test func theTableOfTheSource() {
    #expect(binary(0.876) == "11100000")
    #expect(binary(0.618) == "10100000")
    #expect(binary(0.389) == "01100000")
    #expect(binary(0.020) == "00000101")
    #expect(binary(0.99) == "11100000", "saturates")
    #expect(binary(0.46) == "01110000")
    #expect(binary(0) == "00000000")
  }

  @Test func twoAndFourSignificantBits() {
    #expect(significantBitCode(of: 0.618, window: 2, bits: 8) == 128)
    #expect(significantBitCode(of: 0.020, window: 2, bits: 8) == 6, "0.0234375 * 256")
    for value in [0.876, 0.618, 0.389, 0.020] { #expect(binary(value, 4) == binary(value)) }
  }

  @Test func halvesGoUpAndMayMoveTheLeadingBit() {
    // 0.46875 * 16 = 7.5 becomes 8: one bit, one position up.
    #expect(binary(0.46875) == "10000000")
    #expect(binary(0.46875.nextDown) == "01110000")
    // 0.5625 * 8 = 4.5.
    #expect(binary(0.5625) == "10100000")
    #expect(binary(0.5625.nextDown) == "10000000")
  }

  @Test func powersOfTwoAreExactUpToTheLastPosition() {
    for (window, bits) in Self.shapes {
      for position in 1...bits {
        let value = Double(sign: .plus, exponent: -position, significand: 1)
        #expect(significantBitCode(of: value, window: window, bits: bits) == 1 << Int64(bits - position))
      }
      let half = Double(sign: .plus, exponent: -bits - 1, significand: 1)
      #expect(significantBitCode(of: half, window: window, bits: bits) == 1, "half a unit goes up")
      #expect(significantBitCode(of: half.nextDown, window: window, bits: bits) == 0)
    }
  }

  @Test func tinyAndHugeValues() {
    for (window, bits) in Self.shapes {
      let top = Self.codes(window, bits).last ?? 0
      for huge: Double in [1, 1.5, 255, 0x1p63, .greatestFiniteMagnitude, .infinity, 1.0.nextDown] {
        #expect(significantBitCode(of: huge, window: window, bits: bits) == top)
        #expect(significantBitCode(of: -huge, window: window, bits: bits) == -top)
      }
      for tiny in [0, -0.0, .leastNonzeroMagnitude, 1e-300, 1e-38, .nan] as [Double] {
        #expect(significantBitCode(of: tiny, window: window, bits: bits) == 0)
      }
    }
    #expect(significantBitCode(of: 0.75, window: .max, bits: 62) == 3 << 60)
  }

  // MARK: The set of codes

  @Test func numbersOfCodes() {
    for (window, count) in [(1, 8), (2, 15), (3, 27), (4, 47), (8, 255)] {
      let found = Set(
        (0...65536).map { k in
          significantBitCode(of: Double(k) * 0x1p-16, window: window, bits: 8)
        })
      #expect(found.filter { $0 > 0 }.count == count)
      #expect(found.sorted() == Self.codes(window, 8))
    }
  }

  /// Every code is its own code, so that nothing is lost twice.
  @Test func codesStayAsTheyAre() {
    for (window, bits) in Self.shapes {
      let unit = Double(sign: .plus, exponent: -bits, significand: 1)
      let moved = Self.codes(window, bits).filter {
        significantBitCode(of: Double($0) * unit, window: window, bits: bits) != $0
      }
      #expect(moved.isEmpty)
    }
  }

  /// A fine grid, all numbers halfway between neighbors, and random numbers of all magnitudes.
  private func values(_ codes: [Int64], _ bits: Int, _ random: inout SeededGenerator) -> [Double] {
    let unit = Double(sign: .plus, exponent: -bits, significand: 1)
    let middles = zip(codes, codes.dropFirst()).map { (Double($0) + Double($1)) / 2 * unit }
    let grid = (0...1024).map { Double($0) / 1024 }
    let spread = (0..<500).map { _ in
      Double(sign: .plus, exponent: -random.inside(0...bits + 3), significand: random.unit())
    }
    return grid + spread + middles.flatMap { [$0, $0.nextUp, $0.nextDown] }
  }

  /// Windows hold, codes are odd and nearest ones, the upper of two, and within the stated bounds.
  @Test func codesAreTheNearestOnes() {
    var random = SeededGenerator(seed: 400)
    for (window, bits) in Self.shapes {
      let codes = Self.codes(window, bits)
      var wrong: [Double] = []
      for value in values(codes, bits, &random) {
        let code = significantBitCode(of: value, window: window, bits: bits)
        let scaled = Double(sign: .plus, exponent: bits, significand: value)
        let holds =
          Self.isCode(code, window) && code == nearest(scaled, codes)
          && significantBitCode(of: -value, window: window, bits: bits) == -code
          && isWithinBounds(scaled, code, min(window, bits), isTop: code == codes.last)
        if !holds { wrong.append(value) }
      }
      #expect(wrong.isEmpty, "window \(window), bits \(bits): \(wrong.prefix(3))")
    }
  }

  /// The nearest code, the upper of two, by bisection.
  private func nearest(_ value: Double, _ codes: [Int64]) -> Int64 {
    var (low, high) = (0, codes.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if Double(codes[middle]) <= value { low = middle } else { high = middle }
    }
    return value - Double(codes[low]) < Double(codes[high]) - value ? codes[low] : codes[high]
  }

  /// For magnitudes of at most 1, in units of the last position.
  private func isWithinBounds(_ value: Double, _ code: Int64, _ window: Int, isTop: Bool) -> Bool {
    let part = Double(sign: .plus, exponent: window, significand: 1)
    let error = abs(value - Double(code))
    // Products instead of quotients, so that nothing is rounded.
    return (error <= 0.5 || error * part <= value)
      && (isTop || error <= 0.5 || error * (part + 1) <= value)
  }

  /// 1 and the middle of the lowest two codes of an octave are as far off as the bounds allow.
  @Test func theBoundsAreReached() {
    for window in 1...7 {
      let top = significantBitCode(of: 1, window: window, bits: 8)
      #expect(256 - top == 256 >> Int64(window))
      let value = 0.25 * (1 + Double(sign: .plus, exponent: -window, significand: 1))
      let code = Double(significantBitCode(of: value, window: window, bits: 9)) * 0x1p-9
      #expect(abs((code - value) * Double(1 << window + 1) - value) < 1e-15)
    }
  }
}
