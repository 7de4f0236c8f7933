import Support
import Tensors

/// The constants of `DATA`, handed out in their order.
struct Constants {
  let arrays: [[Int64]]
  var used = 0
}

func decodeConstants(_ reader: inout SectionReader) throws(Diagnostic) -> Constants {
  let count = try reader.count("constants", limit: ProgramLimits.instructions, size: 8)
  try reader.zero32()
  var arrays: [[Int64]] = []
  arrays.reserveCapacity(count)
  for _ in 0..<count {
    let start = reader.offset
    let length = try reader.u32()
    try reader.zero32()
    try reader.check(length, "numbers", limit: ProgramLimits.constants, size: 8, at: start)
    let raw = try reader.raw(8 * length)
    arrays.append(
      (0..<length).map { Int64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) })
  }
  try reader.checkEnd()
  return Constants(arrays: arrays)
}

/// The origins of instructions by number, in growing order, with the offset of each entry.
struct OriginList {
  var entries: [(number: Int, offset: Int, origin: NodeOrigin)] = []
  var next = 0
  var reader: SectionReader?
}

func decodeOrigins(_ section: SectionReader?) throws(Diagnostic) -> OriginList {
  guard var reader = section else { return OriginList() }
  var list = OriginList()
  let count = try reader.count("entries", limit: ProgramLimits.instructions, size: 16)
  guard count > 0 else { throw reader.failure(.value, "an empty section", at: 0) }
  var previous = -1
  for _ in 0..<count {
    let start = reader.offset
    let number = try reader.u32()
    guard number > previous else {
      throw reader.failure(.origin, "instruction \(number) after \(previous)", at: start)
    }
    previous = number
    let index = try reader.u32()
    let name = try reader.string()
    list.entries.append((number, start, NodeOrigin(index: index, name: name, op: try reader.string())))
  }
  try reader.checkEnd()
  list.reader = reader
  return list
}

func decodeCode(
  _ reader: inout SectionReader, _ constants: inout Constants, _ origins: OriginList,
  _ offsets: inout OffsetMap
) throws(Diagnostic) -> [Instruction] {
  let top = try reader.count("instructions", limit: ProgramLimits.instructions, size: 4)
  let all = try reader.count("instructions", limit: ProgramLimits.instructions, size: 4)
  var decoder = CodeDecoder(reader: reader, constants: constants, origins: origins, announced: all)
  decoder.offsets.reserveCapacity(all)
  let code = try decoder.decodeBody(count: top, depth: 0)
  guard decoder.offsets.count == all else {
    throw reader.failure(
      .instructionCount, "\(all) instructions announced, found \(decoder.offsets.count)", at: 4)
  }
  try decoder.reader.checkEnd()
  guard decoder.constants.used == constants.arrays.count else {
    throw reader.failure(
      .constant, "\(constants.arrays.count) constants, of which \(decoder.constants.used) are used", at: 0)
  }
  if decoder.origins.next < origins.entries.count, let debug = origins.reader {
    let entry = origins.entries[decoder.origins.next]
    throw debug.failure(.origin, "there is no instruction \(entry.number)", at: entry.offset)
  }
  offsets.instructions = decoder.offsets
  return code
}

/// Reads instructions; numbers them in the order of the text.
struct CodeDecoder {
  var reader: SectionReader
  var constants: Constants
  var origins: OriginList
  let announced: Int
  var offsets: [Int] = []

  mutating func decodeBody(count: Int, depth: Int) throws(Diagnostic) -> [Instruction] {
    var body: [Instruction] = []
    for _ in 0..<count {
      guard offsets.count < announced else {
        throw reader.failure(.instructionCount, "more than the announced \(announced) instructions")
      }
      let origin = takeOrigin(of: offsets.count)
      offsets.append(reader.offset)
      body.append(Instruction(try decodeInstruction(depth: depth), origin: origin))
    }
    return body
  }

