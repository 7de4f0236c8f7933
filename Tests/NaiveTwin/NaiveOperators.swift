import Glibc
public import Tensors

/// The result of an operator on arguments that it takes, by its definition.
public func naive(_ op: DigitalOperator, _ arguments: [Tensor]) -> Tensor {
  let x = arguments[0]
  switch op {
  case .unary(let function): return Tensor(x.shape, x.floats.map { naive(function, $0) })
  case .binary(let function): return combined(function, x, arguments[1])
  case .select: return selected(arguments[0], arguments[1], arguments[2])
  case .softmax(let axis): return softmax(NaiveArray<Float>(x), axis).tensor
  case .matmul: return matrixProduct(NaiveArray<Float>(x), NaiveArray<Float>(arguments[1])).tensor
  case .maxPool(let window): return maxima(x, window)
  case .averagePool(let window, let countPadding):
    return pooled(x.floats, window, x.shape) { seen in
      let count = countPadding ? window.kernelHeight * window.kernelWidth : seen.count
      return Float(seen.reduce(0.0) { $0 + Double($1) } / Double(count))
    }.tensor
  case .mean(let axes): return mean(NaiveArray<Float>(x), axes).tensor
  case .reduceMax(let axes): return largest(x, axes)
  case .argMax(let axis, let last): return largest(NaiveArray<Float>(x), axis, last).tensor
  case .reshape(let shape): return Tensor(shape, x.data)
  case .transpose, .concat, .pad, .slice, .gather: return moved(op, arguments)
  case .quantize, .dequantize, .requantize, .addBias, .lookup: return fixedPoint(op, x)
  }
}

// MARK: Two arguments

private func lifted(_ shape: [Int], _ rank: Int) -> [Int] {
  [Int](repeating: 1, count: rank - shape.count) + shape
}

/// The shape that two shapes of one rank broadcast to.
private func common(_ a: [Int], _ b: [Int]) -> [Int] { zip(a, b).map { $0 == 1 ? $1 : $0 } }

/// The index in an array that is repeated on its axes of length 1.
private func repeated(_ index: [Int], _ shape: [Int]) -> [Int] {
  zip(index, shape).map { $1 == 1 ? 0 : $0 }
}

private func combined(_ function: BinaryFunction, _ a: Tensor, _ b: Tensor) -> Tensor {
  let rank = max(a.shape.count, b.shape.count)
  let (left, right) = (lifted(a.shape, rank), lifted(b.shape, rank))
  let shape = common(left, right)
  if a.data.isFloat {
    let (x, y) = (NaiveArray(left, a.floats), NaiveArray(right, b.floats))
    return NaiveArray(shape) { naive(function, x[repeated($0, left)], y[repeated($0, right)]) }.tensor
  }
  let (x, y) = (NaiveArray(left, a.integers), NaiveArray(right, b.integers))
  let values = NaiveArray(shape) { naive(function, x[repeated($0, left)], y[repeated($0, right)]) }
  let keeps = [.maximum, .minimum].contains(function) && a.data.container == b.data.container
  return values.tensor(in: keeps ? a.data.container : .i64)
}

/// The second where the first is not 0, else the third.
private func selected(_ c: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  let rank = max(c.shape.count, a.shape.count, b.shape.count)
  let arrays = [c, a, b].map { NaiveArray(lifted($0.shape, rank), $0.floats) }
  let shape = common(common(arrays[0].shape, arrays[1].shape), arrays[2].shape)
  return NaiveArray(shape) { index in
    let isFirst = arrays[0][repeated(index, arrays[0].shape)] != 0
    let chosen = isFirst ? arrays[1] : arrays[2]
    return chosen[repeated(index, chosen.shape)]
  }.tensor
}

/// ONNX MatMul: a vector is a row on the left and a column on the right, which the result does not have.
private func matrixProduct(_ a: NaiveArray<Float>, _ b: NaiveArray<Float>) -> NaiveArray<Float> {
  let (left, right) = (
    a.shape.count == 1 ? [1] + a.shape : a.shape, b.shape.count == 1 ? b.shape + [1] : b.shape
  )
  let rank = max(left.count, right.count)
  let (x, y) = (NaiveArray(lifted(left, rank), a.elements), NaiveArray(lifted(right, rank), b.elements))
  let lead = common(Array(x.shape.dropLast(2)), Array(y.shape.dropLast(2)))
  let (rows, inner, columns) = (x.shape[rank - 2], x.shape[rank - 1], y.shape[rank - 1])
  let product = NaiveArray(lead + [rows, columns]) { index in
    let batch = Array(index.dropLast(2))
    var sum: Float = 0
    for k in 0..<inner {
      sum +=
        x[repeated(batch, x.shape) + [index[rank - 2], k]]
        * y[repeated(batch, y.shape) + [k, index[rank - 1]]]
    }
    return sum
  }
  let shape = lead + (a.shape.count == 1 ? [] : [rows]) + (b.shape.count == 1 ? [] : [columns])
  return NaiveArray(shape, product.elements)
}

