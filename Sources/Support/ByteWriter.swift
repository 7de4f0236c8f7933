/// Collects little-endian values into bytes.
public struct ByteWriter: Sendable {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// Starts empty.
  public init() {}

  /// Appends an integer, least significant byte first.
  public mutating func put<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends the IEEE 754 bits of `value`.
  public mutating func put(_ value: Double) { put(value.bitPattern) }

  /// Appends the IEEE 754 bits of `value`.
  public mutating func put(_ value: Float) { put(value.bitPattern) }

  /// Appends raw bytes.
  public mutating func put(bytes more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  /// Appends raw bytes.
  public mutating func put(raw more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

  /// Appends a 32-bit length in bytes and the UTF-8 text, padded with zeros to a multiple of 4.
  public mutating func put(string: String) {
    let text = Array(string.utf8)
    put(UInt32(text.count))
    put(bytes: text)
    align(to: 4)
  }

  /// Appends zeros until the length is a multiple of `size`.
  public mutating func align(to size: Int) {
    let rest = bytes.count % size
    if rest != 0 { bytes.append(contentsOf: repeatElement(0, count: size - rest)) }
  }

  /// Overwrites four bytes at `offset`, which must have been written already.
  public mutating func patch(_ value: UInt32, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) { raw in
      for k in 0..<4 { bytes[offset + k] = raw[k] }
    }
  }

  /// Overwrites eight bytes at `offset`, which must have been written already.
  public mutating func patch(_ value: UInt64, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) { raw in
      for k in 0..<8 { bytes[offset + k] = raw[k] }
    }
  }
}
