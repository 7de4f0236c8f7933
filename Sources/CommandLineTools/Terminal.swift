import Report
import Glibc
public import Support

/// How a command ends, as its exit status.
public enum ExitStatus: Int32, Sendable {
  /// All went well.
  case success = 0
  /// Something was wrong with the input; diagnostics say what.
  case failure = 1
  /// The command line itself was wrong.
  case usage = 2
  /// A mistake of the program.
  case internalError = 70

  /// The status for an error: ids that begin with `usage.` and `internal.` have their own, and what is wrong with the
  /// value of an option is a mistake of usage, too.
  public init(for diagnostic: Diagnostic) {
    if diagnostic.id.hasPrefix("usage.") || diagnostic.option != nil {
      self = .usage
    } else if diagnostic.id.hasPrefix("internal.") {
      self = .internalError
    } else {
      self = .failure
    }
  }

  /// The status for a list of errors: the one of its first error.
  public init(for list: DiagnosticList) {
    let first = list.items.first { $0.severity == .error }
    self = first.map { ExitStatus(for: $0) } ?? .success
  }
}

/// Whether standard error is a terminal.
public var standardErrorIsTerminal: Bool { isatty(2) == 1 }

/// Writes `text` to standard output; what a terminal would act on, but line feeds and tabs, is written as an escape.
///
/// Throws `io.write` where that fails, except for a reader that has gone, such as `head`.
public func printOut(_ text: String) throws(Diagnostic) {
  let bytes = Array(terminalText(text, keepingLines: true).utf8)
  var done = 0
  while done < bytes.count {
    let step = bytes.withUnsafeBytes { raw in
      write(1, raw.baseAddress?.advanced(by: done), raw.count - done)
    }
    if step < 0 && errno == EINTR { continue }
    if step < 0 && errno == EPIPE { return }
    guard step > 0 else {
      throw Diagnostic("io.write", "cannot write: \(errorText(errno))", at: Location(file: "standard output"))
    }
    done += step
  }
}

/// Runs `body` and turns what it throws into messages on standard error; returns the exit status.
public func runCommand(
  name: String, _ body: () throws(DiagnosticList) -> Void
) -> Int32 {
  // A reader that goes away shall be an error of the write, not the end of the program.
  signal(SIGPIPE, SIG_IGN)
  endCleanlyOnSignals()
  do {
    try body()
    return ExitStatus.success.rawValue
  } catch {
    let status = ExitStatus(for: error)
    let renderer = DiagnosticRenderer(color: standardErrorIsTerminal)
    let messages = error.items.map { status == .usage ? $0.inFile(name) : $0 }
    writeToStandardError(messages.map { renderer.render($0) }.joined())
    return status.rawValue
  }
}

/// Prints messages on standard error.
public func show(_ diagnostics: [Diagnostic]) {
  let renderer = DiagnosticRenderer(color: standardErrorIsTerminal)
  writeToStandardError(diagnostics.map { renderer.render($0) }.joined())
}

/// The words of the command line after the program's name.
public func commandLineWords() -> [String] { Array(CommandLine.arguments.dropFirst()) }