// MARK: Along axes

/// Exponentials less the largest element, divided by their sum; the sum in binary64.
private func softmax(_ x: NaiveArray<Float>, _ axis: Int) -> NaiveArray<Float> {
  NaiveArray(x.shape) { index in
    let line = elements(x, index, axis)
    let largest = line.reduce(-Float.infinity) { $0 > $1 ? $0 : $1 }
    let sum = line.reduce(0.0) { $0 + Double(expf($1 - largest)) }
    return expf(x[index] - largest) / Float(sum)
  }
}

/// The elements of `x` with the index `index` but on `axis`.
private func elements(_ x: NaiveArray<Float>, _ index: [Int], _ axis: Int) -> [Float] {
  (0..<x.shape[axis]).map { k in
    var place = index
    place[axis] = k
    return x[place]
  }
}

private func mean(_ x: NaiveArray<Float>, _ axes: [Int]) -> NaiveArray<Float> {
  NaiveArray(x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }) { index in
    let group = naiveIndices(x.shape).filter { other in
      index.indices.allSatisfy { axes.contains($0) || other[$0] == index[$0] }
    }
    return Float(group.reduce(0.0) { $0 + Double(x[$1]) } / Double(group.count))
  }
}

/// The place of the largest on an axis.
private func largest(_ x: NaiveArray<Float>, _ axis: Int, _ last: Bool) -> NaiveArray<Float> {
  NaiveArray(x.shape.indices.map { $0 == axis ? 1 : x.shape[$0] }) { index in
    let line = elements(x, index, axis)
    // NaN is larger than every number.
    let nans = line.indices.filter { line[$0].isNaN }
    let places = nans.isEmpty ? line.indices.filter { k in line.allSatisfy { $0 <= line[k] } } : nans
    return Float((last ? places.last : places.first) ?? 0)
  }
}

/// The largest element over axes, of floats NaN where there is one.
private func largest(_ x: Tensor, _ axes: [Int]) -> Tensor {
  let kept = x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }
  func group(_ index: [Int]) -> [[Int]] {
    naiveIndices(x.shape).filter { other in
      index.indices.allSatisfy { axes.contains($0) || other[$0] == index[$0] }
    }
  }
  if x.data.isFloat {
    let values = NaiveArray<Float>(x)
    return NaiveArray(kept) { index in
      let found = group(index).map { values[$0] }
      return found.contains(where: \.isNaN) ? .nan : found.reduce(-.infinity) { $1 > $0 ? $1 : $0 }
    }.tensor
  }
  let values = NaiveArray(x.shape, x.integers)
  return NaiveArray(kept) { index in group(index).map { values[$0] }.max() ?? 0 }.tensor(in: x.data.container)
}

// MARK: Pools

/// Each channel by itself: `body` of what each position sees of it, without the padding.
private func pooled<T>(_ values: [T], _ w: Window, _ shape: [Int], _ body: ([T]) -> T) -> NaiveArray<T> {
  let result = NaiveArray([w.batch, w.channels, w.outHeight, w.outWidth]) { index in
    var own = w
    (own.channelStart, own.channelCount) = (index[1], 1)
    let position = (index[0] * w.outHeight + index[2]) * w.outWidth + index[3]
    return body(naiveWindow(own, values, position: position).compactMap { $0 })
  }
  return shape.count == 3 ? NaiveArray([w.batch, w.channels, w.outWidth], result.elements) : result
}

/// The largest of a window; NaN is not looked at.
private func maxima(_ x: Tensor, _ window: Window) -> Tensor {
  if x.data.isFloat {
    return pooled(x.floats, window, x.shape) { $0.reduce(-.infinity) { $1 > $0 ? $1 : $0 } }.tensor
  }
  return pooled(x.integers, window, x.shape) { $0.reduce(.min) { $1 > $0 ? $1 : $0 } }
    .tensor(in: x.data.container)
}

// MARK: Moves

/// An element of an argument.
private struct Source {
  var argument = 0
  var index: [Int]
}

