public import Support
public import Tensors

/// Samples read from a file, converted one by one.
///
/// An array of floats is taken as it is. Integers, such as pixels, are multiplied by the number called `scale` where
/// the file has one.
public struct SampleFile: Sendable {
  /// How many samples there are.
  public let count: Int
  /// The class of each sample, where the file has an array called `labels` or `y`.
  public let labels: [Int]?
  private let array: Tensor
  private let sampleShape: [Int]
  private let scale: Float?

  /// Reads the samples for a graph input called `inputName` of shape `shape`.
  ///
  /// The array is the one called `inputName`, `images`, `x` or `input`, or the only one that is neither labels nor a
  /// scale. It may hold one sample, or any number of them along its first axis. Throws `samples.*`.
  public init(path: String, inputName: String, shape: [Int]) throws(Diagnostic) {
    let arrays = try readArrays(path: path)
    let place = Location(file: path)
    let special = ["labels", "y", "scale"]
    let candidates = arrays.filter { !special.contains($0.name) }
    let wanted = [inputName, "images", "x", "input"]
    let named = wanted.lazy.compactMap { name in candidates.first { $0.name == name } }.first
    guard let found = named ?? (candidates.count == 1 ? candidates.first : nil) else {
      throw Diagnostic(
        "samples.array", "no array is called '\(inputName)', found \(arrays.map(\.name).joined(separator: ", "))",
        at: place)
    }
    array = found.tensor
    sampleShape = shape
    let size = shape.reduce(1, *)
    let rest = Array(array.shape.dropFirst())
    guard size > 0, array.count % size == 0, array.shape == shape || rest == Array(shape.dropFirst()),
      array.count > 0
    else {
      throw Diagnostic(
        "samples.shape", "the array has the shape \(array.shape), the input takes \(shape)", at: place,
        notes: ["give samples along the first axis: [N, \(shape.dropFirst().map(String.init).joined(separator: ", "))]"])
    }
    count = array.count / size
    scale = arrays.first { $0.name == "scale" && $0.tensor.count == 1 }?.tensor.floats.first
    labels = try arrays.first { $0.name == "labels" || $0.name == "y" }.map { labels throws(Diagnostic) in
      try checkedLabels(labels.tensor, path)
    }
  }

  /// Sample number `index` as floats of the input's shape; `index` must be in `0 ..< count`.
  public func sample(_ index: Int) -> Tensor {
    let size = sampleShape.reduce(1, *)
    let range = index * size..<(index + 1) * size
    func scaled<T: BinaryInteger>(_ values: [T]) -> [Float] {
      let factor = scale ?? 1
      return values[range].map { Float($0) * factor }
    }
    switch array.data {
    case .f32(let values): return Tensor(sampleShape, Array(values[range]))
    case .i8(let values): return Tensor(sampleShape, scaled(values))
    case .u8(let values): return Tensor(sampleShape, scaled(values))
    case .i16(let values): return Tensor(sampleShape, scaled(values))
    case .u16(let values): return Tensor(sampleShape, scaled(values))
    case .i32(let values): return Tensor(sampleShape, scaled(values))
    case .i64(let values): return Tensor(sampleShape, scaled(values))
    }
  }
}

/// Reads classes from a file: the array called `labels` or `y`, or the only one.
public func readLabels(path: String) throws(Diagnostic) -> [Int] {
  let arrays = try readArrays(path: path)
  let named = arrays.first { $0.name == "labels" || $0.name == "y" }
  guard let found = named ?? (arrays.count == 1 ? arrays.first : nil) else {
    throw Diagnostic("samples.labels", "no array is called 'labels'", at: Location(file: path))
  }
  return try checkedLabels(found.tensor, path)
}

private func checkedLabels(_ tensor: Tensor, _ path: String) throws(Diagnostic) -> [Int] {
  guard !tensor.data.isFloat else {
    throw Diagnostic("samples.labels", "labels are floats, expected whole numbers", at: Location(file: path))
  }
  return tensor.integers.map { Int($0) }
}

/// The share of samples whose class is among the `best` largest of its scores; of equal scores the earlier wins.
public func accuracy(_ scores: [[Float]], _ labels: [Int], best: Int) -> Double {
  var hits = 0
  for (row, label) in zip(scores, labels) where row.indices.contains(label) {
    let rank = row.indices.reduce(0) { rank, k in
      rank + (row[k] > row[label] || row[k] == row[label] && k < label ? 1 : 0)
    }
    if rank < best { hits += 1 }
  }
  return scores.isEmpty ? 0 : Double(hits) / Double(min(scores.count, labels.count))
}
