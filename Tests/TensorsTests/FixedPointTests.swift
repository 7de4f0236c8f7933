import Support
import Tensors
import Testing

@Suite struct FixedPointTests {
  /// The rule in 128-bit integers, word by word.
  private func expected(_ acc: Int64, _ rule: Requantization, _ c: Int) -> Int64 {
    let sum = Int128(acc) * Int128(rule.multipliers[c]) + (Int128(1) << Int128(rule.shifts[c] - 1))
    let value = Int128(rule.zero) + (sum >> Int128(rule.shifts[c]))
    return Int64(max(Int128(rule.low), min(Int128(rule.high), value)))
  }

  @Test func requantizesExactly() throws {
    var random = SeededGenerator(seed: 21)
    let edges: [Int64] = [.min, .max, -1 << 31, 1 << 31, (1 << 31) + 1, -(1 << 31) - 1, 0, 1, -1, 1 << 62]
    for _ in 0..<500 {
      let channels = random.inside(1...3)
      let low = Int64(random.inside(-200...100))
      let rule = Requantization(
        multipliers: (0..<channels).map { _ in Int64(random.below(1 << 31)) },
        shifts: random.integers(channels, in: 1...62), zero: Int64(random.inside(-130...130)), low: low,
        high: low + Int64(random.below(70000)), axis: 1)
      let values = (0..<2 * channels * 6).map { k in
        k < edges.count ? edges[k] : Int64(truncatingIfNeeded: random.next()) >> Int64(random.below(64))
      }
      let result = try DigitalOperator.requantize(rule).apply(to: [Tensor([2, channels, 6], values)])
      #expect(result.data.container == Container(low: rule.low, high: rule.high))
      #expect(result.integers == values.indices.map { expected(values[$0], rule, $0 / 6 % channels) })
    }
  }

