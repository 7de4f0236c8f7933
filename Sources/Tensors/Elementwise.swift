import Glibc

extension UnaryFunction {
  /// Applies the function to each element.
  ///
  /// NaN gives NaN for every function. Formulas: `relu` x < 0 ? 0 : x, so that -0 stays; `leakyRelu`
  /// x < 0 ? slope * x : x; `sigmoid` 1 / (1 + expf(-x)); `elu` x < 0 ? alpha * expm1f(x) : x; `softplus`
  /// max(x, 0) + log1pf(expf(-|x|)); the rest as declared.
  func apply(to values: [Float]) -> [Float] {
    switch self {
    case .relu: return mapped(values) { $0 < 0 ? 0 : $0 }
    case .leakyRelu(let slope): return mapped(values) { $0 < 0 ? slope * $0 : $0 }
    case .clip(let low, let high):
      // The upper bound wins where the bounds are in the wrong order, as in ONNX.
      return mapped(values) { x in
        let raised = x < low ? low : x
        return raised > high ? high : raised
      }
    case .sigmoid: return mapped(values) { 1 / (1 + expf(-$0)) }
    case .tanh: return mapped(values) { tanhf($0) }
    case .hardSigmoid(let slope, let shift): return mapped(values) { unitClamp(slope * $0 + shift) }
    case .hardSwish: return mapped(values) { $0 * unitClamp($0 / 6 + 0.5) }
    case .elu(let alpha): return mapped(values) { $0 < 0 ? alpha * expm1f($0) : $0 }
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
