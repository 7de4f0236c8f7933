import Foundation
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
    process.currentDirectoryURL = folder
    let (output, errors) = (path("stdout"), path("stderr"))
    for file in [output, errors] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit, "\(name) \(words)")
    return Ended(
      status: process.terminationStatus,
      output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: output)), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: URL(fileURLWithPath: errors)), as: UTF8.self))
  }
}