  private mutating func takeOrigin(of number: Int) -> NodeOrigin? {
    guard origins.next < origins.entries.count, origins.entries[origins.next].number == number else {
      return nil
    }
    defer { origins.next += 1 }
    return origins.entries[origins.next].origin
  }

  private mutating func decodeInstruction(depth: Int) throws(Diagnostic) -> Operation {
    let start = reader.offset
    let code = try reader.integer(UInt8.self)
    guard try reader.u8() == 0 else {
      throw reader.failure(.reserved, "reserved byte is not zero", at: start + 1)
    }
    let words = try reader.u16()
    let operation: Operation
    switch Opcode(rawValue: code) {
    case .loop: return try decodeLoop(words, start, depth)
    case .load: operation = try decodeLoad()
    case .drive:
      let register = try reader.u32()
      operation = .drive(register: register, layer: try reader.u32())
    case .convert: operation = .convert(layer: try reader.u32())
    case .accumulate:
      let register = try reader.u32()
      operation = .accumulate(register: register, layer: try reader.u32())
    case .store: operation = try decodeStore()
    case .scanSlice:
      let register = try reader.u32()
      let source = try reader.u32()
      operation = .scanSlice(register: register, source: source, parts: try decodeParts())
    case .scanOutput:
      let destination = try reader.u32()
      let register = try reader.u32()
      operation = .scanOutput(destination: destination, register: register, parts: try decodeParts())
    case .digital: operation = try decodeDigital()
    case nil: throw reader.failure(.opcode, "unknown instruction \(code)", at: start)
    }
    try checkLength(words, start)
    return operation
  }

  private func checkLength(_ words: Int, _ start: Int) throws(Diagnostic) {
    let length = (reader.offset - start) / 4
    guard length == words else {
      throw reader.failure(.instructionLength, "length \(words) words, expected \(length)", at: start + 2)
    }
  }

  private mutating func decodeLoop(_ words: Int, _ start: Int, _ depth: Int) throws(Diagnostic) -> Operation {
    guard depth < ProgramLimits.loopDepth else {
      throw reader.failure(.depth, "loops nest deeper than \(ProgramLimits.loopDepth)", at: start)
    }
    let rounds = try reader.u32()
    let count = try reader.count("instructions", limit: ProgramLimits.instructions, size: 4)
    try checkLength(words, start)
    return .loop(count: rounds, body: try decodeBody(count: count, depth: depth + 1))
  }

  private mutating func decodeLoad() throws(Diagnostic) -> Operation {
    let register = try reader.u32()
    let source = try reader.u32()
    let window = try decodeWindow(&reader)
    return .load(register: register, source: source, window: window, padding: try reader.i64())
  }

  private mutating func decodeStore() throws(Diagnostic) -> Operation {
    let destination = try reader.u32()
    let register = try reader.u32()
    let channels = try reader.u32()
    let positions = try reader.u32()
    let place = OutputLayout(channels: channels, positions: positions, channelStart: try reader.u32())
    return .store(destination: destination, register: register, layout: place)
  }

  private mutating func decodeParts() throws(Diagnostic) -> Parts {
    let axis = try reader.u32()
    let count = try reader.u32()
    let place = reader.offset
    return Parts(axis: axis, count: count, isReversed: try reader.boolean(try reader.u32(), at: place))
  }

  private mutating func decodeDigital() throws(Diagnostic) -> Operation {
    let output = try reader.u32()
    let count = try reader.count("arguments", limit: ProgramLimits.arguments, size: 4)
    var inputs: [Int] = []
    for _ in 0..<count { inputs.append(try reader.u32()) }
    return .digital(try decodeOperator(&reader, &constants), inputs: inputs, output: output)
  }
}

func decodeWindow(_ reader: inout SectionReader) throws(Diagnostic) -> Window {
  let start = reader.offset
  var numbers: [Int] = []
  for _ in 0..<16 { numbers.append(try reader.u32()) }
  guard let window = Window(numbers: numbers) else {
    throw reader.failure(.window, "inconsistent window \(numbers)", at: start)
  }
  return window
}
