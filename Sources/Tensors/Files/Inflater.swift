import CZ

/// Unpacks a raw deflate stream piece by piece.
final class Inflater {
  private let stream: UnsafeMutablePointer<z_stream>
  private var input: UnsafeRawBufferPointer
  /// Whether the stream's own end was reached.
  private(set) var isAtEnd = false
  /// Whether the stream cannot be unpacked further.
  private(set) var hasFailed: Bool

  /// Unpacks `input`, which must stay valid.
  init(_ input: UnsafeRawBufferPointer) {
    self.input = input
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let size = CInt(MemoryLayout<z_stream>.size)
    hasFailed = inflateInit2_(stream, -15, ZLIB_VERSION, size) != Z_OK
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// How many bytes of the input were not used.
  var unused: Int { input.count + Int(stream.pointee.avail_in) }

  /// Unpacks into `target` until it is full or the stream ends or fails; returns how many bytes were written.
  func fill(_ target: UnsafeMutableRawBufferPointer) -> Int {
    guard let start = target.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
    let chunk = 1 << 30
    var done = 0
    while done < target.count, !isAtEnd, !hasFailed {
      if stream.pointee.avail_in == 0 {
        let next = UnsafeRawBufferPointer(rebasing: input.prefix(chunk))
        stream.pointee.next_in = UnsafeMutablePointer(
          mutating: next.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(next.count)
        input = UnsafeRawBufferPointer(rebasing: input.dropFirst(next.count))
      }
      let room = min(chunk, target.count - done)
      stream.pointee.next_out = start + done
      stream.pointee.avail_out = UInt32(room)
      let status = inflate(stream, Z_NO_FLUSH)
      done += room - Int(stream.pointee.avail_out)
      isAtEnd = status == Z_STREAM_END
      hasFailed = !isAtEnd && status != Z_OK
    }
    return done
  }
}

/// The CRC-32 of the zip format (polynomial 0x04C11DB7, reflected).
func zipChecksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
  guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
  return UInt32(truncatingIfNeeded: crc32_z(0, start, bytes.count))
}
