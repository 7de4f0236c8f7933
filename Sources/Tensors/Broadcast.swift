import Glibc
import Support

/// Two row-major arrays walked together over their broadcast shape, with axes merged where both allow it.
struct BroadcastWalk {
  /// Lengths of the merged axes; at least one.
  private(set) var lengths: [Int] = []
  /// Steps of the first array on each merged axis; 0 where it is repeated.
  private(set) var stepsA: [Int] = []
  /// Steps of the second array.
  private(set) var stepsB: [Int] = []

  /// Walks arrays of the shapes `a` and `b`, which broadcast to `shape`.
  init(_ a: [Int], _ b: [Int], to shape: [Int]) {
    let allA = Self.steps(a, shape)
    let allB = Self.steps(b, shape)
    for axis in shape.indices where shape[axis] != 1 {
      let length = shape[axis]
      if let last = lengths.indices.last, stepsA[last] == allA[axis] * length,
        stepsB[last] == allB[axis] * length
      {
        lengths[last] *= length
        stepsA[last] = allA[axis]
        stepsB[last] = allB[axis]
      } else {
        lengths.append(length)
        stepsA.append(allA[axis])
        stepsB.append(allB[axis])
      }
    }
    if lengths.isEmpty {
      lengths = [1]
      stepsA = [0]
      stepsB = [0]
    }
  }

  private static func steps(_ shape: [Int], _ target: [Int]) -> [Int] {
    let lead = target.count - shape.count
    let strides = rowMajorStrides(shape)
    return target.indices.map { $0 < lead || shape[$0 - lead] == 1 ? 0 : strides[$0 - lead] }
  }

