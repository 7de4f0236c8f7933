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

  @Test func listsEveryRandomProgram() {
    for seed in 0..<50 { #expect(!list(ProgramSampler.program(seed: UInt64(seed))).isEmpty) }
  }
}
