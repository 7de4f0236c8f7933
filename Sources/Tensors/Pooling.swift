import Support

/// The largest kernel length on an axis that a pool takes.
private let maximumKernel = 1 << 20

/// One axis of a window: where the taps fall.
struct WindowAxis {
  /// Length of the input.
  let length: Int
  /// Taps of the kernel.
  let kernel: Int
  /// Step between positions.
  let stride: Int
  /// Padding before the input.
  let pad: Int
  /// Distance between taps.
  let dilation: Int
  /// Positions.
  let positions: Int

  /// Where `tap` of position 0 lies in the input; negative in the padding.
  func offset(_ tap: Int) -> Int { tap * dilation - pad }

  /// The positions whose `tap` lies inside the input.
  func inside(_ tap: Int) -> Range<Int> {
    let offset = offset(tap)
    let low = offset >= 0 ? 0 : ceilDivide(-offset, stride)
    let high = offset >= length ? 0 : min(positions, (length - 1 - offset) / stride + 1)
    return low < high ? low..<high : 0..<0
  }

  /// The taps that fall inside the input at some position: where, and how far from the position's place.
  var taps: [(positions: Range<Int>, offset: Int)] {
    (0..<kernel).map { (inside($0), offset($0)) }.filter { !$0.0.isEmpty }
  }

  /// The taps of a position that lie inside the input.
  func taps(at position: Int) -> Range<Int> {
    let start = position * stride - pad
    let first = start >= 0 ? 0 : ceilDivide(-start, dilation)
    let end = start >= length ? 0 : min(kernel, (length - 1 - start) / dilation + 1)
    return first < end ? first..<end : 0..<0
  }

  /// Whether each position has a tap inside the input.
  var coversInput: Bool {
    (0..<positions).allSatisfy { !taps(at: $0).isEmpty }
  }
}

extension Window {
  /// The vertical axis.
  var vertical: WindowAxis {
    WindowAxis(
      length: height, kernel: kernelHeight, stride: strideHeight, pad: padTop, dilation: dilationHeight,
      positions: outHeight)
  }

  /// The horizontal axis.
  var horizontal: WindowAxis {
    WindowAxis(
      length: width, kernel: kernelWidth, stride: strideWidth, pad: padLeft, dilation: dilationWidth,
      positions: outWidth)
  }

  /// Whether the numbers are consistent and small enough to compute with.
  public var isValid: Bool { Window(numbers: numbers) != nil }

  /// Whether a tensor of this shape is the window's input: `[batch, channels, height, width]`, or
  /// `[batch, channels, width]` where both heights are 1.
  func accepts(_ shape: [Int]) -> Bool {
    shape == [batch, channels, height, width]
      || (height == 1 && outHeight == 1 && shape == [batch, channels, width])
  }
}

extension DigitalOperator {
  /// `[batch, channels, outHeight, outWidth]`, without the height where the argument has none.
  func pooledShape(_ shape: [Int], _ w: Window) throws(Diagnostic) -> [Int] {
    guard w.isValid, w.kernelHeight <= maximumKernel, w.kernelWidth <= maximumKernel else {
      throw failure("window", "the geometry \(w.numbers) is not consistent")
    }
    guard w.accepts(shape) else {
      throw failure(
        "window", "the geometry is for [\(w.batch), \(w.channels), \(w.height), \(w.width)], found \(shape)")
    }
    guard let count = checkedProduct([w.batch, w.channels, w.outHeight, w.outWidth]), count <= maximumElements
    else { throw failure("size", "the result has more than \(maximumElements) elements") }
    guard w.vertical.coversInput, w.horizontal.coversInput else {
      throw failure("window", "a window lies in the padding alone")
    }
    let lead = [w.batch, w.channels]
    return lead + (shape.count == 3 ? [w.outWidth] : [w.outHeight, w.outWidth])
  }
}

