internal import Support

/// How a field is written.
enum WireType: Int, Sendable {
  case varint = 0
  case fixed64 = 1
  case bytes = 2
  case fixed32 = 5

  var name: String {
    switch self {
    case .varint: "a varint"
    case .fixed64: "8 bytes"
    case .bytes: "a length and bytes"
    case .fixed32: "4 bytes"
    }
  }
}

/// One field of a message. The payload is what follows the tag; a length that leads it is left out.
struct WireField: Sendable {
  let number: Int
  let type: WireType
  let start: Int
  let payload: ByteRange
}

/// Steps through the fields of one message; every read is checked against the message's end.
struct WireReader {
  let bytes: UnsafeRawBufferPointer
  let end: Int
  private(set) var offset: Int

  /// Reads the message in `range`, which must lie inside `bytes`.
  init(_ bytes: UnsafeRawBufferPointer, _ range: ByteRange) {
    self.bytes = bytes
    offset = range.start
    end = range.end
  }

  /// The next field, or nil at the end of the message.
  mutating func next() throws(Diagnostic) -> WireField? {
    guard offset < end else { return nil }
    let start = offset
    let tag = try varint(longest: 5)
    guard let number = Int(exactly: tag >> 3), number >= 1, number < 1 << 29 else {
      throw damaged("onnx.wire", "field number \(tag >> 3) is not between 1 and 536870911", at: start)
    }
    guard let type = WireType(rawValue: Int(tag & 7)) else {
      throw damaged("onnx.wire", "field \(number) has the unknown wire type \(tag & 7)", at: start)
    }
    let payload = try skipPayload(of: type, number)
    return WireField(number: number, type: type, start: start, payload: payload)
  }

  /// Reads a varint of at most `longest` bytes; bits beyond 64 are dropped, as everywhere in protobuf.
  mutating func varint(longest: Int = 10) throws(Diagnostic) -> UInt64 {
    let start = offset
    var value: UInt64 = 0
    for k in 0..<longest {
      guard offset < end else { throw damaged("onnx.truncated", "a number runs past its end", at: start) }
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7f) << UInt64(7 * k)
      if byte < 0x80 { return value }
    }
    throw damaged("onnx.wire", "a number has more than \(longest) bytes", at: start)
  }

  /// Reads a little-endian integer.
  mutating func fixed<T: FixedWidthInteger>(_ type: T.Type) throws(Diagnostic) -> T {
    let size = MemoryLayout<T>.size
    guard size <= end - offset else {
      throw damaged("onnx.truncated", "a number runs past its end", at: offset)
    }
    defer { offset += size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
  }

  private mutating func skipPayload(of type: WireType, _ number: Int) throws(Diagnostic) -> ByteRange {
    var start = offset
    var size = UInt64(0)
    switch type {
    case .varint:
      _ = try varint()
      return ByteRange(start: start, end: offset)
    case .fixed64: size = 8
    case .fixed32: size = 4
    case .bytes:
      size = try varint(longest: 5)
      start = offset
    }
    guard let count = Int(exactly: size), count <= end - start else {
      throw damaged(
        "onnx.truncated", "field \(number) has \(size) bytes, but its message has only \(end - start) left",
        at: start)
    }
    offset = start + count
    return ByteRange(start: start, end: offset)
  }
}

/// A message about bytes that are not what the format asks for. The file's name is added by the caller.
func damaged(_ id: String, _ message: String, at offset: Int) -> Diagnostic {
  Diagnostic(
    id, message, at: Location(.bytes(section: "file", offset: offset)),
    notes: ["the file is damaged, cut off or not an ONNX file: export it again, or check how it was copied"])
}
