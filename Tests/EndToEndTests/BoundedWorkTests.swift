import Foundation
import ONNX
import Support
import Tensors
import TestSupport
import Testing

/// Programs and models that ask for more than anybody meant end in a message before the work.
@Suite("Bounded work")
struct BoundedWorkTests {
  private let scratch: ScratchFolder

  init() throws {
    scratch = try ScratchFolder()
    try writeFile(npyBytes(Tensor([1, 4], [Float(1), -2, 3, -4])), to: scratch.path("x.npy"))
  }

  /// Assembles a program `p.xbar` of a `relu` from `%x` to `%y`.
  private func assemble(buffers: String = "", code: String = "%y = relu %x") throws {
    let text = """
      xir 2
      module @d level program facts [] {
        machine sre
        %x = buffer : tensor<1x4xf32>
        %y = buffer : tensor<1x4xf32>
        \(buffers)
        %x = input [name: "x"]
        \(code)
        output %y [name: "y"]
      }

      """
    try writeFile(Array(text.utf8), to: scratch.path("p.xir"))
    let ended = try scratch.run("xbarc", ["assemble", "p.xir", "-o", "p.xbar"])
    #expect(ended.status == 0, "\(ended.errors)")
  }

  private func run(_ options: String...) throws -> Ended {
    try scratch.run("xbarrun", ["p.xbar", "--input", "x.npy", "-o", "y.npy", "-q"] + options)
  }

  @Test func stepsAreBounded() throws {
    defer { scratch.remove() }
    try assemble(code: "repeat [count: 2147483647] { repeat [count: 500] { %y = relu %x } }")
    for device in [[], ["--device", "ratio10", "--trials", "3"]] {
      let ended = try scratch.run("xbarrun", ["p.xbar", "--input", "x.npy", "-o", "y.npy", "-q"] + device)
      #expect(ended.status == 1 && ended.errors.contains("[run.steps]"), "\(ended.errors)")
      #expect(ended.errors.contains("100,000,000,000") && ended.errors.contains("--max-steps"))
    }
    try assemble(code: "repeat [count: 10] { %y = relu %x }")
    #expect(try run("--max-steps", "19").errors.contains("about 20 steps"))
    #expect(try run("--max-steps", "20").status == 0)
  }

  @Test func memoryIsBounded() throws {
    defer { scratch.remove() }
    try assemble()
    for device in [[], ["--device", "ratio10"]] {
      let ended = try scratch.run(
        "xbarrun", ["p.xbar", "--input", "x.npy", "-o", "y.npy", "-q", "--max-memory", "100"] + device)
      #expect(ended.status == 1 && ended.errors.contains("[run.memory]"), "\(ended.errors)")
      #expect(ended.errors.contains("the limit is 100\n") || ended.errors.contains("the limit is 100 "))
      #expect(ended.errors.contains("--max-memory"))
    }
    #expect(try run("--max-memory", "1K").status == 0)
    #expect(try run("--max-memory", "lots").status == 2)
  }

  /// The limit is far below what the buffer would take.
  @Test func unusedBuffersTakeNothing() throws {
    defer { scratch.remove() }
    try assemble(buffers: "%z = buffer : tensor<134217728xf32>")
    let ended = try run("--max-memory", "4M", "--threads", "1")
    #expect(ended.status == 0, "\(ended.errors)")
    #expect(try readArrays(path: scratch.path("y.npy"))[0].tensor.floats == [1, 0, 3, 0])
  }

  /// An expansion to 2^30 elements, an input of 2^30 and many large constants.
  @Test func valuesOfModelsAreBounded() throws {
    defer { scratch.remove() }
    func list(_ name: String, _ values: [Int64]) throws -> ONNXTensor {
      try SmallFile.stored(
        name, [values.count], .int64, values.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) })
    }
    let expanded = SmallFile.model(
      [SmallFile.node("Expand", ["x", "l"], ["t"]), SmallFile.node("ReduceSum", ["t"], ["y"])],
      [("x", [1, 4])], [try list("l", [1 << 14, 1 << 14, 4])], outputs: ["y"])
    let huge = SmallFile.model(
      [SmallFile.node("Relu", ["x"], ["y"])], [("x", [1, 1 << 30])], [], outputs: ["y"])
    let constants = (0..<80).map { SmallFile.node("ConstantOfShape", ["l"], ["c\($0)"]) }
    let filled = SmallFile.model(
      constants + [SmallFile.node("Sum", ["x"] + (0..<80).map { "c\($0)" }, ["y"])],
      [("x", [1, 4])], [try list("l", [1 << 22, 4])], outputs: ["y"])
    for (model, limit) in [(expanded, "4G"), (huge, "4G"), (filled, "256M")] {
      var writer = ModelWriter()
      try writeFile(try writer.bytes(of: model), to: scratch.path("m.onnx"))
      for command in [
        ["import", "m.onnx", "-o", "m.xir"], ["compile", "m.onnx", "-o", "m.xbar"],
        ["eval", "m.onnx", "--input", "x.npy"],
      ] {
        let ended = try scratch.run("xbarc", command + ["--max-memory", limit])
        #expect(ended.status == 1 && ended.errors.contains("[import.memory]"), "\(ended.errors)")
        #expect(ended.errors.contains("--max-memory"))
      }
    }
  }

  /// An attribute of a file with an escape, a line end and an override of the direction.
  @Test func textsOfAFileAreShownNotActedOn() throws {
    defer { scratch.remove() }
    let bad = "\u{1B}[31mBAD\n\u{202E}"
    let model = SmallFile.model(
      [SmallFile.node("MaxPool", ["x"], ["y"], ["auto_pad": .string(bad), "kernel_shape": .ints([2, 2])])],
      [("x", [1, 1, 4, 4])], [], outputs: ["y"])
    var writer = ModelWriter()
    try writeFile(try writer.bytes(of: model), to: scratch.path("m.onnx"))
    let ended = try scratch.run("xbarc", ["import", "m.onnx"])
    #expect(ended.status == 1 && ended.errors.contains("\\u{1B}[31mBAD\\n\\u{202E}"), "\(ended.errors)")
    #expect(ended.errors.unicodeScalars.allSatisfy { $0 == "\n" || (32..<127).contains($0.value) })
  }
}
