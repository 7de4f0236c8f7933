import Foundation
import ONNX
import Support
import TestSupport
import Testing

@Suite("Rewriting initializers")
struct RewriteTests {
  private func temporary(_ bytes: [UInt8]) throws -> String {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).onnx").path()
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// A model of two tensors, of which `w` stores its elements in `data`, and fields that no reader knows.
  private func twoTensors(_ data: (inout Wire) -> Void) -> [UInt8] {
    wire {
      $0.int(Field.irVersion, 8)
      $0.text(Field.producer, "tests")
      $0.message(Field.opsetImport) { $0.int(2, 17) }
      $0.message(Field.graph) {
        $0.message(Field.initializer) {
          tensor(&$0, 1, [2], "v") { $0.bytes(Field.rawData, [0, 0, 128, 63, 0, 0, 0, 64]) }
        }
        $0.message(Field.initializer) { tensor(&$0, 1, [3], "w", data) }
        $0.text(2, "graph")
      }
    }
  }

  private func values(_ bytes: [UInt8]) throws -> [String: [Float]] {
    var result: [String: [Float]] = [:]
    for tensor in try readModel(bytes: bytes).graph.initializers { result[tensor.name] = try tensor.floats() }
    return result
  }

  @Test func elementsAreReplacedWhereverTheyStand() throws {
    let forms: [(inout Wire) -> Void] = [
      { $0.bytes(Field.rawData, [UInt8](repeating: 7, count: 12)) },
      { wire in for _ in 0..<3 { wire.fixed32(4, 1) } },
    ]
    for form in forms {
      let path = try temporary(twoTensors(form))
      defer { try? FileManager.default.removeItem(atPath: path) }
      let changed = try replacingInitializers(path: path, with: ["w": [1.5, -2, 0]])
      #expect(try values(changed) == ["v": [1, 2], "w": [1.5, -2, 0]])
      #expect(try readModel(bytes: changed).graph.name == "graph")
      // Nothing but the tensor is touched: an empty change gives the same bytes.
      #expect(try replacingInitializers(path: path, with: [:]) == bytes(of: path))
    }
  }

  @Test func shippedFixturesKeepAllOthers() throws {
    for file in ["network.onnx", "external.onnx", "storage.onnx"] {
      let model = try readModel(path: fixture(file))
      guard let tensor = model.graph.initializers.first(where: { $0.elementType == .float && $0.count > 0 })
      else { continue }
      let new = (0..<tensor.count).map { Float($0) - 0.5 }
      let path = fixture(file)
      let changed = try readModel(
        bytes: try replacingInitializers(path: path, with: [tensor.name: new]), path: path)
      #expect(changed.graph.initializers.map(\.name) == model.graph.initializers.map(\.name))
      #expect(changed.graph.nodes.map(\.op) == model.graph.nodes.map(\.op))
      for (old, found) in zip(model.graph.initializers, changed.graph.initializers)
      where old.elementType == .float {
        #expect(try found.floats() == (old.name == tensor.name ? new : try old.floats()))
      }
    }
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let path = try temporary(twoTensors { $0.bytes(Field.rawData, [UInt8](repeating: 7, count: 12)) })
    defer { try? FileManager.default.removeItem(atPath: path) }
    for weights in [["x": [Float(1)]], ["w": [1, 2]], ["w": [1, 2, 3, 4]]] {
      #expect(
        refusal { () throws(Diagnostic) in try replacingInitializers(path: path, with: weights) }?.id
          == "onnx.replace")
    }
    let integers = try temporary(model(type: 7, shape: [1]) { $0.int(7, 1) })
    defer { try? FileManager.default.removeItem(atPath: integers) }
    #expect(
      refusal { () throws(Diagnostic) in try replacingInitializers(path: integers, with: ["w": [1]]) }?.id
        == "onnx.replace")
  }
}
