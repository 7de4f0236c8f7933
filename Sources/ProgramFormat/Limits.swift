import Mapping

/// The largest sizes that a program may have. Every count in a file is checked against this table and against the
/// bytes that are left before memory is taken.
public enum ProgramLimits {
  /// Bytes of a name.
  public static let nameBytes = 1 << 16
  /// Bytes of a text in `INFO`, and of the machine's summary.
  public static let textBytes = 1 << 20
  /// Sections of a file, unknown ones included.
  public static let sections = 64
  /// Figures of the machine, unknown ones included.
  public static let figures = 1 << 12
  /// Buffers.
  public static let buffers = 1 << 20
  /// Axes of a buffer.
  public static let rank = 8
  /// Elements of all buffers together.
  public static let bufferElements = 1 << 28
  /// Graph inputs, and graph outputs.
  public static let ports = 1 << 10
  /// Crossbars.
  public static let crossbars = LayerLimits.crossbars
  /// Layers.
  public static let layers = 1 << 20
  /// Blocks of all layers together.
  public static let blocks = 1 << 24
  /// Inputs of all layers together, and outputs.
  public static let layerSides = 1 << 26
  /// Instructions, those in loops counted once.
  public static let instructions = 1 << 22
  /// Instructions executed for one sample.
  public static let steps = 1 << 40
  /// Nesting of loops.
  public static let loopDepth = 8
  /// Rounds of a loop.
  public static let rounds = Int(Int32.max)
  /// Arguments of a digital operator.
  public static let arguments = 1 << 12
  /// Constants of a digital operator.
  public static let constants = 1 << 24
  /// Entries of `INFO`.
  public static let infoEntries = 1 << 12
}
