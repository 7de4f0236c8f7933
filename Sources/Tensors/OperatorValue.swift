/// The value of a parameter of a digital operator.
public enum OperatorValue: Hashable, Sendable {
  /// Of a parameter of kind `float`.
  case float(Float)
  /// Of kind `integer`.
  case integer(Int64)
  /// Of kind `axis`.
  case axis(Int)
  /// Of kind `flag`.
  case flag(Bool)
  /// Of kind `window`.
  case window(Window)
  /// Of kind `axes`, `lengths` or `moreLengths`.
  case list([Int])
  /// Of kind `constants`.
  case constants([Int64])

  /// Whether it is a value for a parameter of this kind.
  func fits(_ kind: OperatorParameter.Kind) -> Bool {
    switch kind {
    case .float: if case .float = self { return true }
    case .integer: if case .integer = self { return true }
    case .axis: if case .axis = self { return true }
    case .flag: if case .flag = self { return true }
    case .window: if case .window = self { return true }
    case .axes, .lengths, .moreLengths: if case .list = self { return true }
    case .constants: if case .constants = self { return true }
    }
    return false
  }
}

extension DigitalOperator {
  /// The values of the parameters, in the order of the row of the catalog.
  public var values: [OperatorValue] {
    switch self {
    case .unary(let function): return function.parameters.map { .float($0) }
    case .binary, .select, .matmul: return []
    case .softmax(let axis), .concat(let axis): return [.axis(axis)]
    case .maxPool(let window): return [.window(window)]
    case .averagePool(let window, let countPadding): return [.window(window), .flag(countPadding)]
    case .mean(let numbers), .reduceMax(let numbers), .reshape(let numbers), .transpose(let numbers):
      return [.list(numbers)]
    case .argMax(let axis, let last): return [.axis(axis), .flag(last)]
    case .pad(let before, let after, let value): return [.list(before), .list(after), .float(value)]
    case .slice(let start, let end): return [.list(start), .list(end)]
    case .gather(let indices, let axis): return [.constants(indices), .axis(axis)]
    case .quantize(let scale, let zero, let low, let high):
      return [.float(scale), .integer(zero), .integer(low), .integer(high)]
    case .dequantize(let scale, let zero): return [.float(scale), .integer(zero)]
    case .requantize(let rule):
      return [
        .constants(rule.multipliers), .constants(rule.shifts), .integer(rule.zero), .integer(rule.low),
        .integer(rule.high), .axis(rule.axis),
      ]
    case .addBias(let values, let axis): return [.constants(values), .axis(axis)]
    case .lookup(let table, let first): return [.constants(table), .integer(first)]
    }
  }

  /// The window of a pool; nil for other operators.
  public var window: Window? {
    switch self {
    case .maxPool(let window), .averagePool(let window, _): return window
    case .unary, .binary, .select, .softmax, .matmul, .mean, .reduceMax, .argMax, .reshape, .transpose,
      .concat, .pad, .slice,
      .gather, .quantize, .dequantize, .requantize, .addBias, .lookup:
      return nil
    }
  }

  /// The smallest and the largest integer that the parameters let the result have; nil where the arguments decide.
  public var clamp: (low: Int64, high: Int64)? {
    switch self {
    case .quantize(_, _, let low, let high): return (low, high)
    case .requantize(let rule): return (rule.low, rule.high)
    case .lookup(let table, _):
      guard let low = table.min(), let high = table.max() else { return nil }
      return (low, high)
    case .unary, .binary, .select, .softmax, .matmul, .maxPool, .averagePool, .mean, .reduceMax, .argMax,
      .reshape, .transpose,
      .concat, .pad, .slice, .gather, .dequantize, .addBias:
      return nil
    }
  }
}

extension OperatorEntry {
  /// The operator of this row with these values; nil unless they are those of its parameters.
  public func makeOperator(_ values: [OperatorValue]) -> DigitalOperator? {
    guard values.count == parameters.count, zip(values, parameters).allSatisfy({ $0.fits($1.kind) }) else {
      return nil
    }
    let v = Values(values)
    switch code {
    case .unary: return unaryFunction(v.floats).map { .unary($0) }
    case .binary: return binaryFunction.map { .binary($0) }
    case .select: return .select
    case .softmax: return .softmax(axis: v.axis(0))
    case .matmul: return .matmul
    case .maxPool: return v.window(0).map { .maxPool($0) }
    case .averagePool: return v.window(0).map { .averagePool($0, countPadding: v.flag(1)) }
    case .mean: return .mean(axes: v.list(0))
    case .reduceMax: return .reduceMax(axes: v.list(0))
    case .argMax: return .argMax(axis: v.axis(0), last: v.flag(1))
    case .reshape: return .reshape(v.list(0))
    case .transpose: return .transpose(v.list(0))
    case .concat: return .concat(axis: v.axis(0))
    case .pad: return .pad(before: v.list(0), after: v.list(1), value: v.float(2))
    case .slice: return .slice(start: v.list(0), end: v.list(1))
    case .gather: return .gather(indices: v.constants(0), axis: v.axis(1))
    case .quantize:
      return .quantize(scale: v.float(0), zero: v.integer(1), low: v.integer(2), high: v.integer(3))
    case .dequantize: return .dequantize(scale: v.float(0), zero: v.integer(1))
    case .requantize:
      return .requantize(
        Requantization(
          multipliers: v.constants(0), shifts: v.constants(1), zero: v.integer(2), low: v.integer(3),
          high: v.integer(4), axis: v.axis(5)))
    case .addBias: return .addBias(values: v.constants(0), axis: v.axis(1))
    case .lookup: return .lookup(table: v.constants(0), first: v.integer(1))
    }
  }

  private func unaryFunction(_ parameters: [Float]) -> UnaryFunction? {
    function.flatMap { UnaryFunction.Kind(rawValue: $0) }.flatMap { UnaryFunction($0, parameters) }
  }

  private var binaryFunction: BinaryFunction? { function.flatMap { BinaryFunction(rawValue: $0) } }
}

/// Values that are known to be those of a row, by their places.
private struct Values {
  private let values: [OperatorValue]

  init(_ values: [OperatorValue]) { self.values = values }

  var floats: [Float] { values.indices.map(float) }

  func float(_ place: Int) -> Float {
    if case .float(let value) = values[place] { return value }
    return 0
  }

  func integer(_ place: Int) -> Int64 {
    if case .integer(let value) = values[place] { return value }
    return 0
  }

  func axis(_ place: Int) -> Int {
    if case .axis(let value) = values[place] { return value }
    return 0
  }

  func flag(_ place: Int) -> Bool {
    if case .flag(let value) = values[place] { return value }
    return false
  }

  func window(_ place: Int) -> Window? {
    if case .window(let value) = values[place] { return value }
    return nil
  }

  func list(_ place: Int) -> [Int] {
    if case .list(let value) = values[place] { return value }
    return []
  }

  func constants(_ place: Int) -> [Int64] {
    if case .constants(let value) = values[place] { return value }
    return []
  }
}
