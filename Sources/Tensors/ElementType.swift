/// The type of one element: binary32, or an integer of 1 to 64 bits.
///
/// Text form: `f32`, `u8`, `i16`. An integer is kept in the smallest container that holds it.
public enum ElementType: Hashable, Sendable {
  /// IEEE 754 binary32.
  case float32
  /// An integer of `bits` bits.
  case integer(bits: Int, signed: Bool)

  /// Accumulators: 64-bit signed integers.
  public static let accumulator = ElementType.integer(bits: 64, signed: true)

  /// Whether this is the float type.
  public var isFloat: Bool { self == .float32 }

  /// The smallest value; only for integers of up to 63 bits, or signed 64.
  public var lowest: Int64 {
    switch self {
    case .integer(let bits, signed: true): return bits >= 64 ? .min : -(1 << (Int64(bits) - 1))
    case .integer(_, signed: false), .float32: return 0
    }
  }

  /// The largest value; only for integers of up to 63 bits, or signed 64.
  public var highest: Int64 {
    switch self {
    case .integer(let bits, signed: true): return bits >= 64 ? .max : (1 << (Int64(bits) - 1)) - 1
    case .integer(let bits, signed: false): return bits >= 63 ? .max : (1 << Int64(bits)) - 1
    case .float32: return 0
    }
  }

  /// The narrowest signed type that holds `values` and has as many bits as this integer type or more, 2 at least.
  public func signed(holding values: [Int64]) -> ElementType {
    guard case .integer(var bits, _) = self else { return .accumulator }
    bits = max(2, bits)
    let (low, high) = values.reduce((Int64(0), Int64(0))) { (min($0.0, $1), max($0.1, $1)) }
    while bits < 64 {
      let type = ElementType.integer(bits: bits, signed: true)
      if type.lowest <= low && high <= type.highest { return type }
      bits += 1
    }
    return .accumulator
  }

  /// Reads the text form; nil for anything else, an unsigned type of 64 bits included.
  public init?(text: String) {
    if text == "f32" {
      self = .float32
      return
    }
    guard let sign = text.first, sign == "u" || sign == "i", let bits = Int(text.dropFirst()),
      bits >= 1, bits <= (sign == "u" ? 63 : 64), text.dropFirst().first != "0", text.dropFirst().first != "+"
    else { return nil }
    self = .integer(bits: bits, signed: sign == "i")
  }
}

extension ElementType: CustomStringConvertible {
  /// The text form.
  public var description: String {
    switch self {
    case .float32: return "f32"
    case .integer(let bits, let signed): return "\(signed ? "i" : "u")\(bits)"
    }
  }
}
