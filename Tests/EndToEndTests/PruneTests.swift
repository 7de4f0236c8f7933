import Driver
import Foundation
import ONNX
import Support
import Tensors
import TestSupport
import Testing

/// What `xbarc prune` says of models whose weights it cannot write back.
@Suite("xbarc prune")
struct PruneTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// A MatMul of `input` with the initializer or the value `weights`.
  private func product(_ graph: inout Wire, _ input: String, _ weights: String, _ output: String) {
    node(&graph, "MatMul", [input, weights], output)
  }

  private func node(_ graph: inout Wire, _ op: String, _ inputs: [String], _ output: String) {
    graph.message(Field.node) {
      for input in inputs { $0.text(1, input) }
      $0.text(2, output)
      $0.text(3, output)
      $0.text(Field.op, op)
    }
  }

  /// A graph input or output of floats.
  private func value(_ graph: inout Wire, _ field: Int, _ name: String, _ shape: [Int64]) {
    graph.message(field) {
      $0.text(1, name)
      $0.message(2) {
        $0.message(1) {
          $0.int(1, 1)
          $0.message(2) { for size in shape { $0.message(1, { [size] in $0.int(1, size) }) } }
        }
      }
    }
  }

  private func weights(_ graph: inout Wire, _ name: String, _ values: [Float]) {
    let side = Int64(Double(values.count).squareRoot())
    graph.message(Field.initializer) {
      tensor(&$0, 1, [side, side], name) {
        $0.bytes(Field.rawData, values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } })
      }
    }
  }

  /// x -> MatMul -> Relu -> MatMul -> y.
  private func chain(first: String, second: String, _ fill: (inout Wire) -> Void) -> [UInt8] {
    model {
      value(&$0, Field.input, "x", [1, 4])
      value(&$0, 12, "y", [1, 4])
      fill(&$0)
      product(&$0, "x", first, "h")
      node(&$0, "Relu", ["h"], "r")
      product(&$0, "r", second, "y")
    }
  }

  private let matrix: [Float] = (1...16).map { Float($0) }

  private func prune(_ bytes: [UInt8]) throws -> Ended {
    try Data(bytes).write(to: URL(filePath: scratch.path("m.onnx")))
    return try scratch.run(
      "xbarc", ["prune", "m.onnx", "-o", "p.onnx", "--masks", "m.npz", "--ratio", "0.5", "--scheme", "dense"])
  }

  @Test func writesTheModelAndItsMasks() throws {
    defer { scratch.remove() }
    let ended = try prune(
      chain(first: "v", second: "w") {
        weights(&$0, "v", matrix)
        weights(&$0, "w", matrix)
      })
    #expect(ended.status == 0, "\(ended.errors)")
    let after = try readModel(path: scratch.path("p.onnx"))
    for tensor in after.graph.initializers {
      // MatMul keeps a row for each input: the two with the smallest sums go.
      #expect(try tensor.floats() == matrix.enumerated().map { $0 < 8 ? 0 : $1 })
    }
    let masks = try readArrays(path: scratch.path("m.npz"))
    #expect(masks.map(\.name) == ["v", "w"])
    for mask in masks { #expect(mask.tensor.integers == (0..<16).map { $0 < 8 ? 0 : 1 }) }
  }

  /// Weights of two nodes would be pruned for both by what one of them needs.
  @Test func sharedWeightsAreRefused() throws {
    defer { scratch.remove() }
    let ended = try prune(chain(first: "w", second: "w") { weights(&$0, "w", matrix) })
    #expect(ended.status == 1 && ended.errors.contains("[prune.shared]"), "\(ended.errors)")
    #expect(!FileManager.default.fileExists(atPath: scratch.path("p.onnx")))
  }

  /// Weights that a node computes have no place to be written to.
  @Test func computedWeightsAreRefused() throws {
    defer { scratch.remove() }
    let ended = try prune(
      chain(first: "v", second: "t") {
        weights(&$0, "v", matrix)
        weights(&$0, "w", matrix)
        node(&$0, "Transpose", ["w"], "t")
      })
    #expect(ended.status == 1 && ended.errors.contains("[prune.weights]"), "\(ended.errors)")
    #expect(!FileManager.default.fileExists(atPath: scratch.path("p.onnx")))
  }
}
