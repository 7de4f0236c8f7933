public import Tensors

/// How the integer inputs of a layer come to its wordlines.
public enum InputCoding: Hashable, Sendable {
  /// Numbers from 0 up of `bits` bits: one pass over their digits.
  case unsigned(bits: Int)
  /// Symmetric numbers of `bits` bits, the sign included: a pass over the digits of the positive part and one over
  /// those of the negative part, whose magnitudes have a bit less.
  case twoPass(bits: Int)

  /// The coding of inputs of type `element`; nil for floats, and for integers of a width that no layer takes.
  public init?(_ element: ElementType) {
    guard case .integer(let bits, let signed) = element, (signed ? 2 : 1)...LayerLimits.inputBits ~= bits
    else { return nil }
    self = signed ? .twoPass(bits: bits) : .unsigned(bits: bits)
  }

  /// Bits of an input, its sign included.
  public var bits: Int {
    switch self {
    case .unsigned(let bits), .twoPass(let bits): return bits
    }
  }

  /// Whether inputs have a sign.
  public var isSigned: Bool {
    switch self {
    case .unsigned: return false
    case .twoPass: return true
    }
  }

  /// Bits of an input's magnitude.
  public var magnitudeBits: Int { isSigned ? bits - 1 : bits }

  /// Passes that an input takes.
  public var passes: Int { isSigned ? 2 : 1 }

  /// The type of the inputs.
  public var element: ElementType { .integer(bits: bits, signed: isSigned) }
}
