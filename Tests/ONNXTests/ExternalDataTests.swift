import Foundation
import ONNX
import Support
import TestSupport
import Testing

@Suite("Weights outside the file")
struct ExternalDataTests {
  private let w = Location.Place.item("initializer 'w'")

  /// A model with one tensor of four bytes in another file.
  private func model(_ entries: [(String, String)], type: Int64 = 3, shape: [Int64] = [4]) -> [UInt8] {
    TestSupport.model(type: type, shape: shape) {
      $0.int(Field.dataLocation, 1)
      for (key, value) in entries {
        $0.message(Field.externalData) {
          $0.text(1, key)
          $0.text(2, value)
        }
      }
    }
  }

  private func read(_ folder: TemporaryFolder, _ entries: [(String, String)]) throws(Diagnostic) -> [Int64] {
    let found = try readModel(bytes: model(entries), path: "\(folder.path)/m.onnx")
    return try found.graph.initializers.first?.int64s() ?? []
  }

  private func refused(_ folder: TemporaryFolder, _ entries: [(String, String)]) -> String? {
    let found = refusal { () throws(Diagnostic) in try read(folder, entries) }
    if let found {
      #expect(found.location == Location(file: "\(folder.path)/m.onnx", w))
      #expect(!found.notes.isEmpty)
    }
    return found?.id
  }

  @Test(arguments: ["external.onnx", "many/model.onnx"])
  func readsWhatPythonWrote(_ file: String) throws {
    let tensors = try readModel(path: fixture(file)).graph.initializers
    let expected = try expectedTensors(file)
    #expect(tensors.count == expected.count)
    for (tensor, wanted) in zip(tensors, expected) {
      try expectEqual(tensor, wanted)
      #expect(tensor.isMapped)
      #expect(tensor.withRawBytes { $0.count } != nil)
    }
  }

  @Test func readsARangeOfAFile() throws {
    let folder = try TemporaryFolder()
    try folder.write("d", [9, 1, 2, 3, 4, 5])
    #expect(try read(folder, [("location", "d"), ("offset", "1"), ("length", "4")]) == [1, 2, 3, 4])
    #expect(try read(folder, [("location", "d"), ("offset", "2")]) == [2, 3, 4, 5])
    #expect(try read(folder, [("location", "d")]) == [9, 1, 2, 3])
    #expect(try read(folder, [("location", "./d"), ("checksum", "abc"), ("other", "x")]) == [9, 1, 2, 3])
  }

