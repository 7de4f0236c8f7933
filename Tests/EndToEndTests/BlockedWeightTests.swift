import Executor
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

/// Weights with a scale for each block: a layer for each block holds the integers of the file.
@Suite("Weights in blocks")
struct BlockedWeightTests {
  private func packed(_ levels: [Int64]) -> [UInt8] {
    stride(from: 0, to: levels.count, by: 2).map { k in
      let high = k + 1 < levels.count ? levels[k + 1] : 0
      return UInt8(truncatingIfNeeded: levels[k] & 15 | high << 4)
    }
  }

  @Test func blocksReachTheCrossbars() throws {
    var random = SeededGenerator(seed: 81)
    for round in 0..<6 {
      let (inner, outer, size) = (random.inside(5...20), random.inside(1...5), random.inside(2...8))
      let count = (inner + size - 1) / size
      let levels = (0..<inner * outer).map { _ in Int64(random.inside(-8...7)) }
      let scales = (0..<count * outer).map { _ in Float(random.inside(1...9)) / 64 }
      var nodes = [
        SmallFile.node(
          "DequantizeLinear", ["w", "ws"], ["v"], ["block_size": .int(Int64(size)), "axis": .int(0)]),
        SmallFile.node("MatMul", ["r", "v"], ["y"]),
      ]
      // Inputs on levels of the file in every second round, else on calibrated ones.
      let isGiven = round % 2 == 0
      nodes +=
        isGiven
        ? [
          SmallFile.node("QuantizeLinear", ["x", "s", "z"], ["q"]),
          SmallFile.node("DequantizeLinear", ["q", "s", "z"], ["r"]),
        ] : [SmallFile.node("Identity", ["x"], ["r"])]
      let file = SmallFile.model(
        Array(nodes[2...]) + nodes[..<2], [("x", [1, inner])],
        [
          try SmallFile.stored("w", [inner, outer], .int4, packed(levels)),
          try SmallFile.floats("ws", [count, outer], scales), try SmallFile.floats("s", [], [0.125]),
          try SmallFile.stored("z", [], .uint8, [101]),
        ], outputs: ["y"], opset: 21)
      let samples = (0..<4).map { _ in
        [Tensor([1, inner], (0..<inner).map { _ in Float(random.unit() * 4 - 2) })]
      }
      let found = try SmallFile.results(file, samples)
      for outputs in found.dropFirst(2) { #expect(outputs == found[1]) }
      let bound: Float = isGiven ? 1e-4 : 0.05
      for (a, b) in zip(found[0].joined(), found[1].joined()) { #expect(abs(a - b) < bound * max(1, abs(b))) }
      let layers = try SmallFile.crossbars(of: file, samples).layers.map(\.layer)
      let expected = (0..<count).map { block in
        Array(levels[block * size * outer..<min(inner, (block + 1) * size) * outer])
      }
      #expect(layers.map { $0.weights?.integers ?? [] } == expected)
      #expect(layers.allSatisfy { $0.weightBits == 4 } && layers.count == count)
    }
  }
}
