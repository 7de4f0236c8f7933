import Support

extension DigitalOperator {
  /// The shape of ONNX MatMul's result: vectors count as a row on the left and as a column on the right.
  func matrixProductShape(_ a: [Int], _ b: [Int]) throws(Diagnostic) -> [Int] {
    let (left, right) = try matrices(a, b)
    guard left[left.count - 1] == right[right.count - 2] else {
      throw failure("shape", "\(a) and \(b) do not multiply")
    }
    var shape = try broadcastShape(Array(left.dropLast(2)), Array(right.dropLast(2)))
    if a.count > 1 { shape.append(left[left.count - 2]) }
    if b.count > 1 { shape.append(right[right.count - 1]) }
    return shape
  }

  private func matrices(_ a: [Int], _ b: [Int]) throws(Diagnostic) -> (left: [Int], right: [Int]) {
    guard let m = a.first, let n = b.first else { throw failure("shape", "a scalar is no matrix") }
    return (a.count == 1 ? [1, m] : a, b.count == 1 ? [n, 1] : b)
  }

  /// The elements of the product: each a sum in binary32 in index order, as `floatProduct` gives it.
  func batchedProduct(_ a: Tensor, _ b: Tensor) throws(Diagnostic) -> [Float] {
    let (left, right) = try matrices(a.shape, b.shape)
    let (x, y) = (try floats(of: a), try floats(of: b))
    let (rows, inner, columns) = (left[left.count - 2], left[left.count - 1], right[right.count - 1])
    let (leadA, leadB) = (Array(left.dropLast(2)), Array(right.dropLast(2)))
    let lead = try broadcastShape(leadA, leadB)
    if lead.allSatisfy({ $0 == 1 }) {
      return try floatProduct(x, y, rows: rows, inner: inner, columns: columns)
    }
    let walk = BroadcastWalk(leadA, leadB, to: lead)
    var pairs: [(Int, Int)] = []
    let last = walk.lengths.count - 1
    walk.forEachRun { _, fromA, fromB in
      for k in 0..<walk.lengths[last] {
        pairs.append((fromA + k * walk.stepsA[last], fromB + k * walk.stepsB[last]))
      }
    }
    var result: [Float] = []
    result.reserveCapacity(pairs.count * rows * columns)
    for (i, j) in pairs {
      result += try floatProduct(
        Array(x[i * rows * inner..<(i + 1) * rows * inner]),
        Array(y[j * inner * columns..<(j + 1) * inner * columns]), rows: rows, inner: inner, columns: columns)
    }
    return result
  }
}
