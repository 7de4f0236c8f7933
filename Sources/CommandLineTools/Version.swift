/// The version that `--version` prints and programs carry.
public let version = "0.1.0"

/// What `--version` of a program prints where it is the only word of the command line; nil for other words.
public func versionText(_ words: [String], of program: String) -> String? {
  words == ["--version"] ? "\(program) \(version)\n" : nil
}
