/// `a / b` rounded up; `a` must not be negative and `b` must be positive.
@inlinable public func ceilDivide(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }

/// The smallest number of bits that can hold `value`, which must not be negative; 0 for 0.
@inlinable public func bitWidth(of value: Int) -> Int { Int.bitWidth - value.leadingZeroBitCount }

/// The product of `factors`, or nil where it does not fit into an `Int` or a factor is negative.
public func checkedProduct(_ factors: some Sequence<Int>) -> Int? {
  var product = 1
  for factor in factors {
    guard factor >= 0 else { return nil }
    let (value, overflow) = product.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    product = value
  }
  return product
}

/// The root of `lost` relative to that of `size`, both sums of squares; infinite where they are no numbers or something
/// is lost of nothing.
public func relativeError(lost: Double, size: Double) -> Double {
  if lost == 0 && !size.isNaN { return 0 }
  return size > 0 && lost >= 0 ? (lost / size).squareRoot() : .infinity
}
