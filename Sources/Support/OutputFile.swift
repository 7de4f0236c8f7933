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
}

/// An output of a command, whatever its path names: the one way to write.
///
/// A file is written beside its place and moved there when it is complete, so that no reader ever sees half a file. Links
/// are followed first. What stands there keeps its mode; what is read-only is refused. Where the file is not committed,
/// nothing is left of it when the last reference goes, nor when a signal ends the program. Standard output (`-`), other
/// descriptors, devices and pipes get all bytes at once when they are complete.
public final class OutputFile: PatchableOutput {
  /// The path as the user gave it.
  public let path: String
  private enum Store {
    case file(TemporaryFile)
    case descriptor(CInt, OutputBytes)
    case special(OutputBytes)
  }
  private let store: Store
  private var written = 0

  /// Opens the output; throws `io.write` where that fails.
  public init(path: String) throws(Diagnostic) {
    self.path = path
    switch try OutputPlace(path) {
    case .descriptor(let number): store = .descriptor(number, OutputBytes())
    case .special: store = .special(OutputBytes())
    case .file(let place): store = .file(try TemporaryFile(for: place, path: path))
    }
  }

  /// Whether it becomes a file, which is found again under its path.
  public var isFile: Bool {
    if case .file = store { return true }
    return false
  }

  /// Bytes written so far.
  public var count: Int { written }

  private func failure(_ what: String) -> Diagnostic {
    let name = path == "-" ? "standard output" : path
    return Diagnostic("io.write", "\(what): \(errorText(errno))", at: Location(file: name))
  }

  /// Appends `bytes`.
  public func write(_ bytes: [UInt8]) throws(Diagnostic) {
    switch store {
    case .file(let file):
      guard writeAll(bytes, to: file.descriptor) else { throw failure("cannot write") }
    case .descriptor(_, let memory), .special(let memory): try memory.write(bytes)
    }
    written += bytes.count
  }

  /// Overwrites the bytes at `offset`, which must have been written already.
  public func patch(_ bytes: [UInt8], at offset: Int) throws(Diagnostic) {
    errno = EINVAL
    guard offset >= 0, bytes.count <= written - offset else { throw failure("cannot write") }
    switch store {
    case .file(let file):
      guard lseek(file.descriptor, off_t(offset), SEEK_SET) >= 0, writeAll(bytes, to: file.descriptor),
        lseek(file.descriptor, 0, SEEK_END) >= 0
      else { throw failure("cannot write") }
    case .descriptor(_, let memory), .special(let memory): try memory.patch(bytes, at: offset)
    }
  }

  /// The CRC-32C of `range`, which must have been written already.
  public func checksum(_ range: Range<Int>) throws(Diagnostic) -> UInt32 {
    errno = EINVAL
    guard range.lowerBound >= 0, range.upperBound <= written else { throw failure("cannot read back") }
    switch store {
    case .file(let temporary):
      let file = try InputFile(descriptor: temporary.descriptor, path: path)
      return try file.withBytes { bytes throws(Diagnostic) in
        guard range.upperBound <= bytes.count else { throw failure("cannot read back") }
        var sum: UInt32 = 0
        for first in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 24) {
          let part = first..<min(first + 1 << 24, range.upperBound)
          sum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[part]), after: sum)
          file.releasePages(part)
        }
        return sum
      }
    case .descriptor(_, let memory), .special(let memory): return try memory.checksum(range)
    }
  }

  /// Ends the output; nothing can be written afterwards. Throws `io.write`.
  public func commit() throws(Diagnostic) { try Self.commit([self]) }

  /// Ends all outputs. Either each file stands in its place, or none does and what was there before still is. Throws
  /// `io.write`.
  public static func commit(_ outputs: [OutputFile]) throws(Diagnostic) {
    var files: [(file: TemporaryFile, path: String)] = []
    for output in outputs {
      switch output.store {
      case .file(let file): files.append((file, output.path))
      case .descriptor(let number, let memory):
        guard writeAll(memory.bytes, to: number) else { throw output.failure("cannot write") }
      case .special(let memory): try output.writeSpecial(memory.bytes)
      }
    }
    if !files.isEmpty { try TemporaryFile.commit(files) }
  }

  private func writeSpecial(_ bytes: [UInt8]) throws(Diagnostic) {
    let descriptor = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0, writeAll(bytes, to: descriptor) else { throw failure("cannot write") }
  }
}

/// `path`, or where something stands there the first of `NAME-2.xir`, `NAME-3.xir` and so on that is free: for files that
/// nobody asked for, which may replace none.
public func freePath(_ path: String) -> String {
  let dot = path.lastIndex(of: ".") ?? path.endIndex
  var (free, number) = (path, 1)
  var info = stat()
  while lstat(free, &info) == 0 {
    number += 1
    free = "\(path[..<dot])-\(number)\(path[dot...])"
  }
  return free
}

/// Writes `bytes` to `path` as `OutputFile` does.
public func writeFile(_ bytes: [UInt8], to path: String) throws(Diagnostic) {
  try writeFiles([(path, bytes)])
}

/// Writes `text` as `writeFile(_:to:)` does.
public func writeFile(text: String, to path: String) throws(Diagnostic) {
  try writeFile(Array(text.utf8), to: path)
}

/// Writes several files, all or none, as `OutputFile` does.
public func writeFiles(_ files: [(path: String, bytes: [UInt8])]) throws(Diagnostic) {
  var outputs: [OutputFile] = []
  for (path, bytes) in files {
    let output = try OutputFile(path: path)
    try output.write(bytes)
    outputs.append(output)
  }
  try OutputFile.commit(outputs)
}
