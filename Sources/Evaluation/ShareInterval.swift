/// The interval in which the share of a large population lies, as far as a sample of it tells.
public struct ShareInterval: Equatable, Sendable {
  /// The lower end, 0 at least.
  public let low: Double
  /// The upper end, 1 at most.
  public let high: Double

  /// The two-sided 95 % interval of the share of hits, of which there were `hits` among `count` independent samples; nil for no
  /// samples.
  ///
  /// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
  /// Statistical Association 22, 1927: the shares p from which the share found is at most z standard deviations
  /// `sqrt(p (1 - p) / n)` away. It stays within 0 and 1 and holds for few samples and for shares close to the ends, too.
  public init?(hits: Int, of count: Int) {
    guard count > 0, 0...count ~= hits else { return nil }
    // The quantile 0.975 of the normal distribution.
    let z = 1.959963984540054
    let (n, share) = (Double(count), Double(hits) / Double(count))
    let scale = 1 + z * z / n
    let center = (share + z * z / (2 * n)) / scale
    let half = z / scale * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    low = hits == 0 ? 0 : max(0, center - half)
    high = hits == count ? 1 : min(1, center + half)
  }

  /// An interval of half the width `half` around `mean`, as far as it is within 0 and 1.
  public init(mean: Double, half: Double) {
    low = max(0, mean - half)
    high = min(1, mean + half)
  }
}
