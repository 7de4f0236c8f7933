/// One option of a command line, such as `--input X.npy` or `--quiet`.
public struct OptionSpec: Hashable, Sendable {
  /// The long name without dashes.
  public let name: String
  /// The one-letter form, given with one dash.
  public let short: Character?
  /// What the value is called in the help, such as `X.npy`; nil for a flag that takes none.
  public let value: String?
  /// What the option does, one line.
  public let help: String
  /// Whether the command needs it.
  public let required: Bool
  /// Whether it may be given several times.
  public let repeats: Bool
  /// What the value names in the file system.
  public let file: FileUse

  /// Describes an option with a value.
  public init(
    _ name: String, short: Character? = nil, value: String, file: FileUse = .none, required: Bool = false,
    repeats: Bool = false, _ help: String
  ) {
    self.name = name
    self.short = short
    self.value = value
    self.help = help
    self.required = required
    self.repeats = repeats
    self.file = file
  }

  /// Describes a flag.
  public init(flag name: String, short: Character? = nil, _ help: String) {
    self.name = name
    self.short = short
    self.value = nil
    self.help = help
    self.required = false
    self.repeats = false
    self.file = .none
  }
}

/// An argument that is told by its place.
public struct PositionalSpec: Hashable, Sendable {
  /// What it is called in the help, such as `PROGRAM.xbar`.
  public let name: String
  /// What it is, one line.
  public let help: String
  /// Whether the command needs it.
  public let required: Bool
  /// What it names in the file system.
  public let file: FileUse

  /// Describes an argument.
  public init(_ name: String, file: FileUse = .none, required: Bool = true, _ help: String) {
    self.name = name
    self.file = file
    self.help = help
    self.required = required
  }
}

/// A command line with a line that says what it does.
public struct ExampleSpec: Hashable, Sendable {
  /// The command line.
  public let line: String
  /// What it does.
  public let meaning: String

  /// Creates an example.
  public init(_ line: String, _ meaning: String) {
    self.line = line
    self.meaning = meaning
  }
}

/// A command: its name, arguments, options and examples.
public struct CommandSpec: Hashable, Sendable {
  /// The words that call it, such as `xbarrun` or `xbarc compile`.
  public let name: String
  /// What it does, one line.
  public let summary: String
  /// The arguments told by their place, in order; those not required come last.
  public let positionals: [PositionalSpec]
  /// The options, in the order of the help.
  public let options: [OptionSpec]
  /// Example calls.
  public let examples: [ExampleSpec]
  /// Paragraphs that the help prints last.
  public let remarks: [String]
  /// A former verb, still accepted with a warning; the help does not list it.
  public let formerVerb: String?

  /// Describes a command.
  public init(
    name: String, formerVerb: String? = nil, summary: String, positionals: [PositionalSpec] = [],
    options: [OptionSpec] = [],
    examples: [ExampleSpec] = [], remarks: [String] = []
  ) {
    self.name = name
    self.formerVerb = formerVerb
    self.summary = summary
    self.positionals = positionals
    self.options = options
    self.examples = examples
    self.remarks = remarks
  }

  /// The last word of the name: what the user types after the program's name.
  public var verb: String { name.split(separator: " ").last.map(String.init) ?? name }
}

/// A program with several commands, such as `xbarc`.
public struct ProgramSpec: Hashable, Sendable {
  /// The program's name.
  public let name: String
  /// What it does, one line.
  public let summary: String
  /// The commands in the order of the help.
  public let commands: [CommandSpec]

  /// Describes a program.
  public init(name: String, summary: String, commands: [CommandSpec]) {
    self.name = name
    self.summary = summary
    self.commands = commands
  }
}
