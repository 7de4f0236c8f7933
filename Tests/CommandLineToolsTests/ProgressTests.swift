import Foundation
import Synchronization
import Testing

@testable import CommandLineTools

@Suite struct ProgressTests {
  @Test func progress() {
    let text = progressText(label: "running", done: 1200, total: 10_000, unit: "samples", seconds: 4)
    #expect(text == "running 1,200 of 10,000 samples, 300 per s, 29.3 s left")
    #expect(progressText(label: "running", done: 0, total: 5, unit: "s", seconds: 0) == "running 0 of 5 s")
  }

  /// Off a terminal a work that lasts says so in whole lines with the time left, until it is finished.
  @Test func linesOffATerminal() {
    let written = Lines()
    let progress = ProgressLine("running", total: 40, unit: "samples", place: .log(interval: 0.2)) {
      written.add($0)
    }
    progress.advance(by: 10)
    #expect(written.all.isEmpty, "nothing before the first interval")
    let end = Date(timeIntervalSinceNow: 30)
    while written.all.count < 2 && Date() < end { Thread.sleep(forTimeInterval: 0.05) }
    progress.finish()
    #expect(written.all.count >= 2)
    for line in written.all {
      #expect(line.hasPrefix("running 10 of 40 samples, ") && line.hasSuffix(" left\n"), "\(line)")
      #expect(!line.unicodeScalars.contains("\u{1B}"))
    }
    let count = written.all.count
    Thread.sleep(forTimeInterval: 0.6)
    #expect(written.all.count <= count + 1, "nothing is said of a finished work")
  }

  @Test func shortOrQuietWorksSayNothing() {
    let written = Lines()
    for place in [ProgressLine.Place.log(interval: 0.3), .nowhere] {
      let progress = ProgressLine("running", total: 4, unit: "samples", place: place) { written.add($0) }
      progress.advance(by: 4)
      if place != .nowhere { progress.finish() }
    }
    Thread.sleep(forTimeInterval: 0.8)
    #expect(written.all.isEmpty, "\(written.all)")
  }
}

/// What a work said, from any thread.
private final class Lines: Sendable {
  private let lines = Mutex<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func add(_ line: String) { lines.withLock { $0.append(line) } }
}
