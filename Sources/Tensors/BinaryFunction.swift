/// A two-argument function applied element by element after broadcasting.
///
/// The raw value is its name in the IR; its code in a program is its place in the declaration, from 1 on.
public enum BinaryFunction: String, Hashable, Sendable, CaseIterable {
  case add, subtract, multiply, divide, maximum, minimum
  /// 1 where the first is larger, else 0; 0 where either is NaN.
  case greater
  /// 1 where both are equal, else 0; zeros of both signs are equal, NaN is equal to nothing.
  case equal
  /// The first to the power of the second.
  case power
}

/// The two-argument functions in the order of their codes.
let binaryRows: [OperatorEntry] = [
  row(.add, "sum, with broadcasting"),
  row(.subtract, "difference, with broadcasting"),
  row(.multiply, "product, with broadcasting"),
  row(.divide, "quotient, with broadcasting"),
  row(.maximum, "larger one, with broadcasting"),
  row(.minimum, "smaller one, with broadcasting"),
  row(.greater, "1 where the first is larger, else 0; with broadcasting"),
  row(.equal, "1 where both are equal, else 0; with broadcasting"),
  row(.power, "the first to the power of the second, with broadcasting"),
]

private func row(_ function: BinaryFunction, _ summary: String) -> OperatorEntry {
  OperatorEntry(
    function.rawValue, .binary, function: function.code, [], .two, elements: .numbers, shape: .broadcast,
    events: .activations, summary)
}

extension BinaryFunction {
  /// The code in a program.
  var code: UInt32 { UInt32((Self.allCases.firstIndex(of: self) ?? 0) + 1) }
}
