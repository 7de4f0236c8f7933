/// The factors and offsets per channel that batch normalization with `parameters` (scale, bias, mean,
/// variance) amounts to, computed in binary64 and rounded once.
public func batchNormAffine(_ parameters: [[Float]], epsilon: Float) -> (factor: [Float], offset: [Float]) {
  var (factor, offset): ([Float], [Float]) = ([], [])
  for channel in parameters[0].indices {
    let scale =
      Double(parameters[0][channel]) / (Double(parameters[3][channel]) + Double(epsilon)).squareRoot()
    factor.append(Float(scale))
    offset.append(Float(Double(parameters[1][channel]) - Double(parameters[2][channel]) * scale))
  }
  return (factor, offset)
}
