import Glibc
import Support
import Tensors
import Testing

@Suite struct ReductionTests {
  @Test func softmaxFollowsItsFormula() throws {
    var random = SeededGenerator(seed: 1)
    let (shape, values) = ([3, 5, 4], random.floats(60))
    for axis in 0..<3 {
      let result = try DigitalOperator.softmax(axis: axis).apply(to: [Tensor(shape, values)]).floats
      let step = rowMajorStrides(shape)[axis]
      for start in 0..<60 where start / step % shape[axis] == 0 {
        let line = (0..<shape[axis]).map { start + $0 * step }
        let top = line.map { values[$0] }.max() ?? 0
        let powers = line.map { expf(values[$0] - top) }
        let sum = Float(powers.reduce(0.0) { $0 + Double($1) })
        #expect(line.map { result[$0] } == powers.map { $0 / sum })
        #expect(abs(line.reduce(0) { $0 + result[$1] } - 1) < 1e-6)
      }
    }
  }

  @Test func softmaxStandsLargeNumbers() throws {
    let result = try DigitalOperator.softmax(axis: 0).apply(to: [Tensor([2], [3e38, -3e38] as [Float])])
    #expect(result.floats == [1, 0])
    #expect(try DigitalOperator.softmax(axis: 1).apply(to: [Tensor([0, 3], [] as [Float])]).shape == [0, 3])
    #expect(try DigitalOperator.softmax(axis: 1).apply(to: [Tensor([3, 0], [] as [Float])]).count == 0)
  }

  @Test(arguments: [[0], [1], [2], [0, 1], [0, 2], [1, 2], [2, 1], [0, 1, 2], []])
  func meanSumsInDouble(_ axes: [Int]) throws {
    var random = SeededGenerator(seed: 2)
    let (shape, values) = ([3, 4, 5], random.floats(60))
    let result = try DigitalOperator.mean(axes: axes).apply(to: [Tensor(shape, values)])
    let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
    #expect(result.shape == kept)
    var sums = [Double](repeating: 0, count: kept.reduce(1, *))
    let (steps, target) = (rowMajorStrides(shape), rowMajorStrides(kept))
    for k in 0..<60 {
      let at = shape.indices.reduce(0) { $0 + k / steps[$1] % shape[$1] % kept[$1] * target[$1] }
      sums[at] += Double(values[k])
    }
    let divisor = Double(axes.reduce(1) { $0 * shape[$1] })
    #expect(result.floats == sums.map { Float($0 / divisor) })
  }

  /// Against a plain search, with many equal elements.
  @Test func placesOfTheLargest() throws {
    var random = SeededGenerator(seed: 3)
    for round in 0..<120 {
      let shape = (0..<random.inside(1...3)).map { _ in random.inside(1...5) }
      let values = (0..<shape.reduce(1, *)).map { _ in Float(random.inside(-2...2)) }
      let axis = random.below(shape.count)
      let last = round % 2 == 1
      let found = try DigitalOperator.argMax(axis: axis, last: last).apply(to: [Tensor(shape, values)])
      var kept = shape
      kept[axis] = 1
      #expect(found.shape == kept)
      let step = rowMajorStrides(shape)[axis]
      var expected: [Float] = []
      for start in values.indices where start / step % shape[axis] == 0 {
        let line = (0..<shape[axis]).map { values[start + $0 * step] }
        let top = line.max() ?? 0
        expected.append(Float((last ? line.lastIndex(of: top) : line.firstIndex(of: top)) ?? -1))
      }
      #expect(found.floats == expected, "\(shape), \(axis), \(last)")
    }
  }

  @Test func placesOfUndefinedAndEndlessElements() throws {
    func place(_ values: [Float], last: Bool = false) throws -> Float {
      try DigitalOperator.argMax(axis: 0, last: last).apply(to: [Tensor([values.count], values)]).floats[0]
    }
    #expect(try place([-.infinity, -.infinity]) == 0 && place([-.infinity, -.infinity], last: true) == 1)
    #expect(try place([1, .nan, 2]) == 1 && place([.nan, 5, 6]) == 0)
    #expect(try place([1, .nan, .nan, 2]) == 1 && place([.nan, 5, .nan, 6], last: true) == 2)
    #expect(try place([0, -0.0]) == 0 && place([-0.0, 0], last: true) == 1)
    let x = Tensor([2, 0], [] as [Float])
    expectFailure("operator.parameter", .argMax(axis: 1, last: false), [x])
    #expect(try DigitalOperator.argMax(axis: 0, last: false).apply(to: [x]).shape == [1, 0])
    expectFailure("operator.axis", .argMax(axis: 2, last: false), [x])
    expectFailure("operator.axis", .argMax(axis: -1, last: false), [x])
    expectFailure("operator.kind", .argMax(axis: 0, last: false), [Tensor([1], [1 as Int64])])
    #expect(throws: Diagnostic.self) {
      try DigitalOperator.argMax(axis: 0, last: false).resultShape(of: [[1 << 24 + 1]])
    }
    #expect(try DigitalOperator.argMax(axis: 0, last: true).resultShape(of: [[1 << 24]]) == [1])
  }

  @Test func meanOfNothingIsNaN() throws {
    let result = try DigitalOperator.mean(axes: [1]).apply(to: [Tensor([2, 0], [] as [Float])])
    #expect(result.shape == [2, 1] && result.floats.allSatisfy(\.isNaN))
  }

  @Test func refusesBadAxes() {
    let x = Tensor([2], [1, 2] as [Float])
    expectFailure("operator.axis", .softmax(axis: 1), [x])
    expectFailure("operator.axis", .softmax(axis: -1), [x])
    expectFailure("operator.axis", .softmax(axis: .max), [x])
    expectFailure("operator.axis", .mean(axes: [0, 0]), [x])
    expectFailure("operator.axis", .mean(axes: [2]), [x])
    expectFailure("operator.kind", .softmax(axis: 0), [Tensor([1], [1 as Int64])])
  }
}
