import Support
import Tensors

/// Appends the words of a digital operator; its constants go to `arrays`.
func encodeOperator(_ op: DigitalOperator, into out: inout ByteWriter, arrays: inout [[Int64]]) {
  func constant(_ values: [Int64], _ out: inout ByteWriter) {
    out.put32(arrays.count)
    arrays.append(values)
  }
  out.put(op.code.rawValue)
  switch op {
  case .unary(let function): encodeUnary(function, into: &out)
  case .binary(let function): out.put32((BinaryFunction.allCases.firstIndex(of: function) ?? 0) + 1)
  case .softmax(let axis), .concat(let axis): out.put32(axis)
  case .argMax(let axis, let last):
    out.put32(axis)
    out.put32(last ? 1 : 0)
  case .matmul: break
  case .maxPool(let window): encodeNumbers(window.numbers, into: &out)
  case .averagePool(let window, let countPadding):
    encodeNumbers(window.numbers, into: &out)
    out.put32(countPadding ? 1 : 0)
  case .mean(let numbers), .reshape(let numbers), .transpose(let numbers):
    out.put32(numbers.count)
    encodeNumbers(numbers, into: &out)
  case .pad(let before, let after, let value):
    out.put32(before.count)
    encodeNumbers(before + after, into: &out)
    out.put(value)
  case .slice(let start, let end):
    out.put32(start.count)
    encodeNumbers(start + end, into: &out)
  case .take(let indices, let axis):
    constant(indices, &out)
    out.put32(axis)
  case .quantize(let scale, let zero, let low, let high):
    out.put(scale)
    for value in [zero, low, high] { out.put(value) }
  case .dequantize(let scale, let zero):
    out.put(scale)
    out.put(zero)
  case .requantize(let rule):
    constant(rule.multipliers, &out)
    constant(rule.shifts, &out)
    for value in [rule.zero, rule.low, rule.high] { out.put(value) }
    out.put32(rule.axis)
  case .addBias(let values, let axis):
    constant(values, &out)
    out.put32(axis)
  case .lookup(let table, let first):
    constant(table, &out)
    out.put(first)
  }
}

private func encodeNumbers(_ numbers: [Int], into out: inout ByteWriter) {
  for number in numbers { out.put32(number) }
}

private func encodeUnary(_ function: UnaryFunction, into out: inout ByteWriter) {
  out.put(function.code.rawValue)
  for parameter in function.parameters { out.put(parameter) }
}

extension DigitalOperator {
  /// The code in the binary.
  var code: OperatorCode {
    switch self {
    case .unary: return .unary
    case .binary: return .binary
    case .softmax: return .softmax
    case .matmul: return .matmul
    case .maxPool: return .maxPool
    case .averagePool: return .averagePool
    case .mean: return .mean
    case .argMax: return .argMax
    case .reshape: return .reshape
    case .transpose: return .transpose
    case .concat: return .concat
    case .pad: return .pad
    case .slice: return .slice
    case .take: return .take
    case .quantize: return .quantize
    case .dequantize: return .dequantize
    case .requantize: return .requantize
    case .addBias: return .addBias
    case .lookup: return .lookup
    }
  }

  /// Constants that go to `DATA`, in the order in which they are numbered.
  var constants: [[Int64]] {
    switch self {
    case .requantize(let rule): return [rule.multipliers, rule.shifts]
    case .addBias(let values, _): return [values]
    case .lookup(let table, _): return [table]
    case .take(let indices, _): return [indices]
    default: return []
    }
  }

  /// The float parameters.
  var floats: [Float] {
    switch self {
    case .unary(let function): return function.parameters
    case .pad(_, _, let value): return [value]
    case .quantize(let scale, _, _, _), .dequantize(let scale, _): return [scale]
    default: return []
    }
  }
}

extension UnaryFunction {
  /// The code in the binary.
  var code: UnaryCode {
    switch self {
    case .relu: return .relu
    case .leakyRelu: return .leakyRelu
    case .clip: return .clip
    case .sigmoid: return .sigmoid
    case .tanh: return .tanh
    case .hardSigmoid: return .hardSigmoid
    case .hardSwish: return .hardSwish
    case .elu: return .elu
    case .softplus: return .softplus
    case .exp: return .exp
    case .log: return .log
    case .sqrt: return .sqrt
    case .abs: return .abs
    case .negate: return .negate
    case .erf: return .erf
    case .floor: return .floor
    case .round: return .round
    case .sign: return .sign
    }
  }

  /// The float parameters in the order of the declaration.
  var parameters: [Float] {
    switch self {
    case .leakyRelu(let slope): return [slope]
    case .clip(let low, let high): return [low, high]
    case .hardSigmoid(let slope, let shift): return [slope, shift]
    case .elu(let alpha): return [alpha]
    default: return []
    }
  }
}
