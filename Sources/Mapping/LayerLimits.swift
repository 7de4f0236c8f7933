/// The bounds of a layer's fields: of the text, of the binary and of the verifier alike. Within them no sum of what
/// blocks decode to, or conversions give, leaves 64 bits unnoticed.
public enum LayerLimits {
  /// Inputs of a layer, and outputs.
  public static let side = 1 << 20
  /// Bits of an input.
  public static let inputBits = 32
  /// Bits of a weight, the sign included.
  public static let weightBits = 2...16
  /// Bits of a cell, and of a digit.
  public static let cellBits = 1...8
  /// Bits of a converter.
  public static let adcBits = 1...16
  /// Magnitude of an excess.
  public static let offset: Int64 = 1 << 61
  /// Bitlines of a column layout.
  public static let columnLayout = 1 << 24
  /// Magnitude bits of an input and the shift of its wordline together.
  public static let shiftedBits = 62
  /// Shift of a wordline, whatever its input is.
  public static let rowShift = shiftedBits - 1
  /// Shift of a bitline.
  public static let columnShift = 61
  /// Wordlines of an operation unit, and bitlines.
  public static let unitSide = 4096
  /// Crossbars of a program.
  public static let crossbars = 1 << 24
  /// Bits of a field of an index table.
  public static let indexBits = 1...24
  /// The number that an index table begins at is below this.
  public static let indexFirst = 1 << 24
  /// What an output can reach stays below 2 to this power.
  public static let accumulatorBits = 62
}
