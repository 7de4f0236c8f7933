import Hardware
import Mapping
import ProgramSamples
import Support
import Testing

@testable import ProgramFormat

/// Decodes `bytes` as the file `t.xbar`.
func decoded(_ bytes: [UInt8]) throws(Diagnostic) -> Program {
  let result = bytes.withUnsafeBytes { raw in
    Result { () throws(Diagnostic) -> Program in try decode(raw, file: "t.xbar") }
  }
  return try result.get()
}

@Suite struct RoundTripTests {
  @Test func randomProgramsAreValid() {
    for seed in 0..<300 {
      #expect(throws: Never.self, "seed \(seed)") { try validate(ProgramSampler.program(seed: UInt64(seed))) }
    }
  }

  @Test func decodingGivesTheProgramBack() throws {
    for seed in 0..<200 {
      let program = ProgramSampler.program(seed: UInt64(seed))
      let bytes = try encode(program)
      let back = try decoded(bytes)
      #expect(back == program, "seed \(seed)")
      #expect(try encode(back) == bytes, "seed \(seed)")
    }
  }

  @Test func randomProgramsHaveMachinesWithAndWithoutMemories() {
    let count = (0..<200).count { ProgramSampler.program(seed: UInt64($0)).machine.memory != nil }
    #expect((60...140).contains(count))
  }

  /// Leaving out the memories takes their figures away from the end of `MACH`, and nothing else.
  @Test func memoriesChangeNoOtherByte() throws {
    for seed in 0..<50 {
      var program = ProgramSampler.program(seed: UInt64(seed))
      guard program.machine.memory != nil else { continue }
      program.machine.writing = nil
      for layer in program.layers.indices { program.layers[layer].fetch = nil }
      let with = encodeSections(program)
      var figures = ByteWriter()
      for figure in program.machine.figures.suffix(5) {
        figures.put(string: figure.path)
        figures.put32(1)
        figures.put(figure.value)
      }
      program.machine.memory = nil
      let without = encodeSections(program)
      var head = ByteWriter()
      head.put(string: program.machine.name)
      head.put(string: program.machine.summary)
      let place = head.bytes.count
      #expect(with[0].bytes[place] == without[0].bytes[place] + 5)
      var expected = without[0].bytes + figures.bytes
      expected[place] += 5
      #expect(with[0].bytes == expected)
      #expect(without.dropFirst().map(\.bytes) == with.dropFirst().map(\.bytes))
      #expect(try decoded(encode(program)) == program)
    }
  }

  @Test func equalProgramsGiveEqualBytes() throws {
    for seed in 0..<20 {
      let first = try encode(ProgramSampler.program(seed: UInt64(seed)))
      #expect(try encode(ProgramSampler.program(seed: UInt64(seed))) == first)
    }
  }
}
