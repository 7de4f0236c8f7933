import Foundation
import Report
import RunDriver
import Support
import Tensors
import TestTools
import Testing

/// What programs of version 1 compute: the outputs and metrics of version 0.1.0, to the last digit.
@Suite("Runs of programs of version 1") struct Version1RunTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "ProgramFormatTests/Fixtures/version1")

  static let names =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? [])
    .filter { $0.hasSuffix(".xbar") }.map { String($0.dropLast(5)) }.sorted()

  private func path(_ name: String) -> String { Self.folder.appending(path: name).path() }

  @Test func thereArePrograms() { #expect(Self.names.count >= 30) }

  @Test(arguments: names) func runsAsBefore(_ name: String) throws {
    let place = try Workplace()
    let status = runXbarrun([
      path("\(name).xbar"), "--input", path("\(name).in.npy"), "--output", place.path("y.npy"), "--metrics",
      place.path("m.json"), "--quiet",
    ])
    #expect(status == 0)
    let found = try readArrays(path: place.path("y.npy"))
    let expected = try readArrays(path: path("\(name).out.npy"))
    #expect(found.map(\.tensor) == expected.map(\.tensor))
    let metrics = try JSON(parsing: String(contentsOfFile: path("\(name).json"), encoding: .utf8))
    compare(try place.json("m.json"), metrics, "")
  }

  /// Everything that `expected` says; `found` may say more.
  private func compare(_ found: JSON?, _ expected: JSON, _ path: String) {
    if let members = expected.members {
      for member in members { compare(found?[member.key], member.value, "\(path).\(member.key)") }
    } else if let elements = expected.elements {
      #expect(found?.elements?.count == elements.count, "\(path)")
      for (index, element) in elements.enumerated() {
        let others = found?.elements ?? []
        compare(others.indices.contains(index) ? others[index] : nil, element, "\(path)[\(index)]")
      }
    } else {
      #expect(found == expected, "\(path)")
    }
  }
}
