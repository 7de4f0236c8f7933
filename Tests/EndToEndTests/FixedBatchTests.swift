import Foundation
import ONNX
import Support
import Tensors
import TestSupport
import Testing

/// Files that fix a batch of several samples are run one sample at a time, where samples do not depend on each other.
@Suite("Fixed batches")
struct FixedBatchTests {
  private func write(_ nodes: [ONNXNode], to scratch: ScratchFolder) throws {
    var model = SmallFile.model(
      nodes, [("x", [4, 3])],
      [
        try SmallFile.floats("w", [3, 2], [1, -1, 0.5, 2, -0.25, 1]),
        try SmallFile.floats("b", [2], [0.5, 0]),
      ], outputs: ["y"])
    model.graph.outputs = [ONNXValueInfo(name: "y", elementType: .float, shape: [.fixed(4), .fixed(2)])]
    var writer = ModelWriter()
    try Data(writer.bytes(of: model)).write(to: URL(filePath: scratch.path("m.onnx")))
    let samples = (0..<18).map { Float($0 % 7) / 4 - 0.5 }
    try Data(npyBytes(Tensor([6, 3], samples))).write(to: URL(filePath: scratch.path("x.npy")))
    try Data(npyBytes(Tensor([2, 4, 3], (0..<24).map { Float($0 % 7) / 4 - 0.5 })))
      .write(to: URL(filePath: scratch.path("x4.npy")))
  }

  private let gemm = SmallFile.node("Gemm", ["x", "w", "b"], ["y"])

  @Test func independentSamplesAreRunOneByOne() throws {
    let scratch = try ScratchFolder()
    defer { scratch.remove() }
    try write([gemm], to: scratch)
    let eval = try scratch.run("xbarc", ["eval", "m.onnx", "--input", "x.npy", "--output", "e.npy"])
    #expect(eval.status == 0 && eval.errors.contains("[compile.batch]"), "\(eval.errors)")
    let expected = try readArrays(path: scratch.path("e.npy"))[0].tensor
    #expect(expected.shape == [6, 2])
    let compile = try scratch.run(
      "xbarc",
      [
        "compile", "m.onnx", "-o", "m.xbar", "--calibration", "x.npy", "--set",
        "quantize(weights: 16, inputs: 16)",
      ])
    #expect(compile.status == 0 && compile.errors.contains("[compile.batch]"), "\(compile.errors)")
    let run = try scratch.run("xbarrun", ["m.xbar", "--input", "x.npy", "--output", "y.npy"])
    #expect(run.status == 0, "\(run.errors)")
    let found = try readArrays(path: scratch.path("y.npy"))[0].tensor
    #expect(found.shape == [6, 2])
    #expect(zip(found.floats, expected.floats).allSatisfy { abs($0 - $1) < 1e-3 })
    // Whoever names all lengths keeps the batch.
    let whole = try scratch.run(
      "xbarc", ["eval", "m.onnx", "--shape", "x=4x3", "--input", "x4.npy", "--output", "w.npy"])
    #expect(whole.status == 0 && !whole.errors.contains("compile.batch"), "\(whole.errors)")
    #expect(try readArrays(path: scratch.path("w.npy"))[0].tensor.shape == [2, 4, 2])
  }

  @Test func samplesThatAreMixedStayTogether() throws {
    let scratch = try ScratchFolder()
    defer { scratch.remove() }
    try write(
      [
        SmallFile.node("ReduceMean", ["x"], ["m"], ["axes": .ints([0])]),
        SmallFile.node("Sub", ["x", "m"], ["c"]),
        SmallFile.node("Gemm", ["c", "w", "b"], ["y"]),
      ], to: scratch)
    let whole = try scratch.run("xbarc", ["eval", "m.onnx", "--input", "x4.npy"])
    #expect(whole.status == 0 && !whole.errors.contains("compile.batch"), "\(whole.errors)")
    let single = try scratch.run("xbarc", ["eval", "m.onnx", "--input", "x.npy"])
    #expect(single.status == 1 && single.errors.contains("[samples.input-shape]"), "\(single.errors)")
    #expect(single.errors.contains("export it with a batch of 1"), "\(single.errors)")
  }
}
