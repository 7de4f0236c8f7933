import Support
import Tensors
import Testing

@Suite struct ProductTests {
  /// The definition: one sum after the other, in index order.
  private func expected(_ a: [Float], _ b: [Float], _ rows: Int, _ inner: Int, _ columns: Int) -> [Float] {
    (0..<rows * columns).map { at in
      (0..<inner).reduce(0) { $0 + a[at / columns * inner + $1] * b[$1 * columns + at % columns] }
    }
  }

  @Test func sumsFloatsInOrder() throws {
    var random = SeededGenerator(seed: 31)
    for rows in [0, 1, 2, 3, 4, 5, 7, 8, 13] {
      for inner in [0, 1, 3, 64, 129] {
        for columns in [0, 1, 7, 8, 9, 17] {
          let (a, b) = (random.floats(rows * inner), random.floats(inner * columns))
          let product = try floatProduct(a, b, rows: rows, inner: inner, columns: columns)
          #expect(product == expected(a, b, rows, inner, columns), "\(rows) \(inner) \(columns)")
        }
      }
    }
  }

  @Test func refusesWrongSizes() {
    for (rows, inner, columns) in [(1, 2, 3), (-1, -1, 1), (2, 2, -1), (.max, .max, 1), (1, 4, .max)] {
      expectFailure("operator.size") { () throws(Diagnostic) in
        _ = try floatProduct([1, 2, 3, 4], [1, 2, 3, 4], rows: rows, inner: inner, columns: columns)
      }
      expectFailure("operator.size") { () throws(Diagnostic) in
        _ = try integerProduct([1, 2, 3, 4], [1, 2, 3, 4], rows: rows, inner: inner, columns: columns)
      }
    }
  }

  @Test func multipliesIntegersExactly() throws {
    var random = SeededGenerator(seed: 32)
    for bits in [1, 4, 8, 10, 12, 16, 20, 24, 27] {
      for (rows, inner, columns) in [(1, 5, 3), (4, 300, 9), (7, 17, 4), (5, 64, 8), (9, 1, 13)] {
        let range = -(1 << bits)...1 << bits
        let a = random.integers(rows * inner, in: range)
        let b = random.integers(inner * columns, in: range)
        let product = try integerProduct(a, b, rows: rows, inner: inner, columns: columns)
        let sums = (0..<rows * columns).map { at in
          (0..<inner).reduce(0) { $0 + a[at / columns * inner + $1] * b[$1 * columns + at % columns] }
        }
        #expect(product == sums, "\(bits) bits")
      }
    }
  }

  @Test func isExactAtTheBoundsOfEachPath() throws {
    // Sums of exactly 2^24, 2^53, and one more, with odd parts that a rounding would lose.
    for (bound, step) in [(24, 1), (53, 1), (24, -1), (53, -1)] as [(Int64, Int64)] {
      for extra in [-1, 0, 1] as [Int64] {
        let half: Int64 = 1 << (bound - 1)
        let a = [half, half + extra, step, step]
        let product = try integerProduct(a, [1, 1, 1, 0], rows: 1, inner: 4, columns: 1)
        #expect(product == [2 * half + extra + step])
      }
    }
    #expect(try integerProduct([.max], [1], rows: 1, inner: 1, columns: 1) == [.max])
    #expect(try integerProduct([.min], [1], rows: 1, inner: 1, columns: 1) == [.min])
    let wide = try integerProduct([.min, .min, -5], [.min, .max, 1], rows: 1, inner: 3, columns: 1)
    #expect(wide == [.max - 4], "2^126 - 2^126 + 2^63 - 5")
  }

  @Test func cancelsLargeProducts() throws {
    let product = try integerProduct([.max, .max], [.max, -.max], rows: 1, inner: 2, columns: 1)
    #expect(product == [0])
    let many = try integerProduct(
      [Int64](repeating: .min, count: 64), (0..<64).map { $0 % 2 == 0 ? .max : -.max }, rows: 1, inner: 64,
      columns: 1)
    #expect(many == [0])
    for (a, b) in [([.min], [-1]), ([.max, 1], [1, 1]), ([.min, -1], [1, 1])] as [([Int64], [Int64])] {
      expectFailure("operator.overflow") { () throws(Diagnostic) in
        _ = try integerProduct(a, b, rows: 1, inner: a.count, columns: 1)
      }
    }
  }

  @Test func multipliesTensors() throws {
    let (a, b) = (Tensor([2, 2], .u8([1, 2, 3, 4])), Tensor([2, 1], .i8([-1, 1])))
    #expect(try integerProduct(a, b) == Tensor([2, 1], [1, 1] as [Int64]))
    expectFailure("operator.shape") { () throws(Diagnostic) in _ = try integerProduct(b, b) }
    expectFailure("operator.kind") { () throws(Diagnostic) in
      _ = try integerProduct(a, Tensor([2, 1], [1, 1] as [Float]))
    }
  }

  @Test(
    arguments: [
      ([2, 3], [3, 4], [2, 4]), ([3], [3, 4], [4]), ([2, 3], [3], [2]), ([3], [3], []),
      ([5, 2, 3], [3, 4], [5, 2, 4]), ([2, 1, 2, 3], [4, 3, 2], [2, 4, 2, 2]), ([0, 3], [3, 4], [0, 4]),
      ([2, 0], [0, 4], [2, 4]), ([0, 2, 3], [1, 3, 4], [0, 2, 4]),
    ] as [([Int], [Int], [Int])])
  func multipliesBatches(_ a: [Int], _ b: [Int], _ shape: [Int]) throws {
    var random = SeededGenerator(seed: 33)
    let x = Tensor(a, random.floats(a.reduce(1, *)))
    let y = Tensor(b, random.floats(b.reduce(1, *)))
    let result = try DigitalOperator.matmul.apply(to: [x, y])
    #expect(result.shape == shape)
    let (rows, inner) = (a.count == 1 ? 1 : a[a.count - 2], a[a.count - 1])
    let columns = b.count == 1 ? 1 : b[b.count - 1]
    guard rows * columns > 0 else { return }
    let batches = result.count / (rows * columns)
    let (ownA, ownB) = (a.dropLast(2).reduce(1, *), b.dropLast(2).reduce(1, *))
    for batch in 0..<batches {
      // The leading shapes used here are [n], [n, 1] against [m], or 1: the rule below covers them.
      let i = ownA == batches ? batch : ownA == 1 ? 0 : batch / ownB
      let j = ownB == batches ? batch : ownB == 1 ? 0 : batch % ownB
      let part = expected(
        Array(x.floats[(i * rows * inner)...].prefix(rows * inner)),
        Array(y.floats[(j * inner * columns)...].prefix(inner * columns)), rows, inner, columns)
      #expect(Array(result.floats[(batch * rows * columns)...].prefix(rows * columns)) == part)
    }
  }

  @Test func refusesOtherMatrices() {
    let x = Tensor([2, 3], [Float](repeating: 0, count: 6))
    expectFailure("operator.shape", .matmul, [x, x])
    expectFailure("operator.shape", .matmul, [x, Tensor([], [1 as Float])])
    expectFailure(
      "operator.shape", .matmul,
      [Tensor([2, 1, 1], [0, 0] as [Float]), Tensor([3, 1, 1], [0, 0, 0] as [Float])])
    expectFailure("operator.kind", .matmul, [x, Tensor([3], [0, 0, 0] as [Int64])])
  }
}
