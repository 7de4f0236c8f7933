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
