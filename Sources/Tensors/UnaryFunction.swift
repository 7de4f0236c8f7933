import Glibc

/// A one-argument function applied to each float.
///
/// A function is a case of `Kind`, its spelling, its row in `unaryRows` and its formula in `apply`, all in this file.
public struct UnaryFunction: Hashable, Sendable {
  /// Which function it is; the raw value is its code in a program.
  public enum Kind: UInt32, Hashable, Sendable, CaseIterable {
    case relu = 1
    case leakyRelu = 2
    case clip = 3
    case sigmoid = 4
    case tanh = 5
    case hardSigmoid = 6
    case hardSwish = 7
    case elu = 8
    case softplus = 9
    case exp = 10
    case log = 11
    case sqrt = 12
    case abs = 13
    case negate = 14
    case erf = 15
    case floor = 16
    case round = 17
    case sign = 18
    case ceil = 19
  }

  /// Which function it is.
  public let kind: Kind
  /// Its parameters, in the order of its row in the catalog.
  public let parameters: [Float]

  /// The function `kind` with these parameters; nil unless there are as many as its row has.
  public init?(_ kind: Kind, _ parameters: [Float] = []) {
    guard parameters.count == OperatorCatalog.entry(of: kind).parameters.count else { return nil }
    self.init(kind, checked: parameters)
  }

  private init(_ kind: Kind, checked parameters: [Float]) {
    self.kind = kind
    self.parameters = parameters
  }

  /// `max(x, 0)`.
  public static let relu = UnaryFunction(.relu, checked: [])
  /// `x` where `x >= 0`, `slope * x` elsewhere.
  public static func leakyRelu(slope: Float) -> UnaryFunction { UnaryFunction(.leakyRelu, checked: [slope]) }
  /// `min(max(x, low), high)`.
  public static func clip(low: Float, high: Float) -> UnaryFunction {
    UnaryFunction(.clip, checked: [low, high])
  }
  /// `1 / (1 + exp(-x))`.
  public static let sigmoid = UnaryFunction(.sigmoid, checked: [])
  /// The hyperbolic tangent.
  public static let tanh = UnaryFunction(.tanh, checked: [])
  /// `max(0, min(1, slope * x + shift))`.
  public static func hardSigmoid(slope: Float, shift: Float) -> UnaryFunction {
    UnaryFunction(.hardSigmoid, checked: [slope, shift])
  }
  /// `x * max(0, min(1, x / 6 + 1/2))`.
  public static let hardSwish = UnaryFunction(.hardSwish, checked: [])
  /// `x` where `x >= 0`, `alpha * (exp(x) - 1)` elsewhere.
  public static func elu(alpha: Float) -> UnaryFunction { UnaryFunction(.elu, checked: [alpha]) }
  /// `log(1 + exp(x))`.
  public static let softplus = UnaryFunction(.softplus, checked: [])
  /// The exponential.
  public static let exp = UnaryFunction(.exp, checked: [])
  /// The natural logarithm.
  public static let log = UnaryFunction(.log, checked: [])
  /// The square root.
  public static let sqrt = UnaryFunction(.sqrt, checked: [])
  /// The magnitude.
  public static let abs = UnaryFunction(.abs, checked: [])
  /// `-x`.
  public static let negate = UnaryFunction(.negate, checked: [])
  /// The error function.
  public static let erf = UnaryFunction(.erf, checked: [])
  /// The largest whole number that is not larger.
  public static let floor = UnaryFunction(.floor, checked: [])
  /// The nearest whole number, of two the even one.
  public static let round = UnaryFunction(.round, checked: [])
  /// -1, 0 or 1; 0 for zeros of both signs.
  public static let sign = UnaryFunction(.sign, checked: [])
  /// The smallest whole number that is not smaller.
  public static let ceil = UnaryFunction(.ceil, checked: [])
}

