/// Bytes as text: RFC 4648, section 4, with padding.
public enum Base64 {
  private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// The text of `bytes`.
  public static func encode(_ bytes: UnsafeRawBufferPointer) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for byte in part { bits = bits << 8 | UInt32(byte) }
      bits <<= UInt32(8 * (3 - part.count))
      for place in 0..<4 {
        let isPadding = place > part.count
        text.append(
          isPadding ? UInt8(ascii: "=") : digits[Int(bits >> UInt32(18 - 6 * place) & 63)])
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of `text`; nil where it is not the text of any.
  public static func decode(_ text: String) -> [UInt8]? {
    var values = [UInt8](repeating: .max, count: 256)
    for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
    let code = Array(text.utf8)
    let padding = code.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard code.count % 4 == 0, padding <= code.count else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(code.count / 4 * 3)
    var bits: UInt32 = 0
    for (place, digit) in code.dropLast(padding).enumerated() {
      let value = values[Int(digit)]
      guard value < 64 else { return nil }
      bits = bits << 6 | UInt32(value)
      if place % 4 == 3 {
        bytes += [UInt8(bits >> 16), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
        bits = 0
      }
    }
    // What is left of a group that padding fills must be zeros, so that bytes have one text.
    switch padding {
    case 0: return bytes
    case 1: return bits & 3 == 0 ? bytes + [UInt8(bits >> 10), UInt8(bits >> 2 & 255)] : nil
    default: return bits & 15 == 0 ? bytes + [UInt8(bits >> 4)] : nil
    }
  }
}
