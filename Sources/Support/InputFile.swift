internal import CFiles
import Glibc

/// The bytes of an input: a file, which is mapped, or what comes through a pipe, a device or standard input (`-`), which is
/// read to its end first.
///
/// Pages of a file are read when touched and cost no anonymous memory. Where somebody cuts it off meanwhile, the program
/// ends with a message; where somebody changes it, `checkUnchanged` says so.
public final class InputFile: Sendable {
  /// Bytes that a pipe may deliver: as many as a message of protobuf may have.
  public static let pipeLimit = 1 << 31

  /// The path that was opened, as the user gave it.
  public let path: String
  private nonisolated(unsafe) let base: UnsafeRawPointer?
  private let length: Int
  /// What the system said of the file when it was opened; nil for what was read from a pipe.
  private let stamp: FileStamp?
  private nonisolated(unsafe) let mapping: OpaquePointer?

  /// Opens the input at `path`; throws `io.open` where that fails.
  public convenience init(path: String) throws(Diagnostic) {
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { throw openError(path, errorText(errno)) }
    defer { if path != "-" { close(descriptor) } }
    try self.init(descriptor: descriptor, path: path)
  }

  /// Opens what `descriptor` stands for, which may be closed afterwards; throws `io.open` where that fails.
  init(descriptor: CInt, path: String, pipeLimit: Int = pipeLimit) throws(Diagnostic) {
    self.path = path
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw openError(path, errorText(errno)) }
    guard info.st_mode & S_IFMT != S_IFDIR else { throw openError(path, "it is a folder") }
    // Standard input may be a file of which a part is read already.
    guard info.st_mode & S_IFMT == S_IFREG, path != "-" || lseek(descriptor, 0, SEEK_CUR) == 0 else {
      let bytes = try readAll(descriptor, path, limit: pipeLimit)
      (base, length) = (UnsafeRawPointer(bytes.baseAddress), bytes.count)
      (stamp, mapping) = (nil, nil)
      return
    }
    length = Int(info.st_size)
    stamp = FileStamp(info)
    guard length > 0 else {
      (base, mapping) = (nil, nil)
      return
    }
    guard let mapped = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
      throw openError(path, errorText(errno))
    }
    base = UnsafeRawPointer(mapped)
    mapping = xbar_mapping_add(mapped, length, "\(changedError(path))\n")
    if mapping == nil { throw openError(path, errorText(ENOMEM)) }
  }

  deinit {
    if let mapping { xbar_mapping_remove(mapping) }
    guard let base else { return }
    let memory = UnsafeMutableRawPointer(mutating: base)
    if stamp == nil { free(memory) } else { munmap(memory, length) }
  }

  /// How many bytes there are.
  public var byteCount: Int { length }

  /// Whether the bytes lie in a file, and not in memory.
  public var isMapped: Bool { stamp != nil }

  /// Whether it is a file with a name, beside which others may stand.
  public var isFile: Bool { isMapped && path != "-" }

  /// Calls `body` with the bytes, which are valid during the call. Throws `io.changed` where the file was changed until
  /// `body` ended, and what `body` throws.
  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws(Diagnostic) -> R) throws(Diagnostic) -> R {
    let result = try withExtendedLifetime(self) { () throws(Diagnostic) in try body(unsafeBytes) }
    try checkUnchanged()
    return result
  }

  /// Throws `io.changed` where the file has another size or time than when it was opened. A file that another one has
  /// replaced is still there for those who opened it.
  public func checkUnchanged() throws(Diagnostic) {
    var info = stat()
    guard let stamp, path == "-" ? fstat(0, &info) == 0 : stat(path, &info) == 0 else { return }
    let now = FileStamp(info)
    if now.isSameFile(as: stamp), now != stamp { throw changedError(path) }
  }

  /// Takes the whole pages of `range` out of memory, where they were read for the last time; they come from the file again
  /// if they are read nevertheless.
  public func releasePages(_ range: Range<Int>) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    guard isMapped, let base, page > 0, range.lowerBound >= 0, range.upperBound <= length else { return }
    let (first, end) = ((range.lowerBound + page - 1) / page * page, range.upperBound / page * page)
    if first < end { madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, MADV_DONTNEED) }
  }

  /// The bytes; valid as long as this object lives, which the caller must see to.
  public var unsafeBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: length) }
}

/// What tells two states of a file apart.
private struct FileStamp: Equatable, Sendable {
  let device: UInt
  let inode: UInt
  let size: Int
  let seconds: Int
  let nanoseconds: Int

  init(_ info: stat) {
    device = UInt(info.st_dev)
    inode = UInt(info.st_ino)
    size = Int(info.st_size)
    seconds = Int(info.st_mtim.tv_sec)
    nanoseconds = Int(info.st_mtim.tv_nsec)
  }

  func isSameFile(as other: FileStamp) -> Bool { device == other.device && inode == other.inode }
}

private func openError(_ path: String, _ reason: String) -> Diagnostic {
  Diagnostic("io.open", "cannot open: \(reason)", at: Location(file: path == "-" ? "standard input" : path))
}

private func changedError(_ path: String) -> Diagnostic {
  Diagnostic(
    "io.changed", "the file was changed while it was read", at: Location(file: path),
    notes: ["run again when nobody writes it"])
}

/// All bytes that `descriptor` delivers, in memory of `malloc`. Throws `io.open`, also for more than `limit`.
private func readAll(_ descriptor: CInt, _ path: String, limit: Int) throws(Diagnostic)
  -> UnsafeMutableRawBufferPointer
{
  var (memory, room, count) = (UnsafeMutableRawPointer?.none, 0, 0)
  while true {
    if count == room {
      let larger = max(1 << 16, room * 2)
      guard count <= limit, let moved = realloc(memory, larger) else {
        free(memory)
        throw openError(path, count > limit ? "more than \(limit) bytes come from a pipe" : errorText(ENOMEM))
      }
      (memory, room) = (moved, larger)
    }
    let step = read(descriptor, memory?.advanced(by: count), room - count)
    if step < 0 && errno == EINTR { continue }
    guard step >= 0 else {
      let reason = errorText(errno)
      free(memory)
      throw openError(path, reason)
    }
    if step == 0 { return UnsafeMutableRawBufferPointer(start: memory, count: count) }
    count += step
  }
}
