public import Support

/// The product of a `[rows, inner]` and an `[inner, columns]` matrix, both row-major.
///
/// Every element is `0 + a[0] * b[0] + a[1] * b[1] + ...` in binary32 in index order without fused multiply-add, so
/// the result depends neither on the machine nor on how the work is split. Throws `operator.size` where the arrays do
/// not have these sizes.
public func floatProduct(_ a: [Float], _ b: [Float], rows: Int, inner: Int, columns: Int) throws(Diagnostic)
  -> [Float]
{
  try checkProductSizes(a.count, b.count, rows, inner, columns)
  var result = [Float](repeating: 0, count: rows * columns)
  result.withUnsafeMutableBufferPointer { c in
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        guard let c = c.baseAddress, let a = a.baseAddress, let b = b.baseAddress else { return }
        if rows < FloatPanel.rows {
          addRowByRow(a, b, c, rows: rows, inner: inner, columns: columns)
        } else {
          multiplyByPanels(a, b, c, rows: rows, inner: inner, columns: columns)
        }
      }
    }
  }
  return result
}

/// Throws `operator.size` unless the counts belong to a product of `[rows, inner]` and `[inner, columns]`.
func checkProductSizes(_ a: Int, _ b: Int, _ rows: Int, _ inner: Int, _ columns: Int) throws(Diagnostic) {
  guard checkedProduct([rows, inner]) == a, checkedProduct([inner, columns]) == b,
    isComputable([rows, columns])
  else {
    throw Diagnostic(
      "operator.size",
      "\(a) and \(b) elements are no product of [\(rows), \(inner)] and [\(inner), \(columns)]")
  }
}

/// For few rows: reads the right side once, as it lies.
private func addRowByRow(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, rows: Int,
  inner: Int,
  columns: Int
) {
  for row in 0..<rows {
    let target = c + row &* columns
    for k in 0..<inner {
      let factor = a[row &* inner &+ k]
      let line = b + k &* columns
      for j in 0..<columns { target[j] += factor * line[j] }
    }
  }
}

private func multiplyByPanels(
  _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, rows: Int,
  inner: Int,
  columns: Int
) {
  let panel = FloatPanel(inner: inner)
  defer { panel.deallocate() }
  for first in stride(from: 0, to: columns, by: FloatPanel.width) {
    let width = min(FloatPanel.width, columns - first)
    panel.pack(b + first, step: columns, width: width)
    panel.multiply(a, rows: rows, into: c + first, step: columns, width: width)
  }
}

/// Eight columns of a right-hand matrix, packed so that the inner loop reads them in one stream.
struct FloatPanel {
  /// Columns of a panel.
  static let width = 8
  /// Rows of the left-hand matrix that are worked on at once.
  static let rows = 4

  /// Rows of the panel.
  let inner: Int
  /// The panel, a vector for each row; lanes without a column hold anything finite.
  let lines: UnsafeMutablePointer<SIMD8<Float>>

  /// Takes memory for `inner` rows; `deallocate` gives it back.
  init(inner: Int) {
    self.inner = inner
    lines = .allocate(capacity: max(1, inner))
    lines.initialize(repeating: .zero, count: max(1, inner))
  }

  func deallocate() { lines.deallocate() }

  /// Copies `width` columns that start at `b`, whose rows lie `step` apart.
  func pack(_ b: UnsafePointer<Float>, step: Int, width: Int) {
    if width == Self.width {
      for k in 0..<inner {
        lines[k] = UnsafeRawPointer(b + k &* step).loadUnaligned(as: SIMD8<Float>.self)
      }
    } else {
      for k in 0..<inner {
        var line = SIMD8<Float>.zero
        for j in 0..<width { line[j] = b[k &* step &+ j] }
        lines[k] = line
      }
    }
  }

  /// Multiplies `rows` rows of `a`, which lie `inner` apart, and stores `width` results a row, `step` apart.
  func multiply(
    _ a: UnsafePointer<Float>, rows: Int, into c: UnsafeMutablePointer<Float>, step: Int, width: Int
  ) {
    var row = 0
    while row + 4 <= rows {
      let (s0, s1, s2, s3) = fourRows(a + row &* inner)
      store(s0, c + row &* step, width)
      store(s1, c + (row &+ 1) &* step, width)
      store(s2, c + (row &+ 2) &* step, width)
      store(s3, c + (row &+ 3) &* step, width)
      row += 4
    }
    while row < rows {
      store(oneRow(a + row &* inner), c + row &* step, width)
      row += 1
    }
  }

  @inline(__always)
  private func fourRows(_ a0: UnsafePointer<Float>) -> (
    SIMD8<Float>, SIMD8<Float>, SIMD8<Float>, SIMD8<Float>
  ) {
    let (a1, a2, a3) = (a0 + inner, a0 + 2 &* inner, a0 + 3 &* inner)
    var (s0, s1, s2, s3) = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
    for k in 0..<inner {
      let line = lines[k]
      s0 += line * a0[k]
      s1 += line * a1[k]
      s2 += line * a2[k]
      s3 += line * a3[k]
    }
    return (s0, s1, s2, s3)
  }

  @inline(__always)
  private func oneRow(_ a: UnsafePointer<Float>) -> SIMD8<Float> {
    var sum = SIMD8<Float>.zero
    for k in 0..<inner { sum += lines[k] * a[k] }
    return sum
  }

  @inline(__always)
  private func store(_ sum: SIMD8<Float>, _ c: UnsafeMutablePointer<Float>, _ width: Int) {
    if width == Self.width {
      UnsafeMutableRawPointer(c).storeBytes(of: sum, as: SIMD8<Float>.self)
    } else {
      for j in 0..<width { c[j] = sum[j] }
    }
  }
}
