import IR
import Support
import Tensors

/// A value of which some elements are the same whatever the inputs of the graph are.
struct KnownElements {
  /// The elements; unknown ones have arbitrary values.
  let values: Tensor
  /// 0 where the element is known, 1 where it is not.
  let unknown: Tensor

  /// Elements that are all known.
  init(_ values: Tensor) {
    self.values = values
    unknown = Tensor(values.shape, .u8([UInt8](repeating: 0, count: values.count)))
  }

  /// Elements of which those are known where `unknown` is 0; nil where none is, or where the shapes differ.
  init?(_ values: Tensor, unknown: Tensor) {
    guard values.shape == unknown.shape, unknown.flags.contains(0) else { return nil }
    self.values = values
    self.unknown = unknown
  }

  private init(zeros: Tensor) {
    values = zeros
    unknown = Tensor(zeros.shape, .u8([UInt8](repeating: 1, count: zeros.count)))
  }

  /// A value of which nothing is known, with zeros in its place; nil where it has no shape.
  static func nothing(of type: ValueType) -> KnownElements? {
    guard let shape = type.shape, let count = checkedProduct(shape) else { return nil }
    if type.element.isFloat {
      return KnownElements(zeros: Tensor(shape, [Float](repeating: 0, count: count)))
    }
    return KnownElements(zeros: Tensor(shape, [Int64](repeating: 0, count: count), as: type.element))
  }

  /// Whether every element is known.
  var isComplete: Bool { !unknown.flags.contains(1) }

  /// The same with `value` in place of what is not known.
  fileprivate func filled(_ value: Int64) -> Tensor {
    Tensor(values.shape, zip(values.integers, unknown.flags).map { $1 == 0 ? $0 : value })
  }
}

extension Tensor {
  /// The elements of a tensor of bytes.
  var flags: [UInt8] {
    if case .u8(let flags) = data { return flags }
    return []
  }
}

extension DigitalOperator {
  /// What is known of the result where `arguments` are known in part; nil for nothing.
  ///
  /// The operator itself computes the elements and moves what is known along with them. Where it refuses what stands in
  /// for unknown elements, nothing is known: no statement about known elements depends on those.
  func apply(to arguments: [KnownElements]) -> KnownElements? {
    if arguments.allSatisfy(\.isComplete) {
      return (try? apply(to: arguments.map(\.values))).map { KnownElements($0) }
    }
    var tensors = arguments.map(\.values)
    // Any entry of a table will do for an element that is not known, but it must be an entry.
    if case .lookup(_, let first) = self { tensors = arguments.map { $0.filled(first) } }
    guard let unknown = try? unknownElements(arguments.map(\.unknown)), let values = try? apply(to: tensors)
    else { return nil }
    return KnownElements(values, unknown: unknown)
  }

  /// Which elements of the result depend on one that is not known; nil for all of them.
  private func unknownElements(_ arguments: [Tensor]) throws(Diagnostic) -> Tensor? {
    switch self {
    case .unary, .quantize, .dequantize, .requantize, .addBias, .lookup: return arguments[0]
    case .binary: return try DigitalOperator.binary(.maximum).apply(to: arguments)
    case .select:
      let either = try DigitalOperator.binary(.maximum).apply(to: Array(arguments.dropFirst()))
      return try DigitalOperator.binary(.maximum).apply(to: [arguments[0], either])
    case .reshape, .transpose, .concat, .slice, .gather, .reduceMax: return try apply(to: arguments)
    case .pad(let before, let after, _):
      return try DigitalOperator.pad(before: before, after: after, value: 0).apply(to: arguments)
    // Taps in the padding count as nothing or as zeros, so only those inside of the image can be unknown.
    case .maxPool(let window), .averagePool(let window, _):
      return try DigitalOperator.maxPool(window).apply(to: arguments)
    case .softmax, .matmul, .mean, .argMax: return nil
    }
  }
}
