import Support
import Tensors

/// The sections `CODE`, `DATA` and, where an instruction has an origin, `DBUG`.
func encodeCode(_ program: Program) -> (instructions: [UInt8], constants: [UInt8], origins: [UInt8]?) {
  var encoder = CodeEncoder()
  encoder.encodeBody(program.code)
  var code = ByteWriter()
  code.put32(program.code.count)
  code.put32(encoder.count)
  code.put(bytes: encoder.code.bytes)
  var data = ByteWriter()
  data.put32(encoder.arrays.count)
  data.put32(0)
  for array in encoder.arrays {
    data.put32(array.count)
    data.put32(0)
    for value in array { data.put(value) }
  }
  guard !encoder.origins.isEmpty else { return (code.bytes, data.bytes, nil) }
  var debug = ByteWriter()
  debug.put32(encoder.origins.count)
  for (number, origin) in encoder.origins {
    debug.put32(number)
    debug.put32(origin.index)
    debug.put(string: origin.name)
    debug.put(string: origin.op)
  }
  return (code.bytes, data.bytes, debug.bytes)
}

private struct CodeEncoder {
  var code = ByteWriter()
  var arrays: [[Int64]] = []
  var origins: [(number: Int, origin: NodeOrigin)] = []
  var count = 0

  mutating func encodeBody(_ body: [Instruction]) {
    for instruction in body {
      if let origin = instruction.origin { origins.append((count, origin)) }
      count += 1
      encode(instruction.operation)
    }
  }

  private mutating func encode(_ operation: Operation) {
    switch operation {
    case .loop(let rounds, let body):
      put(.loop, [rounds, body.count])
      encodeBody(body)
    case .load(let register, let source, let window, let padding):
      var words = ByteWriter()
      for number in [register, source] + window.numbers { words.put32(number) }
      words.put(padding)
      put(.load, words)
    case .drive(let register, let layer): put(.drive, [register, layer])
    case .convert(let layer): put(.convert, [layer])
    case .accumulate(let register, let layer): put(.accumulate, [register, layer])
    case .store(let destination, let register, let layout):
      let place = [layout.channels, layout.positions, layout.channelStart]
      put(.store, [destination, register] + place)
    case .scanSlice(let register, let source, let parts): put(.scanSlice, [register, source] + parts.words)
    case .scanOutput(let destination, let register, let parts):
      put(.scanOutput, [destination, register] + parts.words)
    case .digital(let op, let inputs, let output):
      var words = ByteWriter()
      for number in [output, inputs.count] + inputs { words.put32(number) }
      encodeOperator(op, into: &words, arrays: &arrays)
      put(.digital, words)
    }
  }

  private mutating func put(_ opcode: Opcode, _ operands: [Int]) {
    var words = ByteWriter()
    for operand in operands { words.put32(operand) }
    put(opcode, words)
  }

  private mutating func put(_ opcode: Opcode, _ operands: ByteWriter) {
    code.put(opcode.rawValue)
    code.put8(0)
    code.put16(1 + operands.bytes.count / 4)
    code.put(bytes: operands.bytes)
  }
}

extension Parts {
  /// The words of the binary.
  fileprivate var words: [Int] { [axis, count, isReversed ? 1 : 0] }
}
