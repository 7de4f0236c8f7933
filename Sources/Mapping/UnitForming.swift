/// How the operation units of a block are formed.
public enum UnitForming: Hashable, Sendable {
  /// Units of neighboring wordlines and bitlines, counted from the block's corner.
  case fixed(height: Int, width: Int)
  /// Fixed units that are left out for the input digits that are all 0.
  case zeroSkipping(height: Int, width: Int)
  /// For each input digit the wordlines with a digit other than 0 are gathered, `height` at a time; bitlines in
  /// neighboring groups of `width`.
  case dynamic(height: Int, width: Int)

  /// Units of a kind by its keyword, `fixed`, `zero-skipping` or `dynamic`; nil for other words.
  public init?(keyword: String, height: Int, width: Int) {
    switch keyword {
    case "fixed": self = .fixed(height: height, width: width)
    case "zero-skipping": self = .zeroSkipping(height: height, width: width)
    case "dynamic": self = .dynamic(height: height, width: width)
    default: return nil
    }
  }

  /// The keywords of all kinds, in the order of the program binary's codes.
  public static let keywords = ["fixed", "zero-skipping", "dynamic"]

  /// The keyword of the kind.
  public var keyword: String {
    switch self {
    case .fixed: return "fixed"
    case .zeroSkipping: return "zero-skipping"
    case .dynamic: return "dynamic"
    }
  }

  /// Wordlines that are active at once, at most.
  public var height: Int {
    switch self {
    case .fixed(let height, _), .zeroSkipping(let height, _), .dynamic(let height, _): return height
    }
  }

  /// Bitlines that are converted at once, at most.
  public var width: Int {
    switch self {
    case .fixed(_, let width), .zeroSkipping(_, let width), .dynamic(_, let width): return width
    }
  }

  /// Whether wordlines are gathered at run time.
  public var isDynamic: Bool {
    if case .dynamic = self { return true }
    return false
  }

  /// Whether every unit is activated for every digit, whatever the inputs are.
  public var isFixed: Bool {
    if case .fixed = self { return true }
    return false
  }
}

extension UnitForming: CustomStringConvertible {
  /// `fixed(16x16)`, `zero-skipping(16x16)` or `dynamic(16x16)`.
  public var description: String { "\(keyword)(\(height)x\(width))" }
}

extension UnitForming {
  /// The largest sum of `levels`, one for each wordline of a block, that a unit can read: that of neighboring
  /// wordlines, or of the largest levels where wordlines are gathered at run time.
  public func largestSum(of levels: [Int]) -> Int {
    if isDynamic { return levels.sorted(by: >).prefix(height).reduce(0, +) }
    return stride(from: 0, to: levels.count, by: height).reduce(0) { largest, first in
      max(largest, levels[first..<Swift.min(first + height, levels.count)].reduce(0, +))
    }
  }
}
