public import IR
public import Support

extension PassRegistry {
  /// The passes that a command line names; former keywords of options become those of today, each with a warning.
  ///
  /// Throws what `parsePipeline` throws. Unknown passes and options are left for the one who runs them.
  public func pipeline(_ text: String, warnings: inout [Diagnostic]) throws(Diagnostic) -> [PassCall] {
    var calls = try parsePipeline(text)
    for index in calls.indices {
      let call = calls[index]
      guard let entry = entries.first(where: { $0.name == call.name }) else { continue }
      for option in call.options {
        guard case .word(let word) = option.value,
          let today = entry.options.first(where: { $0.name == option.name })?.formerWords[word]
        else { continue }
        calls[index].set(option.name, .word(today))
        warnings.append(
          Diagnostic(
            "usage.renamed",
            "'\(option.name): \(word)' of \(call.name) is now '\(option.name): \(today)'; the former word will go",
            severity: .warning))
      }
    }
    return calls
  }
}

extension PassCall {
  /// Sets an option, whatever its value was.
  public mutating func set(_ name: String, _ value: Attribute) {
    options.removeAll { $0.name == name }
    options.append(NamedAttribute(name, value))
  }
}