  @Test func rounds() throws {
    let rule = Requantization(multipliers: [1], shifts: [1], zero: 10, low: 0, high: 20, axis: 9)
    let values: [Int64] = [-3, -2, -1, 0, 1, 2, 3, 99, -99]
    let result = try DigitalOperator.requantize(rule).apply(to: [Tensor([9], values)])
    #expect(
      result.data == .u8([9, 9, 10, 10, 11, 11, 12, 20, 0]), "halves go up, and one factor needs no axis")
  }

  @Test func takesExtremeClampsAndZeros() throws {
    let bound: Int64 = 1 << 61
    for zero in [-bound, 0, bound] {
      let rule = Requantization(
        multipliers: [(1 << 31) - 1], shifts: [1], zero: zero, low: -bound, high: bound, axis: 0)
      let values: [Int64] = [.min, -5, 5, .max]
      let result = try DigitalOperator.requantize(rule).apply(to: [Tensor([4], values)])
      #expect(result.integers == values.map { expected($0, rule, 0) })
    }
  }

  @Test func refusesBadRules() {
    let x = Tensor([2, 3], [Int64](repeating: 0, count: 6))
    let good = Requantization(
      multipliers: [1, 1, 1], shifts: [1, 1, 1], zero: 0, low: 0, high: 1, axis: 1)
    let changes: [(inout Requantization) -> Void] = [
      { $0.multipliers[0] = -1 }, { $0.multipliers[0] = 1 << 31 }, { $0.shifts[0] = 0 },
      { $0.shifts[0] = 63 },
      { $0.shifts = [1] }, { $0.low = 2 }, { $0.zero = .max }, { $0.high = .max }, { $0.low = .min },
      {
        $0.multipliers = []
        $0.shifts = []
      },
      {
        $0.multipliers = [1, 1]
        $0.shifts = [1, 1]
      },
    ]
    for change in changes {
      var rule = good
      change(&rule)
      expectFailure("operator.parameter", .requantize(rule), [x])
    }
    var rule = good
    rule.axis = 2
    expectFailure("operator.axis", .requantize(rule), [x])
    expectFailure("operator.kind", .requantize(good), [Tensor([2, 3], [Float](repeating: 0, count: 6))])
  }

  @Test func quantizesLikeTheDefinition() throws {
    var random = SeededGenerator(seed: 22)
    let clamps: [(Int64, Int64, Int64)] = [
      (0, 0, 255), (128, 0, 255), (0, -128, 127), (-3, -8, 7), (0, 0, 65535), (5, -32768, 32767),
      (0, -1 << 30, 1 << 30), (1 << 40, 0, 1 << 50), (1 << 61, -(1 << 61), 1 << 61), (1 << 22, 0, 255),
      (0, 300, 400), (0, -400, -300), (0, 0, 0),
    ]
    let ends: [Float] = [
      .infinity, -.infinity, .nan, 0, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
    ]
    for (zero, low, high) in clamps {
      for scale in [1, 0.1, 0.5, 1e-30, 3e7] as [Float] {
        let halves = (-40..<40).map { Float($0) * scale / 2 }
        let x = ends + halves + random.floats(300).map { $0 * 200 * scale }
        let result = try DigitalOperator.quantize(scale: scale, zero: zero, low: low, high: high)
          .apply(to: [Tensor([x.count], x)])
        #expect(result.data.container == Container(low: low, high: high))
        let expected = x.map { value -> Int64 in
          let quotient = (value / scale).rounded(.toNearestOrEven)
          if quotient.isNaN { return max(low, min(high, zero)) }
          let whole = Int128(Double(max(-0x1p100, min(0x1p100, quotient))))
          return Int64(max(Int128(low), min(Int128(high), whole + Int128(zero))))
        }
        #expect(result.integers == expected, "\(zero) \(low) \(high) \(scale)")
      }
    }
  }

  @Test func refusesBadScales() {
    let x = Tensor([1], [0 as Float])
    for scale in [0, -1, .nan, .infinity] as [Float] {
      expectFailure("operator.parameter", .quantize(scale: scale, zero: 0, low: 0, high: 1), [x])
    }
    expectFailure("operator.parameter", .quantize(scale: 1, zero: 0, low: 1, high: 0), [x])
    expectFailure("operator.parameter", .quantize(scale: 1, zero: .min, low: 0, high: 1), [x])
    expectFailure("operator.kind", .quantize(scale: 1, zero: 0, low: 0, high: 1), [Tensor([1], .u8([1]))])
    expectFailure("operator.parameter", .dequantize(scale: .infinity, zero: 0), [Tensor([1], .u8([1]))])
    expectFailure("operator.kind", .dequantize(scale: 1, zero: 0), [x])
  }

  @Test func dequantizes() throws {
    let result = try DigitalOperator.dequantize(scale: 0.1, zero: 3).apply(to: [
      Tensor([3], .u8([0, 3, 255]))
    ])
    #expect(result.floats == [-3 * Float(0.1), 0, 252 * Float(0.1)])
    expectFailure("operator.overflow", .dequantize(scale: 1, zero: 1), [Tensor([1], [Int64.min])])
  }

  @Test func addsBias() throws {
    let x = Tensor([2, 2, 3], .i8([1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6]))
    let result = try DigitalOperator.addBias(values: [1000, -1000], axis: 1).apply(to: [x])
    let sums: [Int64] = [1001, 1002, 1003, -996, -995, -994, 999, 998, 997, -1004, -1005, -1006]
    #expect(result == Tensor([2, 2, 3], sums))
    let last = try DigitalOperator.addBias(values: [1, 2, 3], axis: 2).apply(to: [x]).integers
    #expect(Array(last[..<6]) == [2, 4, 6, 5, 7, 9])
    expectFailure("operator.overflow", .addBias(values: [1], axis: 0), [Tensor([1], [Int64.max])])
    expectFailure("operator.parameter", .addBias(values: [1], axis: 1), [x])
    expectFailure("operator.axis", .addBias(values: [1], axis: 3), [x])
    let empty = Tensor([2, 0], [] as [Int64])
    #expect(try DigitalOperator.addBias(values: [1, 2], axis: 0).apply(to: [empty]) == empty)
  }

  @Test func looksUp() throws {
    let x = Tensor([4], .i8([-2, -1, 0, 1]))
    #expect(
      try DigitalOperator.lookup(table: [0, 9, 8, 255], first: -2).apply(to: [x]).data == .u8([0, 9, 8, 255]))
    #expect(
      try DigitalOperator.lookup(table: [0, 9, 8, -1], first: -2).apply(to: [x]).data == .i8([0, 9, 8, -1]))
    for wide in [300, -300, 70000, -70000, 1 << 40] as [Int64] {
      let result = try DigitalOperator.lookup(table: [1, 2, 3, wide], first: -2).apply(to: [x])
      #expect(
        result.integers == [1, 2, 3, wide]
          && result.data.container == Container(low: min(1, wide), high: max(3, wide)))
    }
    expectFailure("operator.lookup-range", .lookup(table: [1, 2, 3], first: -2), [x])
    expectFailure("operator.lookup-range", .lookup(table: [1, 2, 3, 4], first: -1), [x])
    expectFailure("operator.lookup-range", .lookup(table: [1], first: 1 << 60), [Tensor([1], [Int64.min])])
    expectFailure("operator.parameter", .lookup(table: [], first: 0), [x])
    expectFailure("operator.parameter", .lookup(table: [1], first: .max), [x])
  }
}
