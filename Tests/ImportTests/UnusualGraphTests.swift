import IR
import Import
import ONNX
import Support
import Tensors
import Testing

@Suite("Unusual but legal graphs")
struct UnusualGraphTests {
  @Test func nodesThatNoOutputNeedsAreNotRead() throws {
    let net = model(
      [
        node("Unheard", ["x"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["x"], ["y"]),
        node("Loop", ["nothing"], ["c"]), node("Conv", ["x", "w"], ["d"]),
      ], [counted("w", [1, 2, 1, 1])])
    let module = try imported(net)
    #expect(module.bodyOps.map(\.opcode) == [.input, .relu, .output])
  }

  @Test func furtherOutputsThatNothingTakesDoNotMatter() throws {
    let pool = node("MaxPool", ["x"], ["y", "indices"], ["kernel_shape": .ints([2, 2])])
    #expect(try imported(model([pool])).opcodes == [.input, .maxPool, .output])
    expectRefusal("import.extra-outputs", of: model([pool], outputs: ["y", "indices"]))
    expectRefusal(
      "import.extra-outputs", of: model([pool, node("Relu", ["indices"], ["z"])], outputs: ["y", "z"]))
    let norm = node("BatchNormalization", ["x", "s", "s", "s", "s"], ["y", "mean", "var"])
    #expect(try imported(model([norm], [counted("s", [2])])).opcodes == [.input, .batchNorm, .output])
  }

  @Test func outputsMayBeInputs() throws {
    var net = model([], inputs: [[2]], outputs: ["x"])
    #expect(try result(net).floats == [1, 2])
    net.graph.name = ""
    #expect(try imported(net).name == "net")
  }

  @Test func aGraphWithoutOutputsReportsItsNodesToo() {
    expectRefusal("import.operator", of: model([node("Unheard")], outputs: []))
  }

  @Test func longChainsAreFine() throws {
    let count = 20_000
    let chain = (0..<count).map { node("Identity", ["v\($0)"], ["v\($0 + 1)"]) }
    let net = model([node("Relu", ["x"], ["v0"])] + chain, outputs: ["v\(count)"])
    #expect(try imported(net).opcodes == [.input, .relu, .output])
    let deep = (0..<2000).map { node("Relu", [$0 == 0 ? "x" : "v\($0)"], ["v\($0 + 1)"]) }
    #expect(try imported(model(deep, outputs: ["v2000"])).opcodes.count == 2002)
  }

  @Test func orderOfTheFileIsKept() throws {
    let net = model(
      [node("Neg", ["x"], ["a"]), node("Relu", ["x"], ["b"]), node("Abs", ["x"], ["c"])],
      outputs: ["c", "a", "b"])
    #expect(try imported(net).opcodes == [.input, .negate, .relu, .abs, .output, .output, .output])
  }

  // MARK: Biases

  private func bias(
    _ nodes: [ONNXNode], _ inputs: [[Int]], _ tensors: [ONNXTensor], outputs: [String] = ["y"]
  ) throws -> [Opcode] {
    try imported(model(nodes, inputs: inputs, tensors, outputs: outputs)).opcodes
  }

  @Test func sumsPerChannelAreBiases() throws {
    let conv = [node("Conv", ["x", "w"], ["c"]), node("Add", ["b", "c"])]
    let w = counted("w", [3, 2, 1, 1])
    for shape in [[3, 1, 1], [1, 3, 1, 1]] {
      #expect(
        try bias(conv, [[1, 2, 4, 4]], [w, counted("b", shape)]) == [.input, .reshape, .conv, .output])
    }
    let product = [node("MatMul", ["x", "w"], ["c"]), node("Add", ["c", "b"])]
    #expect(
      try bias(product, [[2, 3]], [counted("w", [3, 4]), counted("b", [4])]) == [.input, .gemm, .output])
    let net = model(
      product, inputs: [[1, 2]], [floats("w", [2, 2], [1, 0, 0, 1]), floats("b", [2], [10, 20])])
    #expect(try result(net).floats == [11, 22])
  }

  @Test func otherSumsStay() throws {
    let conv = [node("Conv", ["x", "w"], ["c"]), node("Add", ["b", "c"])]
    let w = counted("w", [3, 2, 1, 1])
    for shape in [[4], [1], [3, 4, 4], [2, 3, 1, 1]] {
      #expect(
        try bias(conv, [[1, 2, 4, 4]], [w, counted("b", shape)]).suffix(2) == [.add, .output], "\(shape)")
    }
    // A product that something else takes too, a bias that is there already, a value that is not constant.
    #expect(
      try bias(
        conv + [node("Relu", ["c"], ["z"])], [[1, 2, 4, 4]], [w, counted("b", [3, 1, 1])],
        outputs: ["y", "z"])
        == [.input, .conv, .add, .relu, .output, .output])
    #expect(
      try bias(conv, [[1, 2, 4, 4]], [w, counted("b", [3, 1, 1])], outputs: ["y", "c"])
        == [.input, .conv, .add, .output, .output])
    let biased = [node("Conv", ["x", "w", "d"], ["c"]), node("Add", ["b", "c"])]
    #expect(
      try bias(biased, [[1, 2, 4, 4]], [w, counted("b", [3, 1, 1]), counted("d", [3])])
        == [.input, .conv, .add, .output])
    let computed = [node("Conv", ["x", "w"], ["c"]), node("Add", ["x1", "c"])]
    #expect(
      try bias(computed, [[1, 2, 4, 4], [3, 1, 1]], [w]) == [.input, .input, .conv, .add, .output])
  }
}
