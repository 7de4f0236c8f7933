public import CKernels

/// A stream of random numbers that are found by their counters, so that results do not depend on the order of work.
///
/// Spec: ir-spec.md, *Random numbers*. Source: Threefry-4x32 with 13 rounds, J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11.
public struct RandomStream: Hashable, Sendable {
  /// What the numbers are for; streams of different purposes are independent.
  public enum Purpose: UInt32, Sendable {
    /// Programming cells; counters are the cell and the crossbar.
    case cells = 1
    /// Errors of converters; counters are the converter and the crossbar.
    case converters
    /// Errors of bitlines; counters are the bitline and the crossbar.
    case bitlines
    /// Noise of conversions.
    case conversions
    /// Samples of an error table.
    case tables
  }

  /// The key.
  public let words: [UInt32]

  /// The stream of a seed and a trial for a purpose; `part` tells streams of one purpose apart, such as those of
  /// layers.
  public init(seed: UInt64, trial: Int, _ purpose: Purpose, part: Int = 0) {
    words = [
      UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32),
      UInt32(truncatingIfNeeded: trial), purpose.rawValue | UInt32(truncatingIfNeeded: part) << 8,
    ]
  }

  /// The key as kernels take it.
  public var key: xbar_random_key { xbar_random_key(words: (words[0], words[1], words[2], words[3])) }

  /// For each counter `(first + k, b, c, d)`, k < `count`: four random words, and four normal numbers made of them.
  public func draw(first: Int, _ b: Int, _ c: Int = 0, _ d: Int = 0, count: Int) -> (
    words: [UInt32], normals: [Float]
  ) {
    var words = [UInt32](repeating: 0, count: 4 * count)
    var normals = [Float](repeating: 0, count: 4 * count)
    withUnsafePointer(to: key) {
      xbar_draw($0, [first, b, c, d].map { UInt32(truncatingIfNeeded: $0) }, count, &words, &normals)
    }
    return (words, normals)
  }
}
