import Testing

@testable import CommandLineTools

@Suite struct ProgressTests {
  @Test func progress() {
    let text = progressText(label: "running", done: 1200, total: 10_000, unit: "samples", seconds: 4)
    #expect(text == "running 1,200 of 10,000 samples, 300 per s, 29.3 s left")
    #expect(progressText(label: "running", done: 0, total: 5, unit: "s", seconds: 0) == "running 0 of 5 s")
  }
}
