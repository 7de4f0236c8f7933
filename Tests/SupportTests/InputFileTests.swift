import Foundation
import Glibc
import Testing

@testable import Support

@Suite("Inputs")
struct InputFileTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "xbar-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  private func remove() { try? FileManager.default.removeItem(at: folder) }
  private func at(_ name: String) -> String { folder.appending(path: name).path() }

  private func id(_ body: () throws(Diagnostic) -> Void) -> String {
    do throws(Diagnostic) { try body() } catch { return error.id }
    return ""
  }

  @Test func aChangeDuringTheReadingIsNoticed() throws {
    defer { remove() }
    let path = at("f")
    for change in [
      { (path: String) in truncate(path, 5000) }, { truncate($0, 7000) },
      { path in
        let descriptor = open(path, O_WRONLY)
        defer { close(descriptor) }
        usleep(20_000)
        return pwrite(descriptor, [9], 1, 100) == 1 ? 0 : -1
      },
    ] {
      try writeFile([UInt8](repeating: 1, count: 6000), to: path)
      let file = try InputFile(path: path)
      #expect(id { () throws(Diagnostic) in try file.withBytes { _ in } } == "")
      #expect(id { () throws(Diagnostic) in try file.withBytes { _ in _ = change(path) } } == "io.changed")
    }
  }

  /// Who opened the old file goes on with it.
  @Test func aReplacedFileIsStillTheOldOne() throws {
    defer { remove() }
    try writeFile([1, 2], to: at("f"))
    let file = try InputFile(path: at("f"))
    try writeFile([3], to: at("f"))
    #expect(try file.withBytes { Array($0) } == [1, 2])
    unlink(at("f"))
    #expect(try file.withBytes { Array($0) } == [1, 2])
  }

  /// The part that is gone cannot be read: a message and status 1, and nothing is left of outputs.
  @Test func aFileThatIsCutOffEndsTheProgramWithAMessage() async throws {
    let result = await #expect(
      processExitsWith: .exitCode(1), observing: [\.standardErrorContent]
    ) {
      endCleanlyOnSignals()
      let folder = "/tmp/xbar-cut-\(getppid())"
      mkdir(folder, 0o700)
      let path = "\(folder)/input"
      try writeFile([UInt8](repeating: 1, count: 100_000), to: path)
      let (input, output) = (try InputFile(path: path), try OutputFile(path: "\(folder)/output"))
      truncate(path, 0)
      let sum = try input.withBytes { $0.reduce(0) { $0 &+ Int($1) } }
      try output.write([UInt8(truncatingIfNeeded: sum)])
      try output.commit()
    }
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    let folder = "/tmp/xbar-cut-\(getpid())"
    #expect(
      said.contains("\(folder)/input: error: the file was changed while it was read [io.changed]"), "\(said)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["input"])
    try FileManager.default.removeItem(atPath: folder)
  }

  @Test func pipesAreReadToTheirEnd() throws {
    defer { remove() }
    #expect(mkfifo(at("p"), 0o600) == 0)
    let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let path = at("p")
    let thread = Thread { try? writeFile(bytes, to: path) }
    thread.start()
    let file = try InputFile(path: path)
    #expect(try file.withBytes { Array($0) } == bytes)
    #expect(!file.isMapped && !file.isFile)
    #expect(files == ["p"])
  }

  private var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [] }

  @Test func aPipeWithoutAnEndIsRefused() throws {
    defer { remove() }
    let descriptor = open("/dev/zero", O_RDONLY)
    defer { close(descriptor) }
    let found = id { () throws(Diagnostic) in
      _ = try InputFile(descriptor: descriptor, path: "/dev/zero", pipeLimit: 1 << 20)
    }
    #expect(found == "io.open")
    #expect(try InputFile(path: "/dev/null").byteCount == 0)
    #expect(id { () throws(Diagnostic) in _ = try InputFile(path: folder.path()) } == "io.open")
  }

  @Test func pathsOfOneFileHaveOneIdentity() throws {
    defer { remove() }
    try writeFile([1], to: at("a"))
    #expect(
      link(at("a"), at("hard")) == 0 && symlink("a", at("soft")) == 0 && symlink("new", at("dangling")) == 0)
    let a = try #require(FileIdentity(input: at("a")))
    for name in ["a", "hard", "soft", "./a"] { #expect(FileIdentity(output: at(name)) == a, "\(name)") }
    let new = try #require(FileIdentity(output: at("new")))
    #expect(FileIdentity(output: at("dangling")) == new && new != a)
    #expect(FileIdentity(output: at("other")) != new)
    #expect(FileIdentity(input: "-") != nil && FileIdentity(input: at("no/such")) == nil)
    #expect(FileIdentity(output: "/dev/null") == nil)
    #expect(a.kind == .file && new.kind == .file)
  }
}

@Test func base64IsThatOfTheStandard() {
  for (bytes, text) in [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ] {
    #expect(Array(bytes.utf8).withUnsafeBytes { Base64.encode($0) } == text)
    #expect(Base64.decode(text) == Array(bytes.utf8))
  }
  for bad in ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "=", "Zm9v=", "Zg==Zg==", "Zm 9", "Zm9v\n"] {
    #expect(Base64.decode(bad) == nil, "\(bad)")
  }
}