  @Test func readsFromFoldersBelow() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: "\(folder.path)/a/b", withIntermediateDirectories: true)
    try folder.write("a/b/d", [1, 2, 3, 4])
    #expect(try read(folder, [("location", "a/b/d")]) == [1, 2, 3, 4])
    #expect(try read(folder, [("location", "a//b/./d")]) == [1, 2, 3, 4])
  }

  @Test func readsBesideAPathWithoutFolder() throws {
    let found = refusal { () throws(Diagnostic) in
      try readModel(bytes: model([("location", "no-such-data-file")]), path: "m.onnx")
    }
    #expect(found?.id == "onnx.external-file")
    let root = refusal { () throws(Diagnostic) in
      try readModel(bytes: model([("location", "no-such-data-file")]), path: "/m.onnx")
    }
    #expect(root?.id == "onnx.external-file")
  }

  @Test(arguments: ["", "/etc/passwd", "../d", "a/../../d", "..", "a/..", "/", "//d"])
  func refusesPathsThatLeave(_ location: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("d", [1, 2, 3, 4])
    #expect(refused(folder, [("location", location)]) == "onnx.external-path")
  }

  @Test func refusesAMissingLocation() throws {
    #expect(refused(try TemporaryFolder(), []) == "onnx.external-path")
  }

  @Test func refusesLinksThatLeave() throws {
    let folder = try TemporaryFolder()
    let outside = try TemporaryFolder()
    try outside.write("d", [1, 2, 3, 4])
    let files = FileManager.default
    try files.createSymbolicLink(atPath: "\(folder.path)/link", withDestinationPath: "\(outside.path)/d")
    try files.createSymbolicLink(atPath: "\(folder.path)/up", withDestinationPath: outside.path)
    #expect(refused(folder, [("location", "link")]) == "onnx.external-path")
    #expect(refused(folder, [("location", "up/d")]) == "onnx.external-path")
    // A folder whose name only begins like the model's folder is outside as well.
    let sibling = "\(folder.path)-more"
    try files.createDirectory(atPath: sibling, withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: sibling) }
    try Data([1, 2, 3, 4]).write(to: URL(fileURLWithPath: "\(sibling)/d"))
    try files.createSymbolicLink(atPath: "\(folder.path)/near", withDestinationPath: "\(sibling)/d")
    #expect(refused(folder, [("location", "near")]) == "onnx.external-path")
  }

  @Test func followsLinksThatStay() throws {
    let folder = try TemporaryFolder()
    try folder.write("d", [1, 2, 3, 4])
    try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/link", withDestinationPath: "d")
    #expect(try read(folder, [("location", "link")]) == [1, 2, 3, 4])
  }

  @Test func followsALinkToTheModelsFolder() throws {
    let folder = try TemporaryFolder()
    let outside = try TemporaryFolder()
    try folder.write("d", [1, 2, 3, 4])
    let link = "\(outside.path)/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
    let found = try readModel(bytes: model([("location", "d")]), path: "\(link)/m.onnx")
    #expect(try found.graph.initializers.first?.int64s() == [1, 2, 3, 4])
  }

  /// The cache of Hugging Face's tools: the model and its data are links into the folder `blobs`.
  @Test func followsLinksIntoTheBlobsOfACache() throws {
    let folder = try TemporaryFolder()
    let files = FileManager.default
    for name in ["blobs", "snapshots/r1/onnx", "other"] {
      try files.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
    }
    let data = [1, 2, 3, 4] as [UInt8]
    try folder.write("blobs/0a", model([("location", "m.onnx_data")]))
    try folder.write("blobs/0b", data)
    try folder.write("other/0b", data)
    let place = "\(folder.path)/snapshots/r1/onnx"
    func link(_ name: String, _ target: String) throws {
      try? files.removeItem(atPath: "\(place)/\(name)")
      try files.createSymbolicLink(atPath: "\(place)/\(name)", withDestinationPath: target)
    }
    func found() -> String? {
      refusal { () throws(Diagnostic) in
        let model = try readModel(path: "\(place)/m.onnx")
        guard try model.graph.initializers.first?.int64s() == [1, 2, 3, 4] else {
          throw Diagnostic("test.other", "other numbers")
        }
      }?.id
    }
    try link("m.onnx", "../../../blobs/0a")
    try link("m.onnx_data", "../../../blobs/0b")
    #expect(found() == nil)
    // A link to elsewhere, and a model that is no link itself, are refused as before.
    try link("m.onnx_data", "../../../other/0b")
    #expect(found() == "onnx.external-path")
    try link("m.onnx_data", "../../../blobs/0b")
    try files.removeItem(atPath: "\(place)/m.onnx")
    try folder.write("snapshots/r1/onnx/m.onnx", model([("location", "m.onnx_data")]))
    #expect(found() == "onnx.external-path")
  }

  /// What PyTorch saves is a zip archive.
  @Test func saysThatAnArchiveIsNoModel() {
    let found = refusal { () throws(Diagnostic) in
      try readModel(bytes: [0x50, 0x4B, 3, 4, 0, 0, 8, 8, 0, 0], path: "net.pt")
    }
    #expect(found?.id == "onnx.zip" && found?.notes.first?.contains("torch.onnx.export") == true)
  }

  @Test func refusesFilesThatCannotBeRead() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: "\(folder.path)/a", withIntermediateDirectories: true)
    #expect(mkfifo("\(folder.path)/pipe", 0o600) == 0)
    #expect(refused(folder, [("location", "none")]) == "onnx.external-file")
    #expect(refused(folder, [("location", "a")]) == "onnx.external-file")
    #expect(refused(folder, [("location", ".")]) != nil)
    #expect(refused(folder, [("location", "pipe")]) == "onnx.external-file")
    #expect(refused(folder, [("location", String(repeating: "x", count: 5000))]) == "onnx.external-file")
  }

  @Test(arguments: [
    ("3", "4"), ("7", "4"), ("6", "4"), ("9223372036854775807", "4"), ("9223372036854775804", "4"),
  ])
  func refusesRangesBeyondTheEnd(_ offset: String, _ length: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("d", [1, 2, 3, 4, 5, 6])
    let entries = [("location", "d"), ("offset", offset), ("length", length)]
    #expect(refused(folder, entries) == "onnx.external-range")
  }

  @Test(arguments: ["0", "3", "5", "9223372036854775807"])
  func refusesLengthsThatDoNotFitTheShape(_ length: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("d", Array(repeating: 1, count: 16))
    #expect(refused(folder, [("location", "d"), ("length", length)]) == "onnx.tensor-size")
  }

  @Test(arguments: ["-1", "x", "", "1.5", "0x10", "+1", " 1", "99999999999999999999"])
  func refusesNumbersThatAreNone(_ number: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("d", [1, 2, 3, 4])
    #expect(refused(folder, [("location", "d"), ("offset", number)]) == "onnx.external-key")
    #expect(refused(folder, [("location", "d"), ("length", number)]) == "onnx.external-key")
  }

  @Test func refusesRepeatedKeys() throws {
    let folder = try TemporaryFolder()
    try folder.write("d", [1, 2, 3, 4])
    #expect(refused(folder, [("location", "d"), ("location", "d")]) == "onnx.external-key")
  }

  @Test func refusesEmptyDataFiles() throws {
    let folder = try TemporaryFolder()
    try folder.write("d", [])
    #expect(refused(folder, [("location", "d")]) == "onnx.external-range")
  }

  @Test func emptyTensorsNeedAFileAllTheSame() throws {
    let folder = try TemporaryFolder()
    try folder.write("d", [])
    let path = "\(folder.path)/m.onnx"
    let found = try readModel(bytes: model([("location", "d")], shape: [0]), path: path)
    #expect(found.graph.initializers.first?.count == 0)
  }

  @Test func refusesTextsAndDataInBothPlaces() throws {
    expectRefused(model([("location", "d")], type: 8), "onnx.tensor-type", at: w)
    let both = TestSupport.model(type: 3, shape: [1]) {
      $0.int(Field.dataLocation, 1)
      $0.bytes(9, [1])
    }
    expectRefused(both, "onnx.tensor-storage", at: w, saying: "inside and outside")
  }

  @Test func limitsTheNumberOfFiles() throws {
    var limits = ONNXLimits.standard
    limits.externalFiles = 3
    let content = try bytes(of: fixture("many/model.onnx"))
    let found = refusal { () throws(Diagnostic) in
      try readModel(bytes: content, path: fixture("many/model.onnx"), limits: limits)
    }
    #expect(found?.id == "onnx.limit")
    limits.externalFiles = 4
    #expect(throws: Never.self) { try readModel(path: fixture("many/model.onnx"), limits: limits) }
  }

  @Test func opensASharedFileOnce() throws {
    var limits = ONNXLimits.standard
    limits.externalFiles = 1
    #expect(try readModel(path: fixture("external.onnx"), limits: limits).graph.initializers.count == 4)
  }
}
