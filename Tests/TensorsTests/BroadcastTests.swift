import Support
import Tensors
import Testing

@Suite struct BroadcastTests {
  /// The definition: every index by itself.
  private func expected(_ a: Tensor, _ b: Tensor, _ shape: [Int], _ f: (Int64, Int64) -> Int64) -> [Int64] {
    let steps = rowMajorStrides(shape)
    func element(_ x: Tensor, _ at: Int) -> Int64 {
      let (own, lead) = (rowMajorStrides(x.shape), shape.count - x.shape.count)
      return x.integers[
        x.shape.indices.reduce(0) { sum, axis in
          sum + (x.shape[axis] == 1 ? 0 : at / steps[axis + lead] % shape[axis + lead] * own[axis])
        }]
    }
    return (0..<shape.reduce(1, *)).map { f(element(a, $0), element(b, $0)) }
  }

  @Test(
    arguments: [
      ([2, 3], [2, 3], [2, 3]), ([2, 3], [3], [2, 3]), ([2, 3], [], [2, 3]), ([2, 1], [1, 3], [2, 3]),
      ([2, 3, 4, 5], [3, 1, 1], [2, 3, 4, 5]), ([4, 1, 3], [2, 1], [4, 2, 3]), ([1], [1], [1]), ([], [], []),
      ([3, 1, 2, 1], [1, 4, 1, 5], [3, 4, 2, 5]), ([0, 3], [3], [0, 3]), ([1, 3], [0, 1], [0, 3]),
      ([1, 1, 6], [5, 1, 1], [5, 1, 6]),
    ] as [([Int], [Int], [Int])])
  func broadcastsAsInONNX(_ a: [Int], _ b: [Int], _ shape: [Int]) throws {
    var random = SeededGenerator(seed: 5)
    let x = Tensor(a, random.integers(a.reduce(1, *), in: -99...99))
    let y = Tensor(b, random.integers(b.reduce(1, *), in: 1...99))
    let cases: [(BinaryFunction, (Int64, Int64) -> Int64)] = [
      (.add, { $0 + $1 }), (.subtract, { $0 - $1 }), (.multiply, { $0 * $1 }), (.divide, { $0 / $1 }),
      (.maximum, { max($0, $1) }), (.minimum, { min($0, $1) }),
      (.greater, { $0 > $1 ? 1 : 0 }), (.equal, { $0 == $1 ? 1 : 0 }),
    ]
    for (function, f) in cases {
      let result = try DigitalOperator.binary(function).apply(to: [x, y])
      #expect(result == Tensor(shape, expected(x, y, shape, f)), "\(function)")
      let floats = try DigitalOperator.binary(function).apply(to: [Tensor(a, x.floats), Tensor(b, y.floats)])
      let whole = function == .divide ? floats.integers : floats.floats.map { Int64($0) }
      #expect(floats.shape == shape && whole == result.integers, "\(function)")
    }
  }

  @Test func keepsContainersOnlyWhereNothingGrows() throws {
    let (a, b) = (Tensor([2], .u8([200, 7])), Tensor([2], .u8([100, 9])))
    #expect(try DigitalOperator.binary(.add).apply(to: [a, b]) == Tensor([2], [300, 16] as [Int64]))
    #expect(try DigitalOperator.binary(.maximum).apply(to: [a, b]).data == .u8([200, 9]))
    let c = Tensor([2], .i8([-1, 8]))
    #expect(try DigitalOperator.binary(.minimum).apply(to: [a, c]).data == .i64([-1, 7]))
  }

  @Test func spreadsNaN() throws {
    for function in [BinaryFunction.maximum, .minimum, .add] {
      for pair in [(Float.nan, Float(1)), (1, .nan), (.nan, .nan)] {
        let result = try DigitalOperator.binary(function).apply(to: [
          Tensor([], [pair.0]), Tensor([], [pair.1]),
        ])
        #expect(result.floats[0].isNaN)
      }
    }
  }

