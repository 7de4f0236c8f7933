internal import CFiles
import Glibc

/// A file under a random name in the folder where it shall be, until it is moved to its place. It is removed with the last
/// reference, and by a signal that ends the program.
final class TemporaryFile {
  let descriptor: CInt
  private let folder: CInt
  private let target: String
  private var entry: OpaquePointer?

  /// Creates the file for `place`: with the mode and, where possible, the owner of an old one. Throws `io.write`, with
  /// `path` as its place, where that fails.
  init(for place: FilePlace, path: String) throws(Diagnostic) {
    folder = open(place.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { throw failure(path) }
    target = place.name
    var created: CInt = -1
    // A random name is taken once in 2^64 times; the limit only ends what cannot be.
    for _ in 0..<100 {
      created = xbar_temporary_create(folder, temporaryName(), place.old == nil ? 0o666 : 0o600, &entry)
      if created >= 0 || errno != EEXIST { break }
    }
    descriptor = created
    guard created >= 0 else { throw failure(path) }
    guard let old = place.old else { return }
    if old.st_uid != geteuid() || old.st_gid != getegid() { _ = fchown(created, old.st_uid, old.st_gid) }
    guard fchmod(created, old.st_mode & 0o777) == 0 else { throw failure(path) }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if let entry { xbar_temporary_discard(entry) }
    if folder >= 0 { close(folder) }
  }

  /// Moves each file to its place, all or none; their bytes and their folders reach the disk. Throws `io.write`.
  static func commit(_ files: [(file: TemporaryFile, path: String)]) throws(Diagnostic) {
    for (file, path) in files where fsync(file.descriptor) != 0 { throw failure(path) }
    let entries = files.map(\.file.entry)
    var targets = files.map { $0.file.target.withCString { UnsafePointer(strdup($0)) } }
    defer { for target in targets { free(UnsafeMutablePointer(mutating: target)) } }
    guard !targets.contains(nil), xbar_temporaries_commit(entries, &targets, entries.count) == 0 else {
      throw failure(files.first?.path ?? "")
    }
    for (file, path) in files {
      file.entry = nil
      // Some file systems cannot do this for a folder.
      guard fsync(file.folder) == 0 || [EINVAL, ENOTSUP, EROFS].contains(errno) else { throw failure(path) }
    }
  }
}

private func failure(_ path: String) -> Diagnostic {
  Diagnostic("io.write", "cannot write: \(errorText(errno))", at: Location(file: path))
}

/// A name that nobody guesses, short whatever the name of the file.
private func temporaryName() -> String {
  let digits = String(UInt64.random(in: .min ... .max), radix: 16)
  return ".xbar-\(String(repeating: "0", count: 16 - digits.count))\(digits).tmp"
}

/// From now on a signal that ends the program removes files that are not complete first, and a mapped file that is cut off
/// ends it with a message. For programs; a library leaves signals alone.
public func endCleanlyOnSignals() { xbar_signals_install() }
