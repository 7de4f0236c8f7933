import Glibc
import Support

/// The elements of an array of `shape` with axis `k` of the result being axis `order[k]` of the argument.
func transposed(_ data: TensorData, _ shape: [Int], order: [Int]) -> TensorData {
  if data.count == 0 { return data }
  let plan = TransposePlan(shape, order)
  return TensorData(container: data.container, count: data.count) { target in
    data.withBytes { source in
      guard let from = source.baseAddress, let to = target.baseAddress else { return }
      switch data.container.byteWidth {
      case 1: plan.move(from, to, UInt8.self)
      case 2: plan.move(from, to, UInt16.self)
      case 4: plan.move(from, to, UInt32.self)
      default: plan.move(from, to, UInt64.self)
      }
    }
  }
}

/// A transposition with the axes merged that stay side by side.
private struct TransposePlan {
  /// Lengths of the result's merged axes.
  private(set) var lengths: [Int] = []
  /// Steps in the argument on each of them.
  private(set) var steps: [Int] = []

  init(_ shape: [Int], _ order: [Int]) {
    let strides = rowMajorStrides(shape)
    for axis in order where shape[axis] != 1 {
      if let last = lengths.indices.last, steps[last] == strides[axis] * shape[axis] {
        lengths[last] *= shape[axis]
        steps[last] = strides[axis]
      } else {
        lengths.append(shape[axis])
        steps.append(strides[axis])
      }
    }
    while lengths.count < 2 {
      lengths.insert(1, at: 0)
      steps.insert(0, at: 0)
    }
  }

  /// Moves all elements; the two innermost axes of the result are walked in squares that stay in the cache.
  @inline(__always)
  func move<T: BitwiseCopyable>(_ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ type: T.Type) {
    let outer = lengths.count - 2
    let (rows, columns) = (lengths[outer], lengths[outer + 1])
    let (rowStep, columnStep) = (steps[outer], steps[outer + 1])
    var index = [Int](repeating: 0, count: outer)
    var (source, target) = (0, 0)
    while true {
      movePlane(from, to, source, target, (rows, columns), (rowStep, columnStep), type)
      target += rows * columns
      var axis = outer - 1
      while axis >= 0 {
        index[axis] += 1
        source += steps[axis]
        if index[axis] < lengths[axis] { break }
        index[axis] = 0
        source -= steps[axis] * lengths[axis]
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

/// Moves a plane of `size` whose elements lie `step` apart in the source.
@inline(__always)
private func movePlane<T: BitwiseCopyable>(
  _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, _ source: Int, _ target: Int, _ size: (Int, Int),
  _ step: (Int, Int), _ type: T.Type
) {
  let width = MemoryLayout<T>.size
  let from = from + source * width
  let to = to + target * width
  if step.1 == 1 {
    for row in 0..<size.0 {
      memcpy(to + row &* size.1 &* width, from + row &* step.0 &* width, size.1 &* width)
    }
    return
  }
  let edge = 32
  for top in stride(from: 0, to: size.0, by: edge) {
    for left in stride(from: 0, to: size.1, by: edge) {
      for row in top..<min(top + edge, size.0) {
        for column in left..<min(left + edge, size.1) {
          let value = from.load(fromByteOffset: (row &* step.0 &+ column &* step.1) &* width, as: T.self)
          to.storeBytes(of: value, toByteOffset: (row &* size.1 &+ column) &* width, as: T.self)
        }
      }
    }
  }
}

extension DigitalOperator {
  /// The joined elements; of the arguments' container, or `i64` for integers of several containers.
  func joined(_ arguments: [Tensor], axis: Int, shape: [Int]) throws(Diagnostic) -> TensorData {
    let containers = Set(arguments.map(\.data.container))
    guard !containers.contains(.f32) || containers.count == 1 else {
      throw failure("kind", "joins floats and integers")
    }
    let parts = containers.count == 1 ? arguments.map(\.data) : arguments.map { TensorData.i64($0.integers) }
    let container = parts[0].container
    let outer = shape[..<axis].reduce(1, *)
    return TensorData(container: container, count: shape.reduce(1, *)) { target in
      guard outer > 0, let to = target.baseAddress else { return }
      let line = target.count / outer
      var start = 0
      for part in parts {
        part.withBytes { source in
          guard let from = source.baseAddress, !source.isEmpty else { return }
          let chunk = source.count / outer
          for k in 0..<outer { memcpy(to + k * line + start, from + k * chunk, chunk) }
          start += chunk
        }
      }
    }
  }

  /// The padded elements in the argument's container; `value` must be one of its values.
  func padded(_ x: Tensor, before: [Int], shape: [Int], value: Float) throws(Diagnostic) -> TensorData {
    let filler: TensorData
    if x.data.isFloat {
      filler = .f32([value])
    } else if let whole = Int64(exactly: value),
      let one = TensorData(container: x.data.container, integers: [whole])
    {
      filler = one
    } else {
      throw failure("parameter", "\(value) is no \(x.data.container.rawValue)")
    }
    let rank = shape.count
    let row = rank == 0 ? 1 : x.shape[rank - 1]
    let width = x.data.container.byteWidth
    let steps = rowMajorStrides(shape)
    let start = shape.indices.reduce(0) { $0 + before[$1] * steps[$1] }
    return TensorData(container: x.data.container, count: shape.reduce(1, *)) { target in
      filler.withBytes { fill(target, with: $0) }
      x.data.withBytes { source in
        guard let from = source.baseAddress, let to = target.baseAddress, !source.isEmpty else { return }
        for k in 0..<x.count / row {
          let at = start + offset(ofRow: k, x.shape, steps)
          memcpy(to + at * width, from + k * row * width, row * width)
        }
      }
    }
  }
}

/// Where row `k` of an array of `shape` starts in an array with the strides `steps`.
private func offset(ofRow k: Int, _ shape: [Int], _ steps: [Int]) -> Int {
  var (rest, offset) = (k, 0)
  for axis in shape.indices.dropLast().reversed() {
    offset += rest % shape[axis] * steps[axis]
    rest /= shape[axis]
  }
  return offset
}

/// Repeats `pattern` over `target`.
private func fill(_ target: UnsafeMutableRawBufferPointer, with pattern: UnsafeRawBufferPointer) {
  guard let to = target.baseAddress, let from = pattern.baseAddress, target.count >= pattern.count else {
    return
  }
  memcpy(to, from, pattern.count)
  var done = pattern.count
  while done < target.count {
    let step = min(done, target.count - done)
    memcpy(to + done, to, step)
    done += step
  }
}
