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
  /// The array is the one called `inputName`. Where the network has no other input (`isOnly`), it may also be the one
  /// called `images`, `x` or `input`, or the only one that is neither labels nor a scale. Its shape is that of one
  /// sample, or it holds any number of samples along its first axis; axes of length 1 do not matter then.
  /// Throws `samples.array`, `samples.shape`, `samples.labels` and what `readArrays(path:)` throws.
  public init(path: String, inputName: String, shape: [Int], isOnly: Bool = true) throws(Diagnostic) {
    let arrays = try readArrays(path: path)
    let found = try findArray(inputName, isOnly: isOnly, arrays, path)
    let size = shape.reduce(1, *)
    let rest = found.tensor.shape.dropFirst().filter { $0 != 1 }
    let isBatch = !found.tensor.shape.isEmpty && rest == shape.filter { $0 != 1 }
    guard size > 0, found.tensor.count > 0, found.tensor.shape == shape || isBatch else {
      let sample = (shape.first == 1 ? Array(shape.dropFirst()) : shape).map { ", \($0)" }.joined()
      throw Diagnostic(
        "samples.shape",
        "the array for input '\(inputName)' has the shape \(found.tensor.shape), expected [N\(sample)]",
        at: place(found, path), notes: ["give samples along the first axis"])
    }
    array = found.tensor
    sampleShape = shape
    count = found.tensor.count / size
    scale = arrays.first { $0.name == "scale" && $0.tensor.count == 1 }?.tensor.floats.first
    labels = try arrays.first { $0.name == "labels" || $0.name == "y" }.map { labels throws(Diagnostic) in
      try checkedLabels(labels, path)
    }
  }

  /// Sample number `index` as floats of the input's shape; `index` must be in `0 ..< count`.
  public func sample(_ index: Int) -> Tensor { Tensor(sampleShape, floats(index..<index + 1)) }

  /// The elements of the samples in `range`, which must lie in `0 ..< count`, one sample after the other.
  public func floats(_ range: Range<Int>) -> [Float] {
    let size = sampleShape.reduce(1, *)
    let elements = range.lowerBound * size..<range.upperBound * size
    func scaled<T: BinaryInteger>(_ values: [T]) -> [Float] {
      let factor = scale ?? 1
      return values[elements].map { Float($0) * factor }
    }
    switch array.data {
    case .f32(let values): return Array(values[elements])
    case .i8(let values): return scaled(values)
    case .u8(let values): return scaled(values)
    case .i16(let values): return scaled(values)
    case .u16(let values): return scaled(values)
    case .i32(let values): return scaled(values)
    case .i64(let values): return scaled(values)
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
  return try checkedLabels(found, path)
}

/// The share of samples whose class is among the `best` largest of its scores; of equal scores the earlier wins.
/// A class that there is no score for, and one whose score is not a number, is wrong.
public func accuracy(_ scores: [[Float]], _ labels: [Int], best: Int) -> Double {
  var hits = 0
  for (row, label) in zip(scores, labels) where row.indices.contains(label) && !row[label].isNaN {
    let rank = row.indices.reduce(0) { rank, k in
      rank + (row[k] > row[label] || row[k] == row[label] && k < label ? 1 : 0)
    }
    if rank < best { hits += 1 }
  }
  return scores.isEmpty ? 0 : Double(hits) / Double(min(scores.count, labels.count))
}

private func findArray(
  _ name: String, isOnly: Bool, _ arrays: [NamedTensor], _ path: String
) throws(Diagnostic) -> NamedTensor {
  let candidates = arrays.filter { !["labels", "y", "scale"].contains($0.name) }
  let wanted = isOnly ? [name, "images", "x", "input"] : [name]
  let named = wanted.lazy.compactMap { name in candidates.first { $0.name == name } }.first
  if let found = named ?? (isOnly && candidates.count == 1 ? candidates.first : nil) { return found }
  let names = arrays.map { "'\($0.name)'" }.joined(separator: ", ")
  throw Diagnostic(
    "samples.array", "no array is called '\(name)', found \(names.isEmpty ? "none" : names)",
    at: Location(file: path), notes: isOnly ? ["'images', 'x' and 'input' are taken as well"] : [])
}

private func place(_ array: NamedTensor, _ path: String) -> Location {
  Location(file: path, array.name.isEmpty ? .whole : .item(array.name))
}

private func checkedLabels(_ array: NamedTensor, _ path: String) throws(Diagnostic) -> [Int] {
  guard !array.tensor.data.isFloat else {
    throw Diagnostic("samples.labels", "labels are floats, expected whole numbers", at: place(array, path))
  }
  let values = array.tensor.integers
  guard values.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
    throw Diagnostic("samples.labels", "a label is negative or too large", at: place(array, path))
  }
  return values.map { Int($0) }
}
