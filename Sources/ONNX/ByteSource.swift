internal import Support

/// Bytes that tensors and readers point into; they live as long as this object.
final class ByteSource: Sendable {
  private enum Owner {
    case file(InputFile)
    case owned
  }

  private let owner: Owner
  private nonisolated(unsafe) let base: UnsafeRawBufferPointer

  /// The bytes of an input.
  init(_ file: InputFile) {
    owner = .file(file)
    base = file.unsafeBytes
  }

  /// A copy of `bytes`.
  init(_ bytes: [UInt8]) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    copy.copyBytes(from: bytes)
    owner = .owned
    base = UnsafeRawBufferPointer(copy)
  }

  deinit {
    if case .owned = owner { base.deallocate() }
  }

  /// All bytes.
  var bytes: UnsafeRawBufferPointer { base }

  /// The input that the bytes come from; nil for a copy of bytes.
  var file: InputFile? {
    if case .file(let file) = owner { return file }
    return nil
  }

  /// Whether the bytes lie in a mapped file.
  var isMapped: Bool { file?.isMapped ?? false }

  /// Takes the pages of `range` out of memory where they lie in a mapped file; they can still be read.
  func releasePages(_ range: ByteRange) {
    file?.releasePages(range.start..<range.end)
  }

  /// The whole range.
  var all: ByteRange { ByteRange(start: 0, end: base.count) }
}

/// A range of bytes of a `ByteSource`, always inside it.
struct ByteRange: Hashable, Sendable {
  var start: Int
  var end: Int
  var count: Int { end - start }
}
