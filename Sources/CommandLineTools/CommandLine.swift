public import Support

/// What the user asked for, checked against a `CommandSpec`.
public struct ParsedArguments: Equatable, Sendable {
  /// Arguments told by their place.
  public internal(set) var positionals: [String] = []
  /// Warnings about the words of the command line, such as a former name of a command.
  public internal(set) var warnings: [Diagnostic] = []
  private var values: [String: [String]] = [:]
  private var flags: Set<String> = []
  /// Whether an output of the command goes to standard output, so that nothing else may be printed there.
  public internal(set) var takesStandardOutput = false

  /// Starts empty.
  init() {}

  /// Argument number `index`, or nil where it was not given.
  public func positional(_ index: Int) -> String? {
    positionals.indices.contains(index) ? positionals[index] : nil
  }

  /// The value of option `name`, or nil where it was not given; the first one of an option that repeats.
  public func value(_ name: String) -> String? { values[name]?.first }

  /// Every value of option `name`, in the order of the command line.
  public func values(_ name: String) -> [String] { values[name] ?? [] }

  /// Whether flag `name` was given.
  public func has(_ name: String) -> Bool { flags.contains(name) || values[name] != nil }

  /// The value of option `name` as a whole number in `range`, or nil where it was not given.
  ///
  /// Throws `usage.value` for anything else.
  public func integer(_ name: String, in range: ClosedRange<Int>) throws(Diagnostic) -> Int? {
    guard let text = value(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      let isOpen = range.upperBound == .max
      let span = isOpen ? "from \(range.lowerBound) up" : "in \(range.lowerBound) ... \(range.upperBound)"
      throw Diagnostic("usage.value", "--\(name) takes a whole number \(span), found '\(text)'")
    }
    return number
  }

  /// The value of option `name` as a whole number of 64 bits without a sign, or nil where it was not given.
  ///
  /// Throws `usage.value` for anything else.
  public func unsigned(_ name: String) throws(Diagnostic) -> UInt64? {
    guard let text = value(name) else { return nil }
    guard let number = UInt64(text) else {
      throw Diagnostic(
        "usage.value", "--\(name) takes a whole number in 0 ... \(UInt64.max), found '\(text)'")
    }
    return number
  }

  /// The value of option `name`, which must be one of `choices`, or nil where it was not given.
  ///
  /// Throws `usage.value` for anything else.
  public func choice(_ name: String, of choices: [String]) throws(Diagnostic) -> String? {
    guard let text = value(name) else { return nil }
    guard choices.contains(text) else {
      throw Diagnostic(
        "usage.value", "--\(name) takes one of \(choices.joined(separator: ", ")), found '\(text)'",
        notes: didYouMean(text, among: choices))
    }
    return text
  }

  fileprivate mutating func set(_ option: OptionSpec, _ text: String) throws(Diagnostic) {
    guard option.repeats || values[option.name] == nil else {
      throw Diagnostic("usage.repeated", "--\(option.name) is given twice")
    }
    values[option.name, default: []].append(text)
  }

  fileprivate mutating func set(flag name: String) { flags.insert(name) }
}

/// What a command line asks for.
public enum CommandLineRequest: Equatable, Sendable {
  /// To print this text on standard output and succeed.
  case help(String)
  /// To run the command with these arguments.
  case run(CommandSpec, ParsedArguments)
}

extension CommandSpec {
  /// Reads the words after the command's name.
  ///
  /// Options may appear anywhere: `--name value`, `--name=value`, `-o value`; `--` ends them, and `-` alone is an
  /// argument. All files that are named are compared before any work; `modelFiles` tells those of a model. Throws
  /// `usage.unknown-option`, `usage.missing-value`, `usage.unwanted-value`, `usage.repeated`,
  /// `usage.unexpected-argument`, `usage.missing-argument`, `usage.missing-option`, `usage.same-file`, `usage.pipe`, and
  /// what `modelFiles` throws.
  public func parse(
    _ words: [String], modelFiles: ModelFiles = { _ throws(Diagnostic) in [] }
  ) throws(Diagnostic) -> CommandLineRequest {
    var parsed = ParsedArguments()
    var index = 0
    var onlyPositionals = false
    while index < words.count {
      let word = words[index]
      index += 1
      if onlyPositionals || word == "-" || !word.hasPrefix("-") {
        parsed.positionals.append(word)
      } else if word == "--" {
        onlyPositionals = true
      } else if word == "--help" || word == "-h" {
        return .help(help)
      } else {
        try readOption(word, words, &index, into: &parsed)
      }
    }
    try checkComplete(parsed)
    try checkFiles(&parsed, modelFiles)
    return .run(self, parsed)
  }

