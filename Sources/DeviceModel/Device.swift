public import Support

/// What the cells and converters of a crossbar do beyond the meaning of a program.
public enum Device: Hashable, Sendable {
  /// Cells hold their levels and converters give `min(sum, 2^bits - 1)`.
  case ideal

  /// The names that `init(named:)` knows.
  public static let names = ["ideal"]

  /// The device of a name; throws `device.unavailable` for any other name or for a file.
  public init(named name: String) throws(Diagnostic) {
    guard name == "ideal" else {
      throw Diagnostic(
        "device.unavailable", "device '\(name)' is not available yet", at: Location(.item("--device")),
        notes: ["available: \(Device.names.joined(separator: ", "))"])
    }
    self = .ideal
  }
}
