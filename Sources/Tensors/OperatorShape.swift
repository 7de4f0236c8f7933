public import Support

/// The largest number of elements that an operator or a file reader will make: 2^30.
public let maximumElements = 1 << 30

/// Whether no length is negative and the product of the lengths other than 0 is at most `maximumElements`, so that
/// sizes and strides can be computed without overflow even where an axis is empty.
public func isComputable(_ shape: [Int]) -> Bool {
  guard let count = checkedProduct(shape.map { $0 == 0 ? 1 : $0 }) else { return false }
  return count <= maximumElements
}

extension DigitalOperator {
  /// The name in messages and listings, such as `max-pool`; `unary` for all functions of one argument.
  public var name: String { code == .unary ? "unary" : entry.name }

  /// The shape of the result for arguments of these shapes.
  ///
  /// Checks everything that does not depend on the elements: throws `operator.arguments` for a wrong number of
  /// arguments, `operator.shape` for shapes that do not go together, `operator.axis` for axes outside of a shape,
  /// `operator.window` for a geometry that does not belong to the argument, `operator.parameter` for parameters out
  /// of their ranges, and `operator.size` for a result of more than `maximumElements` elements.
  public func resultShape(of shapes: [[Int]]) throws(Diagnostic) -> [Int] {
    try checkArguments(shapes)
    guard let first = shapes.first else { throw failure("arguments", "needs an argument") }
    try checkParameters(first)
    let shape = try shapeOfResult(first, shapes)
    guard isComputable(shape) else {
      throw failure("size", "the result \(shape) has more than \(maximumElements) elements")
    }
    return shape
  }

  /// An error of this operator.
  func failure(_ id: String, _ message: String) -> Diagnostic {
    Diagnostic("operator.\(id)", "\(name): \(message)")
  }

  private func checkArguments(_ shapes: [[Int]]) throws(Diagnostic) {
    let expected: Int
    switch entry.arguments {
    case .one: expected = 1
    case .two: expected = 2
    case .three: expected = 3
    case .oneOrMore: expected = max(1, shapes.count)
    }
    guard shapes.count == expected else {
      throw failure("arguments", "takes \(expected) arguments, found \(shapes.count)")
    }
    for shape in shapes {
      guard isComputable(shape) else {
        throw failure("size", "an argument has the shape \(shape), limit \(maximumElements) elements")
      }
    }
  }

  private func shapeOfResult(_ first: [Int], _ shapes: [[Int]]) throws(Diagnostic) -> [Int] {
    switch self {
    case .unary, .quantize, .dequantize, .requantize, .addBias, .lookup: return first
    case .softmax(let axis):
      try checkAxis(axis, first)
      return first
    case .binary: return try broadcastShape(first, shapes[1])
    case .select: return try broadcastShape(broadcastShape(first, shapes[1]), shapes[2])
    case .matmul: return try matrixProductShape(first, shapes[1])
    case .maxPool(let window), .averagePool(let window, _): return try pooledShape(first, window)
    case .mean(let axes): return try reducedShape(first, axes)
    case .reduceMax(let axes): return try largestShape(first, axes)
    case .argMax(let axis, _): return try placesShape(first, axis)
    case .reshape(let shape):
      guard isComputable(shape), shape.reduce(1, *) == first.reduce(1, *) else {
        throw failure("shape", "\(first) cannot take the shape \(shape)")
      }
      return shape
    case .transpose(let order):
      guard order.sorted() == Array(first.indices) else {
        throw failure("axis", "\(order) is no order of the \(first.count) axes")
      }
      return order.map { first[$0] }
    case .concat(let axis): return try joinedShape(first, shapes, axis)
    case .pad(let before, let after, _): return try paddedShape(first, before, after)
    case .slice(let start, let end): return try slicedShape(first, start, end)
    case .gather(let indices, let axis): return try gatheredShape(first, indices, axis)
    }
  }

  /// Throws unless `axis` is an axis of `shape`.
  func checkAxis(_ axis: Int, _ shape: [Int]) throws(Diagnostic) {
    guard shape.indices.contains(axis) else {
      throw failure("axis", "axis \(axis) is not in 0 ..< \(shape.count)")
    }
  }

  private func reducedShape(_ shape: [Int], _ axes: [Int]) throws(Diagnostic) -> [Int] {
    var result = shape
    for axis in axes {
      try checkAxis(axis, shape)
      result[axis] = 1
    }
    guard Set(axes).count == axes.count else { throw failure("axis", "\(axes) names an axis twice") }
    return result
  }

  private func largestShape(_ shape: [Int], _ axes: [Int]) throws(Diagnostic) -> [Int] {
    let result = try reducedShape(shape, axes)
    guard !axes.contains(where: { shape[$0] == 0 }) else {
      throw failure("parameter", "no element of \(shape) is the largest over \(axes)")
    }
    return result
  }

  private func placesShape(_ shape: [Int], _ axis: Int) throws(Diagnostic) -> [Int] {
    try checkAxis(axis, shape)
    guard 1...1 << 24 ~= shape[axis] else {
      throw failure("parameter", "an axis of length \(shape[axis]), expected 1 ... 2^24")
    }
    var result = shape
    result[axis] = 1
    return result
  }

  private func joinedShape(_ first: [Int], _ shapes: [[Int]], _ axis: Int) throws(Diagnostic) -> [Int] {
    try checkAxis(axis, first)
    var result = first
    result[axis] = 0
    for shape in shapes {
      guard shape.count == first.count, shape.indices.allSatisfy({ $0 == axis || shape[$0] == first[$0] })
      else { throw failure("shape", "\(shape) does not join \(first) along axis \(axis)") }
      let (sum, overflow) = result[axis].addingReportingOverflow(shape[axis])
      guard !overflow else { throw failure("size", "the joined axis is too long") }
      result[axis] = sum
    }
    return result
  }

  private func paddedShape(_ shape: [Int], _ before: [Int], _ after: [Int]) throws(Diagnostic) -> [Int] {
    guard before.count == shape.count, after.count == shape.count else {
      throw failure("parameter", "\(before.count) and \(after.count) pads for \(shape.count) axes")
    }
    var result: [Int] = []
    for axis in shape.indices {
      let limit = 0...maximumElements
      guard limit.contains(before[axis]), limit.contains(after[axis]) else {
        throw failure("parameter", "the pads \(before[axis]) and \(after[axis]) are not in 0 ... 2^30")
      }
      result.append(before[axis] + shape[axis] + after[axis])
    }
    return result
  }
}
