import Glibc

/// A file mapped read-only into memory; unmapped when the last reference goes.
///
/// Pages are read when touched and cost no anonymous memory. The bytes must not be changed by others meanwhile.
public final class MappedFile: Sendable {
  /// The path that was opened.
  public let path: String
  private nonisolated(unsafe) let base: UnsafeRawPointer?
  private let length: Int

  /// Maps the regular file at `path`; throws `io.open` where that fails.
  public init(path: String) throws(Diagnostic) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Diagnostic("io.open", "cannot open: \(errorText(errno))", at: Location(file: path))
    }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
      throw Diagnostic("io.open", "not a regular file", at: Location(file: path))
    }
    self.path = path
    length = Int(info.st_size)
    if length == 0 {
      base = nil
      return
    }
    guard let mapped = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
      throw Diagnostic("io.open", "cannot map: \(errorText(errno))", at: Location(file: path))
    }
    base = UnsafeRawPointer(mapped)
  }

  deinit {
    if let base { munmap(UnsafeMutableRawPointer(mutating: base), length) }
  }

  /// How many bytes the file has.
  public var byteCount: Int { length }

  /// Calls `body` with the file's bytes, which are valid during the call.
  public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try withExtendedLifetime(self) { () throws(E) -> R in try body(unsafeBytes) }
  }

  /// Takes the whole pages of `range` out of memory, where they were read for the last time; they come from the file
  /// again if they are read nevertheless.
  public func releasePages(_ range: Range<Int>) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    guard let base, page > 0, range.lowerBound >= 0, range.upperBound <= length else { return }
    let (first, end) = ((range.lowerBound + page - 1) / page * page, range.upperBound / page * page)
    if first < end { madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, MADV_DONTNEED) }
  }

  /// The file's bytes; valid as long as this object lives, which the caller must see to.
  public var unsafeBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: length) }
}

/// Writes `bytes` to `path` through a temporary file in the same folder that is flushed and renamed, so that no reader
/// ever sees half a file; `-` writes to standard output.
public func writeFile(_ bytes: [UInt8], to path: String) throws(Diagnostic) {
  if path == "-" {
    guard writeAll(bytes, to: 1) else {
      throw Diagnostic("io.write", "cannot write: \(errorText(errno))", at: Location(file: "standard output"))
    }
    return
  }
  // A device or a pipe cannot be replaced by a rename: write to it as it is.
  var info = stat()
  if stat(path, &info) == 0, info.st_mode & S_IFMT != S_IFREG {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0, writeAll(bytes, to: descriptor) else {
      throw Diagnostic("io.write", "cannot write: \(errorText(errno))", at: Location(file: path))
    }
    return
  }
  let temporary = "\(path).\(getpid()).tmp"
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else {
    throw Diagnostic("io.write", "cannot create: \(errorText(errno))", at: Location(file: path))
  }
  let written = writeAll(bytes, to: descriptor) && fsync(descriptor) == 0
  let reason = errno
  close(descriptor)
  guard written, rename(temporary, path) == 0 else {
    let code = written ? errno : reason
    unlink(temporary)
    throw Diagnostic("io.write", "cannot write: \(errorText(code))", at: Location(file: path))
  }
}

/// Writes `text` as `writeFile(_:to:)` does.
public func writeFile(text: String, to path: String) throws(Diagnostic) {
  try writeFile(Array(text.utf8), to: path)
}

/// Writes `text` to standard error; failures are ignored, as there is nowhere to report them.
public func writeToStandardError(_ text: String) {
  _ = writeAll(Array(text.utf8), to: 2)
}

/// The system's words for an error number.
public func errorText(_ code: CInt) -> String {
  String(cString: strerror(code))
}

/// Writes all of `bytes`; false where that fails.
func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
  bytes.withUnsafeBytes { raw in
    var done = 0
    while done < raw.count {
      let step = write(descriptor, raw.baseAddress?.advanced(by: done), raw.count - done)
      if step < 0 && errno == EINTR { continue }
      if step <= 0 { return false }
      done += step
    }
    return true
  }
}
