import Glibc

/// Softmax over `axis`: with `m` the maximum along the axis, `e = expf(x - m)`, the sum of the `e` in binary64 in
/// index order and rounded to binary32, and `e / sum` in binary32.
func softmaxValues(_ values: [Float], _ shape: [Int], axis: Int) -> [Float] {
  let length = shape[axis]
  let inner = shape[(axis + 1)...].reduce(1, *)
  var result = values
  guard !values.isEmpty else { return result }
  result.withUnsafeMutableBufferPointer { x in
    for first in stride(from: 0, to: x.count, by: length * inner) {
      for start in first..<first + inner {
        normalize(x, start: start, step: inner, length: length)
      }
    }
  }
  return result
}

private func normalize(_ x: UnsafeMutableBufferPointer<Float>, start: Int, step: Int, length: Int) {
  var maximum = -Float.infinity
  for k in 0..<length { maximum = max(maximum, x[start &+ k &* step]) }
  var sum = 0.0
  for k in 0..<length {
    let power = expf(x[start &+ k &* step] - maximum)
    x[start &+ k &* step] = power
    sum += Double(power)
  }
  let divisor = Float(sum)
  for k in 0..<length { x[start &+ k &* step] /= divisor }
}

/// Means over `axes`: sums in binary64 in index order, divided in binary64, rounded once to binary32; NaN for a mean
/// of no elements.
func meanValues(_ values: [Float], _ shape: [Int], axes: [Int]) -> [Float] {
  let divisor = Double(axes.reduce(1) { $0 * shape[$1] })
  return reduced(values, shape, axes, from: 0.0) { $0 + Double($1) }.map { Float($0 / divisor) }
}

/// For each element of the result, what `combine` makes of `start` and the elements over `axes`, in index order.
@inline(__always) private func reduced<T: BitwiseCopyable, R>(
  _ values: [T], _ shape: [Int], _ axes: [Int], from start: R, _ combine: (R, T) -> R
) -> [R] {
  let kept = shape.indices.map { axes.contains($0) ? 1 : shape[$0] }
  var result = [R](repeating: start, count: kept.reduce(1, *))
  let walk = BroadcastWalk(shape, kept, to: shape)
  let last = walk.lengths.count - 1
  let (run, stepX, stepResult) = (walk.lengths[last], walk.stepsA[last], walk.stepsB[last])
  result.withUnsafeMutableBufferPointer { result in
    values.withUnsafeBufferPointer { x in
      walk.forEachRun { _, fromX, fromResult in
        for k in 0..<run {
          let place = fromResult &+ k &* stepResult
          result[place] = combine(result[place], x[fromX &+ k &* stepX])
        }
      }
    }
  }
  return result
}

/// The largest elements over `axes`, each of which has one; a NaN where there is one.
func largestValues(_ data: TensorData, _ shape: [Int], axes: [Int]) -> TensorData {
  switch data {
  case .f32(let v): return .f32(largest(v, shape, axes, from: -.infinity))
  case .i8(let v): return .i8(largest(v, shape, axes, from: .min))
  case .u8(let v): return .u8(largest(v, shape, axes, from: .min))
  case .i16(let v): return .i16(largest(v, shape, axes, from: .min))
  case .u16(let v): return .u16(largest(v, shape, axes, from: .min))
  case .i32(let v): return .i32(largest(v, shape, axes, from: .min))
  case .i64(let v): return .i64(largest(v, shape, axes, from: .min))
  }
}

private func largest<T: Comparable & BitwiseCopyable>(
  _ values: [T], _ shape: [Int], _ axes: [Int], from lowest: T
) -> [T] {
  // Only NaN is not equal to itself.
  reduced(values, shape, axes, from: lowest) { best, value in value > best || value != value ? value : best }
}

/// The places of the largest elements on `axis`, as floats; of equal ones the first, or the `last`. NaN is larger than
/// every number.
func largestPlaces(_ values: [Float], _ shape: [Int], axis: Int, last: Bool) -> [Float] {
  let length = shape[axis]
  let inner = shape[(axis + 1)...].reduce(1, *)
  guard !values.isEmpty else { return [] }
  var places: [Float] = []
  places.reserveCapacity(values.count / length)
  values.withUnsafeBufferPointer { x in
    for first in stride(from: 0, to: x.count, by: length * inner) {
      for start in first..<first + inner {
        var best = 0
        for k in 1..<max(1, length) {
          let (new, old) = (x[start &+ k &* inner], x[start &+ best &* inner])
          if new > old || new.isNaN && !old.isNaN || last && (new == old || new.isNaN) { best = k }
        }
        places.append(Float(best))
      }
    }
  }
  return places
}
