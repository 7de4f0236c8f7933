import ONNX
import Support

/// What happens to an ONNX operator on its way from a file to a program: a row of docs/operators.md.
///
/// Each file of importers states the rows of its operators; a test writes the document from them.
public struct SupportedOperator: Sendable {
  /// How far a result of the evaluator is fixed.
  public enum Evaluation: String, Hashable, Sendable {
    /// Bit for bit the binary32 arithmetic of ir-spec.md.
    case exact
    /// The same, but for functions of the C library, which may differ by an ulp.
    case libm
    /// Nothing is left to compute.
    case folded
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
  let importer: OperatorImporter

  init(
    _ name: String, _ importer: @escaping OperatorImporter, _ evaluation: Evaluation = .exact,
    _ imported: String = "", crossbars: String = "no", integers: String = "no", digital: String? = nil,
    notes: String = ""
  ) {
    self.name = name
    self.importer = importer
    self.imported = imported
    self.evaluation = evaluation
    self.crossbars = crossbars
    self.integers = integers
    self.digital = digital ?? (evaluation == .folded ? "no" : "yes")
    self.notes = notes
  }

  /// Whether the executor runs it: whatever reaches a program, it does.
  public var executor: String { evaluation == .folded ? "-" : "yes" }
}

/// Operators that are documented together.
public struct OperatorFamily: Sendable {
  /// The name of the family's table in the document.
  public let name: String
  /// The rows, in the order of the document.
  public let operators: [SupportedOperator]
}

/// What is supported, family by family: the tables of docs/operators.md.
public let operatorFamilies: [OperatorFamily] = [
  OperatorFamily(name: "matrix", operators: convolutionOperators + productOperators),
  OperatorFamily(name: "recurrent", operators: recurrentOperators),
  OperatorFamily(name: "pools", operators: poolOperators),
  OperatorFamily(name: "reductions", operators: reductionOperators),
  OperatorFamily(name: "normalizations", operators: normalizationOperators),
  OperatorFamily(name: "activations", operators: activationOperators + composedActivationOperators),
  OperatorFamily(name: "arithmetic", operators: arithmeticOperators + powOperators + comparisonOperators),
  OperatorFamily(
    name: "selections",
    operators: sliceOperators + gatherScatterOperators + tileOperators + whereOperators
      + depthToSpaceOperators + triluOperators + argMinMaxOperators + resizeOperators),
  OperatorFamily(
    name: "shapes",
    operators: reshapeOperators + transposeOperators + concatOperators + padOperators + castOperators
      + constantOperators + identityOperators),
  OperatorFamily(name: "quantized", operators: quantizationOperators),
]

/// Imports one node.
typealias OperatorImporter = @Sendable (inout ImportContext, ONNXNode) throws(Diagnostic) -> Void

/// All supported operators by name; a name that appears in two rows stops every import.
let operatorImporters = Dictionary(
  uniqueKeysWithValues: operatorFamilies.flatMap(\.operators).map { ($0.name, $0.importer) })

/// The names of the supported operators, sorted.
public var supportedOperators: [String] { operatorImporters.keys.sorted() }

/// The names of the supported operators of the domain `com.microsoft`, sorted.
public var supportedMicrosoftOperators: [String] { microsoftImporters.keys.sorted() }
