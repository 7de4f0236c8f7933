/// How codes differ from those of an ideal device for the same inputs of a layer.
public struct PartialSumErrors: Equatable, Sendable {
  /// Conversions that were compared.
  public var compared = 0
  /// Of these, conversions with another code.
  public var wrong = 0
  /// Sum of code less ideal code.
  public var error = 0
  /// Sum of the squares of these differences.
  public var squareError = 0

  /// Nothing compared.
  public init() {}

  /// Share of conversions with another code.
  public var errorRate: Double { mean(wrong) }
  /// Mean difference in codes.
  public var meanError: Double { mean(error) }
  /// Root mean square difference in codes.
  public var rootMeanSquare: Double { mean(squareError).squareRoot() }

  private func mean(_ sum: Int) -> Double { compared == 0 ? 0 : Double(sum) / Double(compared) }

  /// Adds the counts of `b`.
  public static func += (a: inout PartialSumErrors, b: PartialSumErrors) {
    a.compared &+= b.compared
    a.wrong &+= b.wrong
    a.error &+= b.error
    a.squareError &+= b.squareError
  }
}
