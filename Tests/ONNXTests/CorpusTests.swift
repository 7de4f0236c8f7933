import Foundation
import ONNX
import Support
import Testing

/// Reads every model below the folder that the environment variable `XBAR_ONNX_MODELS` names, such as the `onnx`
/// folder of the PyPI package or Debian's libonnx-testdata; does nothing where it is not set.
@Suite("Models of others")
struct CorpusTests {
  private static let folder = ProcessInfo.processInfo.environment["XBAR_ONNX_MODELS"]

  @Test(.enabled(if: folder != nil))
  func areReadOrRefused() throws {
    let folder = try #require(Self.folder)
    let files = try #require(FileManager.default.enumerator(atPath: folder))
    var outcome: [String: Int] = [:]
    for case let file as String in files where file.hasSuffix(".onnx") {
      do throws(Diagnostic) {
        let model = try readModel(path: "\(folder)/\(file)")
        outcome["nodes", default: 0] += model.graph.nodes.count
        outcome["initializers", default: 0] += model.graph.initializers.count
        outcome["elements", default: 0] += model.graph.initializers.reduce(0) { $0 + $1.count }
        for tensor in model.graph.initializers
        where tensor.elementType.isFloat || tensor.elementType.isInteger {
          try readAll(tensor)
        }
        outcome["read", default: 0] += 1
      } catch {
        outcome[error.id, default: 0] += 1
        if error.id != "onnx.opset" && error.id != "onnx.ir-version" { print(error) }
      }
    }
    print("models of others: \(outcome.sorted { $0.key < $1.key })")
    #expect(outcome["read", default: 0] > 0)
  }

  @Test(.enabled(if: folder != nil))
  func tensorsAreReadOrRefused() throws {
    let folder = try #require(Self.folder)
    let files = try #require(FileManager.default.enumerator(atPath: folder))
    var outcome: [String: Int] = [:]
    for case let file as String in files where file.hasSuffix(".pb") {
      do throws(Diagnostic) {
        try readAll(try readTensor(path: "\(folder)/\(file)"))
        outcome["read", default: 0] += 1
      } catch {
        outcome[error.id, default: 0] += 1
      }
    }
    print("tensors of others: \(outcome.sorted { $0.key < $1.key })")
    #expect(outcome.isEmpty || outcome["read", default: 0] > 0)
  }
}
