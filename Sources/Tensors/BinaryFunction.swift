/// A two-argument function applied element by element after broadcasting; the raw value is its code in a program.
public enum BinaryFunction: UInt32, Hashable, Sendable, CaseIterable {
  case add = 1
  case subtract = 2
  case multiply = 3
  case divide = 4
  case maximum = 5
  case minimum = 6
  /// 1 where the first is larger, else 0; 0 where either is NaN.
  case greater = 7
  /// 1 where both are equal, else 0; zeros of both signs are equal, NaN is equal to nothing.
  case equal = 8
  /// The first to the power of the second.
  case power = 9
}

/// The two-argument functions in the order of their codes.
let binaryRows: [OperatorEntry] = [
  row(.add, "add", "sum, with broadcasting"),
  row(.subtract, "subtract", "difference, with broadcasting"),
  row(.multiply, "multiply", "product, with broadcasting"),
  row(.divide, "divide", "quotient, with broadcasting"),
  row(.maximum, "maximum", "larger one, with broadcasting"),
  row(.minimum, "minimum", "smaller one, with broadcasting"),
  row(.greater, "greater", "1 where the first is larger, else 0; with broadcasting"),
  row(.equal, "equal", "1 where both are equal, else 0; with broadcasting"),
  row(.power, "power", "the first to the power of the second, with broadcasting"),
]

private func row(_ function: BinaryFunction, _ name: String, _ summary: String) -> OperatorEntry {
  OperatorEntry(
    name, .binary, function: function.rawValue, [], .two, elements: .numbers, shape: .broadcast,
    events: .activations, summary)
}
