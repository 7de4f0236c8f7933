import IR
import ONNX
import Support
import Tensors
import Testing

/// The causal mask as exporters write it, a triangle of -inf: in floats and on crossbars.
@Suite("Causal masks")
struct CausalMaskTests {
  /// Scores of four tokens by a constant matrix, masked, with their exponentials.
  private func model(constantMask: Bool) throws -> ONNXModel {
    let full = try SmallFile.floats("full", [4, 4], [Float](repeating: -.infinity, count: 16))
    let nodes = [
      SmallFile.node("MatMul", ["x", "w"], ["scores"]),
      SmallFile.node("Trilu", ["full", "one"], ["triangle"]),
      constantMask
        ? SmallFile.node("Add", ["scores", "triangle"], ["masked"])
        : SmallFile.node("Where", ["past", "scores", "full"], ["masked"]),
      SmallFile.node("Softmax", ["masked"], ["p"], ["axis": .int(-1)]),
      SmallFile.node("MatMul", ["p", "v"], ["y"]),
    ]
    let eye = (0..<16).map { $0 / 4 == $0 % 4 ? Float(1) : 0.25 }
    let past = (0..<16).map { $0 % 4 <= $0 / 4 ? UInt8(1) : 0 }
    return SmallFile.model(
      nodes, [("x", [1, 4, 4])],
      [
        full, try SmallFile.floats("w", [4, 4], eye),
        try SmallFile.floats("v", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
        try SmallFile.stored("one", [], .int64, [1, 0, 0, 0, 0, 0, 0, 0]),
        try SmallFile.stored("past", [4, 4], .bool, past),
      ], outputs: ["p", "y"])
  }

  @Test(arguments: [true, false]) func leaveTheFirstTokenAlone(constantMask: Bool) throws {
    var random = SeededGenerator(seed: 8)
    let samples = (0..<4).map { _ in [Tensor([1, 4, 4], (0..<16).map { _ in Float(random.unit() * 2 - 1) })] }
    let model = try model(constantMask: constantMask)
    let results = try SmallFile.results(model, samples)
    #expect(results.count == 5)
    for result in results {
      for sample in samples.indices {
        let (p, y) = (result[2 * sample], result[2 * sample + 1])
        #expect(Array(p.prefix(4)) == [1, 0, 0, 0] && p[6] == 0 && p[7] == 0 && y.allSatisfy(\.isFinite))
        #expect(zip(y, results[0][2 * sample + 1]).allSatisfy { abs($0 - $1) < 0.02 })
      }
    }
  }
}

/// The largest of a layer's results stays an integer on its way to the next layer.
@Suite("Maxima between layers")
struct ReduceMaxTests {
  @Test func staysInteger() throws {
    let model = SmallFile.model(
      [
        SmallFile.node("MatMul", ["x", "w"], ["a"]),
        SmallFile.node("ReduceMax", ["a"], ["m"], ["axes": .ints([1])]),
        SmallFile.node("MatMul", ["m", "v"], ["y"]),
      ], [("x", [1, 3, 4])],
      [
        try SmallFile.floats("w", [4, 3], (0..<12).map { Float($0 % 5) / 4 - 0.5 }),
        try SmallFile.floats("v", [3, 2], [1, -1, 0.5, 2, -0.25, 1]),
      ], outputs: ["y"])
    var random = SeededGenerator(seed: 3)
    let samples = (0..<4).map { _ in [Tensor([1, 3, 4], (0..<12).map { _ in Float(random.unit()) })] }
    let crossbars = try SmallFile.crossbars(of: model, samples)
    let largest = crossbars.flatBody.map { crossbars.ops[$0] }.filter { $0.opcode == .reduceMax }
    #expect(largest.count == 1)
    for op in largest { #expect(!crossbars.values[op.operands[0]].type.element.isFloat) }
    let results = try SmallFile.results(model, samples)
    for result in results.dropFirst() {
      #expect(result == results[1])
      for (a, b) in zip(result.joined(), results[0].joined()) { #expect(abs(a - b) < 0.02) }
    }
  }
}
