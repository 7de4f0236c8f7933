/// What happens to an ONNX operator on its way from a file to a program: a row of docs/operators.md.
///
/// Each family of importers states its rows beside the table of its importers; a test holds the two against each other
/// and writes the document.
public struct OperatorSupport: Hashable, Sendable {
  /// How far a result of the evaluator is fixed.
  public enum Evaluation: String, Hashable, Sendable {
    /// Bit for bit the binary32 arithmetic of ir-spec.md.
    case exact
    /// The same, but for functions of the C library, which may differ by an ulp.
    case libm
    /// Nothing is left to compute.
    case gone
  }

  /// The name in ONNX.
  public let name: String
  /// What of the operator is read: attributes, optional inputs, forms.
  public let imported: String
  /// How `xbarc eval` computes it.
  public let evaluation: Evaluation
  /// Whether it becomes an integer matrix in cells, and when.
  public let crossbars: String
  /// Whether it works on integers between two crossbar layers, and when.
  public let integers: String
  /// Whether digital logic computes it on floats, and when.
  public let digital: String
  /// What is refused, and other limits.
  public let notes: String

  init(
    _ name: String, _ evaluation: Evaluation = .exact, _ imported: String = "", crossbars: String = "no",
    integers: String = "no", digital: String? = nil, notes: String = ""
  ) {
    self.name = name
    self.imported = imported
    self.evaluation = evaluation
    self.crossbars = crossbars
    self.integers = integers
    self.digital = digital ?? (evaluation == .gone ? "no" : "yes")
    self.notes = notes
  }

  /// Whether the executor runs it: whatever reaches a program, it does.
  public var executor: String { evaluation == .gone ? "-" : "yes" }
}

/// Operators that are documented together.
public struct OperatorFamily: Sendable {
  /// The name of the family's table in the document.
  public let name: String
  /// The rows, in the order of the document.
  public let operators: [OperatorSupport]
}

/// What is supported, family by family: the tables of docs/operators.md.
public let operatorFamilies: [OperatorFamily] = [
  OperatorFamily(name: "matrix", operators: matrixSupport),
  OperatorFamily(name: "recurrent", operators: recurrentSupport),
  OperatorFamily(name: "pools", operators: poolSupport),
  OperatorFamily(name: "reductions", operators: reductionSupport),
  OperatorFamily(name: "normalisations", operators: normalisationSupport),
  OperatorFamily(name: "activations", operators: activationSupport + composedActivationSupport),
  OperatorFamily(name: "arithmetic", operators: arithmeticSupport + comparisonSupport),
  OperatorFamily(
    name: "selections", operators: selectionSupport + indexedSupport + placeSupport + resizeSupport),
  OperatorFamily(name: "shapes", operators: shapeSupport),
  OperatorFamily(name: "quantized", operators: quantizationSupport),
]
