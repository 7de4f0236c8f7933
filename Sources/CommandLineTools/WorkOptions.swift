public import Support

/// The option that limits the memory of a work.
public let maxMemoryOption = OptionSpec(
  "max-memory", value: "BYTES",
  "refuse what needs more memory; K, M and G stand for powers of 1024 (default: 16G for runs, 4G for models)")

/// The option that limits the steps of a run.
public let maxStepsOption = OptionSpec(
  "max-steps", value: "N",
  "refuse a run of more instructions, counted over all samples (default: 100000000000)")

extension ParsedArguments {
  /// The value of option `name` in bytes, such as `512M`, or nil where it was not given.
  ///
  /// Throws `usage.value` for anything else.
  public func bytes(_ name: String) throws(Diagnostic) -> Int? {
    guard let text = value(name) else { return nil }
    let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30]
    let shift = text.last.flatMap { shifts[$0] }
    let digits = shift == nil ? text[...] : text.dropLast()
    guard digits.allSatisfy(\.isNumber), let number = Int(digits), number > 0,
      case let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (shift ?? 0)), !overflow
    else {
      throw Diagnostic("usage.value", "--\(name) takes bytes such as 4096, 512M or 16G, found '\(text)'")
    }
    return bytes
  }

  /// The limits of a run.
  public func runLimits() throws(Diagnostic) -> WorkLimits {
    WorkLimits(
      steps: try integer("max-steps", in: 1...Int.max) ?? WorkLimits.run.steps,
      memory: try bytes("max-memory") ?? WorkLimits.run.memory)
  }
}