/// The one-argument functions in the order of their codes.
let unaryRows: [OperatorEntry] = [
  row(.relu, "relu", [], "max(x, 0)"),
  row(.leakyRelu, "leaky-relu", ["alpha"], "x where x >= 0, alpha * x elsewhere"),
  row(.clip, "clip", ["low", "high"], "min(max(x, low), high)"),
  row(.sigmoid, "sigmoid", [], "1 / (1 + exp(-x))"),
  row(.tanh, "tanh", [], "hyperbolic tangent"),
  row(.hardSigmoid, "hard-sigmoid", ["alpha", "beta"], "max(0, min(1, alpha * x + beta))"),
  row(.hardSwish, "hard-swish", [], "x * max(0, min(1, x / 6 + 1/2))"),
  row(.elu, "elu", ["alpha"], "x where x >= 0, alpha * (exp(x) - 1) elsewhere"),
  row(.softplus, "softplus", [], "log(1 + exp(x))"),
  row(.exp, "exp", [], "exponential"),
  row(.log, "log", [], "natural logarithm"),
  row(.sqrt, "sqrt", [], "square root"),
  row(.abs, "abs", [], "magnitude"),
  row(.negate, "negate", [], "-x"),
  row(.erf, "erf", [], "error function"),
  row(.floor, "floor", [], "the largest whole number that is not larger"),
  row(.round, "round", [], "the nearest whole number, of two the even one"),
  row(.sign, "sign", [], "-1, 0 or 1"),
  row(.ceil, "ceil", [], "the smallest whole number that is not smaller"),
]

private func row(
  _ kind: UnaryFunction.Kind, _ name: String, _ parameters: [String], _ summary: String
) -> OperatorEntry {
  OperatorEntry(
    name, .unary, function: kind.rawValue, parameters.map { OperatorParameter($0, .float) }, .one,
    elements: .floats, shape: .argument, events: .activations, summary)
}

extension UnaryFunction {
  /// Applies the function to each element.
  ///
  /// NaN gives NaN for every function. Formulas: `relu` x < 0 ? 0 : x, so that -0 stays; `leakyRelu`
  /// x < 0 ? slope * x : x; `sigmoid` 1 / (1 + expf(-x)); `elu` x < 0 ? alpha * expm1f(x) : x; `softplus`
  /// max(x, 0) + log1pf(expf(-|x|)); `sign` of zeros of both signs is 0; the rest as the row says.
  func apply(to values: [Float]) -> [Float] {
    switch kind {
    case .relu: return mapped(values) { $0 < 0 ? 0 : $0 }
    case .leakyRelu:
      let slope = parameters[0]
      return mapped(values) { $0 < 0 ? slope * $0 : $0 }
    case .clip:
      let (low, high) = (parameters[0], parameters[1])
      // The upper bound wins where the bounds are in the wrong order, as in ONNX.
      return mapped(values) { x in
        let raised = x < low ? low : x
        return raised > high ? high : raised
      }
    case .sigmoid: return mapped(values) { 1 / (1 + expf(-$0)) }
    case .tanh: return mapped(values) { tanhf($0) }
    case .hardSigmoid:
      let (slope, shift) = (parameters[0], parameters[1])
      return mapped(values) { unitClamp(slope * $0 + shift) }
    case .hardSwish: return mapped(values) { $0 * unitClamp($0 / 6 + 0.5) }
    case .elu:
      let alpha = parameters[0]
      return mapped(values) { $0 < 0 ? alpha * expm1f($0) : $0 }
    case .softplus: return mapped(values) { ($0 < 0 ? 0 : $0) + log1pf(expf(-$0.magnitude)) }
    case .exp: return mapped(values) { expf($0) }
    case .log: return mapped(values) { logf($0) }
    case .sqrt: return mapped(values) { $0.squareRoot() }
    case .abs: return mapped(values) { $0.magnitude }
    case .negate: return mapped(values) { -$0 }
    case .erf: return mapped(values) { erff($0) }
    case .floor: return mapped(values) { $0.rounded(.down) }
    case .round: return mapped(values) { $0.rounded(.toNearestOrEven) }
    case .sign: return mapped(values) { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 == 0 ? 0 : $0 }
    case .ceil: return mapped(values) { $0.rounded(.up) }
    }
  }
}

/// `max(0, min(1, x))`; NaN stays.
@inline(__always) private func unitClamp(_ x: Float) -> Float { x < 0 ? 0 : x > 1 ? 1 : x }

@inline(__always) private func mapped(_ values: [Float], _ function: (Float) -> Float) -> [Float] {
  [Float](unsafeUninitializedCapacity: values.count) { result, used in
    values.withUnsafeBufferPointer { source in
      for k in 0..<source.count { result[k] = function(source[k]) }
    }
    used = values.count
  }
}
