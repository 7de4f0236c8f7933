import IR
import Import
import ONNX
import Support
import Testing

@Suite("--shape")
struct InputShapeTests {
  private func net(_ shapes: [ONNXDimension]?...) -> ONNXModel {
    let names = shapes.indices.map { $0 == 0 ? "x" : "x\($0)" }
    var result = model(
      names.map { node("Relu", [$0], ["r\($0)"]) }, inputs: shapes.map { _ in [1] },
      outputs: names.map { "r\($0)" })
    for (index, shape) in shapes.enumerated() { result.graph.inputs[index].shape = shape }
    return result
  }

  private func shapes(_ model: ONNXModel, _ given: String...) throws -> [[Int]] {
    try importModel(model, shapes: InputShapes(given)).bodyOps.filter { $0.opcode == .output }.enumerated()
      .map {
        index, op in
        try importModel(model, shapes: InputShapes(given)).values[op.operands[0]].type.shape ?? []
      }
  }

  private func refusal(_ model: ONNXModel, _ given: String...) throws -> Diagnostic {
    do throws(DiagnosticList) {
      let shapes: InputShapes
      do throws(Diagnostic) { shapes = try InputShapes(given) } catch { return error }
      _ = try importModel(model, shapes: shapes)
    } catch {
      #expect(error.items.count == 1, "\(error)")
      return try #require(error.items.first)
    }
    Issue.record("\(given) was not refused")
    return Diagnostic("none", "")
  }

  @Test func fixesOpenLengths() throws {
    let open = net([.named("N"), .fixed(3), .unknown, .named("width")])
    #expect(try shapes(open, "x=2x3x48x320") == [[2, 3, 48, 320]])
    #expect(try shapes(net(nil), "x=4x5") == [[4, 5]])
    #expect(try shapes(net([.fixed(2), .fixed(3)]), "x=2x3") == [[2, 3]])
    #expect(try shapes(net([.fixed(0), .fixed(3)]), "x=7x3") == [[7, 3]])
  }

  @Test func anOpenBatchAloneIsOne() throws {
    #expect(try shapes(net([.named("N"), .fixed(3)])) == [[1, 3]])
    #expect(try shapes(net([.unknown, .fixed(3)], [.fixed(2)]), "x1=2") == [[1, 3], [2]])
  }

  @Test func lengthsOfOneNameAreOneLength() throws {
    let pair = net([.named("N"), .named("T")], [.named("T"), .named("N"), .fixed(4)])
    #expect(try shapes(pair, "x=2x7") == [[2, 7], [7, 2, 4]])
    #expect(try shapes(pair, "x=2x7", "x1=7x2x4") == [[2, 7], [7, 2, 4]])
    let found = try refusal(pair, "x=2x7", "x1=8x2x4")
    #expect(found.id == "import.shape-option" && found.message.contains("'T' as 7 and as 8"))
    #expect(try refusal(net([.named("a"), .named("a")]), "x=1x2").id == "import.shape-option")
  }

  @Test func messagesShowTheOption() throws {
    let found = try refusal(net([.named("N"), .fixed(3), .unknown, .named("width")]))
    #expect(found.id == "import.dynamic-shape")
    #expect(found.notes[0].contains("--shape 'x=1x3x<axis 2>x<width>'"))
    #expect(found.location.description == "net.onnx: input 'x'")
    #expect(try refusal(net(nil)).notes[0].contains("--shape 'x="))
  }

  @Test func refusals() throws {
    let open = net([.unknown, .fixed(3), .unknown])
    for (option, words) in [
      ("x=1x3", "2 lengths"), ("x=1x4x5", "length 3"), ("image=1x3x5", "'image'"), ("y=1", "'y'"),
    ] {
      let found = try refusal(open, option)
      #expect(found.id == "import.shape-option" && found.message.contains(words), "\(found)")
      #expect(!found.notes.isEmpty && found.location.file == "net.onnx")
    }
    #expect(try refusal(open, "X=1x3x5").notes[0].contains("did you mean 'x'?"))
    let huge = try refusal(open, "x=1073741824x3x1073741824")
    #expect(huge.id == "usage.shape" || huge.id == "import.input-size", "\(huge)")
    var twice = open
    twice.graph.initializers = [counted("w", [3])]
    twice.graph.inputs.append(port("w", [3]))
    #expect(try refusal(twice, "x=1x3x5", "w=3").message.contains("does not have"))
  }

  @Test(arguments: [
    "", "x", "x=", "=1x2", "x=1x", "x=axb", "x=0x3", "x=-1x3", "x=1,3", "x=1 x3", "x=99999999999999999999",
    "x=4611686018427387904x4611686018427387904",
  ]) func refusesOtherTexts(text: String) throws {
    let found = try refusal(net([.unknown]), text)
    #expect(found.id == "usage.shape" && found.message.contains("'\(text)'"))
  }

  @Test func refusesAnInputTwice() throws {
    #expect(try refusal(net([.unknown]), "x=1", "x=2").id == "usage.shape")
    #expect(try shapes(net([.unknown], [.unknown]), "x=3", "x1=2") == [[3], [2]])
  }
}
