import Glibc

/// What a path names, after links are followed: two paths with equal identities name one file.
public struct FileIdentity: Hashable, Sendable {
  /// What kind of thing it is, as far as uses of it can disturb each other.
  public enum Kind: Hashable, Sendable {
    /// A file, old or new: what is written there replaces it.
    case file
    /// A pipe, a terminal or a descriptor: what is read there is gone, and what is written there is mixed.
    case stream
  }

  /// What kind of thing it is.
  public let kind: Kind
  private let device: UInt
  private let inode: UInt
  /// The name of a file that does not exist, in the folder that the numbers tell.
  private let name: String

  /// What is read at `path`, of which `-` is standard input; nil where nothing is there, and for devices that everyone
  /// may share.
  public init?(input path: String) { self.init(path, dash: 0) }

  /// What is written at `path`, of which `-` is standard output; nil where nothing can be there, and for devices that
  /// everyone may share.
  public init?(output path: String) { self.init(path, dash: 1) }

  /// Standard output, where it is a file.
  public static var standardOutputFile: FileIdentity? {
    FileIdentity(descriptor: 1).flatMap { $0.kind == .file ? $0 : nil }
  }

  /// Whether `path` names standard output: `-`, `/dev/stdout` and links to it, but not a file to which it is redirected.
  public static func isStandardOutput(_ path: String) -> Bool {
    do throws(Diagnostic) {
      guard path != "-", case .descriptor(let number) = try lastLink(path) else { return path == "-" }
      return number == 1
    } catch { return false }
  }

  private init?(_ path: String, dash: CInt) {
    if path == "-" {
      self.init(descriptor: dash)
      return
    }
    let end: LinkEnd
    do throws(Diagnostic) { end = try lastLink(path) } catch { return nil }
    var info = stat()
    switch end {
    case .descriptor(let number): self.init(descriptor: number)
    case .opaque:
      guard stat(path, &info) == 0 else { return nil }
      self.init(info)
    case .name(let folder, let name):
      if stat("\(folder)/\(name)", &info) == 0 {
        self.init(info)
      } else {
        guard stat(folder, &info) == 0 else { return nil }
        self.init(.file, UInt(info.st_dev), UInt(info.st_ino), name)
      }
    }
  }

  private init?(descriptor: CInt) {
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { return nil }
    if info.st_mode & S_IFMT == S_IFCHR {
      self.init(.stream, .max, UInt(descriptor))
    } else {
      self.init(info)
    }
  }

  private init?(_ info: stat) {
    guard info.st_mode & S_IFMT != S_IFCHR else { return nil }
    let isStream = [S_IFIFO, S_IFSOCK].contains(info.st_mode & S_IFMT)
    self.init(isStream ? .stream : .file, UInt(info.st_dev), UInt(info.st_ino))
  }

  private init(_ kind: Kind, _ device: UInt, _ inode: UInt, _ name: String = "") {
    self.kind = kind
    self.device = device
    self.inode = inode
    self.name = name
  }
}
