import Hardware
import Mapping
import ProgramFormat
import ProgramSamples
import Testing

@testable import ProgramFormat

@Suite struct ListingTests {
  @Test func namesTheParts() {
    let text = list(smallProgram())
    for part in [
      "program small", "MACH", "DBUG", "crossbar 4x6, 3-bit cells, units 2x2, 1-bit DAC, 6-bit ADC",
      "input x: x 1x1x2x2xf32", "%3 a 2xi64", "fixed(2x2) dynamic(1x2)", "repeat 2  # node 4 'conv' (Conv)",
      "    load r <- q window 1x2x1 of 2, padding 0", "    drive conv <- r", "    convert conv",
      "    accumulate a <- conv", "    store s <- a from channel 0 of 2x2", "  requantize t <- s",
      "  pipeline: by hand",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    let conv = text.split(separator: "\n").first { $0.hasPrefix("  conv ") }?.split(separator: " ")
    #expect(conv?.prefix(8).map(String.init) == ["conv", "2", "2", "2", "2", "8", "48", "5"])
    #expect(text.split(separator: "\n").allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test func showsMemories() throws {
    var program = smallProgram()
    #expect(!list(program).contains("MHz"))
    program.machine.memory = MemorySystem(
      clockMegahertz: 1200, sramBytes: 131_072, bufferBytes: 256, dramLatencyNanoseconds: 15,
      valuesPerClock: 1)
    let line =
      "\n  1200.0 MHz, SRAM of 131072 bytes, buffers of 256 bytes, DRAM in 15.0 ns, 1 value per clock\n"
    #expect(list(program).contains(line))
    program.machine.memory?.valuesPerClock = 4
    #expect(list(program).contains("4 values per clock"))
  }

  @Test func showsWritingAndSegments() throws {
    var program = twoSegments()
    #expect(list(program).contains("\n  a wordline is written in 50.88 ns, a cell with 3910.0 pJ\n"))
    let rows = list(program).split(separator: "\n").filter {
      $0.hasSuffix(" segment") || $0.hasPrefix("  conv")
    }
    #expect(rows.map { $0.split(separator: " ").last } == ["segment", "0", "1"])
    program.machine.writing = nil
    for layer in program.layers.indices { program.layers[layer].segment = 0 }
    #expect(!list(program).contains("segment") && !list(program).contains("written"))
  }

  @Test func listsEveryRandomProgram() {
    for seed in 0..<50 { #expect(!list(ProgramSampler.program(seed: UInt64(seed))).isEmpty) }
  }
}
