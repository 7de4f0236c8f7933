/// What a work may take at most: programs and models are untrusted input.
public struct WorkLimits: Equatable, Sendable {
  /// Steps of a run: instructions executed for all samples.
  public var steps: Int
  /// Bytes of memory.
  public var memory: Int

  /// Sets limits.
  public init(steps: Int, memory: Int) {
    self.steps = steps
    self.memory = memory
  }

  /// What a run may take unless the user says otherwise: 10^11 steps and 16 GiB.
  public static let run = WorkLimits(steps: 100_000_000_000, memory: 16 << 30)
  /// Bytes that the values of a model may take unless the user says otherwise: 4 GiB.
  public static let modelMemory = 4 << 30
}

/// The sum of numbers that are not negative; `Int.max` where it is larger.
public func clampedSum(_ terms: [Int]) -> Int {
  terms.reduce(0) { total, term in
    let (sum, overflow) = total.addingReportingOverflow(term)
    return overflow ? .max : sum
  }
}

/// The product of numbers that are not negative; `Int.max` where it is larger.
public func clampedProduct(_ factors: [Int]) -> Int {
  if factors.contains(0) { return 0 }
  return factors.reduce(1) { total, factor in
    let (product, overflow) = total.multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}
