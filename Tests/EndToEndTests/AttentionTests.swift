import CodeGen
import DeviceModel
import Executor
import Foundation
import Hardware
import IR
import Import
import Mapping
import ONNX
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// A block of a transformer, `x + project(attention(norm(x)))` and then `z + mlp(norm(z))`, written node by node, and
/// the same in plain loops.
private struct AttentionBlock {
  static let (tokens, width, heads, hidden) = (5, 8, 2, 12)
  var weights: [String: [Float]] = [:]

  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.unit() * 2 - 1) } }
    for name in ["wq", "wk", "wv", "wo"] { weights[name] = numbers(Self.width * Self.width) }
    for name in ["bq", "bk", "bv", "bo", "g1", "h1", "g2", "h2", "b2"] { weights[name] = numbers(Self.width) }
    weights["w1"] = numbers(Self.width * Self.hidden)
    weights["b1"] = numbers(Self.hidden)
    weights["w2"] = numbers(Self.hidden * Self.width)
  }

  // MARK: Nodes

  func model() throws -> ONNXModel {
    var nodes: [ONNXNode] = []
    func add(
      _ op: String, _ inputs: [String], _ output: String, _ attributes: [String: ONNXAttribute.Value] = [:]
    ) {
      nodes.append(
        ONNXNode(
          index: nodes.count, name: output, op: op, inputs: inputs, outputs: [output],
          attributes: attributes.sorted { $0.key < $1.key }.map {
            ONNXAttribute(name: $0.key, value: $0.value)
          }))
    }
    add("LayerNormalization", ["x", "g1", "h1"], "n")
    for (name, order) in [("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])]
      as [(String, [Int64])]
    {
      add("MatMul", ["n", "w\(name)"], "\(name).m")
      add("Add", ["\(name).m", "b\(name)"], "\(name).a")
      add("Reshape", ["\(name).a", "split"], "\(name).r")
      add("Transpose", ["\(name).r"], name, ["perm": .ints(order)])
    }
    add("MatMul", ["q", "k"], "s")
    add("Div", ["s", "root"], "d")
    add("Softmax", ["d"], "p", ["axis": .int(-1)])
    add("MatMul", ["p", "v"], "c")
    add("Transpose", ["c"], "t", ["perm": .ints([0, 2, 1, 3])])
    add("Reshape", ["t", "join"], "j")
    add("MatMul", ["j", "wo"], "o.m")
    add("Add", ["o.m", "bo"], "o")
    add("Add", ["o", "x"], "z")
    add("LayerNormalization", ["z", "g2", "h2"], "l")
    add("MatMul", ["l", "w1"], "u.m")
    add("Add", ["u.m", "b1"], "u")
    add("Gelu", ["u"], "e")
    add("MatMul", ["e", "w2"], "f.m")
    add("Add", ["f.m", "b2"], "f")
    add("Add", ["f", "z"], "y")
    var initializers = try weights.sorted { $0.key < $1.key }.map {
      try tensor($0.key, shape(of: $0.key), $0.value)
    }
    initializers.append(try tensor("root", [], [Float(Self.width / Self.heads).squareRoot()]))
    let split = [1, Self.tokens, Self.heads, Self.width / Self.heads]
    for (name, shape) in [("split", split), ("join", [1, Self.tokens, Self.width])] {
      let bytes = shape.flatMap { value in withUnsafeBytes(of: Int64(value).littleEndian, Array.init) }
      initializers.append(try ONNXTensor(name: name, shape: [shape.count], elementType: .int64, bytes: bytes))
    }
    let graph = ONNXGraph(
      name: "block", nodes: nodes, initializers: initializers,
      inputs: [
        ONNXValueInfo(
          name: "x", elementType: .float, shape: [.fixed(1), .fixed(Self.tokens), .fixed(Self.width)])
      ],
      outputs: [ONNXValueInfo(name: "y")])
    return ONNXModel(
      path: "block.onnx", irVersion: 8, opsets: [ONNXOpset(domain: "", version: 20)], graph: graph)
  }

  private func shape(of name: String) -> [Int] {
    switch name {
    case "w1": return [Self.width, Self.hidden]
    case "w2": return [Self.hidden, Self.width]
    case _ where name.hasPrefix("w"): return [Self.width, Self.width]
    default: return [weights[name]?.count ?? 0]
    }
  }

  private func tensor(_ name: String, _ shape: [Int], _ values: [Float]) throws -> ONNXTensor {
    let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
    return try ONNXTensor(name: name, shape: shape, elementType: .float, bytes: bytes)
  }

  // MARK: Loops

  /// The block in binary64.
  func result(_ x: [Float]) -> [Double] {
    let x = x.map { Double($0) }
    let n = norm(x, "g1", "h1")
    let (q, k, v) = (linear(n, "wq", "bq"), linear(n, "wk", "bk"), linear(n, "wv", "bv"))
    let size = Self.width / Self.heads
    var mixed = [Double](repeating: 0, count: x.count)
    for head in 0..<Self.heads {
      for i in 0..<Self.tokens {
        let scores = (0..<Self.tokens).map { j in
          (0..<size).reduce(0.0) {
            $0 + q[i * Self.width + head * size + $1] * k[j * Self.width + head * size + $1]
          } / Double(size).squareRoot()
        }
        let powers = scores.map { exp($0) }
        let total = powers.reduce(0, +)
        for j in 0..<Self.tokens {
          for d in 0..<size {
            mixed[i * Self.width + head * size + d] += powers[j] / total * v[j * Self.width + head * size + d]
          }
        }
      }
    }
    let z = zip(linear(mixed, "wo", "bo"), x).map(+)
    let u = linear(norm(z, "g2", "h2"), "w1", "b1").map { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }
    return zip(linear(u, "w2", "b2"), z).map(+)
  }

  private func linear(_ x: [Double], _ w: String, _ b: String) -> [Double] {
    let (weights, bias) = (self.weights[w] ?? [], self.weights[b] ?? [])
    let inner = weights.count / bias.count
    return (0..<x.count / inner * bias.count).map { place in
      let (row, column) = (place / bias.count, place % bias.count)
      return (0..<inner).reduce(Double(bias[column])) {
        $0 + x[row * inner + $1] * Double(weights[$1 * bias.count + column])
      }
    }
  }

  private func norm(_ x: [Double], _ g: String, _ h: String) -> [Double] {
    let (scale, bias) = (weights[g] ?? [], weights[h] ?? [])
    return x.indices.map { place in
      let line = x[place / Self.width * Self.width..<(place / Self.width + 1) * Self.width]
      let mean = line.reduce(0, +) / Double(Self.width)
      let variance = line.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(Self.width)
      let k = place % Self.width
      return (x[place] - mean) / (variance + 1e-5).squareRoot() * Double(scale[k]) + Double(bias[k])
    }
  }
}

@Suite("Attention, end to end")
struct AttentionTests {
  /// Projections are on crossbars; products of two computed matrices are digital, and counted.
  @Test func projectionsAreOnCrossbarsAndProductsDigital() throws {
    for seed in 0..<3 as Range<UInt64> {
      let block = AttentionBlock(seed: seed)
      var random = SeededGenerator(seed: 40 + seed)
      let (tokens, width) = (AttentionBlock.tokens, AttentionBlock.width)
      let samples = (0..<4).map { _ in
        Tensor([1, tokens, width], (0..<tokens * width).map { _ in Float(random.unit() * 4 - 2) })
      }
      var module = try importModel(try block.model())
      module.machine = try Machine.target(named: "sre")
      for sample in samples {
        let found = try Interpreter(module).evaluate([sample]).outputs[0].floats
        #expect(difference(found, block.result(sample.floats)) < 1e-4)
      }
      var context = PassContext(calibration: samples.map { [$0] })
      var placed = AnyModule.tensor(module)
      let pipeline =
        "fold-constants, calibrate, quantize(weights: 16, inputs: 16, scale: output), lower-to-crossbar, slice-bits, "
        + "form-units(lossless: true), place-blocks, schedule"
      for call in try parsePipeline(pipeline) {
        placed = try PassRegistry.standard.entry(named: call.name).apply(
          to: placed, call.options, in: &context)
      }
      guard case .crossbar(let crossbars) = placed else { continue }
      #expect(
        crossbars.layers.map { [$0.layer.rows, $0.layer.columns] }.sorted { $0.lexicographicallyPrecedes($1) }
          == [
            [8, 8], [8, 8], [8, 8], [8, 8], [8, 12], [12, 8],
          ])
      let run = try ExecutablePlan(try program(of: placed)).run(
        inputs: [samples.flatMap(\.floats)], samples: samples.count, threads: 1)
      for (index, sample) in samples.enumerated() {
        let output = Array(run.outputs[0][index * tokens * width..<(index + 1) * tokens * width])
        #expect(output == (try Interpreter(crossbars).evaluate([sample]).outputs[0].floats))
        #expect(difference(output, block.result(sample.floats)) < 2e-3)
      }
      // Scores and mixtures of all heads: tokens by tokens, each of the head's width.
      #expect(run.total.digitalMultiplyAdds == samples.count * 2 * tokens * tokens * width)
    }
  }

  /// The largest difference in parts of the largest number.
  private func difference(_ found: [Float], _ expected: [Double]) -> Double {
    let size = max(1, expected.map { abs($0) }.max() ?? 0)
    guard found.count == expected.count else { return .infinity }
    return zip(found, expected).map { abs(Double($0) - $1) / size }.max() ?? 0
  }
}
