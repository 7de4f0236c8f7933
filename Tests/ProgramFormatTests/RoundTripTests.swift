import ProgramFormat
import ProgramSamples
import Support
import Testing

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

  @Test func equalProgramsGiveEqualBytes() throws {
    for seed in 0..<20 {
      let first = try encode(ProgramSampler.program(seed: UInt64(seed)))
      #expect(try encode(ProgramSampler.program(seed: UInt64(seed))) == first)
    }
  }
}
