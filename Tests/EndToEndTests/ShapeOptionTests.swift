import Foundation
import Mapping
import ONNX
import Support
import Tensors
import TestSupport
import Testing

/// `--shape` in every command that reads a model.
@Suite("--shape on command lines")
struct ShapeOptionTests {
  private let scratch: ScratchFolder
  private let option = ["--shape", "x=1x1x8x8"]

  /// Writes a model with open lengths, and samples for it.
  init() throws {
    scratch = try ScratchFolder()
    var model = try VariantNetwork(seed: 3).plain()
    model.graph.nodes = numbered(model.graph.nodes)
    model.graph.inputs[0].shape = [.named("N"), .fixed(1), .named("height"), .named("width")]
    var writer = ModelWriter()
    try Data(writer.bytes(of: model)).write(to: URL(filePath: scratch.path("m.onnx")))
    var random = SeededGenerator(seed: 4)
    let images = (0..<3).flatMap { _ in VariantNetwork.image(&random) }
    try Data(npyBytes(Tensor([3, 1, 8, 8], images))).write(to: URL(filePath: scratch.path("x.npy")))
    try Data(npyBytes(Tensor([3], [0, 1, 2] as [Int64]))).write(to: URL(filePath: scratch.path("y.npy")))
  }

  private let commands: [(program: String, words: [String])] = [
    ("xbarc", ["import", "m.onnx"]),
    ("xbarc", ["compile", "m.onnx", "-o", "m.xbar", "--calibration", "x.npy"]),
    ("xbarc", ["eval", "m.onnx", "--input", "x.npy"]), ("xbarc", ["prune", "m.onnx", "-o", "p.onnx"]),
    ("xbar", ["compare", "m.onnx", "--schemes", "dense", "--input", "x.npy", "--labels", "y.npy"]),
    (
      "xbar", ["sweep", "m.onnx", "--input", "x.npy", "--labels", "y.npy", "--over", "adc=6", "--quiet"]
    ),
  ]

  @Test func fixesLengthsInEveryCommand() throws {
    defer { scratch.remove() }
    for (program, words) in commands {
      let ended = try scratch.run(program, words + option)
      #expect(ended.status == 0, "\(program) \(words): \(ended.errors)")
      let without = try scratch.run(program, words)
      #expect(without.status == 1 && without.errors.contains("[import.dynamic-shape]"), "\(program) \(words)")
      #expect(without.errors.contains("--shape 'x=1x1x<height>x<width>'"), "\(without.errors)")
    }
    let text = try scratch.run("xbarc", ["import", "m.onnx"] + option).output
    #expect(text.contains("tensor<1x1x8x8xf32>"))
  }

  @Test func wrongOptionsAreWrongCommandLines() throws {
    defer { scratch.remove() }
    let malformed = try scratch.run("xbarc", ["import", "m.onnx", "--shape", "x=1x1x8"])
    #expect(
      malformed.status == 1 && malformed.errors.contains("[import.shape-option]"), "\(malformed.errors)")
    let text = try scratch.run("xbarc", ["import", "m.onnx", "--shape", "8x8"])
    #expect(text.status != 0 && text.errors.contains("[usage.shape]"), "\(text.errors)")
  }

  /// Weights inside a function are no initializers that could be written back.
  @Test func pruningInsideAFunctionIsRefused() throws {
    defer { scratch.remove() }
    let variant = try #require(structureVariants.first { $0.name.hasPrefix("functions") })
    var model = try variant.write(VariantNetwork(seed: 3))
    model.graph.nodes = numbered(model.graph.nodes)
    var writer = ModelWriter()
    try Data(writer.bytes(of: model)).write(to: URL(filePath: scratch.path("f.onnx")))
    let ended = try scratch.run("xbarc", ["prune", "f.onnx", "-o", "p.onnx"])
    #expect(ended.status == 1 && ended.errors.contains("[prune.origin]"), "\(ended.errors)")
  }
}
