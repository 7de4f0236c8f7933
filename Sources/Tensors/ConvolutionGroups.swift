extension Window {
  /// The geometry over the channels of one group; `groups` divides the channels.
  public func group(_ group: Int, of groups: Int) -> Window {
    var part = self
    part.channelCount = channels / groups
    part.channelStart = group * part.channelCount
    return part
  }
}

/// The matrix `[rows, columns]` that the filters of one group are: column `o` holds filter `o`, unrolled.
public func groupMatrix(_ weights: Tensor, _ group: Int, of groups: Int) -> Tensor {
  let columns = weights.shape[0] / max(1, groups)
  let rows = weights.count / max(1, weights.shape[0])
  let values = weights.integers
  var matrix = [Int64](repeating: 0, count: rows * columns)
  for column in 0..<columns {
    let start = (group * columns + column) * rows
    for row in 0..<rows { matrix[row * columns + column] = values[start + row] }
  }
  return Tensor([rows, columns], matrix)
}
