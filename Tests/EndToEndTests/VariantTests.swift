import CodeGen
import DeviceModel
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

/// One network, written in many variants, is one network: in floats and as a program of 8 bits, to the last bit.
@Suite("One network written in many variants")
struct VariantTests {
  private let network = VariantNetwork(seed: 8)
  private let shapes = ["x=1x1x8x8"]

  private var images: [[Tensor]] {
    var random = SeededGenerator(seed: 21)
    return (0..<6).map { _ in [Tensor([1, 1, 8, 8], VariantNetwork.image(&random))] }
  }

  /// The module of a model that went through a file.
  private func imported(
    _ model: ONNXModel, _ writer: ModelWriter = ModelWriter(), in folder: String = ""
  ) throws -> Module<TensorLevel> {
    var numberedModel = model
    numberedModel.graph.nodes = numbered(model.graph.nodes)
    var writer = writer
    let bytes = try writer.bytes(of: numberedModel)
    if !writer.externalBytes.isEmpty {
      try Data(writer.externalBytes).write(to: URL(filePath: "\(folder)/weights.bin"))
    }
    let read = try readModel(bytes: bytes, path: folder.isEmpty ? "ways.onnx" : "\(folder)/ways.onnx")
    let module = try importModel(read, shapes: InputShapes(shapes))
    #expect(verify(module).isEmpty, "\(verify(module))")
    return module
  }

  /// The logits in floats, and those of the program that `dense` makes with 8 bits.
  private func logits(_ module: Module<TensorLevel>) throws -> (float: [[Float]], program: [Float]) {
    let interpreter = try Interpreter(module)
    let float = try images.map { try interpreter.evaluate($0).outputs[0].floats }
    var placed = module
    placed.machine = try Machine.target(named: "sre")
    var context = PassContext(calibration: images)
    var current = AnyModule.tensor(placed)
    for call in try scheme(named: "dense").calls() where call.name != "lower-to-program" {
      current = try PassRegistry.standard.entry(named: call.name).apply(
        to: current, call.options, in: &context)
    }
    let plan = try ExecutablePlan(try program(of: current))
    let run = try plan.run(inputs: [images.flatMap { $0[0].floats }], samples: images.count, threads: 1)
    return (float, run.outputs[0])
  }

  private func expectTheSame(_ module: Module<TensorLevel>, _ name: String) throws {
    let expected = try logits(try imported(network.plain()))
    let found = try logits(module)
    #expect(found.float == expected.float, "\(name)")
    #expect(found.program == expected.program, "\(name)")
  }

  @Test func thePlainNetworkTellsImagesApart() throws {
    let found = try logits(try imported(network.plain()))
    #expect(Set(found.float.map(\.description)).count == images.count)
    #expect(found.program.count == 5 * images.count && found.program != found.float.flatMap { $0 })
    let largest = try #require(found.float.flatMap { $0 }.map { abs($0) }.max())
    let worst = zip(found.program, found.float.flatMap { $0 }).map { abs($0 - $1) }.max() ?? 0
    #expect(largest > 1 && worst < 0.03 * largest, "\(worst) of \(largest)")
  }

  @Test(arguments: modelVariants) func givesTheSameLogits(variant: Variant) throws {
    try expectTheSame(try imported(variant.write(network)), variant.name)
  }

  @Test func withElementsInTypedFields() throws {
    var writer = ModelWriter()
    writer.storage = { _ in .typed }
    try expectTheSame(try imported(network.plain(), writer), "typed fields")
  }

  @Test func withWeightsInAnotherFile() throws {
    let folder = try ScratchFolder()
    defer { folder.remove() }
    var writer = ModelWriter()
    writer.storage = { $0.hasPrefix("w") ? .external("weights.bin") : .raw }
    try expectTheSame(try imported(network.plain(), writer, in: folder.path("")), "another file")
  }

  /// The ways are different files, and there are enough of them.
  @Test func theWaysDiffer() throws {
    var files: Set<[UInt8]> = []
    for variant in modelVariants {
      var writer = ModelWriter()
      files.insert(try writer.bytes(of: variant.write(network)))
    }
    #expect(files.count == modelVariants.count && files.count >= 25)
  }

  /// Another weight gives other logits, so that the comparison can fail.
  @Test func anotherNetworkIsAnotherNetwork() throws {
    let other = VariantNetwork(seed: 9)
    #expect(try logits(imported(other.plain())).float != logits(imported(network.plain())).float)
  }
}
