import Support

/// A converter: what it makes of the sum that one conversion reads.
///
/// Codes count steps of `max(1, ceil(fullScale / (2^bits - 1)))`. With a step of 1 a conversion is
/// `min(sum, 2^bits - 1)`, exact up to its largest code. Otherwise the nearest code is taken, halves upwards, so that it
/// is off by at most half a step unless it saturates. Spec: ir-spec.md, *Products on
/// crossbars*.
public struct Converter: Hashable, Sendable {
  /// The largest code, `2^bits - 1`.
  public let largestCode: Int
  /// What a code stands for.
  public let step: Int

  /// The full scales that are allowed: what a unit can reach stays far below.
  public static let fullScales = 1...(1 << 48)

  /// A converter of `bits` bits, 1 ... 16, whose full scale is `2^bits - 1` where none is given.
  public init(bits: Int, fullScale: Int? = nil) {
    largestCode = 1 << bits - 1
    step = max(1, ((fullScale ?? 1) + largestCode - 1) / largestCode)
  }

  /// The value that the converter gives for `sum`, which is not negative.
  public func convert(_ sum: Int) -> Int { min(code(sum), largestCode) * step }

  /// Whether the nearest code of `sum` is beyond the largest one.
  public func saturates(_ sum: Int) -> Bool { code(sum) > largestCode }

  private func code(_ sum: Int) -> Int { (sum + step / 2) / step }
}

/// Groups of neighboring bitlines that are summed, each with its power of two, before one conversion.
public enum Composition {
  /// Bitlines of a group: at most one for each bit of a weight.
  public static let sizes = 1...16
  /// How far the shifts of a group may lie apart.
  public static let largestSpan = 16
}

extension [ColumnEntry] {
  /// Whether the bitlines are groups of `size` neighbors with one output and one sign, whose shifts grow and lie at
  /// most `Composition.largestSpan` apart.
  public func areGroups(of size: Int) -> Bool {
    guard count % size == 0 else { return false }
    return stride(from: 0, to: count, by: size).allSatisfy { first in
      let group = self[first..<first + size]
      return group.allSatisfy { $0.output == self[first].output && $0.negative == self[first].negative }
        && zip(group, group.dropFirst()).allSatisfy { $0.shift < $1.shift }
        && self[first + size - 1].shift - self[first].shift <= Composition.largestSpan
    }
  }

  /// What the levels of each bitline are multiplied by in the sums of groups of `size`: `2^(k_j - k_0)`, as shifts.
  public func relativeShifts(of size: Int) -> [Int] {
    indices.map { self[$0].shift - self[$0 / size * size].shift }
  }
}

/// The bits of a converter that no unit of `height` wordlines can saturate:
/// `ceil(log2(height * (2^cell - 1) * (2^dac - 1) + 1))`.
public func losslessBits(_ height: Int, cell: Int, dac: Int) -> Int {
  bitWidth(of: height * (1 << cell - 1) * (1 << dac - 1))
}
