import Driver
import Executor
import Foundation
import Hardware
import IR
import Import
import ONNX
import Passes
import ProgramFormat
import Evaluator
import Support
import Tensors
import TestSupport
import Testing

/// Outputs that ONNX has as integers, truth values or constants, from the file to what the executor delivers.
@Suite("Outputs of every kind")
struct OutputKindTests {
  private func random(_ count: Int, _ random: inout SeededGenerator, _ range: Double = 1) -> [Float] {
    (0..<count).map { _ in Float((random.unit() * 2 - 1) * range) }
  }

  /// A classifier that ends in ArgMax, with scores, a comparison and constants beside it.
  @Test func aClassifierWithEveryKind() throws {
    var generator = SeededGenerator(seed: 61)
    for _ in 0..<8 {
      let weights = random(6 * 5, &generator)
      let net = SmallFile.model(
        [
          SmallFile.node("MatMul", ["x", "w"], ["scores"]),
          SmallFile.node("ArgMax", ["scores"], ["class"], ["axis": .int(1)]),
          SmallFile.node("Greater", ["scores", "half"], ["high"]),
          SmallFile.node("Cast", ["scores"], ["whole"], ["to": .int(7)]),
          SmallFile.node("Shape", ["x"], ["shape"]), SmallFile.node("Identity", ["half"], ["bound"]),
        ], [("x", [1, 6])],
        [try SmallFile.floats("w", [6, 5], weights), try SmallFile.floats("half", [1], [0.5])],
        outputs: ["class", "scores", "high", "whole", "shape", "bound"])
      let samples = (0..<4).map { _ in [Tensor([1, 6], random(6, &generator, 2))] }
      let found = try SmallFile.results(net, samples)
      #expect(found.count == 5)
      for outputs in found.dropFirst(2) {
        #expect(outputs == found[1], "one result on every path below quantize")
      }
      for sample in samples.indices {
        let outputs = Array(found[1][sample * 6..<(sample + 1) * 6])
        let scores = outputs[1]
        let top = try #require(scores.max())
        #expect(outputs[0] == [Float(try #require(scores.firstIndex(of: top)))])
        #expect(outputs[2] == scores.map { $0 > 0.5 ? 1 : 0 })
        #expect(outputs[3] == scores.map { $0.rounded(.towardZero) })
        #expect(outputs[4] == [1, 6] && outputs[5] == [0.5])
        for (a, b) in zip(scores, found[0][sample * 6 + 1]) { #expect(abs(a - b) < 0.02) }
      }
    }
  }

  /// Levels and sums of levels as outputs: the integers themselves, on every path.
  @Test func levelsAndSumsAreDelivered() throws {
    var generator = SeededGenerator(seed: 62)
    for zero in [0, 7, 0xF0] as [UInt8] {
      let weights = (0..<12).map { _ in UInt8(truncatingIfNeeded: generator.inside(-128...127)) }
      let net = SmallFile.model(
        [
          SmallFile.node("QuantizeLinear", ["x", "s", "z"], ["q"]),
          SmallFile.node("MatMulInteger", ["q", "w", "z"], ["sums"]),
          SmallFile.node("MaxPool", ["i"], ["p"], ["kernel_shape": .ints([2])]),
          SmallFile.node("Reshape", ["q", "image"], ["i"]),
        ].sorted { $0.op != "MaxPool" && $1.op == "MaxPool" }, [("x", [1, 4])],
        [
          try SmallFile.floats("s", [], [0.1]), try SmallFile.stored("z", [], .int8, [zero]),
          try SmallFile.stored("w", [4, 3], .int8, weights),
          try SmallFile.stored(
            "image", [3], .int64, [1, 1, 4].flatMap { [UInt8($0)] + [UInt8](repeating: 0, count: 7) }),
        ], outputs: ["q", "sums", "p"])
      let samples = (0..<5).map { _ in [Tensor([1, 4], random(4, &generator, 15))] }
      let found = try SmallFile.results(net, samples)
      for outputs in found { #expect(outputs == found[0]) }
      let shift = Int(Int8(bitPattern: zero))
      for (sample, outputs) in zip(samples, stride(from: 0, to: found[0].count, by: 3)) {
        let levels = sample[0].floats.map { x in
          max(-128, min(127, Int((x / Float(0.1)).rounded(.toNearestOrEven)) + shift))
        }
        #expect(found[0][outputs] == levels.map { Float($0) })
        let sums = (0..<3).map { column in
          (0..<4).reduce(0) { $0 + (levels[$1] - shift) * Int(Int8(bitPattern: weights[$1 * 3 + column])) }
        }
        #expect(found[0][outputs + 1] == sums.map { Float($0) })
        #expect(found[0][outputs + 2] == (0..<3).map { Float(max(levels[$0], levels[$0 + 1])) })
      }
    }
  }
}
