import Glibc

/// Where an output goes, after all links are followed.
enum OutputPlace {
  /// An open descriptor of this process, such as standard output: written as it is.
  case descriptor(CInt)
  /// A device, a pipe or a socket: opened and written as it is.
  case special
  /// A file in a folder, new or in the place of an old one.
  case file(FilePlace)
}

/// A file by the path of its folder, which has no links, and its name.
struct FilePlace {
  let folder: String
  let name: String
  /// What the system says of the file that stands there, which is a regular one; nil where there is none.
  let old: stat?

  var path: String { folder == "/" ? "/\(name)" : "\(folder)/\(name)" }
}

extension OutputPlace {
  /// Follows `path`; `-` is standard output. Throws `io.write` where nothing can be written there: for a folder, a file
  /// that is read-only, and what the system refuses.
  init(_ path: String) throws(Diagnostic) {
    guard path != "-" else {
      self = .descriptor(1)
      return
    }
    var info = stat()
    // The system refuses links here that others may have planted, which a walk by hand would not.
    if stat(path, &info) != 0, errno != ENOENT { throw Self.refusal(path, errorText(errno)) }
    switch try lastLink(path) {
    case .descriptor(let number): self = .descriptor(number)
    case .opaque: self = .special
    case .name(let folder, let name):
      guard !["", ".", ".."].contains(name) else { throw Self.refusal(path, "it is a folder") }
      let place = FilePlace(folder: folder, name: name, old: nil)
      guard lstat(place.path, &info) == 0 else {
        guard errno == ENOENT else { throw Self.refusal(path, errorText(errno)) }
        self = .file(place)
        return
      }
      self = try Self.existing(path, place, info)
    }
  }

  private static func existing(_ path: String, _ place: FilePlace, _ info: stat) throws(Diagnostic)
    -> OutputPlace
  {
    guard info.st_mode & S_IFMT != S_IFDIR else { throw refusal(path, "it is a folder") }
    guard info.st_mode & S_IFMT == S_IFREG else { return .special }
    // The mode counts for the superuser as well, for whom every file can be written.
    guard info.st_mode & 0o222 != 0 else { throw refusal(path, "it is read-only") }
    guard faccessat(AT_FDCWD, place.path, W_OK, AT_EACCESS) == 0 else {
      throw refusal(path, errorText(errno))
    }
    return .file(FilePlace(folder: place.folder, name: place.name, old: info))
  }

  private static func refusal(_ path: String, _ reason: String) -> Diagnostic {
    Diagnostic("io.write", "cannot write: \(reason)", at: Location(file: path))
  }
}

/// What the last link of a path leads to.
enum LinkEnd {
  /// A descriptor of this process.
  case descriptor(CInt)
  /// A link of the system that is no path, such as the descriptor of another process.
  case opaque
  /// A name, which is no link, in a folder whose path has none.
  case name(folder: String, name: String)
}

/// Follows the links at the end of `path`, whether or not something stands there.
///
/// Throws `io.write` where the folder does not exist or links lead in a circle.
func lastLink(_ path: String) throws(Diagnostic) -> LinkEnd {
  var (folder, name) = split(path)
  for _ in 0..<40 {
    guard let real = realPath(folder) else {
      throw Diagnostic("io.write", "cannot write: \(errorText(errno))", at: Location(file: path))
    }
    folder = real
    let place = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
    guard let target = linkTarget(place) else { return .name(folder: folder, name: name) }
    if folder == "/proc/\(getpid())/fd", let number = CInt(name) { return .descriptor(number) }
    if folder.hasPrefix("/proc/") { return .opaque }
    (folder, name) = split(target.hasPrefix("/") ? target : "\(folder)/\(target)")
  }
  throw Diagnostic("io.write", "cannot write: \(errorText(ELOOP))", at: Location(file: path))
}

/// The folder and the name that a path ends with.
private func split(_ path: String) -> (folder: String, name: String) {
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
  let folder = path[..<slash]
  return (folder.isEmpty ? "/" : String(folder), String(path[path.utf8.index(after: slash)...]))
}

/// What the symbolic link at `path` holds; nil where there is none.
private func linkTarget(_ path: String) -> String? {
  var target = [CChar](repeating: 0, count: Int(PATH_MAX))
  let count = readlink(path, &target, target.count)
  return count > 0 ? String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
}

/// `path` without links; nil, and `errno`, where something of it does not exist.
public func realPath(_ path: String) -> String? {
  guard let resolved = realpath(path, nil) else { return nil }
  defer { free(resolved) }
  return String(validatingCString: resolved)
}