private func moved(_ op: DigitalOperator, _ arguments: [Tensor]) -> Tensor {
  let shape = arguments[0].shape
  switch op {
  case .transpose(let order):
    let result = order.map { shape[$0] }
    return picked(
      NaiveArray(result) { index in
        Source(index: shape.indices.map { axis in index[order.firstIndex { $0 == axis } ?? 0] })
      }, arguments)
  case .concat(let axis):
    var joined = shape
    joined[axis] = arguments.reduce(0) { $0 + $1.shape[axis] }
    return picked(NaiveArray(joined) { part($0, axis, arguments) }, arguments)
  case .pad(let before, let after, let value):
    let result = shape.indices.map { before[$0] + shape[$0] + after[$0] }
    return picked(
      NaiveArray(result) { index in
        let source = index.indices.map { index[$0] - before[$0] }
        return zip(source, shape).allSatisfy { 0..<$1 ~= $0 } ? Source(index: source) : nil
      }, arguments, padding: value)
  case .slice(let start, let end):
    return picked(
      NaiveArray(zip(start, end).map { $1 - $0 }) { Source(index: zip($0, start).map { $0 + $1 }) }, arguments
    )
  case .gather(let indices, let axis):
    var result = shape
    result[axis] = indices.count
    return picked(
      NaiveArray(result) { index in
        var source = Source(index: index)
        source.index[axis] = Int(indices[index[axis]])
        return source
      }, arguments)
  default: return arguments[0]
  }
}

/// Where an element of joined arguments comes from.
private func part(_ index: [Int], _ axis: Int, _ arguments: [Tensor]) -> Source {
  var source = Source(index: index)
  while source.index[axis] >= arguments[source.argument].shape[axis] {
    source.index[axis] -= arguments[source.argument].shape[axis]
    source.argument += 1
  }
  return source
}

/// Elements of arguments, and `padding` where there is no source. Integers of several containers become 64
/// bits wide.
private func picked(_ sources: NaiveArray<Source?>, _ arguments: [Tensor], padding: Float = 0) -> Tensor {
  if arguments[0].data.isFloat {
    let arrays = arguments.map { NaiveArray<Float>($0) }
    return Tensor(
      sources.shape, sources.elements.map { $0.map { arrays[$0.argument][$0.index] } ?? padding })
  }
  let arrays = arguments.map { NaiveArray<Int64>($0) }
  let values = sources.elements.map { $0.map { arrays[$0.argument][$0.index] } ?? Int64(padding) }
  let container = arguments[0].data.container
  let isOne = arguments.allSatisfy { $0.data.container == container }
  return NaiveArray(sources.shape, values).tensor(in: isOne ? container : .i64)
}

// MARK: Fixed point

private func fixedPoint(_ op: DigitalOperator, _ x: Tensor) -> Tensor {
  switch op {
  case .quantize(let scale, let zero, let low, let high):
    return NaiveArray(x.shape, x.floats.map { quantized($0, scale, zero, low, high) })
      .tensor(in: naiveContainer(low, high))
  case .dequantize(let scale, let zero):
    return Tensor(x.shape, x.integers.map { Float($0 - zero) * scale })
  case .requantize(let rule):
    let sums = NaiveArray<Int64>(x)
    return NaiveArray(x.shape) { index in
      requantized(sums[index], rule, rule.multipliers.count == 1 ? 0 : index[rule.axis])
    }.tensor(in: naiveContainer(rule.low, rule.high))
  case .addBias(let values, let axis):
    let sums = NaiveArray<Int64>(x)
    return NaiveArray(x.shape) { sums[$0] + values[$0[axis]] }.tensor(in: .i64)
  case .lookup(let table, let first):
    let (low, high) = table.reduce((table[0], table[0])) { (min($0.0, $1), max($0.1, $1)) }
    return NaiveArray(x.shape, x.integers.map { table[Int($0 - first)] }).tensor(
      in: naiveContainer(low, high))
  default: return x
  }
}

/// The quotient in binary32 to the nearest whole number, of two the even one, plus the zero point, within the
/// clamps.
private func quantized(_ x: Float, _ scale: Float, _ zero: Int64, _ low: Int64, _ high: Int64) -> Int64 {
  let quotient = Double(x / scale)
  let whole = quotient.isNaN ? 0 : rint(quotient)
  if whole + Double(zero) <= Double(low) { return low }
  if whole + Double(zero) >= Double(high) { return high }
  return Int64(whole) + zero
}

/// `zero + floor((sum * multiplier + half) / 2^shift)` within the clamps; the quotient by long division.
private func requantized(_ sum: Int64, _ rule: Requantization, _ channel: Int) -> Int64 {
  var half: Int128 = 1
  for _ in 1..<rule.shifts[channel] { half *= 2 }
  let product = Int128(sum) * Int128(rule.multipliers[channel]) + half
  var quotient = product / (2 * half)
  if product < 0 && quotient * 2 * half != product { quotient -= 1 }
  return Int64(max(Int128(rule.low), min(Int128(rule.high), quotient + Int128(rule.zero))))
}