  /// Calls `body` with the start of each innermost run in the result, the first and the second array.
  func forEachRun(_ body: (Int, Int, Int) -> Void) {
    guard let run = lengths.last, !lengths.contains(0) else { return }
    let outer = lengths.count - 1
    var index = [Int](repeating: 0, count: outer)
    var (at, a, b) = (0, 0, 0)
    while true {
      body(at, a, b)
      at += run
      var axis = outer - 1
      while axis >= 0 {
        index[axis] += 1
        a += stepsA[axis]
        b += stepsB[axis]
        if index[axis] < lengths[axis] { break }
        index[axis] = 0
        a -= stepsA[axis] * lengths[axis]
        b -= stepsB[axis] * lengths[axis]
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

extension DigitalOperator {
  /// The shape that `a` and `b` broadcast to as in ONNX; throws `operator.shape` where they do not.
  func broadcastShape(_ a: [Int], _ b: [Int]) throws(Diagnostic) -> [Int] {
    let rank = max(a.count, b.count)
    var shape: [Int] = []
    for axis in 0..<rank {
      let (i, j) = (axis - rank + a.count, axis - rank + b.count)
      let (x, y) = (i < 0 ? 1 : a[i], j < 0 ? 1 : b[j])
      guard x == y || x == 1 || y == 1 else {
        throw failure("shape", "\(a) and \(b) do not broadcast")
      }
      shape.append(x == 1 ? y : x)
    }
    return shape
  }

  /// The elements of a two-argument function; the tensors broadcast to `shape`.
  ///
  /// Floats: IEEE binary32; `maximum` and `minimum` give NaN where either is NaN. Integers: `maximum` and `minimum`
  /// of one container keep it; all else is exact in `i64`, quotients are truncated toward zero. Powers of integers with
  /// a negative exponent are those of a quotient 1 / x.
  func combine(_ function: BinaryFunction, _ a: Tensor, _ b: Tensor, into shape: [Int]) throws(Diagnostic)
    -> TensorData
  {
    guard a.data.isFloat == b.data.isFloat else {
      throw failure("kind", "takes two float or two integer tensors, found one of each")
    }
    let walk = BroadcastWalk(a.shape, b.shape, to: shape)
    let count = shape.reduce(1, *)
    if a.data.isFloat { return .f32(combineFloats(function, a.floats, b.floats, walk, count)) }
    let values = try combineIntegers(function, a.integers, b.integers, walk, count)
    guard function == .maximum || function == .minimum, a.data.container == b.data.container,
      let kept = TensorData(container: a.data.container, integers: values)
    else { return .i64(values) }
    return kept
  }

  private func combineIntegers(
    _ function: BinaryFunction, _ a: [Int64], _ b: [Int64], _ walk: BroadcastWalk, _ count: Int
  ) throws(Diagnostic) -> [Int64] {
    if function == .power, b.contains(where: { $0 < 0 }), a.contains(0), count > 0 {
      throw failure("division", "a power of 0 with a negative exponent divides by zero")
    }
    if function == .divide, b.contains(0), count > 0 {
      throw failure("division", "divides an integer by zero")
    }
    let (values, overflow): ([Int64], Bool)
    switch function {
    case .add: (values, overflow) = checked(a, b, walk, count) { $0.addingReportingOverflow($1) }
    case .subtract: (values, overflow) = checked(a, b, walk, count) { $0.subtractingReportingOverflow($1) }
    case .multiply: (values, overflow) = checked(a, b, walk, count) { $0.multipliedReportingOverflow(by: $1) }
    case .divide: (values, overflow) = checked(a, b, walk, count) { $0.dividedReportingOverflow(by: $1) }
    case .maximum: return combined(a, b, walk, count) { $0 < $1 ? $1 : $0 }
    case .minimum: return combined(a, b, walk, count) { $1 < $0 ? $1 : $0 }
    case .greater: return combined(a, b, walk, count) { $0 > $1 ? 1 : 0 }
    case .equal: return combined(a, b, walk, count) { $0 == $1 ? 1 : 0 }
    case .power: (values, overflow) = checked(a, b, walk, count, integerPower)
    }
    if overflow { throw failure("overflow", "a result does not fit into 64 bits") }
    return values
  }
}

/// Puts the elements of `x` into `result` where those of `conditions` are not 0, or where they are.
func choose(
  _ conditions: [Float], _ x: [Float], _ walk: BroadcastWalk, where isChosen: Bool, _ result: inout [Float]
) {
  let last = walk.lengths.count - 1
  let (run, stepCondition, stepX) = (walk.lengths[last], walk.stepsA[last], walk.stepsB[last])
  result.withUnsafeMutableBufferPointer { result in
    conditions.withUnsafeBufferPointer { conditions in
      x.withUnsafeBufferPointer { x in
        walk.forEachRun { at, fromCondition, fromX in
          for k in 0..<run where (conditions[fromCondition &+ k &* stepCondition] != 0) == isChosen {
            result[at &+ k] = x[fromX &+ k &* stepX]
          }
        }
      }
    }
  }
}

@inline(__always) private func checked(
  _ a: [Int64], _ b: [Int64], _ walk: BroadcastWalk, _ count: Int,
  _ function: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
) -> ([Int64], Bool) {
  var overflow = false
  let values = combined(a, b, walk, count) { (x: Int64, y: Int64) -> Int64 in
    let step = function(x, y)
    overflow = overflow || step.overflow
    return step.partialValue
  }
  return (values, overflow)
}

/// `base` to a whole power, by squaring; the base is not 0 where the exponent is negative.
private func integerPower(_ base: Int64, _ exponent: Int64) -> (partialValue: Int64, overflow: Bool) {
  if exponent < 0 { return (base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0, false) }
  var (result, factor, rest, overflow) = (Int64(1), base, exponent, false)
  while rest > 0 {
    if rest % 2 == 1 {
      let product = result.multipliedReportingOverflow(by: factor)
      result = product.partialValue
      overflow = overflow || product.overflow
    }
    rest /= 2
    guard rest > 0 else { break }
    let square = factor.multipliedReportingOverflow(by: factor)
    factor = square.partialValue
    overflow = overflow || square.overflow
  }
  return (result, overflow)
}

private func combineFloats(
  _ function: BinaryFunction, _ a: [Float], _ b: [Float], _ walk: BroadcastWalk, _ count: Int
) -> [Float] {
  switch function {
  case .add: return combined(a, b, walk, count) { $0 + $1 }
  case .subtract: return combined(a, b, walk, count) { $0 - $1 }
  case .multiply: return combined(a, b, walk, count) { $0 * $1 }
  case .divide: return combined(a, b, walk, count) { $0 / $1 }
  case .maximum: return combined(a, b, walk, count) { $0 < $1 || $1 != $1 ? $1 : $0 }
  case .minimum: return combined(a, b, walk, count) { $1 < $0 || $1 != $1 ? $1 : $0 }
  case .greater: return combined(a, b, walk, count) { $0 > $1 ? 1 : 0 }
  case .equal: return combined(a, b, walk, count) { $0 == $1 ? 1 : 0 }
  case .power: return combined(a, b, walk, count) { powf($0, $1) }
  }
}

@inline(__always) private func combined<T: BitwiseCopyable>(
  _ a: [T], _ b: [T], _ walk: BroadcastWalk, _ count: Int, _ function: (T, T) -> T
) -> [T] {
  let last = walk.lengths.count - 1
  let (run, stepA, stepB) = (walk.lengths[last], walk.stepsA[last], walk.stepsB[last])
  return [T](unsafeUninitializedCapacity: count) { result, used in
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        walk.forEachRun { at, fromA, fromB in
          if stepA == 1 && stepB == 1 {
            for k in 0..<run { result[at &+ k] = function(a[fromA &+ k], b[fromB &+ k]) }
          } else if stepA == 1 {
            let y = b[fromB]
            for k in 0..<run { result[at &+ k] = function(a[fromA &+ k], y) }
          } else {
            for k in 0..<run {
              result[at &+ k] = function(a[fromA &+ k &* stepA], b[fromB &+ k &* stepB])
            }
          }
        }
      }
    }
    used = count
  }
}
