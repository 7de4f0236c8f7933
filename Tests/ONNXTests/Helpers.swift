import Foundation
import ONNX
import Support
import Testing

/// The path of a file in `Fixtures`.
func fixture(_ name: String) -> String { "\(Bundle.module.bundlePath)/Fixtures/\(name)" }

/// The model files of `Fixtures`.
let modelFixtures = [
  "constants.onnx", "external.onnx", "many/model.onnx", "network.onnx", "sparse.onnx", "storage.onnx",
  "subgraphs.onnx", "training.onnx", "unreadable.onnx",
]

/// The bytes of a file.
func bytes(of path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

/// What Python read from a tensor.
struct ExpectedTensor: Decodable {
  var name: String
  var shape: [Int]
  var type: Int
  var floats: [Float]?
  var ints: [Int64]?
}

/// What Python read from the tensors of `file`.
func expectedTensors(_ file: String) throws -> [ExpectedTensor] {
  let data = try Data(contentsOf: URL(fileURLWithPath: fixture("expected.json")))
  let all = try JSONDecoder().decode([String: [ExpectedTensor]].self, from: data)
  return try #require(all[file])
}

/// Compares a tensor with what Python read.
func expectEqual(_ tensor: ONNXTensor, _ expected: ExpectedTensor, _ place: SourceLocation = #_sourceLocation)
  throws
{
  let comment: Comment = "\(expected.name)"
  #expect(tensor.name == expected.name, comment, sourceLocation: place)
  #expect(tensor.shape == expected.shape, comment, sourceLocation: place)
  #expect(tensor.elementType.rawValue == expected.type, comment, sourceLocation: place)
  if let floats = expected.floats { #expect(try tensor.floats() == floats, comment, sourceLocation: place) }
  if let ints = expected.ints {
    #expect(try tensor.int64s() == ints, comment, sourceLocation: place)
    #expect(try tensor.floats() == ints.map { Float($0) }, comment, sourceLocation: place)
  }
}

/// The diagnostic that `body` throws, or nil.
func refusal<R>(_ body: () throws(Diagnostic) -> R) -> Diagnostic? {
  do throws(Diagnostic) {
    _ = try body()
    return nil
  } catch {
    return error
  }
}

/// Expects that reading `bytes` is refused with `id` at `place`, naming the file and telling what would help.
func expectRefused(
  _ bytes: [UInt8], _ id: String, at place: Location.Place? = nil, saying words: String = "",
  limits: ONNXLimits = .standard, _ source: SourceLocation = #_sourceLocation
) {
  let found = refusal { () throws(Diagnostic) in
    try readModel(bytes: bytes, path: "m.onnx", limits: limits)
  }
  guard let found else {
    Issue.record("accepted, expected \(id)", sourceLocation: source)
    return
  }
  expectDiagnostic(found, id, at: place, saying: words, source)
}

/// Expects that the first initializer of `bytes` opens but cannot be read, with `id`.
func expectUnreadable(
  _ bytes: [UInt8], _ id: String, saying words: String = "", _ source: SourceLocation = #_sourceLocation
) throws {
  let model = try readModel(bytes: bytes, path: "m.onnx")
  let tensor = try #require(model.graph.initializers.first, sourceLocation: source)
  let found = try #require(refusal { () throws(Diagnostic) in try readAll(tensor) }, sourceLocation: source)
  expectDiagnostic(found, id, at: nil, saying: words, source)
}

/// Reads the elements in the way their type asks for.
func readAll(_ tensor: ONNXTensor) throws(Diagnostic) {
  if tensor.elementType.isInteger { _ = try tensor.int64s() } else { _ = try tensor.floats() }
}

private func expectDiagnostic(
  _ found: Diagnostic, _ id: String, at place: Location.Place?, saying words: String, _ source: SourceLocation
) {
  #expect(found.id == id, "\(found)", sourceLocation: source)
  #expect(found.severity == .error, sourceLocation: source)
  #expect(found.location.file == "m.onnx", "\(found)", sourceLocation: source)
  #expect(!found.notes.isEmpty, "\(found)", sourceLocation: source)
  #expect(found.message.contains(words) || words.isEmpty, "\(found)", sourceLocation: source)
  if let place { #expect(found.location.place == place, "\(found)", sourceLocation: source) }
}

/// A new empty folder, removed when the value goes.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = "\(FileManager.default.temporaryDirectory.path)/onnx-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file into the folder and returns its path.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }
}
