/// What goes wrong while reading bytes: the offset and the reason.
public struct ByteError: Error, Hashable, Sendable {
  /// Offset from the reader's first byte.
  public let offset: Int
  /// What was found.
  public let reason: String

  /// Creates an error.
  public init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }
}

/// Reads little-endian values from a range of bytes that stays valid while the reader is used; every read is
/// checked against the end.
public struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  /// Offset of the next byte.
  public private(set) var offset: Int

  /// Reads `bytes` from the start.
  public init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    offset = 0
  }

  /// How many bytes are left.
  public var remaining: Int { bytes.count - offset }

  /// Whether all bytes were read.
  public var isAtEnd: Bool { offset == bytes.count }

  /// Reads one integer, least significant byte first.
  public mutating func read<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(ByteError) -> T {
    let size = MemoryLayout<T>.size
    try need(size)
    let value = bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
    offset += size
    return T(littleEndian: value)
  }

  /// Reads `count` bytes.
  public mutating func readBytes(_ count: Int) throws(ByteError) -> UnsafeRawBufferPointer {
    guard count >= 0 else { throw ByteError(offset: offset, reason: "negative length \(count)") }
    try need(count)
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  /// Reads a text written by `ByteWriter.put(string:)`; refuses bad UTF-8 and padding that is not zero.
  public mutating func readString(limit: Int = 1 << 16) throws(ByteError) -> String {
    let start = offset
    let count = Int(try read(UInt32.self))
    guard count <= limit else {
      throw ByteError(offset: start, reason: "text of \(count) bytes, limit \(limit)")
    }
    let raw = try readBytes(count)
    guard let text = String(validating: raw, as: UTF8.self) else {
      throw ByteError(offset: start, reason: "text is not UTF-8")
    }
    try skipPadding(to: 4)
    return text
  }

  /// Reads zeros until the offset is a multiple of `size`; anything but zero is refused.
  public mutating func skipPadding(to size: Int) throws(ByteError) {
    while offset % size != 0 {
      guard try read(UInt8.self) == 0 else {
        throw ByteError(offset: offset - 1, reason: "padding is not zero")
      }
    }
  }

  private func need(_ count: Int) throws(ByteError) {
    guard count <= remaining else {
      throw ByteError(offset: offset, reason: "needs \(count) bytes, \(remaining) left")
    }
  }
}
