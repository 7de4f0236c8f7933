import Foundation
import Glibc
import Support
import Testing

@Suite("Files written piece by piece")
struct OutputFileTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "xbar-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

  private func remove() { try? FileManager.default.removeItem(at: folder) }
  private var path: String { folder.appending(path: "f").path() }
  private var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [] }

  @Test func appearsWhenItIsCommitted() throws {
    defer { remove() }
    try writeFile([9], to: path)
    let file = try OutputFile(path: path)
    try file.write([1, 2, 3])
    try file.align(to: 8)
    try file.align(to: 8)
    try file.write([4])
    try file.patch([7, 8], at: 1)
    try file.write([5])
    #expect(file.count == 10)
    #expect(try file.checksum(0..<3) == CRC32C.checksum([1, 7, 8]))
    #expect(try file.checksum(8..<10) == CRC32C.checksum([4, 5]))
    #expect(FileManager.default.contents(atPath: path) == Data([9]))
    try file.commit()
    #expect(FileManager.default.contents(atPath: path) == Data([1, 7, 8, 0, 0, 0, 0, 0, 4, 5]))
    #expect(files == ["f"])
  }

  @Test func leavesNothingWhereItIsNotCommitted() throws {
    defer { remove() }
    do {
      let file = try OutputFile(path: path)
      try file.write([1])
      #expect(files.count == 1)
    }
    #expect(files.isEmpty)
  }

  @Test func refusesWhatCannotBe() throws {
    defer { remove() }
    let file = try OutputFile(path: path)
    try file.write([1, 2])
    for (bytes, offset) in [([UInt8](repeating: 0, count: 3), 0), ([0], 2), ([0], -1)] {
      #expect(throws: Diagnostic.self) { try file.patch(bytes, at: offset) }
    }
    #expect(throws: Diagnostic.self) { try file.checksum(0..<3) }
    #expect(throws: Diagnostic.self) { try OutputFile(path: folder.appending(path: "no/such").path()) }
  }

  private func contents(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: folder.appending(path: name).path()).map { [UInt8]($0) }
  }
  private func at(_ name: String) -> String { folder.appending(path: name).path() }
  private func mode(_ name: String) -> mode_t {
    var info = stat()
    return stat(at(name), &info) == 0 ? info.st_mode & 0o7777 : 0
  }

  /// The link stays, and what it leads to is written, there or not.
  @Test func linksAreFollowedAndStay() throws {
    defer { remove() }
    try FileManager.default.createDirectory(atPath: at("d"), withIntermediateDirectories: true)
    try writeFile([1], to: at("d/target"))
    for (link, target) in [("a", "d/target"), ("b", "a"), ("c", at("d/new")), ("e", "d/./newer")] {
      #expect(symlink(target, at(link)) == 0)
    }
    for (link, file, byte) in [("b", "d/target", 2), ("c", "d/new", 3), ("e", "d/newer", 4)]
      as [(String, String, UInt8)]
    {
      try writeFile([byte], to: at(link))
      #expect(contents(file) == [byte])
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: at(link)).isEmpty == false)
    }
    #expect(symlink("circle", at("circle")) == 0)
    #expect(throws: Diagnostic.self) { try writeFile([1], to: at("circle")) }
  }

  @Test func oldFilesKeepTheirModeAndReadOnlyOnesStay() throws {
    defer { remove() }
    for bits in [0o600, 0o640, 0o664, 0o755] as [mode_t] {
      try writeFile([1], to: path)
      #expect(chmod(path, bits) == 0)
      try writeFile([2], to: path)
      #expect(mode("f") == bits && contents("f") == [2])
    }
    #expect(chmod(path, 0o444) == 0)
    let error = #expect(throws: Diagnostic.self) { try writeFile([3], to: path) }
    #expect(error?.id == "io.write" && error?.message.contains("read-only") == true)
    #expect(contents("f") == [2] && files == ["f"])
  }

  @Test func namesMayBeAsLongAsTheSystemAllows() throws {
    defer { remove() }
    let name = String(repeating: "n", count: 255)
    try writeFile([1], to: at(name))
    try writeFile([2], to: at(name))
    #expect(contents(name) == [2] && files == [name])
    #expect(throws: Diagnostic.self) { try writeFile([1], to: at(name + "n")) }
  }

  @Test func severalFilesAreWrittenAllOrNone() throws {
    defer { remove() }
    try writeFile([1], to: at("a"))
    let outputs = [
      try OutputFile(path: at("a")), try OutputFile(path: at("b")), try OutputFile(path: at("c")),
    ]
    for output in outputs { try output.write([2]) }
    // Only the move of the last one can notice this.
    try FileManager.default.createDirectory(atPath: at("c/d"), withIntermediateDirectories: true)
    #expect(throws: Diagnostic.self) { try OutputFile.commit(outputs) }
    #expect(contents("a") == [1] && contents("b") == nil)
    try FileManager.default.removeItem(atPath: at("c"))
    try OutputFile.commit(outputs)
    for name in ["a", "b", "c"] { #expect(contents(name) == [2]) }
    #expect(files.sorted() == ["a", "b", "c"])
    #expect(throws: Diagnostic.self) { try writeFiles([(at("e"), [1]), (folder.path(), [1])]) }
    #expect(files.sorted() == ["a", "b", "c"])
  }

  /// A link that somebody plants where a file will be is not followed at the end.
  @Test func aPlantedLinkIsRefusedWhenTheFileIsMoved() throws {
    defer { remove() }
    try writeFile([1], to: at("victim"))
    let output = try OutputFile(path: path)
    try output.write([2])
    #expect(symlink("victim", path) == 0)
    #expect(throws: Diagnostic.self) { try output.commit() }
    #expect(contents("victim") == [1])
  }

  @Test func pipesAndDescriptorsAreWrittenDirectly() throws {
    defer { remove() }
    var ends: [CInt] = [0, 0]
    #expect(pipe(&ends) == 0)
    for name in ["/dev/fd/\(ends[1])", "/proc/self/fd/\(ends[1])"] {
      let output = try OutputFile(path: name)
      #expect(!output.isFile)
      try output.write([1, 2, 3])
      try output.patch([9], at: 1)
      #expect(try output.checksum(0..<3) == CRC32C.checksum([1, 9, 3]))
      try output.commit()
      var bytes = [UInt8](repeating: 0, count: 8)
      #expect(read(ends[0], &bytes, 8) == 3 && bytes.prefix(3) == [1, 9, 3])
    }
    #expect(symlink("/dev/fd/\(ends[1])", at("link")) == 0)
    try writeFile([4], to: at("link"))
    var byte: UInt8 = 0
    #expect(read(ends[0], &byte, 1) == 1 && byte == 4 && files == ["link"])
    for end in ends { close(end) }
    #expect(throws: Diagnostic.self) { try writeFile([1], to: "/dev/fd/\(ends[1])") }
  }

  /// A file that nobody asked for, such as a reproducer, replaces none.
  @Test func freePathsAreFree() throws {
    defer { remove() }
    #expect(freePath(at("r.xir")) == at("r.xir"))
    try writeFile([1], to: at("r.xir"))
    #expect(symlink("none", at("r-2.xir")) == 0)
    #expect(freePath(at("r.xir")) == at("r-3.xir"))
  }

  /// A signal removes what is not complete, and ends the program as it would have.
  @Test func aSignalLeavesNothing() async throws {
    await #expect(processExitsWith: .signal(SIGTERM)) {
      var none = sigset_t()
      sigemptyset(&none)
      pthread_sigmask(SIG_SETMASK, &none, nil)
      endCleanlyOnSignals()
      let folder = "/tmp/xbar-exit-\(getppid())"
      mkdir(folder, 0o700)
      let outputs = [try OutputFile(path: "\(folder)/a"), try OutputFile(path: "\(folder)/b")]
      for output in outputs { try output.write([1]) }
      guard try FileManager.default.contentsOfDirectory(atPath: folder).count == 2 else { exit(3) }
      raise(SIGTERM)
      withExtendedLifetime(outputs) {}
    }
    // Only an empty folder can be removed.
    #expect(rmdir("/tmp/xbar-exit-\(getpid())") == 0)
  }

  @Test func aWriteBeyondTheLimitOfFilesIsAnError() async throws {
    await #expect(processExitsWith: .exitCode(7)) {
      endCleanlyOnSignals()
      var limit = rlimit(rlim_cur: 1000, rlim_max: 1000)
      setrlimit(__rlimit_resource_t(1), &limit)
      let path = "/tmp/xbar-limit-\(getppid())"
      do throws(Diagnostic) { try writeFile([UInt8](repeating: 1, count: 2000), to: path) } catch {
        exit(access(path, F_OK) != 0 && error.id == "io.write" ? 7 : 3)
      }
    }
  }
}