  @Test func comparesAsIEEE754() throws {
    let x: [Float] = [1, 2, -0.0, .nan, 1, .infinity, -.infinity, .infinity, .leastNonzeroMagnitude]
    let y: [Float] = [2, 1, 0, 1, .nan, .infinity, .infinity, 0, 0]
    let (a, b) = (Tensor([x.count], x), Tensor([y.count], y))
    #expect(try DigitalOperator.binary(.greater).apply(to: [a, b]).floats == [0, 1, 0, 0, 0, 0, 0, 1, 1])
    #expect(try DigitalOperator.binary(.equal).apply(to: [a, b]).floats == [0, 0, 1, 0, 0, 1, 0, 0, 0])
    let large = Tensor([1], [1 << 60 + 1] as [Int64])
    #expect(
      try DigitalOperator.binary(.greater).apply(to: [large, Tensor([1], [1 << 60] as [Int64])]).integers == [
        1
      ])
  }

  @Test func powers() throws {
    let (x, y) = ([2, 2, -2, -8, 0, 0, 9] as [Float], [10, -1, 3, 1 / 3, 0, 5, 0.5] as [Float])
    let found = try DigitalOperator.binary(.power).apply(to: [Tensor([7], x), Tensor([7], y)]).floats
    #expect(found.prefix(3) == [1024, 0.5, -8] && found[3].isNaN && found.suffix(3) == [1, 0, 3])
    func whole(_ x: [Int64], _ y: [Int64]) throws -> [Int64] {
      try DigitalOperator.binary(.power).apply(to: [Tensor([x.count], x), Tensor([y.count], y)]).integers
    }
    #expect(
      try whole([3, -3, 7, 0, 2, -2, 1], [4, 3, 0, 2, 62, 63, .max]) == [81, -27, 1, 0, 1 << 62, .min, 1])
    #expect(try whole([1, -1, -1, 2, -5], [-9, -2, -3, -1, -2]) == [1, 1, -1, 0, 0])
    var random = SeededGenerator(seed: 77)
    for _ in 0..<200 {
      let (base, exponent) = (random.inside(-9...9), random.inside(0...12))
      let expected = (0..<exponent).reduce(1) { product, _ in product * base }
      #expect(try whole([Int64(base)], [Int64(exponent)]) == [Int64(expected)])
    }
    let one = Tensor([1], [1 as Int64])
    for (base, exponent) in [(2, 63), (-2, 64), (10, 19), (3, .max)] as [(Int64, Int64)] {
      expectFailure("operator.overflow", .binary(.power), [Tensor([1], [base]), Tensor([1], [exponent])])
    }
    expectFailure(
      "operator.division", .binary(.power), [Tensor([1], [0 as Int64]), Tensor([1], [-1 as Int64])])
    #expect(try DigitalOperator.binary(.power).apply(to: [one, one]) == one)
  }

  @Test func neverWrapsIntegers() {
    let (low, high) = (Tensor([1], [Int64.min]), Tensor([1], [Int64.max]))
    let (one, minus) = (Tensor([1], [1 as Int64]), Tensor([1], [-1 as Int64]))
    expectFailure("operator.overflow", .binary(.add), [high, one])
    expectFailure("operator.overflow", .binary(.subtract), [low, one])
    expectFailure("operator.overflow", .binary(.multiply), [low, minus])
    expectFailure("operator.overflow", .binary(.divide), [low, minus])
    expectFailure("operator.division", .binary(.divide), [one, Tensor([1], [0 as Int64])])
  }

  @Test func refusesWhatDoesNotFit() {
    let x = Tensor([2, 3], [Float](repeating: 0, count: 6))
    expectFailure("operator.shape", .binary(.add), [x, Tensor([2], [0, 0] as [Float])])
    expectFailure("operator.kind", .binary(.add), [x, Tensor([1], [0] as [Int64])])
    expectFailure("operator.arguments", .binary(.add), [x])
  }

  @Test func boundsTheResult() {
    expectFailure("operator.size") { () throws(Diagnostic) in
      _ = try DigitalOperator.binary(.add).resultShape(of: [[1 << 20, 1], [1 << 20]])
    }
  }
}
