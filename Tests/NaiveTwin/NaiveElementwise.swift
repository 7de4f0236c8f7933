import Glibc
public import Tensors

/// A function of one float, by its formula.
public func naive(_ function: UnaryFunction, _ x: Float) -> Float {
  if x.isNaN { return x }
  let parameters = function.parameters
  switch function.kind {
  case .relu: return max(x, 0)
  case .leakyRelu: return x >= 0 ? x : parameters[0] * x
  case .clip: return min(max(x, parameters[0]), parameters[1])
  case .sigmoid: return 1 / (1 + expf(-x))
  case .tanh: return tanhf(x)
  case .hardSigmoid: return min(max(parameters[0] * x + parameters[1], 0), 1)
  case .hardSwish: return x * min(max(x / 6 + 0.5, 0), 1)
  case .elu: return x >= 0 ? x : parameters[0] * expm1f(x)
  case .softplus: return max(x, 0) + log1pf(expf(-abs(x)))
  case .exp: return expf(x)
  case .log: return logf(x)
  case .sqrt: return sqrtf(x)
  case .abs: return fabsf(x)
  case .negate: return 0 - x
  case .erf: return erff(x)
  case .floor: return floorf(x)
  case .ceil: return ceilf(x)
  case .round: return rintf(x)
  case .sign: return x > 0 ? 1 : x < 0 ? -1 : 0
  }
}

/// A function of two floats, by IEEE 754.
public func naive(_ function: BinaryFunction, _ x: Float, _ y: Float) -> Float {
  switch function {
  case .add: return x + y
  case .subtract: return x - y
  case .multiply: return x * y
  case .divide: return x / y
  case .maximum: return x.isNaN || y.isNaN ? .nan : x > y ? x : y
  case .minimum: return x.isNaN || y.isNaN ? .nan : x > y ? y : x
  case .greater: return x > y ? 1 : 0
  case .equal: return x == y ? 1 : 0
  case .power: return powf(x, y)
  }
}

/// A function of two integers whose result fits into 64 bits; nothing is divided by 0.
public func naive(_ function: BinaryFunction, _ x: Int64, _ y: Int64) -> Int64 {
  switch function {
  case .add: return x + y
  case .subtract: return x - y
  case .multiply: return x * y
  case .divide: return (x < 0) == (y < 0) ? abs(x) / abs(y) : -(abs(x) / abs(y))
  case .maximum: return x > y ? x : y
  case .minimum: return x > y ? y : x
  case .greater: return x > y ? 1 : 0
  case .equal: return x == y ? 1 : 0
  case .power:
    // A negative power is a quotient 1 / x^n, truncated.
    var power: Int64 = 1
    for _ in 0..<abs(y) { power *= x }
    return y < 0 ? 1 / power : power
  }
}
