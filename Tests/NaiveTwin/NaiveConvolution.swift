public import Tensors

/// A convolution over any number of axes, by its definition: `[batch, channels, size...]` with filters
/// `[filters, channels of a group, kernel...]`.
public struct NaiveConvolution {
  /// The step between positions on each axis.
  public var strides: [Int]
  /// The padding before each axis, then that behind each.
  public var pads: [Int]
  /// The distance between taps on each axis.
  public var dilations: [Int]
  /// Groups of channels; a filter sees those of its own.
  public var groups: Int

  /// A convolution.
  public init(strides: [Int], pads: [Int], dilations: [Int], groups: Int) {
    self.strides = strides
    self.pads = pads
    self.dilations = dilations
    self.groups = groups
  }

  /// How many positions there are on each axis: as many as fit into the padded input.
  public func positions(_ size: [Int], _ kernel: [Int]) -> [Int] {
    size.indices.map { axis in
      let padded = pads[axis] + size[axis] + pads[axis + size.count]
      var count = 0
      while count * strides[axis] + (kernel[axis] - 1) * dilations[axis] < padded { count += 1 }
      return count
    }
  }

  /// Where `tap` of `position` lies, or nil in the padding.
  private func spot(_ position: [Int], _ tap: [Int], _ size: [Int]) -> [Int]? {
    let spot = size.indices.map { position[$0] * strides[$0] + tap[$0] * dilations[$0] - pads[$0] }
    return size.indices.allSatisfy { 0..<size[$0] ~= spot[$0] } ? spot : nil
  }

  /// The sums over channels and taps in this order, from 0, and the bias last: `[batch, filters,
  /// positions...]`.
  public func sums<T: Numeric>(_ x: NaiveArray<T>, _ filters: NaiveArray<T>, bias: [T]?) -> NaiveArray<T> {
    let (size, kernel) = (Array(x.shape[2...]), Array(filters.shape[2...]))
    let (channels, share) = (x.shape[1] / groups, filters.shape[0] / groups)
    return NaiveArray([x.shape[0], filters.shape[0]] + positions(size, kernel)) { index in
      let filter = index[1]
      var sum: T = 0
      for channel in 0..<channels {
        for tap in naiveIndices(kernel) {
          guard let spot = spot(Array(index[2...]), tap, size) else { continue }
          sum +=
            filters[[filter, channel] + tap] * x[[index[0], filter / share * channels + channel] + spot]
        }
      }
      return bias.map { sum + $0[filter] } ?? sum
    }
  }

  /// What each position of a group sees, a row for a position: the taps of its first channel, then those of
  /// the next.
  public func windows<T>(_ x: NaiveArray<T>, kernel: [Int], group: Int, padding: T) -> [[T]] {
    let size = Array(x.shape[2...])
    let channels = x.shape[1] / groups
    return naiveIndices([x.shape[0]] + positions(size, kernel)).map { index in
      naiveIndices([channels] + kernel).map { tap in
        spot(Array(index[1...]), Array(tap[1...]), size).map {
          x[[index[0], group * channels + tap[0]] + $0]
        } ?? padding
      }
    }
  }

  /// The matrix of a group: a row for each channel and tap, a column for each filter.
  public func matrix<T>(_ filters: NaiveArray<T>, group: Int) -> [[T]] {
    let share = filters.shape[0] / groups
    return naiveIndices(Array(filters.shape[1...])).map { tap in
      (0..<share).map { filters[[group * share + $0] + tap] }
    }
  }
}

/// What `position` of `window` sees: channel by channel, top down, from the left; nil in the padding.
public func naiveWindow<T>(_ w: Window, _ values: [T], position: Int) -> [T?] {
  let image = NaiveArray([w.batch, w.channels, w.height, w.width], values)
  let place = naivePosition(position, [w.batch, w.outHeight, w.outWidth])
  var seen: [T?] = []
  for channel in w.channelStart..<w.channelStart + w.channelCount {
    for row in 0..<w.kernelHeight {
      for column in 0..<w.kernelWidth {
        let y = place[1] * w.strideHeight - w.padTop + row * w.dilationHeight
        let x = place[2] * w.strideWidth - w.padLeft + column * w.dilationWidth
        let isInside = 0..<w.height ~= y && 0..<w.width ~= x
        seen.append(isInside ? image[[place[0], channel, y, x]] : nil)
      }
    }
  }
  return seen
}

/// The index of the element that is counted as `number`, the last axis fastest.
private func naivePosition(_ number: Int, _ shape: [Int]) -> [Int] {
  var (rest, index) = (number, [Int]())
  for length in shape.reversed() {
    index.insert(rest % length, at: 0)
    rest /= length
  }
  return index
}

/// Rows of results, one for each position of each image, as images: `[batch, channels, positions]` (col2im).
public func naiveImages<T>(_ rows: [[T]], batch: Int) -> NaiveArray<T> {
  let positions = rows.count / batch
  return NaiveArray([batch, rows[0].count, positions]) { rows[$0[0] * positions + $0[2]][$0[1]] }
}

/// The product of two matrices of rows.
public func naiveProduct<T: Numeric>(_ a: [[T]], _ b: [[T]]) -> [[T]] {
  a.map { row in
    b[0].indices.map { column in
      var sum: T = 0
      for k in row.indices { sum += row[k] * b[k][column] }
      return sum
    }
  }
}
