public import Support

/// The windows `positions` of `window`, one after the other: a `[positions.count, window.length]` array (im2col).
///
/// `input` holds `[batch, channels, height, width]`; taps in the padding give `padding`. Throws `operator.window`
/// where the geometry is not consistent, does not belong to `input` or has no such positions, and `operator.size`
/// for more than `maximumElements` results.
@inlinable
public func im2col<T: BitwiseCopyable>(
  window w: Window, positions: Range<Int>, from input: UnsafeBufferPointer<T>, padding: T
) throws(Diagnostic) -> [T] {
  try checkWindows(w, positions, inputCount: input.count)
  let count = positions.count * w.length
  return [T](unsafeUninitializedCapacity: count) { result, used in
    var at = 0
    for position in positions {
      let spot = position % (w.outHeight * w.outWidth)
      let top = spot / w.outWidth * w.strideHeight - w.padTop
      let left = spot % w.outWidth * w.strideWidth - w.padLeft
      let image = position / (w.outHeight * w.outWidth) * w.channels + w.channelStart
      let isInside = left >= 0 && left + (w.kernelWidth - 1) * w.dilationWidth < w.width
      for channel in image..<image &+ w.channelCount {
        for tap in 0..<w.kernelHeight {
          let y = top &+ tap &* w.dilationHeight
          let line = (channel &* w.height &+ y) &* w.width &+ left
          let isRow = y >= 0 && y < w.height
          for k in 0..<w.kernelWidth {
            let x = left &+ k &* w.dilationWidth
            let isTap = isRow && (isInside || (x >= 0 && x < w.width))
            let value = isTap ? input[line &+ k &* w.dilationWidth] : padding
            result[at &+ k] = value
          }
          at &+= w.kernelWidth
        }
      }
    }
    used = count
  }
}

/// All windows of `window`: a `[window.positions, window.length]` array; see `im2col(window:positions:from:padding:)`.
@inlinable
public func im2col<T: BitwiseCopyable>(
  window: Window, from input: UnsafeBufferPointer<T>, padding: T
) throws(Diagnostic) -> [T] {
  try checkWindows(window, 0..<1, inputCount: input.count)
  return try im2col(window: window, positions: 0..<window.positions, from: input, padding: padding)
}

/// Throws unless `positions` of `w` exist in an image of `inputCount` elements.
@usableFromInline
func checkWindows(_ w: Window, _ positions: Range<Int>, inputCount: Int) throws(Diagnostic) {
  guard w.isValid, w.inputCount == inputCount else {
    throw Diagnostic("operator.window", "the geometry \(w.numbers) is not one of \(inputCount) elements")
  }
  guard positions.lowerBound >= 0, positions.upperBound <= w.positions else {
    throw Diagnostic("operator.window", "positions \(positions) of \(w.positions)")
  }
  guard isComputable([positions.count, w.length]) else {
    throw Diagnostic("operator.size", "\(positions.count) windows of \(w.length) elements are too many")
  }
}

/// The windows of a tensor with `window.inputCount` elements: a `[positions, length]` tensor of the same container.
///
/// Taps in the padding give `padding`, such as the zero point of a quantized input. Throws what `im2col` throws, and
/// `operator.parameter` where `padding` does not fit into the container.
public func windows(of x: Tensor, _ window: Window, padding: Int64 = 0) throws(Diagnostic) -> Tensor {
  try checkWindows(window, 0..<1, inputCount: x.count)
  guard x.data.container.range.contains(padding) else {
    throw Diagnostic("operator.parameter", "padding \(padding) is no \(x.data.container.rawValue)")
  }
  let shape = [window.positions, window.length]
  switch x.data {
  case .f32(let v): return Tensor(shape, .f32(try patches(v, window, Float(padding))))
  case .i8(let v): return Tensor(shape, .i8(try patches(v, window, Int8(truncatingIfNeeded: padding))))
  case .u8(let v): return Tensor(shape, .u8(try patches(v, window, UInt8(truncatingIfNeeded: padding))))
  case .i16(let v): return Tensor(shape, .i16(try patches(v, window, Int16(truncatingIfNeeded: padding))))
  case .u16(let v): return Tensor(shape, .u16(try patches(v, window, UInt16(truncatingIfNeeded: padding))))
  case .i32(let v): return Tensor(shape, .i32(try patches(v, window, Int32(truncatingIfNeeded: padding))))
  case .i64(let v): return Tensor(shape, .i64(try patches(v, window, padding)))
  }
}

private func patches<T: BitwiseCopyable>(_ values: [T], _ window: Window, _ padding: T) throws(Diagnostic)
  -> [T]
{
  try values.withUnsafeBufferPointer { (input) throws(Diagnostic) -> [T] in
    try im2col(window: window, from: input, padding: padding)
  }
}

/// Turns rows of results back into images: `[batch * positions, channels]` to `[batch, channels, positions]`.
///
/// Throws `operator.shape` where the rows are no whole number of images.
public func col2im(_ rows: Tensor, batch: Int) throws(Diagnostic) -> Tensor {
  guard rows.shape.count == 2, batch > 0, rows.shape[0] % batch == 0, isComputable(rows.shape) else {
    throw Diagnostic("operator.shape", "\(rows.shape) holds no rows of \(batch) images")
  }
  let (positions, channels) = (rows.shape[0] / batch, rows.shape[1])
  return Tensor(
    [batch, channels, positions], transposed(rows.data, [batch, positions, channels], order: [0, 2, 1]))
}
