public import ProgramFormat
public import Support
import Tensors

/// The samples of a run: what goes into the graph inputs, and the labels where there are any.
public struct SampleSet: Equatable, Sendable {
  /// How many samples there are.
  public let count: Int
  /// For each graph input the elements of all samples, one sample after the other.
  public let inputs: [[Float]]
  /// The class of each sample.
  public let labels: [Int]?

  /// Wraps samples; throws `run.input-shape` where the elements are not those of `count` samples.
  public init(count: Int, inputs: [[Float]], labels: [Int]?, for program: Program) throws(Diagnostic) {
    for (port, values) in zip(program.inputs, inputs)
    where values.count != count * program.buffers[port.buffer].count {
      throw Diagnostic(
        "run.input-shape", "input '\(port.name)' has \(values.count) elements for \(count) samples")
    }
    self.count = count
    self.inputs = inputs
    self.labels = labels
  }

  /// Reads samples for `program` from a `.npy`, `.npz` or TensorProto file, and labels from another file or, where
  /// the input file is an `.npz` with an array `labels`, from there; at most `limit` samples.
  ///
  /// The array for a graph input is the one of its name; where the program has one input, else the first of `images`,
  /// `x` and `input`, or the only array. Integers are multiplied by a 0-d array `scale` of the file, in binary32.
  /// Throws `run.input-name`, `run.input-shape`, `run.labels`, and what `readArrays(path:)` throws.
  public init(
    input: String, labels: String?, limit: Int?, for program: Program
  ) throws(Diagnostic) {
    let file = ArraySet(try readArrays(path: input), file: input)
    var count: Int?
    var elements: [[Float]] = []
    for port in program.inputs {
      let array = try file.input(named: port.name, isOnly: program.inputs.count == 1)
      let shape = program.buffers[port.buffer].shape
      let samples = try file.samples(array, shape: shape, port: port.name)
      guard count == nil || count == samples else {
        throw Diagnostic(
          "run.input-shape", "input '\(port.name)' has \(samples) samples, the one before \(count ?? 0)",
          at: Location(file: input, .item(array.name)))
      }
      count = samples
      let taken = min(samples, limit ?? samples)
      elements.append(try file.floats(array, count: taken * shape.reduce(1, *)))
    }
    let all = count ?? 0
    let taken = min(all, limit ?? all)
    let classes = try file.labels(path: labels, samples: all)
    try self.init(
      count: taken, inputs: elements, labels: classes.map { Array($0.prefix(taken)) }, for: program)
  }
}

/// The arrays of a file.
private struct ArraySet {
  let arrays: [NamedTensor]
  let file: String

  init(_ arrays: [NamedTensor], file: String) {
    self.arrays = arrays
    self.file = file
  }

  private func array(_ name: String) -> NamedTensor? { arrays.first { $0.name == name } }

  func input(named name: String, isOnly: Bool) throws(Diagnostic) -> NamedTensor {
    if let found = array(name) { return found }
    if isOnly {
      for known in ["images", "x", "input"] {
        if let found = array(known) { return found }
      }
      if arrays.count == 1, let only = arrays.first { return only }
    }
    let names = arrays.map { "'\($0.name)'" }.joined(separator: ", ")
    throw Diagnostic(
      "run.input-name", "no array for input '\(name)' among \(names.isEmpty ? "none" : names)",
      at: Location(file: file),
      notes: ["name an array '\(name)'\(isOnly ? ", or 'images', 'x' or 'input'" : "")"])
  }

  /// The number of samples of `array`: its shape is `[samples]` and the sample's shape, of which axes of length 1 do
  /// not matter, or the sample's shape alone.
  func samples(_ array: NamedTensor, shape: [Int], port: String) throws(Diagnostic) -> Int {
    let found = array.tensor.shape
    if found == shape { return 1 }
    if let first = found.first, found.dropFirst().filter({ $0 != 1 }) == shape.filter({ $0 != 1 }) {
      return first
    }
    func text(_ shape: [Int]) -> String { "[\(shape.map { "\($0)" }.joined(separator: ", "))]" }
    let sample = shape.first == 1 ? Array(shape.dropFirst()) : shape
    throw Diagnostic(
      "run.input-shape",
      "the array for input '\(port)' has the shape \(text(found)), expected [N\(sample.map { ", \($0)" }.joined())]",
      at: Location(file: file, .item(array.name.isEmpty ? "array" : array.name)))
  }

  /// The first `count` elements as floats.
  func floats(_ array: NamedTensor, count: Int) throws(Diagnostic) -> [Float] {
    let values = Array(array.tensor.floats.prefix(count))
    guard !array.tensor.data.isFloat, let scale = self.array("scale"), scale.tensor.shape.isEmpty,
      let factor = scale.tensor.floats.first
    else { return values }
    return values.map { $0 * factor }
  }

  /// Labels from the file at `path`, or from this file's array `labels`.
  func labels(path: String?, samples: Int) throws(Diagnostic) -> [Int]? {
    guard let path else {
      guard let found = array("labels") else { return nil }
      return try classes(found, file: file, samples: samples)
    }
    let set = ArraySet(try readArrays(path: path), file: path)
    guard
      let found = set.array("labels") ?? set.array("y") ?? (set.arrays.count == 1 ? set.arrays.first : nil)
    else {
      throw Diagnostic("run.labels", "no array 'labels' or 'y'", at: Location(file: path))
    }
    return try classes(found, file: path, samples: samples)
  }

  private func classes(_ array: NamedTensor, file: String, samples: Int) throws(Diagnostic) -> [Int] {
    let place = Location(file: file, .item(array.name.isEmpty ? "array" : array.name))
    guard array.tensor.shape.filter({ $0 != 1 }).count <= 1, array.tensor.count == samples else {
      throw Diagnostic(
        "run.labels", "\(array.tensor.count) labels of shape \(array.tensor.shape) for \(samples) samples",
        at: place)
    }
    let whole = array.tensor.integers
    guard zip(array.tensor.floats, whole).allSatisfy({ $0 == Float($1) && $1 >= 0 && $1 < 1 << 31 }) else {
      throw Diagnostic("run.labels", "a label is no whole number from 0 up", at: place)
    }
    return whole.map { Int($0) }
  }
}
