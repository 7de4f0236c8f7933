import Support
import Tensors
import Testing

@Suite struct RearrangeTests {
  private let orders: [[Int]] = [
    [0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 3, 1], [0, 3, 1, 2], [1, 0, 2, 3], [2, 3, 0, 1], [1, 3, 0, 2],
  ]

  @Test func transposesLikeTheDefinition() throws {
    var random = SeededGenerator(seed: 3)
    let elements: [ElementType] = [8, 16, 32, 64].map { .integer(bits: $0, signed: true) }
    for order in orders {
      for shape in [[2, 3, 4, 5], [1, 3, 1, 40], [33, 1, 2, 35], [2, 0, 3, 1]] {
        let values = random.integers(shape.reduce(1, *), in: -100...100)
        let target = order.map { shape[$0] }
        let (from, to) = (rowMajorStrides(shape), rowMajorStrides(target))
        let expected = (0..<values.count).map { at in
          values[target.indices.reduce(0) { $0 + at / to[$1] % target[$1] * from[order[$1]] }]
        }
        for element in elements {
          let result = try DigitalOperator.transpose(order).apply(to: [Tensor(shape, values, as: element)])
          #expect(result == Tensor(target, expected, as: element))
        }
        let floats = try DigitalOperator.transpose(order).apply(to: [Tensor(shape, values.map { Float($0) })])
        #expect(floats == Tensor(target, expected.map { Float($0) }))
      }
    }
    let scalar = Tensor([], [7 as Float])
    #expect(try DigitalOperator.transpose([]).apply(to: [scalar]) == scalar)
  }

  @Test func refusesBadOrders() {
    let x = Tensor([2, 1], [1, 2] as [Float])
    for order in [[0], [0, 0], [0, 2], [-1, 0], [0, 1, 2], []] {
      expectFailure("operator.axis", .transpose(order), [x])
    }
  }

  @Test func joins() throws {
    let a = Tensor([2, 1, 2], .u8([1, 2, 3, 4]))
    let b = Tensor([2, 2, 2], .u8([5, 6, 7, 8, 9, 10, 11, 12]))
    let result = try DigitalOperator.concat(axis: 1).apply(to: [a, b, a])
    #expect(result == Tensor([2, 4, 2], .u8([1, 2, 5, 6, 7, 8, 1, 2, 3, 4, 9, 10, 11, 12, 3, 4])))
    let mixed = try DigitalOperator.concat(axis: 0).apply(to: [a, Tensor([1, 1, 2], .i8([-1, -2]))])
    #expect(mixed == Tensor([3, 1, 2], [1, 2, 3, 4, -1, -2] as [Int64]))
    let empty = Tensor([2, 0, 2], [UInt8]().isEmpty ? .u8([]) : .u8([]))
    #expect(try DigitalOperator.concat(axis: 1).apply(to: [empty, a, empty]) == a)
    #expect(try DigitalOperator.concat(axis: 0).apply(to: [Tensor([1], [2 as Float])]).floats == [2])
  }

  @Test func refusesToJoinWhatDiffers() {
    let x = Tensor([1, 2], [1, 2] as [Float])
    expectFailure("operator.shape", .concat(axis: 0), [x, Tensor([1, 1], [0 as Float])])
    expectFailure("operator.shape", .concat(axis: 0), [x, Tensor([2], [0, 0] as [Float])])
    expectFailure("operator.axis", .concat(axis: 2), [x])
    expectFailure("operator.axis", .concat(axis: 0), [Tensor([], [0 as Float])])
    expectFailure("operator.arguments", .concat(axis: 0), [])
    expectFailure("operator.kind", .concat(axis: 0), [x, Tensor([1, 2], .u8([1, 2]))])
  }

  @Test func pads() throws {
    let x = Tensor([2, 2], .i8([1, 2, 3, 4]))
    let result = try DigitalOperator.pad(before: [1, 0], after: [0, 2], value: -7).apply(to: [x])
    #expect(result == Tensor([3, 4], .i8([-7, -7, -7, -7, 1, 2, -7, -7, 3, 4, -7, -7])))
    let floats = try DigitalOperator.pad(before: [1], after: [1], value: 0.5).apply(to: [
      Tensor([1], [2 as Float])
    ])
    #expect(floats.floats == [0.5, 2, 0.5])
    let scalar = Tensor([], [3 as Float])
    #expect(try DigitalOperator.pad(before: [], after: [], value: 0).apply(to: [scalar]) == scalar)
    let empty = try DigitalOperator.pad(before: [1], after: [2], value: 9).apply(to: [Tensor([0], .u16([]))])
    #expect(empty.data == .u16([9, 9, 9]))
    let cube = Tensor([2, 1, 2], [1, 2, 3, 4] as [Int64])
    let middle = try DigitalOperator.pad(before: [0, 1, 0], after: [0, 0, 0], value: 0).apply(to: [cube])
    #expect(middle == Tensor([2, 2, 2], [0, 0, 1, 2, 0, 0, 3, 4] as [Int64]))
  }

  @Test func refusesBadPads() {
    let x = Tensor([1], .u8([1]))
    expectFailure("operator.parameter", .pad(before: [0, 0], after: [0], value: 0), [x])
    expectFailure("operator.parameter", .pad(before: [-1], after: [0], value: 0), [x])
    expectFailure("operator.parameter", .pad(before: [.max], after: [.max], value: 0), [x])
    expectFailure("operator.size", .pad(before: [1 << 30], after: [0], value: 0), [x])
    for value in [-1, 0.5, 256, .nan, .infinity] as [Float] {
      expectFailure("operator.parameter", .pad(before: [0], after: [0], value: value), [x])
    }
  }

  @Test func reshapes() throws {
    let x = Tensor([2, 3], [1, 2, 3, 4, 5, 6] as [Float])
    #expect(try DigitalOperator.reshape([3, 1, 2]).apply(to: [x]) == x.reshaped([3, 1, 2]))
    for shape in [[5], [-2, -3], [6, 0], [1 << 62, 1 << 62], []] {
      expectFailure("operator.shape", .reshape(shape), [x])
    }
  }
}
