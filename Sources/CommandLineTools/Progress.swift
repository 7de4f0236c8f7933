import Report
import Support
import Synchronization

/// A line on standard error that says how far a long work is, with rate and time left; shown only on a terminal.
///
/// May be told of progress from several threads.
public final class ProgressLine: Sendable {
  private struct State {
    var done = 0
    var nextPrint: Double = 0.2
    var printed = false
  }

  private let label: String
  private let unit: String
  private let total: Int
  private let isShown: Bool
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  /// Starts a work of `total` units, such as `samples`.
  public init(_ label: String, total: Int, unit: String, quiet: Bool) {
    self.label = label
    self.unit = unit
    self.total = total
    isShown = !quiet && standardErrorIsTerminal
  }

  /// Says that `count` more units are done.
  public func advance(by count: Int) {
    guard isShown else { return }
    let seconds = elapsedSeconds
    let text: String? = state.withLock { state in
      state.done += count
      guard seconds >= state.nextPrint else { return nil }
      state.nextPrint = seconds + 0.1
      state.printed = true
      return progressText(label: label, done: state.done, total: total, unit: unit, seconds: seconds)
    }
    if let text { writeToStandardError("\r\u{1B}[K\(text)") }
  }

  /// Removes the line.
  public func finish() {
    if state.withLock({ $0.printed }) { writeToStandardError("\r\u{1B}[K") }
  }

  /// Seconds since the start.
  public var elapsedSeconds: Double {
    let time = (ContinuousClock.now - start).components
    return Double(time.seconds) + Double(time.attoseconds) * 1e-18
  }
}

/// `running 1,200 of 10,000 samples, 350 per s, 25.1 s left`.
func progressText(label: String, done: Int, total: Int, unit: String, seconds: Double) -> String {
  let head = "\(label) \(grouped(done)) of \(grouped(total)) \(unit)"
  guard done > 0, seconds > 0 else { return head }
  let rate = Double(done) / seconds
  let left = Double(max(0, total - done)) / rate
  return "\(head), \(significant(rate)) per s, \(durationText(seconds: left)) left"
}
