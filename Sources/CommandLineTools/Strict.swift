public import Support

/// The flag that turns warnings about options without effect into errors, of every command that has such warnings.
public let strictOption = OptionSpec(flag: "strict", "refuse options that have no effect instead of warning")

/// A warning about an option that changes nothing here.
public func noEffect(_ message: String, notes: [String] = []) -> Diagnostic {
  Diagnostic("usage.no-effect", message, severity: .warning, notes: notes)
}

/// Shows warnings about options without effect, unless `--quiet` is given; throws the first one under `--strict`.
public func reportNoEffect(_ warnings: [Diagnostic], _ arguments: ParsedArguments) throws(Diagnostic) {
  if arguments.has(strictOption.name), var first = warnings.first {
    first.severity = .error
    throw first
  }
  if !arguments.has("quiet") { show(warnings) }
}
