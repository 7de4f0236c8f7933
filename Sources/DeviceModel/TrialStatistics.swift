/// What trials of the same experiment tell about its result, such as accuracies on devices drawn at random.
public struct TrialStatistics: Equatable, Sendable {
  /// How many trials there were; at least 1.
  public let count: Int
  /// Their mean.
  public let mean: Double
  /// The standard deviation of a trial, estimated with n - 1; nil for a single one.
  public let standardDeviation: Double?
  /// Half the width of the 95 % confidence interval of the mean, by Student's t distribution; nil for a single trial.
  /// It supposes that trials are independent and that their mean is about normal.
  public let confidenceHalfWidth: Double?
  /// The smallest result: the worst one where more is better.
  public let minimum: Double
  /// The largest result: the best one where more is better.
  public let maximum: Double

  /// Sums up `values`; nil where there are none. Where a value is no number, no result is one.
  public init?(_ values: [Double]) {
    guard let first = values.first else { return nil }
    let moments = Self.moments(values)
    let isNumber = !values.contains(where: \.isNaN)
    count = values.count
    mean = moments.mean
    minimum = isNumber ? values.min() ?? first : .nan
    maximum = isNumber ? values.max() ?? first : .nan
    let degrees = values.count - 1
    let deviation = degrees > 0 ? (moments.squares / Double(degrees)).squareRoot() : nil
    standardDeviation = deviation
    confidenceHalfWidth = deviation.map {
      studentQuantile95(degreesOfFreedom: degrees) * $0 / Double(values.count).squareRoot()
    }
  }

  /// The mean and the sum of squared distances from it, in one pass that does not subtract large sums.
  ///
  /// Source: B. Welford, "Note on a method for calculating corrected sums of squares and products",
  /// Technometrics 4, 1962.
  private static func moments(_ values: [Double]) -> (mean: Double, squares: Double) {
    var (mean, squares) = (0.0, 0.0)
    for (index, value) in values.enumerated() {
      let distance = value - mean
      mean += distance / Double(index + 1)
      squares += distance * (value - mean)
    }
    return (mean, squares)
  }
}
