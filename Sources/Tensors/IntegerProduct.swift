public import Support

/// The exact product of a `[rows, inner]` and an `[inner, columns]` integer matrix, both row-major.
///
/// Where a bound on the sums proves that binary32 or binary64 holds every partial sum exactly, floating-point
/// arithmetic computes the same integers faster. Throws `operator.size` where the arrays do not have these sizes, and
/// `operator.overflow` where an element of the product does not fit into 64 bits.
public func integerProduct(_ a: [Int64], _ b: [Int64], rows: Int, inner: Int, columns: Int)
  throws(Diagnostic) -> [Int64]
{
  try checkProductSizes(a.count, b.count, rows, inner, columns)
  let bound = sumBound(a, b, inner)
  if bound <= 1 << 24 {
    let product = try floatProduct(
      a.map { Float($0) }, b.map { Float($0) }, rows: rows, inner: inner, columns: columns)
    return product.map { Int64($0) }
  }
  if bound <= 1 << 53 { return doubleProduct(a, b, rows, inner, columns) }
  if bound <= Int64.max { return wordProduct(a, b, rows, inner, columns) }
  return try wideProduct(a, b, rows, inner, columns)
}

/// The exact product of two integer tensors of the shapes `[P, R]` and `[R, C]`: a `[P, C]` tensor of `i64`.
///
/// Throws `operator.kind` for floats, `operator.shape` for other shapes, and what the product of arrays throws.
public func integerProduct(_ a: Tensor, _ b: Tensor) throws(Diagnostic) -> Tensor {
  guard !a.data.isFloat, !b.data.isFloat else {
    throw Diagnostic("operator.kind", "a product of integers of floats")
  }
  guard a.shape.count == 2, b.shape.count == 2, a.shape[1] == b.shape[0] else {
    throw Diagnostic("operator.shape", "\(a.shape) and \(b.shape) do not multiply")
  }
  let values = try integerProduct(
    a.integers, b.integers, rows: a.shape[0], inner: a.shape[1], columns: b.shape[1])
  return Tensor([a.shape[0], b.shape[1]], values)
}

/// No partial sum of a product is larger than this.
private func sumBound(_ a: [Int64], _ b: [Int64], _ inner: Int) -> Int128 {
  func largest(_ values: [Int64]) -> UInt64 {
    var bits: UInt64 = 0
    for value in values { bits = max(bits, value.magnitude) }
    return bits
  }
  // Without the length where that would not fit: the pair alone is beyond every bound that is asked for.
  let pair = Int128(largest(a)) * Int128(largest(b))
  return pair > Int128(1) << 90 ? pair : pair * Int128(inner)
}

private func wordProduct(_ a: [Int64], _ b: [Int64], _ rows: Int, _ inner: Int, _ columns: Int) -> [Int64] {
  var result = [Int64](repeating: 0, count: rows * columns)
  result.withUnsafeMutableBufferPointer { c in
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        for row in 0..<rows {
          for k in 0..<inner {
            let factor = a[row &* inner &+ k]
            if factor == 0 { continue }
            for j in 0..<columns { c[row &* columns &+ j] &+= factor &* b[k &* columns &+ j] }
          }
        }
      }
    }
  }
  return result
}

private func wideProduct(_ a: [Int64], _ b: [Int64], _ rows: Int, _ inner: Int, _ columns: Int)
  throws(Diagnostic) -> [Int64]
{
  var result: [Int64] = []
  result.reserveCapacity(rows * columns)
  for row in 0..<rows {
    for column in 0..<columns {
      // Products have up to 126 bits: the high and the low halves are summed apart.
      var (high, low) = (Int128(0), Int128(0))
      for k in 0..<inner {
        let product = Int128(a[row * inner + k]) * Int128(b[k * columns + column])
        high += product >> 64
        low += product & Int128(UInt64.max)
      }
      high += low >> 64
      let rest = UInt64(truncatingIfNeeded: low)
      let value = Int64(bitPattern: rest)
      guard high == (value < 0 ? -1 : 0) else {
        throw Diagnostic(
          "operator.overflow", "element [\(row), \(column)] of a product does not fit into 64 bits")
      }
      result.append(value)
    }
  }
  return result
}

private func doubleProduct(_ a: [Int64], _ b: [Int64], _ rows: Int, _ inner: Int, _ columns: Int) -> [Int64] {
  let lines = UnsafeMutablePointer<SIMD4<Double>>.allocate(capacity: max(1, inner))
  defer { lines.deallocate() }
  let factors = a.map { Double($0) }
  var result = [Int64](repeating: 0, count: rows * columns)
  result.withUnsafeMutableBufferPointer { c in
    factors.withUnsafeBufferPointer { factors in
      b.withUnsafeBufferPointer { b in
        for first in stride(from: 0, to: columns, by: 4) {
          let width = min(4, columns - first)
          for k in 0..<inner {
            var line = SIMD4<Double>.zero
            for j in 0..<width { line[j] = Double(b[k &* columns &+ first &+ j]) }
            lines[k] = line
          }
          multiply(factors, lines, (rows, inner)) { row, sum in
            for j in 0..<width { c[row &* columns &+ first &+ j] = Int64(sum[j]) }
          }
        }
      }
    }
  }
  return result
}

/// Hands the sums of each row to `store`; four rows are summed at once.
@inline(__always)
private func multiply(
  _ a: UnsafeBufferPointer<Double>, _ lines: UnsafeMutablePointer<SIMD4<Double>>,
  _ size: (rows: Int, inner: Int),
  _ store: (Int, SIMD4<Double>) -> Void
) {
  let inner = size.inner
  var row = 0
  while row < size.rows {
    let start = row &* inner
    if row + 4 <= size.rows {
      var (s0, s1, s2, s3) = (SIMD4<Double>.zero, SIMD4<Double>.zero, SIMD4<Double>.zero, SIMD4<Double>.zero)
      for k in 0..<inner {
        let line = lines[k]
        s0 += line * a[start &+ k]
        s1 += line * a[start &+ inner &+ k]
        s2 += line * a[start &+ 2 &* inner &+ k]
        s3 += line * a[start &+ 3 &* inner &+ k]
      }
      store(row, s0)
      store(row &+ 1, s1)
      store(row &+ 2, s2)
      store(row &+ 3, s3)
      row += 4
    } else {
      var sum = SIMD4<Double>.zero
      for k in 0..<inner { sum += lines[k] * a[start &+ k] }
      store(row, sum)
      row += 1
    }
  }
}
