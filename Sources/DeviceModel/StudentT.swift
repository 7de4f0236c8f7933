import Glibc

/// The 0.975 quantile of Student's t distribution: how many standard errors a two-sided 95 % confidence interval of a
/// mean reaches to each side. Exact to nine digits; infinite for fewer than one degree of freedom, which leave the
/// spread unknown.
public func studentQuantile95(degreesOfFreedom: Int) -> Double {
  guard degreesOfFreedom >= 1 else { return .infinity }
  let degrees = Double(degreesOfFreedom)
  return degreesOfFreedom > 10_000 ? nearNormalQuantile(degrees) : bisectedQuantile(degrees)
}

/// The quantile from that of the normal distribution, by the first terms of a series in 1 / `degrees`.
///
/// Source: M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 1964, 26.7.5.
private func nearNormalQuantile(_ degrees: Double) -> Double {
  let z = 1.959_963_984_540_054
  let (z3, z5) = (z * z * z, z * z * z * z * z)
  return z + (z3 + z) / (4 * degrees) + (5 * z5 + 16 * z3 + 3 * z) / (96 * degrees * degrees)
}

/// The quantile by halving an interval that holds it for all `degrees`.
private func bisectedQuantile(_ degrees: Double) -> Double {
  var (low, high) = (1.9, 12.8)
  for _ in 0..<50 {
    let middle = (low + high) / 2
    if centralProbability(middle, degrees) < 0.95 { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

/// The probability that a value of Student's distribution lies within `t` of 0.
private func centralProbability(_ t: Double, _ degrees: Double) -> Double {
  incompleteBeta(t * t / (degrees + t * t), 0.5, degrees / 2)
}

/// The regularized incomplete beta function, for `x` in 0 ... 1 and positive `a` and `b`.
///
/// Source: NIST Digital Library of Mathematical Functions, 8.17.4 (the symmetry) and 8.17.22 (the continued fraction).
func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  if x <= 0 { return 0 }
  if x >= 1 { return 1 }
  // The fraction converges quickly on this side only.
  if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
  let logBeta = lgamma(a).0 + lgamma(b).0 - lgamma(a + b).0
  let front = exp(a * log(x) + b * log1p(-x) - logBeta) / a
  return front / betaFraction(x, a, b)
}

/// The continued fraction 1 + d1 x / (1 + d2 x / (1 + ...)) from the front, by the method of Lentz.
private func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
  let tiny = 1e-300
  var (value, ratio, inverse) = (1.0, 1.0, 0.0)
  for step in 1...1000 {
    let m = Double(step / 2)
    let even = m * (b - m) / ((a + 2 * m - 1) * (a + 2 * m))
    let odd = -(a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1))
    let term = x * (step % 2 == 0 ? even : odd)
    ratio = 1 + term / ratio
    if ratio == 0 { ratio = tiny }
    inverse = 1 + term * inverse
    inverse = 1 / (inverse == 0 ? tiny : inverse)
    value *= ratio * inverse
    if abs(ratio * inverse - 1) < 1e-15 { break }
  }
  return value
}
