/// Every digital operator, a row each: names and attributes in the IR, codes and parameters in a program, rules for
/// elements, and events follow from it.
public enum OperatorCatalog {
  /// The rows, in the order of the operations of the IR.
  public static let entries: [OperatorEntry] = unaryRows + binaryRows + structuralRows + fixedPointRows

  private static let structuralRows: [OperatorEntry] = [
    OperatorEntry(
      "select", .select, [], .three, elements: .floats, shape: .broadcast, events: .activations,
      "the second where the first is not 0, else the third; with broadcasting"),
    OperatorEntry(
      "softmax", .softmax, [axis], .one, elements: .floats, shape: .argument, events: .activations,
      "exponentials that sum to 1 along an axis"),
    OperatorEntry(
      "matmul", .matmul, [], .two, elements: .floats, shape: .product, events: .multiplyAdds,
      "product of two computed matrices"),
    OperatorEntry(
      "max-pool", .maxPool, [window], .one, elements: .kept, shape: .window, events: .windowComparisons,
      "maximum over windows of each channel"),
    OperatorEntry(
      "average-pool", .averagePool, [window, OperatorParameter("count-padding", .flag)], .one,
      elements: .floats, shape: .window, events: .windowComparisons, "mean over windows of each channel"),
    OperatorEntry(
      "mean", .mean, [OperatorParameter("axes", .axes)], .one, elements: .floats, shape: .reduced,
      events: .activations, "mean over axes, which stay with length 1"),
    OperatorEntry(
      "reduce-max", .reduceMax, [OperatorParameter("axes", .axes)], .one, elements: .kept, shape: .reduced,
      events: .comparisons, "the largest element over axes, which stay with length 1"),
    OperatorEntry(
      "arg-max", .argMax, [axis, OperatorParameter("last", .flag)], .one, elements: .floats,
      shape: .reduced, events: .comparisons,
      "the index of the largest float on an axis, which stays with length 1"),
    OperatorEntry(
      "reshape", .reshape, [OperatorParameter("shape", .lengths)], .one, elements: .kept,
      shape: .parameters, events: .alias, "the same elements under another shape"),
    OperatorEntry(
      "transpose", .transpose, [OperatorParameter("order", .axes)], .one, elements: .kept,
      shape: .parameters, events: .move, "result axis k is argument axis order[k]"),
    OperatorEntry(
      "concat", .concat, [axis], .oneOrMore, elements: .kept, shape: .joined, events: .move,
      "joins tensors along an axis"),
    OperatorEntry(
      "pad", .pad,
      [
        OperatorParameter("before", .lengths), OperatorParameter("after", .moreLengths),
        OperatorParameter("value", .float),
      ], .one, elements: .kept, shape: .parameters, events: .move, "adds elements at the ends of the axes"),
    OperatorEntry(
      "slice", .slice, [OperatorParameter("start", .lengths), OperatorParameter("end", .moreLengths)], .one,
      elements: .kept, shape: .parameters, events: .move,
      "the elements from start on and before end on every axis"),
    OperatorEntry(
      "gather", .gather, [OperatorParameter("indices", .constants(suffix: "indices")), axis], .one,
      elements: .kept, shape: .parameters, events: .move,
      "element j on an axis is the argument's element indices[j]"),
  ]

  private static let fixedPointRows: [OperatorEntry] = [
    OperatorEntry(
      "quantize", .quantize, [scale, zero, low, high], .one, elements: .floatsToIntegers, shape: .argument,
      events: .activations, "clamp(round(x / scale) + zero, low, high)"),
    OperatorEntry(
      "dequantize", .dequantize, [scale, zero], .one, elements: .integersToFloats, shape: .argument,
      events: .activations, "(q - zero) * scale"),
    OperatorEntry(
      "requantize", .requantize,
      [
        OperatorParameter("multipliers", .constants(suffix: "multipliers")),
        OperatorParameter("shifts", .constants(suffix: "shifts")), zero, low, high, axis,
      ], .one, elements: .accumulatorsToIntegers, shape: .argument, events: .activations,
      "accumulators to quantized values by a fixed-point factor"),
    OperatorEntry(
      "add-bias", .addBias, [OperatorParameter("values", .constants(suffix: "bias")), axis], .one,
      elements: .accumulators, shape: .argument, events: .activations, "adds a constant per channel"),
    OperatorEntry(
      "lookup", .lookup,
      [OperatorParameter("table", .constants(suffix: "table")), OperatorParameter("first", .integer)], .one,
      elements: .integers, shape: .argument, events: .activations, "table[q - first]"),
  ]

  // Parameters that several operators have.
  private static let axis = OperatorParameter("axis", .axis)
  private static let window = OperatorParameter("window", .window)
  private static let scale = OperatorParameter("scale", .float)
  private static let zero = OperatorParameter("zero", .integer)
  private static let low = OperatorParameter("low", .integer)
  private static let high = OperatorParameter("high", .integer)
}

extension OperatorCatalog {
  /// The row of a one-argument function.
  public static func entry(of kind: UnaryFunction.Kind) -> OperatorEntry {
    unaryRows[Int(kind.rawValue) - 1]
  }

  /// The row of a two-argument function.
  public static func entry(of function: BinaryFunction) -> OperatorEntry {
    binaryRows[Int(function.rawValue) - 1]
  }

  /// The row with these codes; nil where there is none.
  public static func entry(_ code: OperatorCode, function: UInt32? = nil) -> OperatorEntry? {
    places[Codes(code: code, function: function)].map { entries[$0] }
  }

  /// The row called `name`; nil where there is none.
  public static func entry(named name: String) -> OperatorEntry? { entries.first { $0.name == name } }

  private struct Codes: Hashable {
    let code: OperatorCode
    let function: UInt32?
  }

  private static let places = Dictionary(
    entries.enumerated().map { (Codes(code: $1.code, function: $1.function), $0) }, uniquingKeysWith: min)
}

extension DigitalOperator {
  /// The row of the operator in the catalog.
  public var entry: OperatorEntry {
    switch self {
    case .unary(let function): return OperatorCatalog.entry(of: function.kind)
    case .binary(let function): return OperatorCatalog.entry(of: function)
    case .select, .softmax, .matmul, .maxPool, .averagePool, .mean, .reduceMax, .argMax, .reshape,
      .transpose, .concat, .pad, .slice, .gather, .quantize, .dequantize, .requantize, .addBias, .lookup:
      guard let entry = OperatorCatalog.entry(code) else {
        preconditionFailure("the catalog has a row for every code")
      }
      return entry
    }
  }

  /// The code in a program.
  public var code: OperatorCode {
    switch self {
    case .unary: return .unary
    case .binary: return .binary
    case .select: return .select
    case .softmax: return .softmax
    case .matmul: return .matmul
    case .maxPool: return .maxPool
    case .averagePool: return .averagePool
    case .mean: return .mean
    case .reduceMax: return .reduceMax
    case .argMax: return .argMax
    case .reshape: return .reshape
    case .transpose: return .transpose
    case .concat: return .concat
    case .pad: return .pad
    case .slice: return .slice
    case .gather: return .gather
    case .quantize: return .quantize
    case .dequantize: return .dequantize
    case .requantize: return .requantize
    case .addBias: return .addBias
    case .lookup: return .lookup
    }
  }
}
