/// The type of a tensor's elements; the raw value is the code of the ONNX format.
public enum ONNXElementType: Int, Hashable, Sendable, CaseIterable {
  /// IEEE binary32.
  case float = 1
  /// 8-bit unsigned integer.
  case uint8 = 2
  /// 8-bit signed integer.
  case int8 = 3
  /// 16-bit unsigned integer.
  case uint16 = 4
  /// 16-bit signed integer.
  case int16 = 5
  /// 32-bit signed integer.
  case int32 = 6
  /// 64-bit signed integer.
  case int64 = 7
  /// Text.
  case string = 8
  /// Truth value, one byte.
  case bool = 9
  /// IEEE binary16.
  case float16 = 10
  /// IEEE binary64.
  case double = 11
  /// 32-bit unsigned integer.
  case uint32 = 12
  /// 64-bit unsigned integer.
  case uint64 = 13
  /// Two binary32 values.
  case complex64 = 14
  /// Two binary64 values.
  case complex128 = 15
  /// The upper half of a binary32 value.
  case bfloat16 = 16
  /// 8-bit float with a 4-bit exponent, without infinities.
  case float8e4m3fn = 17
  /// 8-bit float with a 4-bit exponent, without infinities and negative zero.
  case float8e4m3fnuz = 18
  /// 8-bit float with a 5-bit exponent.
  case float8e5m2 = 19
  /// 8-bit float with a 5-bit exponent, without infinities and negative zero.
  case float8e5m2fnuz = 20
  /// 4-bit unsigned integer, two in a byte.
  case uint4 = 21
  /// 4-bit signed integer, two in a byte.
  case int4 = 22
  /// 4-bit float, two in a byte.
  case float4e2m1 = 23
  /// 8-bit power of two.
  case float8e8m0 = 24
  /// 2-bit unsigned integer, four in a byte.
  case uint2 = 25
  /// 2-bit signed integer, four in a byte.
  case int2 = 26

  /// The name, as the format spells it in lower case.
  public var name: String { "\(self)" }

  /// Bits of one stored element; nil for texts, which have no fixed size.
  public var bits: Int? {
    switch self {
    case .string: nil
    case .uint2, .int2: 2
    case .uint4, .int4, .float4e2m1: 4
    case .uint8, .int8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0: 8
    case .uint16, .int16, .float16, .bfloat16: 16
    case .float, .int32, .uint32: 32
    case .double, .int64, .uint64, .complex64: 64
    case .complex128: 128
    }
  }

  /// Whether `floats()` can read it as a real number.
  public var isFloat: Bool { kind == .float }

  /// Whether `int64s()` can read it: all integers, and truth values.
  public var isInteger: Bool { kind == .integer }

  private enum Kind {
    case float, integer, other
  }

  private var kind: Kind {
    switch self {
    case .float, .double, .float16, .bfloat16: .float
    case .uint2, .int2, .uint4, .int4, .uint8, .int8, .uint16, .int16, .int32, .int64, .uint32, .uint64,
      .bool:
      .integer
    case .string, .complex64, .complex128, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz,
      .float8e8m0, .float4e2m1:
      .other
    }
  }

  /// The bytes that `count` elements take, or nil for texts and on overflow; `count` must not be negative.
  func byteCount(of count: Int) -> Int? {
    guard let bits else { return nil }
    let (total, overflow) = count.multipliedReportingOverflow(by: bits)
    guard !overflow else { return nil }
    return total / 8 + (total % 8 == 0 ? 0 : 1)
  }
}
