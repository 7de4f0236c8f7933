import Foundation
import Support
import Tensors
import TestSupport
import Testing

/// A classifier with an LSTM as PyTorch writes it, from the bytes of its file through the programs.
@Suite("A recurrent model file")
struct RecurrentFileTests {
  private let steps = 6
  private let inputs = 4
  private let hidden = 8
  private let classes = 3

  private func node(
    _ graph: inout Wire, _ op: String, _ inputs: [String], _ outputs: [String],
    _ attributes: (inout Wire) -> Void
  ) {
    graph.message(Field.node) { node in
      for name in inputs { node.text(1, name) }
      for name in outputs { node.text(2, name) }
      node.text(3, "/\(op.lowercased())")
      node.text(Field.op, op)
      attributes(&node)
    }
  }

  private func attribute(_ node: inout Wire, _ name: String, _ values: [Int64], isList: Bool) {
    node.message(Field.attribute) { attribute in
      attribute.text(1, name)
      for value in values { attribute.int(isList ? 8 : 3, value) }
      attribute.int(Field.attributeType, isList ? 7 : 2)
    }
  }

  private func port(_ graph: inout Wire, _ field: Int, _ name: String, _ shape: [Int]) {
    graph.message(field) { info in
      info.text(1, name)
      info.message(2) { type in
        type.message(1) { tensor in
          tensor.int(1, 1)
          tensor.message(2) { dims in
            for length in shape { dims.message(1) { $0.int(1, Int64(length)) } }
          }
        }
      }
    }
  }

  private func floats(_ graph: inout Wire, _ name: String, _ shape: [Int], _ random: inout SeededGenerator) {
    let bytes = (0..<shape.reduce(1, *)).flatMap { _ in
      withUnsafeBytes(of: Float(random.unit() - 0.5).bitPattern.littleEndian, Array.init)
    }
    graph.message(Field.initializer) {
      tensor(&$0, 1, shape.map { Int64($0) }, name) { $0.bytes(Field.rawData, bytes) }
    }
  }

  private func integers(_ graph: inout Wire, _ name: String, _ values: [Int64], shape: [Int64]) {
    let bytes = values.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
    graph.message(Field.initializer) { tensor(&$0, 7, shape, name) { $0.bytes(Field.rawData, bytes) } }
  }

  private var file: [UInt8] {
    var random = SeededGenerator(seed: 51)
    return model { graph in
      node(&graph, "Transpose", ["x"], ["t"]) { attribute(&$0, "perm", [1, 0, 2], isList: true) }
      node(&graph, "LSTM", ["t", "w", "r", "b"], ["all", "h", "c"]) {
        attribute(&$0, "hidden_size", [Int64(hidden)], isList: false)
      }
      node(&graph, "Squeeze", ["all", "axis"], ["s"]) { _ in }
      node(&graph, "Gather", ["s", "last"], ["g"]) { attribute(&$0, "axis", [0], isList: false) }
      node(&graph, "Gemm", ["g", "fc"], ["y"]) { attribute(&$0, "transB", [1], isList: false) }
      floats(&graph, "w", [1, 4 * hidden, inputs], &random)
      floats(&graph, "r", [1, 4 * hidden, hidden], &random)
      floats(&graph, "b", [1, 8 * hidden], &random)
      floats(&graph, "fc", [classes, hidden], &random)
      integers(&graph, "axis", [1], shape: [1])
      integers(&graph, "last", [-1], shape: [])
      port(&graph, Field.input, "x", [1, steps, inputs])
      port(&graph, 12, "y", [1, classes])
    }
  }

  @Test func goesThroughThePrograms() throws {
    let scratch = try ScratchFolder()
    defer { scratch.remove() }
    var random = SeededGenerator(seed: 52)
    let x = Tensor([5, steps, inputs], (0..<5 * steps * inputs).map { _ in Float(random.unit() * 2 - 1) })
    try Data(file).write(to: URL(filePath: scratch.path("lstm.onnx")))
    try Data(npyBytes(x)).write(to: URL(filePath: scratch.path("x.npy")))
    let evaluated = try scratch.run("xbarc", ["eval", "lstm.onnx", "--input", "x.npy", "--output", "e.npy"])
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    let expected = try #require(try readArrays(path: scratch.path("e.npy")).first).tensor
    #expect(expected.count == 5 * classes && Set(expected.floats).count == expected.count)
    for (options, bound) in [
      ("quantize(weights: 16, inputs: 16)", Float(1e-3)), ("quantize(weights: 8)", 0.05),
    ] {
      let compiled = try scratch.run(
        "xbarc",
        [
          "compile", "lstm.onnx", "-o", "lstm.xbar", "--calibration", "x.npy", "--validate", "--quiet",
          "--set",
          "\(options), form-units(lossless: true)",
        ])
      #expect(compiled.status == 0, "\(compiled.errors)")
      #expect(try scratch.run("xbarrun", ["lstm.xbar", "--input", "x.npy", "-o", "r.npy", "-q"]).status == 0)
      let found = try #require(try readArrays(path: scratch.path("r.npy")).first).tensor
      let error = zip(found.floats, expected.floats).map { abs($0 - $1) }.max() ?? .infinity
      #expect(found.count == expected.count && error > 0 && error < bound, "\(error)")
    }
    #expect(try scratch.run("xbarc", ["disassemble", "lstm.xbar", "-o", "lstm.xir"]).status == 0)
    #expect(try scratch.run("xbarc", ["assemble", "lstm.xir", "-o", "again.xbar"]).status == 0)
    let bytes = try Data(contentsOf: URL(filePath: scratch.path("lstm.xbar")))
    #expect(try Data(contentsOf: URL(filePath: scratch.path("again.xbar"))) == bytes)
    let text = try String(contentsOfFile: scratch.path("lstm.xir"), encoding: .utf8)
    let layer = #/layer @_lstm\.forward\.recurrent \[\s*rows: (\d+), columns: (\d+),/#
    let sizes = try #require(text.firstMatch(of: layer))
    #expect(sizes.1 == "\(hidden)" && sizes.2 == "\(4 * hidden)")
    #expect(text.contains("repeat [count: \(steps)] loc(1, \"/lstm\", \"LSTM\")"))
  }

  /// The weights of a recurrent node stand in another order than those of its layers, so pruning does not write them
  /// back.
  @Test func pruningRefusesToWriteItsWeights() throws {
    let scratch = try ScratchFolder()
    defer { scratch.remove() }
    try Data(file).write(to: URL(filePath: scratch.path("lstm.onnx")))
    let ended = try scratch.run(
      "xbarc",
      ["prune", "lstm.onnx", "--scheme", "clustered", "--ratio", "0.2", "-o", "p.onnx", "--masks", "m.npz"])
    #expect(ended.status == 1 && ended.errors.contains("the weights of LSTM cannot be written back"))
  }
}