/// Maxima over the windows of each channel by itself; the window's channel range plays no part. NaN never wins: a
/// window of nothing else gives negative infinity.
func maximumValues(_ data: TensorData, _ window: Window) -> TensorData {
  switch data {
  case .f32(let v): return .f32(maxima(v, window, lowest: -.infinity))
  case .i8(let v): return .i8(maxima(v, window, lowest: .min))
  case .u8(let v): return .u8(maxima(v, window, lowest: .min))
  case .i16(let v): return .i16(maxima(v, window, lowest: .min))
  case .u16(let v): return .u16(maxima(v, window, lowest: .min))
  case .i32(let v): return .i32(maxima(v, window, lowest: .min))
  case .i64(let v): return .i64(maxima(v, window, lowest: .min))
  }
}

/// The largest value of each column of a window first, row by row, then the largest of its columns.
private func maxima<T: Comparable & BitwiseCopyable>(_ values: [T], _ w: Window, lowest: T) -> [T] {
  let (vertical, taps, step) = (w.vertical, w.horizontal.taps, w.strideWidth)
  var line = [T](repeating: lowest, count: w.width)
  var result = [T](repeating: lowest, count: w.batch * w.channels * w.outHeight * w.outWidth)
  result.withUnsafeMutableBufferPointer { result in
    values.withUnsafeBufferPointer { x in
      line.withUnsafeMutableBufferPointer { line in
        for row in 0..<w.batch * w.channels * w.outHeight {
          let (plane, out) = row.quotientAndRemainder(dividingBy: w.outHeight)
          line.update(repeating: lowest)
          for tap in vertical.taps(at: out) {
            let y = out * w.strideHeight + vertical.offset(tap)
            takeMaxima(line, x, from: (plane * w.height + y) * w.width)
          }
          for (range, offset) in taps {
            for k in range {
              let value = line[offset &+ k &* step]
              let best = result[row &* w.outWidth &+ k]
              result[row &* w.outWidth &+ k] = value > best ? value : best
            }
          }
        }
      }
    }
  }
  return result
}

@inline(__always)
private func takeMaxima<T: Comparable>(
  _ line: UnsafeMutableBufferPointer<T>, _ x: UnsafeBufferPointer<T>, from start: Int
) {
  for k in 0..<line.count {
    let value = x[start &+ k]
    line[k] = value > line[k] ? value : line[k]
  }
}

/// Calls `body` with the start of an input row and of the output row that takes it in, top to bottom in each window.
@inline(__always) private func forEachPoolRow(_ w: Window, _ body: (Int, Int) -> Void) {
  let vertical = w.vertical
  for plane in 0..<w.batch * w.channels {
    for row in 0..<w.outHeight {
      for tap in vertical.taps(at: row) {
        let y = row * w.strideHeight + vertical.offset(tap)
        body((plane * w.height + y) * w.width, (plane * w.outHeight + row) * w.outWidth)
      }
    }
  }
}

/// Means over the windows of each channel by itself: sums in binary64 in window order, divided in binary64 by the
/// taps inside the input, or by all taps of the kernel with `countPadding`, and rounded once.
func averageValues(_ values: [Float], _ w: Window, countPadding: Bool) -> [Float] {
  let taps = w.horizontal.taps
  let step = w.strideWidth
  var sums = [Double](repeating: 0, count: w.batch * w.channels * w.outHeight * w.outWidth)
  sums.withUnsafeMutableBufferPointer { sums in
    values.withUnsafeBufferPointer { x in
      forEachPoolRow(w) { source, target in
        for (range, offset) in taps {
          let from = source &+ offset
          for k in range { sums[target &+ k] += Double(x[from &+ k &* step]) }
        }
      }
    }
  }
  let rows = tapCounts(w.vertical, countPadding)
  let columns = tapCounts(w.horizontal, countPadding)
  return [Float](unsafeUninitializedCapacity: sums.count) { result, used in
    for line in 0..<w.batch * w.channels * w.outHeight {
      let taps = rows[line % w.outHeight]
      for k in 0..<w.outWidth {
        let at = line &* w.outWidth &+ k
        result[at] = Float(sums[at] / (taps * columns[k]))
      }
    }
    used = sums.count
  }
}

/// How many taps count at each position.
private func tapCounts(_ axis: WindowAxis, _ countPadding: Bool) -> [Double] {
  if countPadding { return [Double](repeating: Double(axis.kernel), count: axis.positions) }
  return (0..<axis.positions).map { Double(axis.taps(at: $0).count) }
}
