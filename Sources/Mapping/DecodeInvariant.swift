import Tensors

// The decode invariant (`WeightCoding`): what the cells of a layer stand for.

extension Block {
  /// Adds what the cells stand for, `factor` times, to `matrix`, row-major with `columns` columns: those of the
  /// wordlines `lines`, or all.
  public func decode(
    _ lines: [Int]? = nil, times factor: Int64 = 1, into matrix: inout [Int64], columns width: Int
  ) {
    for r in lines ?? Array(rows.indices) {
      let row = rows[r]
      for (c, column) in columns.enumerated() {
        let level = Int64(cells[r * columns.count + c])
        if level == 0 { continue }
        let value = factor * level << Int64(column.shift + row.shift)
        matrix[row.input * width + column.output] += column.negative ? -value : value
      }
    }
  }

  /// Adds what the cells of `outputs` stand for to `share`, the columns `outputs` of the matrix, row-major.
  fileprivate func decode(_ outputs: Range<Int>, into share: inout [Int64]) {
    let lanes = columns.indices.filter { outputs.contains(columns[$0].output) }
    if lanes.isEmpty { return }
    let targets = lanes.map { columns[$0].output - outputs.lowerBound }
    let (shifts, signs) = (lanes.map { Int64(columns[$0].shift) }, lanes.map { columns[$0].negative })
    cells.withUnsafeBufferPointer { cells in
      for (r, row) in rows.enumerated() {
        let (source, target) = (r * columns.count, row.input * outputs.count)
        for (k, lane) in lanes.enumerated() {
          let level = Int64(cells[source + lane])
          if level == 0 { continue }
          let value = level << (shifts[k] + Int64(row.shift))
          share[target + targets[k]] += signs[k] ? -value : value
        }
      }
    }
  }
}

extension Layer {
  /// A weight that the cells do not decode to; nil where the invariant holds. The layer is sound (`problem(in:)`) and
  /// has its weights and cells.
  ///
  /// The matrix is decoded share by share of its outputs, so that it takes no more than 2^22 numbers.
  public func decodeProblem() -> LayerProblem? {
    guard let weights else { return LayerProblem(.layer, "the layer has no weights", field: "weights") }
    let width = max(1, min(columns, 1 << 22 / max(1, rows)))
    for start in stride(from: 0, to: columns, by: width) {
      let outputs = start..<min(start + width, columns)
      let excess = outputs.map { -coding.excess(of: $0) }
      var decoded: [Int64] = []
      decoded.reserveCapacity(rows * outputs.count)
      for _ in 0..<rows { decoded += excess }
      for block in blocks { block.decode(outputs, into: &decoded) }
      if let (i, o) = weights.data.firstDifference(from: decoded, outputs, columns: columns) {
        let (found, weight) = (
          decoded[i * outputs.count + o - outputs.lowerBound], weights.integer(i * columns + o)
        )
        return LayerProblem(
          .decode, "the cells of (\(i), \(o)) decode to \(found), the weight is \(weight)", field: "cells")
      }
    }
    return nil
  }
}

extension TensorData {
  /// The first place `(i, o)` where the matrix differs from `decoded`, which holds the columns `outputs` of it.
  fileprivate func firstDifference(
    from decoded: [Int64], _ outputs: Range<Int>, columns: Int
  ) -> (Int, Int)? {
    switch self {
    case .i8(let values): return difference(values, decoded, outputs, columns)
    case .i16(let values): return difference(values, decoded, outputs, columns)
    case .i64(let values): return difference(values, decoded, outputs, columns)
    case .u8, .u16, .i32, .f32:
      return difference(Tensor([count], self).integers, decoded, outputs, columns)
    }
  }

  private func difference<T: FixedWidthInteger>(
    _ values: [T], _ decoded: [Int64], _ outputs: Range<Int>, _ columns: Int
  ) -> (Int, Int)? {
    for row in 0..<values.count / max(1, columns) {
      let (source, target) = (row * columns, row * outputs.count - outputs.lowerBound)
      for output in outputs where Int64(values[source + output]) != decoded[target + output] {
        return (row, output)
      }
    }
    return nil
  }
}
