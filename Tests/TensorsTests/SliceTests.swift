import Support
import Tensors
import Testing

@Suite("Slices")
struct SliceTests {
  private func slice(_ start: [Int], _ end: [Int], _ x: Tensor) throws -> Tensor {
    try DigitalOperator.slice(start: start, end: end).apply(to: [x])
  }

  @Test func takesRowsColumnsAndBlocks() throws {
    let x = Tensor([3, 4], (0..<12).map { Float($0) })
    #expect(try slice([1, 0], [2, 4], x) == Tensor([1, 4], [Float](arrayLiteral: 4, 5, 6, 7)))
    #expect(try slice([0, 3], [3, 4], x) == Tensor([3, 1], [Float](arrayLiteral: 3, 7, 11)))
    #expect(try slice([1, 1], [3, 3], x) == Tensor([2, 2], [Float](arrayLiteral: 5, 6, 9, 10)))
    #expect(try slice([0, 0], [3, 4], x) == x)
    let one = Tensor([], [Float(5)])
    #expect(try slice([], [], one) == one)
  }

  /// Elements of every container, by the index of each.
  @Test func equalsTheDefinition() throws {
    var random = SeededGenerator(seed: 41)
    for number in 0..<400 {
      let shape = (0..<random.inside(1...5)).map { _ in random.inside(1...5) }
      let start = shape.map { random.below($0) }
      let end = zip(start, shape).map { random.inside($0 + 1...$1) }
      let values = (0..<shape.reduce(1, *)).map { Int64($0 % 100) }
      let types: [ElementType] = [
        .integer(bits: 7, signed: false), .integer(bits: 8, signed: true), .integer(bits: 16, signed: true),
        .integer(bits: 16, signed: false), .integer(bits: 32, signed: true), .accumulator,
      ]
      let x =
        number % 7 == 0
        ? Tensor(shape, values.map { Float($0) }) : Tensor(shape, values, as: types[number % 6])
      let result = try slice(start, end, x)
      let lengths = zip(start, end).map { $1 - $0 }
      let strides = rowMajorStrides(shape)
      let expected = (0..<lengths.reduce(1, *)).map { place -> Int64 in
        var (rest, source) = (place, 0)
        for axis in shape.indices.reversed() {
          source += (start[axis] + rest % lengths[axis]) * strides[axis]
          rest /= lengths[axis]
        }
        return values[source]
      }
      #expect(result.shape == lengths && result.data.container == x.data.container)
      #expect(x.data.isFloat ? result.floats.map { Int64($0) } == expected : result.integers == expected)
    }
  }

  @Test(arguments: [
    ([0], [1]), ([0, 0, 0], [1, 1, 1]), ([0, 2], [2, 2]), ([-1, 0], [1, 1]), ([0, 0], [3, 1]),
    ([0, 0], [0, 1]),
    ([Int.max, 0], [Int.min, 1]),
  ])
  func refusesWhatIsNoPart(start: [Int], end: [Int]) {
    let error = #expect(throws: Diagnostic.self) {
      try slice(start, end, Tensor([2, 2], [Float](repeating: 0, count: 4)))
    }
    #expect(error?.id == "operator.parameter")
  }
}
