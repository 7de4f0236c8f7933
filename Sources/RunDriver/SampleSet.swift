import CommandLineTools
public import ProgramFormat
public import Support

/// The samples of a run: what goes into the graph inputs, and the labels where there are any.
public struct SampleSet: Equatable, Sendable {
  /// How many samples there are.
  public let count: Int
  /// For each graph input the elements of all samples, one sample after the other.
  public let inputs: [[Float]]
  /// The class of each sample.
  public let labels: [Int]?

  /// Wraps samples.
  public init(count: Int, inputs: [[Float]], labels: [Int]?) {
    self.count = count
    self.inputs = inputs
    self.labels = labels
  }

  /// Reads samples for `program` as `SampleFile` does, an array for each graph input, and labels from another file
  /// or, where none is given, from the same; at most `limit` samples.
  ///
  /// Throws `samples.count` where inputs have different numbers of samples, `samples.labels` where there are not as
  /// many labels as samples, and what `SampleFile` and `readLabels(path:)` throw.
  public init(input: String, labels: String?, limit: Int?, for program: Program) throws(Diagnostic) {
    var count: Int?
    var taken = 0
    var elements: [[Float]] = []
    var found: [Int]?
    for port in program.inputs {
      let file = try SampleFile(
        path: input, inputName: port.name, shape: program.buffers[port.buffer].shape,
        isOnly: program.inputs.count == 1)
      guard count == nil || count == file.count else {
        throw Diagnostic(
          "samples.count", "input '\(port.name)' has \(file.count) samples, the one before \(count ?? 0)",
          at: Location(file: input))
      }
      count = file.count
      taken = min(file.count, limit ?? file.count)
      elements.append(file.floats(0..<taken))
      found = file.labels
    }
    if let labels { found = try readLabels(path: labels) }
    if let found, let count, found.count != count {
      throw Diagnostic(
        "samples.labels", "\(found.count) labels for \(count) samples", at: Location(file: labels ?? input))
    }
    self.init(count: taken, inputs: elements, labels: found.map { Array($0.prefix(taken)) })
  }
}
