public import Support

extension DigitalOperator {
  /// Computes the result for `arguments`: the one meaning of the operator.
  ///
  /// Floats: binary32 operations in a fixed order without fused multiply-add; sums as each family states.
  /// `exp`, `log1p`, `expm1`, `log`, `tanh`, `erf`, `pow` are the C library's binary32 functions (`expf` ... `powf`),
  /// so results that use them may differ by an ulp between versions of the C library; all others are the same
  /// everywhere. Integers: exact; a result that its container cannot hold is an error, never a wrapped value.
  ///
  /// The result keeps the container of the argument for operators that move or compare elements. `quantize`,
  /// `requantize` and `lookup` give the smallest container for their clamps or their table; integer sums,
  /// differences, products, quotients, powers and comparisons are `i64`.
  ///
  /// Throws what `resultShape` throws, `operator.kind` for floats where integers are needed or the reverse,
  /// `operator.overflow`, `operator.division` and `operator.lookup-range` for elements out of range.
  public func apply(to arguments: [Tensor]) throws(Diagnostic) -> Tensor {
    let shape = try resultShape(of: arguments.map(\.shape))
    let x = arguments[0]
    switch self {
    case .unary(let function):
      return Tensor(shape, .f32(function.apply(to: try floats(of: x))))
    case .binary(let function):
      return Tensor(shape, try combine(function, x, arguments[1], into: shape))
    case .select:
      let (a, b) = (try floats(of: arguments[1]), try floats(of: arguments[2]))
      var result = [Float](repeating: 0, count: shape.reduce(1, *))
      let conditions = try floats(of: x)
      choose(conditions, a, BroadcastWalk(x.shape, arguments[1].shape, to: shape), where: true, &result)
      choose(conditions, b, BroadcastWalk(x.shape, arguments[2].shape, to: shape), where: false, &result)
      return Tensor(shape, .f32(result))
    case .softmax(let axis):
      return Tensor(shape, .f32(softmaxValues(try floats(of: x), shape, axis: axis)))
    case .matmul:
      return Tensor(shape, .f32(try batchedProduct(x, arguments[1])))
    case .maxPool(let window):
      return Tensor(shape, maximumValues(x.data, window))
    case .averagePool(let window, let countPadding):
      return Tensor(shape, .f32(averageValues(try floats(of: x), window, countPadding: countPadding)))
    case .mean(let axes):
      return Tensor(shape, .f32(meanValues(try floats(of: x), x.shape, axes: axes)))
    case .reduceMax(let axes):
      return Tensor(shape, largestValues(x.data, x.shape, axes: axes))
    case .argMax(let axis, let last):
      return Tensor(shape, .f32(largestPlaces(try floats(of: x), x.shape, axis: axis, last: last)))
    case .reshape:
      return x.reshaped(shape)
    case .transpose(let order):
      return Tensor(shape, transposed(x.data, x.shape, order: order))
    case .concat(let axis):
      return Tensor(shape, try joined(arguments, axis: axis, shape: shape))
    case .pad(let before, _, let value):
      return Tensor(shape, try padded(x, before: before, shape: shape, value: value))
    case .slice(let start, _):
      return Tensor(shape, sliced(x.data, x.shape, start: start, shape: shape))
    case .gather(let indices, let axis):
      return Tensor(shape, gathered(x.data, x.shape, indices, axis: axis))
    case .quantize(let scale, let zero, let low, let high):
      return Tensor(
        shape, quantizedValues(try floats(of: x), scale: scale, zero: zero, low: low, high: high))
    case .dequantize(let scale, let zero):
      return Tensor(shape, .f32(try dequantizedValues(try integers(of: x), scale: scale, zero: zero)))
    case .requantize(let rule):
      return Tensor(shape, requantizedValues(try integers(of: x), x.shape, rule))
    case .addBias(let values, let axis):
      return Tensor(shape, .i64(try biasedValues(try integers(of: x), x.shape, values: values, axis: axis)))
    case .lookup(let table, let first):
      return Tensor(shape, try lookedUpValues(try integers(of: x), table: table, first: first))
    }
  }

  /// The elements of a float tensor; throws `operator.kind` for integers.
  func floats(of x: Tensor) throws(Diagnostic) -> [Float] {
    guard case .f32(let values) = x.data else { throw failure("kind", "takes floats, found integers") }
    return values
  }

  /// The elements of an integer tensor; throws `operator.kind` for floats.
  func integers(of x: Tensor) throws(Diagnostic) -> [Int64] {
    guard !x.data.isFloat else { throw failure("kind", "takes integers, found floats") }
    return x.integers
  }
}
