import Support
import Tensors

/// Appends the words of a digital operator; its constants go to `arrays`.
func encodeOperator(_ op: DigitalOperator, into out: inout ByteWriter, arrays: inout [[Int64]]) {
  let entry = op.entry
  out.put(entry.code.rawValue)
  if let function = entry.function { out.put(function) }
  for (parameter, value) in zip(entry.parameters, op.values) {
    switch value {
    case .float(let number): out.put(number)
    case .integer(let number): out.put(number)
    case .axis(let axis): out.put32(axis)
    case .flag(let flag): out.put32(flag ? 1 : 0)
    case .window(let window): encodeNumbers(window.numbers, into: &out)
    case .list(let numbers):
      if parameter.kind != .moreLengths { out.put32(numbers.count) }
      encodeNumbers(numbers, into: &out)
    case .constants(let values):
      out.put32(arrays.count)
      arrays.append(values)
    }
  }
}

private func encodeNumbers(_ numbers: [Int], into out: inout ByteWriter) {
  for number in numbers { out.put32(number) }
}
