import Support
import Tensors

/// Reads the words of a digital operator; constants are taken from `constants` in their order.
func decodeOperator(
  _ reader: inout SectionReader, _ constants: inout Constants
) throws(Diagnostic) -> DigitalOperator {
  let start = reader.offset
  let entry = try decodeEntry(&reader)
  var values: [OperatorValue] = []
  for place in entry.parameters.indices {
    values.append(try decodeValue(entry, place, values.last, &reader, &constants))
  }
  guard let found = entry.makeOperator(values) else {
    throw reader.failure(.opcode, "the parameters of \(entry.name) do not fit", at: start)
  }
  return found
}

/// Reads the codes of an operator.
private func decodeEntry(_ reader: inout SectionReader) throws(Diagnostic) -> OperatorEntry {
  let start = reader.offset
  let word = try reader.integer(UInt32.self)
  guard let code = OperatorCode(rawValue: word) else {
    throw reader.failure(.opcode, "unknown operator \(word)", at: start)
  }
  if let entry = OperatorCatalog.entry(code) { return entry }
  let place = reader.offset
  let function = try reader.integer(UInt32.self)
  guard let entry = OperatorCatalog.entry(code, function: function) else {
    let kind = code == .binary ? "two-argument function" : "function"
    throw reader.failure(.opcode, "unknown \(kind) \(function)", at: place)
  }
  return entry
}

/// Reads the value of the parameter at `place`, which follows the value `previous`.
private func decodeValue(
  _ entry: OperatorEntry, _ place: Int, _ previous: OperatorValue?, _ reader: inout SectionReader,
  _ constants: inout Constants
) throws(Diagnostic) -> OperatorValue {
  switch entry.parameters[place].kind {
  case .float: return .float(try reader.float())
  case .integer: return .integer(try reader.i64())
  case .axis: return .axis(try reader.u32())
  case .flag:
    let start = reader.offset
    return .flag(try reader.boolean(try reader.u32(), at: start))
  case .window: return .window(try decodeWindow(&reader))
  case .axes, .lengths:
    // The lists that follow have as many numbers.
    let more = entry.parameters[(place + 1)...].prefix { $0.kind == .moreLengths }.count
    let count = try reader.count("axes", limit: ProgramLimits.rank, size: 4 * (1 + more))
    return .list(try decodeNumbers(count, &reader))
  case .moreLengths:
    guard case .list(let numbers)? = previous else { return .list([]) }
    return .list(try decodeNumbers(numbers.count, &reader))
  case .constants: return .constants(try takeConstant(&reader, &constants))
  }
}

private func decodeNumbers(_ count: Int, _ reader: inout SectionReader) throws(Diagnostic) -> [Int] {
  var numbers: [Int] = []
  for _ in 0..<count { numbers.append(try reader.u32()) }
  return numbers
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
