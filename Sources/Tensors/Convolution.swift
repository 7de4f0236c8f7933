public import Support

/// The convolution of float images: `[batch, channels, height, width]` to `[batch, filters, outHeight, outWidth]`.
///
/// `window` is the geometry for all channels (its channel range plays no part); the channels and the filters are
/// split into `groups`, and a filter sees the channels of its group. `weights` has
/// `[filters, channels / groups, kernelHeight, kernelWidth]`, or any shape with as many elements whose first length is
/// the number of filters. Every result is the sum of the products in window order in binary32, from 0, with the
/// padding as zeros, and the bias added last; without fused multiply-add. Throws `operator.kind`, `operator.window`,
/// `operator.shape` and `operator.size` as the operators do.
public func convolve(_ x: Tensor, weights: Tensor, bias: [Float]?, window: Window, groups: Int = 1)
  throws(Diagnostic) -> Tensor
{
  let plan = try ConvolutionPlan(x, weights, bias, window, groups)
  guard case .f32(let input) = x.data, case .f32(let factors) = weights.data else {
    throw Diagnostic("operator.kind", "convolve: takes floats, found integers")
  }
  let positions = window.outHeight * window.outWidth
  let count = window.batch * plan.filters * positions
  let result = [Float](unsafeUninitializedCapacity: count) { result, used in
    input.withUnsafeBufferPointer { input in
      factors.withUnsafeBufferPointer { factors in
        guard let x = input.baseAddress, let w = factors.baseAddress, let y = result.baseAddress else {
          return
        }
        plan.run(x, w, y)
        for line in 0..<window.batch * plan.filters {
          guard let bias else { break }
          for k in line &* positions..<(line &+ 1) &* positions { y[k] += bias[line % plan.filters] }
        }
      }
    }
    used = count
  }
  return Tensor([window.batch, plan.filters, window.outHeight, window.outWidth], result)
}

/// A checked convolution.
private struct ConvolutionPlan {
  let window: Window
  let groups: Int
  let filters: Int
  /// Channels of a group.
  let channels: Int
  /// Taps of a filter.
  let inner: Int
  /// For each tap: channel in the group, and offset from the window's corner downwards and to the right.
  let taps: [(channel: Int, down: Int, right: Int)]

  init(_ x: Tensor, _ weights: Tensor, _ bias: [Float]?, _ window: Window, _ groups: Int) throws(Diagnostic) {
    guard window.isValid, window.inputCount == x.count else {
      throw Diagnostic("operator.window", "convolve: the geometry \(window.numbers) is not one of \(x.shape)")
    }
    let filters = weights.shape.first ?? 0
    guard groups > 0, filters > 0, window.channels % groups == 0, filters % groups == 0 else {
      throw Diagnostic(
        "operator.shape", "convolve: \(window.channels) channels and \(filters) filters in \(groups) groups")
    }
    channels = window.channels / groups
    guard let inner = checkedProduct([channels, window.kernelHeight, window.kernelWidth]),
      checkedProduct([filters, inner]) == weights.count, bias == nil || bias?.count == filters
    else {
      throw Diagnostic(
        "operator.shape", "convolve: weights \(weights.shape) for \(channels) channels a group")
    }
    guard isComputable([window.batch, filters, window.outHeight, window.outWidth]) else {
      throw Diagnostic("operator.size", "convolve: the result has more than \(maximumElements) elements")
    }
    self.window = window
    self.groups = groups
    self.filters = filters
    self.inner = inner
    let area = window.kernelHeight * window.kernelWidth
    taps = (0..<inner).map { r in
      let tap = r % area
      return (
        r / area, tap / window.kernelWidth * window.dilationHeight,
        tap % window.kernelWidth * window.dilationWidth
      )
    }
  }

  func run(_ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) {
    let positions = window.outHeight * window.outWidth
    let (plane, share) = (window.height * window.width, filters / groups)
    let panel = FloatPanel(inner: inner)
    defer { panel.deallocate() }
    for image in 0..<window.batch {
      for group in 0..<groups {
        let source = x + (image * window.channels + group * channels) * plane
        let target = y + (image * filters + group * share) * positions
        for first in stride(from: 0, to: positions, by: FloatPanel.width) {
          let width = min(FloatPanel.width, positions - first)
          pack(source, first: first, width: width, into: panel)
          panel.multiply(
            w + group * share * inner, rows: share, into: target + first, step: positions, width: width)
        }
      }
    }
  }

  /// Packs the windows `first ..< first + width` of a group's channels as columns.
  private func pack(_ x: UnsafePointer<Float>, first: Int, width: Int, into panel: FloatPanel) {
    var (tops, lefts) = (SIMD8<Int>.zero, SIMD8<Int>.zero)
    for j in 0..<FloatPanel.width {
      let spot = first + min(j, width - 1)
      tops[j] = spot / window.outWidth * window.strideHeight - window.padTop
      lefts[j] = spot % window.outWidth * window.strideWidth - window.padLeft
    }
    let down = (window.kernelHeight - 1) * window.dilationHeight
    let right = (window.kernelWidth - 1) * window.dilationWidth
    let isInside =
      tops.min() >= 0 && tops.max() + down < window.height && lefts.min() >= 0
      && lefts.max() + right < window.width
    let corners = tops &* window.width &+ lefts
    if isInside {
      packInside(x, corners, isRun: corners[7] &- corners[0] == 7 && width == 8, into: panel)
    } else {
      packClipped(x, tops, lefts, into: panel)
    }
  }

  private func packInside(
    _ x: UnsafePointer<Float>, _ corners: SIMD8<Int>, isRun: Bool, into panel: FloatPanel
  ) {
    let plane = window.height &* window.width
    taps.withUnsafeBufferPointer { taps in
      for k in 0..<inner {
        let tap = taps[k]
        let base = x + (tap.channel &* plane &+ tap.down &* window.width &+ tap.right)
        if isRun {
          panel.lines[k] = UnsafeRawPointer(base + corners[0]).loadUnaligned(as: SIMD8<Float>.self)
        } else {
          panel.lines[k] = SIMD8(
            base[corners[0]], base[corners[1]], base[corners[2]], base[corners[3]], base[corners[4]],
            base[corners[5]], base[corners[6]], base[corners[7]])
        }
      }
    }
  }

  private func packClipped(
    _ x: UnsafePointer<Float>, _ tops: SIMD8<Int>, _ lefts: SIMD8<Int>, into panel: FloatPanel
  ) {
    let (height, width) = (window.height, window.width)
    taps.withUnsafeBufferPointer { taps in
      for k in 0..<inner {
        let tap = taps[k]
        let base = x + tap.channel &* height &* width
        var line = SIMD8<Float>.zero
        for j in 0..<8 {
          let (down, right) = (tops[j] &+ tap.down, lefts[j] &+ tap.right)
          if down >= 0 && down < height && right >= 0 && right < width {
            line[j] = base[down &* width &+ right]
          }
        }
        panel.lines[k] = line
      }
    }
  }
}
