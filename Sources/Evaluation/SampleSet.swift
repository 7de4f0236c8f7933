public import Support
public import Tensors

/// A graph input: its name and the shape of one sample.
public struct SamplePort: Hashable, Sendable {
  /// The name in the network.
  public let name: String
  /// The shape of one sample.
  public let shape: [Int]

  /// Creates a port.
  public init(name: String, shape: [Int]) {
    self.name = name
    self.shape = shape
  }

  /// Elements of one sample.
  public var count: Int { shape.reduce(1, *) }
}

/// The samples of a run: what goes into the graph inputs, and the labels where there are any.
public struct SampleSet: Equatable, Sendable {
  /// How many samples there are.
  public let count: Int
  /// For each graph input the elements of all samples, one sample after the other.
  public let inputs: [[Float]]
  /// The class of each sample.
  public let labels: [Int]?
  /// What is worth saying about the file: no samples, no labels, or labels that may stand under another name.
  public let notes: [Diagnostic]

  /// Wraps samples; throws `samples.input-shape` where the elements are not those of `count` samples.
  public init(
    count: Int, inputs: [[Float]], labels: [Int]?, for ports: [SamplePort], notes: [Diagnostic] = []
  ) throws(Diagnostic) {
    for (port, values) in zip(ports, inputs) where values.count != count * port.count {
      throw Diagnostic(
        "samples.input-shape", "input '\(port.name)' has \(values.count) elements for \(count) samples")
    }
    self.count = count
    self.inputs = inputs
    self.labels = labels
    self.notes = notes
  }

  /// Reads samples for graph inputs from a `.npy`, `.npz` or TensorProto file, and labels from another file or, where
  /// the input file is an `.npz` with an array `labels`, from there; at most `limit` samples.
  ///
  /// The array for a graph input is the one of its name; where there is one input, else the first of `images`,
  /// `x` and `input`, or the only array. Integers are multiplied by a 0-d array `scale` of the file, in binary32.
  /// Throws `samples.input-name`, `samples.input-shape`, `samples.labels`, and what `readArrays(path:)` throws.
  public init(
    input: String, labels: String? = nil, limit: Int? = nil, for ports: [SamplePort]
  ) throws(Diagnostic) {
    let file = ArraySet(try readArrays(path: input), file: input)
    var count: Int?
    var elements: [[Float]] = []
    for port in ports {
      let array = try file.input(named: port.name, isOnly: ports.count == 1)
      let samples = try file.samples(array, shape: port.shape, port: port.name)
      guard count == nil || count == samples else {
        throw Diagnostic(
          "samples.input-shape", "input '\(port.name)' has \(samples) samples, the one before \(count ?? 0)",
          at: Location(file: input, .item(array.name)))
      }
      count = samples
      let taken = min(samples, limit ?? samples)
      elements.append(try file.floats(array, count: taken * port.count))
    }
    let all = count ?? 0
    let taken = min(all, limit ?? all)
    let classes = try file.labels(path: labels, samples: all)
    try self.init(
      count: taken, inputs: elements, labels: classes.map { Array($0.prefix(taken)) }, for: ports,
      notes: file.notes(samples: all, hasLabels: classes != nil, ports))
  }
}

extension SampleSet {
  /// Sample number `index` as one tensor for each of `ports`; `index` must be in `0 ..< count`.
  public func sample(_ index: Int, for ports: [SamplePort]) -> [Tensor] {
    zip(ports, inputs).map { port, values in
      Tensor(port.shape, Array(values[index * port.count..<(index + 1) * port.count]))
    }
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
      "samples.input-name", "no array for input '\(name)' among \(names.isEmpty ? "none" : names)",
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
      "samples.input-shape",
      "the array for input '\(port)' has the shape \(text(found)), expected [N\(sample.map { ", \($0)" }.joined())]",
      at: Location(file: file, .item(array.name.isEmpty ? "array" : array.name)),
      notes: advice(found, shape))
  }

  /// What helps where the samples are those of a network that takes several at a time.
  private func advice(_ found: [Int], _ shape: [Int]) -> [String] {
    guard let batch = shape.first, batch > 1,
      found.dropFirst().filter({ $0 != 1 }) == shape.dropFirst().filter({ $0 != 1 })
    else { return [] }
    return [
      "the network takes \(batch) of them at a time and mixes them: export it with a batch of 1 or an open one, or stack"
        + " \(batch) samples each"
    ]
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
      throw Diagnostic("samples.labels", "no array 'labels' or 'y'", at: Location(file: path))
    }
    return try classes(found, file: path, samples: samples)
  }

  /// What is missing in the file, with what may stand for it.
  func notes(samples: Int, hasLabels: Bool, _ ports: [SamplePort]) -> [Diagnostic] {
    var notes: [Diagnostic] = []
    func add(_ id: String, _ message: String, _ help: String) {
      notes.append(Diagnostic(id, message, at: Location(file: file), severity: .note, notes: [help]))
    }
    if samples == 0 {
      add("samples.none", "there are no samples", "nothing is run, and no figure means anything")
    }
    guard !hasLabels else { return notes }
    let taken = Set(ports.compactMap { try? input(named: $0.name, isOnly: ports.count == 1).name })
    let similar = arrays.filter { array in
      !taken.contains(array.name) && array.name != "scale" && array.tensor.count == samples
        && array.tensor.shape.count { $0 != 1 } <= 1 && !array.tensor.shape.isEmpty
    }
    if let first = similar.first {
      add(
        "samples.labels-name", "there is no array 'labels'; '\(first.name)' may be the labels",
        "rename it, or give it with --labels")
    } else {
      add("samples.no-labels", "there are no labels, so no accuracy is reported", "give them with --labels")
    }
    return notes
  }

  private func classes(_ array: NamedTensor, file: String, samples: Int) throws(Diagnostic) -> [Int] {
    let place = Location(file: file, .item(array.name.isEmpty ? "array" : array.name))
    guard array.tensor.shape.filter({ $0 != 1 }).count <= 1, array.tensor.count == samples else {
      throw Diagnostic(
        "samples.labels",
        "\(array.tensor.count) labels of shape \(array.tensor.shape) for \(samples) samples", at: place)
    }
    let whole = array.tensor.integers
    guard zip(array.tensor.floats, whole).allSatisfy({ $0 == Float($1) && $1 >= 0 && $1 < 1 << 31 }) else {
      throw Diagnostic("samples.labels", "a label is no whole number from 0 up", at: place)
    }
    return whole.map { Int($0) }
  }
}