  private func readOption(
    _ word: String, _ words: [String], _ index: inout Int, into parsed: inout ParsedArguments
  ) throws(Diagnostic) {
    let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let key = String(parts[0])
    guard let option = options.first(where: { "--\($0.name)" == key || $0.shortForm == key }) else {
      let known = options.map { "--\($0.name)" } + ["--help"]
      throw Diagnostic(
        "usage.unknown-option", "unknown option \(key)",
        notes: didYouMean(key, among: known) + ["'\(name) --help' lists all options"])
    }
    guard option.value != nil else {
      guard parts.count == 1 else {
        throw Diagnostic("usage.unwanted-value", "--\(option.name) takes no value")
      }
      parsed.set(flag: option.name)
      return
    }
    if parts.count == 2 {
      try parsed.set(option, String(parts[1]))
    } else {
      guard index < words.count, words[index] == "-" || !words[index].hasPrefix("--") else {
        throw Diagnostic(
          "usage.missing-value", "--\(option.name) needs a value", notes: ["give --\(option.usage)"])
      }
      try parsed.set(option, words[index])
      index += 1
    }
  }

  private func checkComplete(_ parsed: ParsedArguments) throws(Diagnostic) {
    if parsed.positionals.count > positionals.count {
      throw Diagnostic(
        "usage.unexpected-argument", "unexpected argument '\(parsed.positionals[positionals.count])'",
        notes: ["usage: \(usage)"])
    }
    for spec in positionals.dropFirst(parsed.positionals.count) where spec.required {
      throw Diagnostic(
        "usage.missing-argument", "\(spec.name) is missing: \(spec.help)", notes: ["usage: \(usage)"])
    }
    for option in options where option.required && !parsed.has(option.name) {
      throw Diagnostic(
        "usage.missing-option", "--\(option.usage) is missing: \(option.help)", notes: ["usage: \(usage)"])
    }
  }
}

extension ProgramSpec {
  /// Reads the words after the program's name: a command and its arguments, or `--help`.
  ///
  /// Throws `usage.missing-command`, `usage.unknown-command`, or what `CommandSpec.parse` throws.
  public func parse(
    _ words: [String], modelFiles: ModelFiles = { _ throws(Diagnostic) in [] }
  ) throws(Diagnostic) -> CommandLineRequest {
    let verbs = commands.map(\.verb)
    guard let first = words.first else {
      throw Diagnostic(
        "usage.missing-command", "needs a command: \(verbs.joined(separator: ", "))",
        notes: ["'\(name) --help' says what they do"])
    }
    if first == "--help" || first == "-h" || first == "help" {
      let wanted = words.dropFirst().first.flatMap { verb in commands.first { $0.verb == verb } }
      return .help(wanted?.help ?? help)
    }
    guard let command = commands.first(where: { $0.verb == first || $0.formerVerb == first }) else {
      throw Diagnostic(
        "usage.unknown-command", "unknown command '\(first)'",
        notes: didYouMean(first, among: verbs) + ["'\(name) --help' lists all commands"])
    }
    let request = try command.parse(Array(words.dropFirst()), modelFiles: modelFiles)
    guard case .run(_, var arguments) = request, command.verb != first else { return request }
    arguments.warnings.append(
      Diagnostic(
        "usage.renamed", "'\(name) \(first)' is now '\(command.name)'; the former name will go",
        severity: .warning))
    return .run(command, arguments)
  }
}

/// A note that names the closest of `known` to `word`, or no note where none is close.
public func didYouMean(_ word: String, among known: [String]) -> [String] {
  nearest(word, in: known).map { ["did you mean '\($0)'?"] } ?? []
}
