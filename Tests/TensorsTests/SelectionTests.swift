import Support
import Tensors
import Testing

@Suite struct SelectionTests {
  private let elements: [ElementType] = [8, 16, 32, 64].map { .integer(bits: $0, signed: true) }

  /// The element of `values` at `index` of an array of `shape`.
  private func place(_ index: [Int], _ shape: [Int]) -> Int {
    zip(index, rowMajorStrides(shape)).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// All indices of an array of `shape`, in order.
  private func indices(of shape: [Int]) -> [[Int]] {
    shape.reduce([[]]) { lists, length in lists.flatMap { list in (0..<length).map { list + [$0] } } }
  }

  @Test func takesLikeTheDefinition() throws {
    var random = SeededGenerator(seed: 8)
    for _ in 0..<60 {
      let shape = (0..<random.inside(1...4)).map { _ in random.inside(1...5) }
      let axis = random.below(shape.count)
      let chosen = (0..<random.inside(1...6)).map { _ in Int64(random.below(shape[axis])) }
      let values = random.integers(shape.reduce(1, *), in: -100...100)
      var target = shape
      target[axis] = chosen.count
      let expected = indices(of: target).map { index in
        var source = index
        source[axis] = Int(chosen[index[axis]])
        return values[place(source, shape)]
      }
      let take = DigitalOperator.gather(indices: chosen, axis: axis)
      for element in elements {
        #expect(
          try take.apply(to: [Tensor(shape, values, as: element)]) == Tensor(target, expected, as: element))
      }
      let floats = try take.apply(to: [Tensor(shape, values.map { Float($0) })])
      #expect(floats == Tensor(target, expected.map { Float($0) }))
    }
  }

  @Test func slicesLikeTheDefinition() throws {
    var random = SeededGenerator(seed: 9)
    for _ in 0..<60 {
      let shape = (0..<random.inside(0...4)).map { _ in random.inside(1...5) }
      let start = shape.map { random.below($0) }
      let end = zip(start, shape).map { random.inside($0 + 1...$1) }
      let values = random.integers(shape.reduce(1, *), in: -100...100)
      let target = zip(start, end).map { $1 - $0 }
      let expected = indices(of: target).map { values[place(zip($0, start).map(+), shape)] }
      let slice = DigitalOperator.slice(start: start, end: end)
      for element in elements {
        #expect(
          try slice.apply(to: [Tensor(shape, values, as: element)]) == Tensor(target, expected, as: element))
      }
    }
  }

  @Test func refusesWhatLiesOutside() {
    let x = Tensor([2, 1], [1, 2] as [Float])
    for indices in [[], [2], [0, -1], [.max], [.min]] as [[Int64]] {
      expectFailure("operator.parameter", .gather(indices: indices, axis: 0), [x])
    }
    for axis in [2, -1, .max] { expectFailure("operator.axis", .gather(indices: [0], axis: axis), [x]) }
    for (start, end) in [
      ([0], [1]), ([0, 0], [3, 1]), ([1, 0], [1, 1]), ([2, 0], [1, 1]), ([-1, 0], [1, 1]), ([0, 0], [1, 2]),
      ([.min, 0], [.max, 1]), ([0, 0, 0], [1, 1, 1]),
    ] { expectFailure("operator.parameter", .slice(start: start, end: end), [x]) }
    // 2^20 times as many elements.
    let wide = Tensor([1, 1 << 12], [Float](repeating: 0, count: 1 << 12))
    let many = [Int64](repeating: 0, count: 1 << 19)
    expectFailure("operator.size", .gather(indices: many, axis: 0), [wide])
  }

  @Test func roundsAndSigns() throws {
    let x: [Float] = [-2.5, -1.5, -0.5, -0.0, 0, 0.49999997, 0.5, 1.5, 2.5, 8_388_609, -.infinity, .infinity]
    func apply(_ function: UnaryFunction) throws -> [Float] {
      try DigitalOperator.unary(function).apply(to: [Tensor([x.count], x)]).floats
    }
    #expect(try apply(.floor) == [-3, -2, -1, 0, 0, 0, 0, 1, 2, 8_388_609, -.infinity, .infinity])
    #expect(try apply(.ceil) == [-2, -1, 0, 0, 0, 1, 1, 2, 3, 8_388_609, -.infinity, .infinity])
    #expect(try apply(.round) == [-2, -2, 0, 0, 0, 0, 0, 2, 2, 8_388_609, -.infinity, .infinity])
    #expect(try apply(.sign) == [-1, -1, -1, 0, 0, 1, 1, 1, 1, 1, -1, 1])
    #expect(try apply(.sign)[3].sign == .plus && apply(.floor)[3].sign == .minus)
    // What is rounded up to 0 from below is -0.
    #expect(try apply(.ceil)[2].sign == .minus && apply(.ceil)[3].sign == .minus)
    let tiny = Tensor([3], [Float.leastNonzeroMagnitude, -Float.leastNonzeroMagnitude, .nan])
    let signs = try DigitalOperator.unary(.sign).apply(to: [tiny]).floats
    #expect(signs[0] == 1 && signs[1] == -1 && signs[2].isNaN)
    for function in [UnaryFunction.floor, .ceil, .round] {
      #expect(try DigitalOperator.unary(function).apply(to: [tiny]).floats[2].isNaN)
    }
  }
}
