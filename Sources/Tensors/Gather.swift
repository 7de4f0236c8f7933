import Glibc
import Support

extension DigitalOperator {
  /// `shape` with as many elements on `axis` as there are indices, each of which lies inside of it.
  func gatheredShape(_ shape: [Int], _ indices: [Int64], _ axis: Int) throws(Diagnostic) -> [Int] {
    try checkAxis(axis, shape)
    guard !indices.isEmpty else { throw failure("parameter", "there are no indices") }
    if let wrong = indices.first(where: { $0 < 0 || $0 >= Int64(shape[axis]) }) {
      throw failure("parameter", "index \(wrong) is outside of an axis of length \(shape[axis])")
    }
    var result = shape
    result[axis] = indices.count
    return result
  }
}

/// The elements `indices` on `axis` of an array of `shape`, in their order; all of them lie inside.
func gathered(_ data: TensorData, _ shape: [Int], _ indices: [Int64], axis: Int) -> TensorData {
  let inner = shape[(axis + 1)...].reduce(1, *)
  let outer = shape[..<axis].reduce(1, *)
  let width = data.container.byteWidth
  return TensorData(container: data.container, count: outer * indices.count * inner) { target in
    data.withBytes { source in
      guard let from = source.baseAddress, let to = target.baseAddress else { return }
      let line = shape[axis] * inner
      if inner == 1 {
        switch width {
        case 1: pick(from, to, line, outer, indices, UInt8.self)
        case 2: pick(from, to, line, outer, indices, UInt16.self)
        case 4: pick(from, to, line, outer, indices, UInt32.self)
        default: pick(from, to, line, outer, indices, UInt64.self)
        }
        return
      }
      let run = inner * width
      for part in 0..<outer {
        for (place, index) in indices.enumerated() {
          memcpy(
            to + (part * indices.count + place) * run, from + (part * line + Int(index) * inner) * width, run)
        }
      }
    }
  }
}

/// Single elements of `outer` lines of length `line`.
@inline(__always)
private func pick<T: BitwiseCopyable>(
  _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ line: Int, _ outer: Int, _ indices: [Int64],
  _ type: T.Type
) {
  let source = from.assumingMemoryBound(to: T.self)
  let target = to.assumingMemoryBound(to: T.self)
  indices.withUnsafeBufferPointer { indices in
    for part in 0..<outer {
      for place in 0..<indices.count {
        target[part &* indices.count &+ place] = source[part &* line &+ Int(indices[place])]
      }
    }
  }
}
