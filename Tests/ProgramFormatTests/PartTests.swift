import ProgramSamples
import Support
import Tensors
import Testing

@testable import ProgramFormat

/// The small program with a loop behind it that takes the rows of its input apart and puts them together again.
private func partsProgram(_ change: (inout [Operation], inout [Buffer], inout Int) -> Void = { _, _, _ in })
  -> Program
{
  var program = smallProgram()
  let first = program.buffers.count
  var buffers = [
    Buffer(name: "part", shape: [1, 1, 1, 2], element: .float32),
    Buffer(name: "whole", shape: [1, 2, 1, 2], element: .float32),
  ]
  var body: [Operation] = [
    .scanSlice(register: first, source: 0, parts: Parts(axis: 2, count: 2, isReversed: true)),
    .scanOutput(destination: first + 1, register: first, parts: Parts(axis: 1, count: 2, isReversed: false)),
  ]
  var rounds = 2
  change(&body, &buffers, &rounds)
  program.buffers += buffers
  program.code.append(Instruction(.loop(count: rounds, body: body.map { Instruction($0) })))
  return program
}

/// Something wrong with the parts of a program, and the fault that names it.
struct PartCase: Sendable {
  let fault: ProgramFault
  let name: String
  let change: @Sendable (inout [Operation], inout [Buffer], inout Int) -> Void

  init(
    _ fault: ProgramFault, _ name: String,
    _ change: @escaping @Sendable (inout [Operation], inout [Buffer], inout Int) -> Void
  ) {
    self.fault = fault
    self.name = name
    self.change = change
  }
}

/// Gives the step of the program other numbers.
private func step(_ register: Int, _ source: Int, _ axis: Int, _ count: Int) -> Operation {
  .scanSlice(register: register, source: source, parts: Parts(axis: axis, count: count, isReversed: false))
}

private let part = 9
private let wrongParts = [
  PartCase(.index, "register") { body, _, _ in body[0] = step(99, 0, 2, 2) },
  PartCase(.index, "source") { body, _, _ in body[0] = step(part, 99, 2, 2) },
  PartCase(.index, "itself") { body, _, _ in body[0] = step(part, part, 2, 1) },
  PartCase(.index, "stacked into itself") { body, _, _ in
    body[1] = .scanOutput(
      destination: part, register: part, parts: Parts(axis: 0, count: 1, isReversed: false))
  },
  PartCase(.type, "other elements") { _, buffers, _ in buffers[0].element = .accumulator },
  PartCase(.size, "axis") { body, _, _ in body[0] = step(part, 0, 4, 2) },
  PartCase(.size, "huge axis") { body, _, _ in body[0] = step(part, 0, 0xFFFF_FFFF, 2) },
  PartCase(.size, "no parts") { body, _, _ in body[0] = step(part, 0, 2, 0) },
  PartCase(.size, "huge parts") { body, _, _ in body[0] = step(part, 0, 2, 0xFFFF_FFFF) },
  PartCase(.size, "other axis") { body, _, _ in body[0] = step(part, 0, 3, 2) },
  PartCase(.size, "fewer parts") { body, _, _ in body[0] = step(part, 0, 2, 1) },
  PartCase(.size, "other rank") { _, buffers, _ in buffers[0].shape = [1, 1, 2] },
  PartCase(.size, "destination") { _, buffers, _ in buffers[1].shape = [1, 3, 1, 2] },
  PartCase(.round, "rounds") { _, _, rounds in rounds = 3 },
]

@Suite("Parts of buffers")
struct PartTests {
  @Test func partsAreValidAndComeBack() throws {
    let program = partsProgram()
    #expect(program.buffers.count == part + 2)
    #expect(try decoded(try encode(program)) == program)
    #expect(list(program).contains("scan-slice part <- x, 2 parts of axis 2 reversed"))
    #expect(list(program).contains("scan-output whole <- part, 2 parts of axis 1\n"))
  }

  @Test func stepsTakeSixWords() throws {
    let (bytes, _, _) = encodeCode(partsProgram())
    let words: [UInt8] = [9, 0, 6, 0, 10, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
    #expect(Array(bytes.suffix(24)) == words)
    let step: [UInt8] = [8, 0, 6, 0, 9, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]
    #expect(Array(bytes.dropLast(24).suffix(24)) == step)
  }

  @Test(arguments: wrongParts.indices) func refused(_ index: Int) {
    let wrong = wrongParts[index]
    let program = partsProgram(wrong.change)
    let error = #expect(throws: Diagnostic.self, "\(wrong.name)") { try validate(program) }
    #expect(error?.id == wrong.fault.id, "\(wrong.name)")
    #expect(refusal(HostileFile(program).bytes)?.id == wrong.fault.id, "\(wrong.name)")
  }

  @Test func badBytesAreRefused() {
    for (place, value, fault) in [
      (4, 2, ProgramFault.value), (22, 7, .instructionLength), (22, 5, .instructionLength),
      (23, 1, .reserved),
    ] {
      var file = HostileFile(partsProgram())
      file[.code][file[.code].count - place] = UInt8(value)
      #expect(refusal(file.bytes)?.id == fault.id, "\(place)")
    }
  }
}
