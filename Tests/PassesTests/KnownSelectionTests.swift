import IR
import Mapping
import Passes
import Support
import Tensors
import Testing

/// What `fold-constant-inputs` knows of elements that are added, chosen and cut.
@Suite("Known elements after pad, gather and slice")
struct KnownSelectionTests {
  /// A product whose inputs are `moves` of a computed line of three; returns how many of its inputs always have one
  /// value.
  private func constantInputs(_ moves: [DigitalOperator]) throws -> Int {
    var net = Net(seed: 120)
    var x = try net.gemm(net.input([1, 4]), 3)
    for move in moves { x = try net.digital(move, x) }
    net.output(try net.gemm(x, 2, name: "second"))
    let samples = net.samples(6, -1...1)
    let before = try run(
      "calibrate, quantize(inputs: 10, weights: 12), lower-to-crossbar", on: net.module, calibration: samples)
    var context = PassContext(calibration: samples)
    let after = try run("fold-constant-inputs", on: before, in: &context)
    for sample in samples { #expect(try before.outputs(sample) == after.outputs(sample)) }
    let layers = try after.crossbarModule.layers.map(\.layer)
    let second = try #require(layers.first { $0.name == "second" }?.weights)
    let old = try #require(
      try before.crossbarModule.layers.first { $0.layer.name == "second" }?.layer.weights)
    let columns = old.shape[1]
    return (0..<old.shape[0]).filter { row in
      let range = row * columns..<(row + 1) * columns
      return old.integers[range].contains { $0 != 0 } && second.integers[range].allSatisfy { $0 == 0 }
    }.count
  }

  @Test func zerosOfAPadStayKnown() throws {
    let pad = DigitalOperator.pad(before: [0, 0], after: [0, 1], value: 0)
    #expect(try constantInputs([]) == 0)
    #expect(try constantInputs([pad]) == 1)
    #expect(try constantInputs([pad, .gather(indices: [0, 3, 1, 3, 2], axis: 1)]) == 2)
    #expect(try constantInputs([pad, .slice(start: [0, 2], end: [1, 4])]) == 1)
    #expect(try constantInputs([pad, .slice(start: [0, 0], end: [1, 3])]) == 0)
  }
}
