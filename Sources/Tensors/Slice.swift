import Glibc
import Support

extension DigitalOperator {
  /// The lengths `end - start`, which lie inside of `shape` and are at least 1.
  func slicedShape(_ shape: [Int], _ start: [Int], _ end: [Int]) throws(Diagnostic) -> [Int] {
    guard start.count == shape.count, end.count == shape.count else {
      throw failure("parameter", "\(start.count) starts and \(end.count) ends for \(shape.count) axes")
    }
    for axis in shape.indices {
      guard start[axis] >= 0, start[axis] < end[axis], end[axis] <= shape[axis] else {
        throw failure(
          "parameter", "\(start[axis]) ..< \(end[axis]) is no part of an axis of length \(shape[axis])")
      }
    }
    return zip(start, end).map { $1 - $0 }
  }
}

/// The part of an array of `from` that begins at `start` and has the lengths `shape`, which lie inside of it.
func sliced(_ data: TensorData, _ from: [Int], start: [Int], shape: [Int]) -> TensorData {
  // Axes after the last one that is cut are copied as a whole.
  let inner = shape.indices.reversed().first { shape[$0] != from[$0] } ?? -1
  let run = shape.indices.filter { $0 >= inner }.reduce(1) { $0 * shape[$1] }
  let strides = rowMajorStrides(from)
  let first = shape.indices.reduce(0) { $0 + start[$1] * strides[$1] }
  let outer = shape.indices.filter { $0 < inner }
  let width = data.container.byteWidth
  let count = shape.reduce(1, *)
  return TensorData(container: data.container, count: count) { target in
    data.withBytes { source in
      guard let from = source.baseAddress, let to = target.baseAddress, count > 0 else { return }
      var index = [Int](repeating: 0, count: shape.count)
      var place = first
      for part in 0..<count / run {
        memcpy(to + part * run * width, from + place * width, run * width)
        for axis in outer.reversed() {
          index[axis] += 1
          place += strides[axis]
          if index[axis] < shape[axis] { break }
          place -= index[axis] * strides[axis]
          index[axis] = 0
        }
      }
    }
  }
}
