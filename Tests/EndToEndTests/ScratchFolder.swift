import Foundation
import Glibc
import Testing

/// How a program ended and what it said.
struct Ended {
  let status: Int32
  let output: String
  let errors: String
}

/// A folder of its own for files and for running programs in it.
struct ScratchFolder {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "xbar-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { folder.appending(path: name).path() }

  /// Deletes the folder.
  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// Where the programs lie: beside the bundle of the tests.
  private func program(_ name: String) throws -> URL {
    let folders =
      [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()]
      .compactMap { $0 } + [URL(filePath: "\(packageRoot)/.build/debug")]
    return try #require(
      folders.map { $0.appending(path: name) }.first {
        FileManager.default.isExecutableFile(atPath: $0.path())
      })
  }

  /// Runs a program of this package in the folder; a crash is a failure of the test.
  func run(_ name: String, _ words: [String]) throws -> Ended {
    let process = Process()
    process.executableURL = try program(name)
    process.arguments = words
    return try end(process, "\(name) \(words)")
  }

  /// Runs a script of `bash` in the folder, in which the programs of this package are called by name; `words` are its
  /// arguments, `$1` and so on. A script that a signal ends is a failure of the test.
  func shell(_ script: String, _ words: String...) throws -> Ended {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", script, "bash"] + words
    var environment = ProcessInfo.processInfo.environment
    let programs = try program("xbarc").deletingLastPathComponent().path()
    environment["PATH"] = "\(programs):\(environment["PATH"] ?? "")"
    // A program that a test ends by a signal needs no backtrace.
    environment["SWIFT_BACKTRACE"] = "enable=no"
    process.environment = environment
    return try end(process, script)
  }

  /// The names of all files in the folder but those that hold what programs say.
  var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [])
      .filter { !["stdout", "stderr"].contains($0) }.sorted()
  }

  private func end(_ process: Process, _ what: String) throws -> Ended {
    process.currentDirectoryURL = folder
    let (output, errors) = (path("stdout"), path("stderr"))
    for file in [output, errors] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    process.standardInput = FileHandle.nullDevice
    // Threads of tests block signals, which a program would inherit.
    var (none, old) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &old)
    defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit, "\(what)")
    return Ended(
      status: process.terminationStatus,
      output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: output)), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: errors)), as: UTF8.self))
  }
}
