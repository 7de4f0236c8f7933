import Support
import Tensors

/// Reads the words of a digital operator; constants are taken from `constants` in their order.
func decodeOperator(
  _ reader: inout SectionReader, _ constants: inout Constants
) throws(Diagnostic) -> DigitalOperator {
  let start = reader.offset
  let word = try reader.integer(UInt32.self)
  guard let code = OperatorCode(rawValue: word) else {
    throw reader.failure(.opcode, "unknown operator \(word)", at: start)
  }
  switch code {
  case .unary: return .unary(try decodeUnary(&reader))
  case .binary: return .binary(try decodeBinary(&reader))
  case .softmax: return .softmax(axis: try reader.u32())
  case .matmul: return .matmul
  case .maxPool: return .maxPool(try decodeWindow(&reader))
  case .averagePool:
    let window = try decodeWindow(&reader)
    let place = reader.offset
    return .averagePool(window, countPadding: try reader.boolean(try reader.u32(), at: place))
  case .mean: return .mean(axes: try decodeNumbers(&reader))
  case .argMax:
    let axis = try reader.u32()
    let place = reader.offset
    return .argMax(axis: axis, last: try reader.boolean(try reader.u32(), at: place))
  case .reshape: return .reshape(try decodeNumbers(&reader))
  case .transpose: return .transpose(try decodeNumbers(&reader))
  case .concat: return .concat(axis: try reader.u32())
  case .pad:
    let numbers = try decodeNumbers(&reader, times: 2)
    let half = numbers.count / 2
    return .pad(before: Array(numbers[..<half]), after: Array(numbers[half...]), value: try reader.float())
  case .slice:
    let numbers = try decodeNumbers(&reader, times: 2)
    let half = numbers.count / 2
    return .slice(start: Array(numbers[..<half]), end: Array(numbers[half...]))
  case .take:
    let indices = try takeConstant(&reader, &constants)
    return .take(indices: indices, axis: try reader.u32())
  case .quantize, .dequantize, .requantize, .addBias, .lookup:
    return try decodeFixedPoint(code, &reader, &constants)
  }
}

private func decodeFixedPoint(
  _ code: OperatorCode, _ reader: inout SectionReader, _ constants: inout Constants
) throws(Diagnostic) -> DigitalOperator {
  switch code {
  case .quantize:
    let scale = try reader.float()
    let zero = try reader.i64()
    let low = try reader.i64()
    return .quantize(scale: scale, zero: zero, low: low, high: try reader.i64())
  case .dequantize:
    let scale = try reader.float()
    return .dequantize(scale: scale, zero: try reader.i64())
  case .requantize:
    let multipliers = try takeConstant(&reader, &constants)
    let shifts = try takeConstant(&reader, &constants)
    let zero = try reader.i64()
    let low = try reader.i64()
    let high = try reader.i64()
    return .requantize(
      Requantization(
        multipliers: multipliers, shifts: shifts, zero: zero, low: low, high: high, axis: try reader.u32()))
  case .addBias:
    let values = try takeConstant(&reader, &constants)
    return .addBias(values: values, axis: try reader.u32())
  default:
    let table = try takeConstant(&reader, &constants)
    return .lookup(table: table, first: try reader.i64())
  }
}

private func takeConstant(
  _ reader: inout SectionReader, _ constants: inout Constants
) throws(Diagnostic) -> [Int64] {
  let start = reader.offset
  let index = try reader.u32()
  guard index == constants.used, index < constants.arrays.count else {
    throw reader.failure(
      .constant, "constant \(index), expected \(constants.used) of \(constants.arrays.count)", at: start)
  }
  constants.used += 1
  return constants.arrays[index]
}

/// A count, at most `ProgramLimits.rank`, and as many numbers, or a multiple of them.
private func decodeNumbers(_ reader: inout SectionReader, times: Int = 1) throws(Diagnostic) -> [Int] {
  let count = try reader.count("axes", limit: ProgramLimits.rank, size: 4 * times)
  var numbers: [Int] = []
  for _ in 0..<count * times { numbers.append(try reader.u32()) }
  return numbers
}

private func decodeBinary(_ reader: inout SectionReader) throws(Diagnostic) -> BinaryFunction {
  let start = reader.offset
  let code = try reader.u32()
  guard BinaryFunction.allCases.indices.contains(code - 1) else {
    throw reader.failure(.opcode, "unknown two-argument function \(code)", at: start)
  }
  return BinaryFunction.allCases[code - 1]
}

private func decodeUnary(_ reader: inout SectionReader) throws(Diagnostic) -> UnaryFunction {
  let start = reader.offset
  let word = try reader.integer(UInt32.self)
  guard let code = UnaryCode(rawValue: word) else {
    throw reader.failure(.opcode, "unknown function \(word)", at: start)
  }
  switch code {
  case .relu: return .relu
  case .leakyRelu: return .leakyRelu(slope: try reader.float())
  case .clip:
    let low = try reader.float()
    return .clip(low: low, high: try reader.float())
  case .sigmoid: return .sigmoid
  case .tanh: return .tanh
  case .hardSigmoid:
    let slope = try reader.float()
    return .hardSigmoid(slope: slope, shift: try reader.float())
  case .hardSwish: return .hardSwish
  case .elu: return .elu(alpha: try reader.float())
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
