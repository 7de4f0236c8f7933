import Glibc

/// What is written piece by piece, with places that are overwritten once more is known.
public protocol PatchableOutput: AnyObject {
  /// Bytes written so far.
  var count: Int { get }
  /// Appends `bytes`.
  func write(_ bytes: [UInt8]) throws(Diagnostic)
  /// Overwrites the bytes at `offset`, which must have been written already.
  func patch(_ bytes: [UInt8], at offset: Int) throws(Diagnostic)
  /// The CRC-32C of `range`, which must have been written already.
  func checksum(_ range: Range<Int>) throws(Diagnostic) -> UInt32
  /// Ends the output; nothing can be written afterwards.
  func commit() throws(Diagnostic)
}

extension PatchableOutput {
  /// Appends zeros up to the next multiple of `size`.
  public func align(to size: Int) throws(Diagnostic) {
    try write([UInt8](repeating: 0, count: (size - count % size) % size))
  }
}

/// Bytes in memory.
public final class OutputBytes: PatchableOutput {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// Starts empty.
  public init() {}

  /// Bytes written so far.
  public var count: Int { bytes.count }

  /// Appends `more`.
  public func write(_ more: [UInt8]) throws(Diagnostic) { bytes += more }

  /// Overwrites the bytes at `offset`.
  public func patch(_ part: [UInt8], at offset: Int) throws(Diagnostic) {
    bytes.replaceSubrange(offset..<offset + part.count, with: part)
  }

  /// The CRC-32C of `range`.
  public func checksum(_ range: Range<Int>) throws(Diagnostic) -> UInt32 {
    bytes.withUnsafeBytes { CRC32C.checksum(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  /// Nothing is left to do.
  public func commit() throws(Diagnostic) {}
}

/// A file that is written piece by piece under a temporary name and renamed when it is complete, so that no reader ever
/// sees half a file. Where it is not committed, nothing is left of it when the last reference goes.
public final class OutputFile: PatchableOutput {
  /// Where the file will be.
  public let path: String
  /// Bytes written so far.
  public private(set) var count = 0
  private let temporary: String
  private let descriptor: CInt
  private var isCommitted = false

  /// Creates the file; throws `io.write` where that fails.
  public init(path: String) throws(Diagnostic) {
    self.path = path
    temporary = "\(path).\(getpid()).tmp"
    descriptor = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure("cannot create") }
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      if !isCommitted { unlink(temporary) }
    }
  }

  /// Whether a file can be moved to `path`: not to standard output, a device or a pipe.
  public static func canReplace(_ path: String) -> Bool {
    var info = stat()
    return path != "-" && (stat(path, &info) != 0 || info.st_mode & S_IFMT == S_IFREG)
  }

  private func failure(_ what: String) -> Diagnostic {
    Diagnostic("io.write", "\(what): \(errorText(errno))", at: Location(file: path))
  }

  /// Appends `bytes`.
  public func write(_ bytes: [UInt8]) throws(Diagnostic) {
    guard writeAll(bytes, to: descriptor) else { throw failure("cannot write") }
    count += bytes.count
  }

  /// Overwrites the bytes at `offset`, which must have been written already.
  public func patch(_ bytes: [UInt8], at offset: Int) throws(Diagnostic) {
    guard offset >= 0, bytes.count <= count - offset, lseek(descriptor, off_t(offset), SEEK_SET) >= 0,
      writeAll(bytes, to: descriptor), lseek(descriptor, 0, SEEK_END) >= 0
    else { throw failure("cannot write") }
  }

  /// The CRC-32C of `range`, which must have been written already.
  public func checksum(_ range: Range<Int>) throws(Diagnostic) -> UInt32 {
    let file = try MappedFile(path: temporary)
    return try file.withBytes { (bytes) throws(Diagnostic) in
      guard range.lowerBound >= 0, range.upperBound <= bytes.count else { throw failure("cannot read back") }
      var sum: UInt32 = 0
      for first in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 24) {
        let part = first..<min(first + 1 << 24, range.upperBound)
        sum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[part]), after: sum)
        file.releasePages(part)
      }
      return sum
    }
  }

  /// Flushes the file and moves it to its place; nothing can be written afterwards.
  public func commit() throws(Diagnostic) {
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw failure("cannot write") }
    isCommitted = true
  }
}
