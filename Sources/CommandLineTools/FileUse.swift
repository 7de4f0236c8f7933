/// What a value of the command line names in the file system.
///
/// From this follows what `CommandSpec.parse` refuses: an output in the place of an input or of another output, and a pipe
/// that would have to be read twice.
public enum FileUse: Hashable, Sendable {
  /// No file.
  case none
  /// An input.
  case input(InputKind = .plain, Reading = .once)
  /// Names of what is built in, and inputs, which have a slash or end with `.json`; with commas between them.
  case nameOrInput(Reading = .once)
  /// An output.
  case output(SideFile = .never)

  /// What else belongs to an input.
  public enum InputKind: Hashable, Sendable {
    /// Nothing.
    case plain
    /// The files that the model names: only the model itself tells which.
    case model
    /// The side file of a text.
    case text
  }

  /// How often an input is read.
  public enum Reading: Hashable, Sendable {
    /// Once, so that it may come through a pipe.
    case once
    /// Several times.
    case again
  }

  /// When a side file stands beside an output.
  public enum SideFile: Hashable, Sendable {
    /// Never.
    case never
    /// Where the output is text, which always is so.
    case always
    /// Where this option has one of these values.
    case ifOption(String, among: [String])
  }
}

/// What is added to the name of a text for the name of its side file, which holds large constants.
public let sideFileSuffix = ".npz"
