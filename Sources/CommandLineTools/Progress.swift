import Dispatch
import Report
import Support
import Synchronization

/// Says on standard error how far a long work is, with rate and time left: on a terminal in one line that is written
/// anew, elsewhere in a line every 10 s.
///
/// May be told of progress from several threads.
public final class ProgressLine: Sendable {
  private struct State {
    var done = 0
    var nextPrint: Double = 0.2
    var printed = false
    var finished = false
  }

  /// Where progress is shown.
  enum Place: Hashable, Sendable {
    case nowhere
    /// One line that is written anew.
    case terminal
    /// A line every so many seconds.
    case log(interval: Double)
  }

  private let label: String
  private let unit: String
  private let total: Int
  private let place: Place
  private let write: @Sendable (String) -> Void
  private let start = ContinuousClock.now
  private let state = Mutex(State())

  /// Starts a work of `total` units, such as `samples`.
  public convenience init(_ label: String, total: Int, unit: String, quiet: Bool) {
    let place = standardErrorIsTerminal ? Place.terminal : .log(interval: 10)
    self.init(label, total: total, unit: unit, place: quiet ? .nowhere : place, write: writeToStandardError)
  }

  /// Starts a work whose progress goes to `write`.
  init(
    _ label: String, total: Int, unit: String, place: Place, write: @escaping @Sendable (String) -> Void
  ) {
    self.label = label
    self.unit = unit
    self.total = total
    self.place = place
    self.write = write
    if case .log(let interval) = place { logLater(interval) }
  }

  /// Says that `count` more units are done.
  public func advance(by count: Int) {
    let seconds = elapsedSeconds
    let text: String? = state.withLock { state in
      state.done += count
      guard place == .terminal, seconds >= state.nextPrint else { return nil }
      state.nextPrint = seconds + 0.1
      state.printed = true
      return progressText(label: label, done: state.done, total: total, unit: unit, seconds: seconds)
    }
    if let text { write("\r\u{1B}[K\(text)") }
  }

  /// Removes the line; nothing is said after this.
  public func finish() {
    let printed = state.withLock { state in
      state.finished = true
      return state.printed
    }
    if printed { write("\r\u{1B}[K") }
  }

  /// Writes a line after `interval` seconds, and again until the work is finished or gone. The timer does not wait for
  /// the threads of the work.
  private func logLater(_ interval: Double) {
    DispatchQueue.global(qos: .userInteractive).asyncAfter(deadline: .now() + interval) { [weak self] in
      guard let self, let done = self.state.withLock({ $0.finished ? nil : $0.done }) else { return }
      self.write(
        progressText(
          label: self.label, done: done, total: self.total, unit: self.unit, seconds: self.elapsedSeconds)
          + "\n")
      self.logLater(interval)
    }
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
