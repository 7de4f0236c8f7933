import IR
import Import
import ONNX
import Support
import Tensors
import Testing

@Suite("Graphs")
struct GraphTests {
  @Test func namesAndOriginsComeFromTheFile() throws {
    let module = try imported(model([node("Relu", ["x"], ["my out"], name: "r 1")], outputs: ["my out"]))
    let op = try module.first(.relu)
    #expect(op.origin == NodeOrigin(index: 0, name: "r 1", op: "Relu"))
    #expect(module.values[op.results[0]].name == "my_out" && module.name == "net")
    #expect(try module.first(.output)[.portName] == "my out")
  }

  @Test func initializersThatAreInputsAreConstants() throws {
    var net = model([node("Add", ["x", "b"])], inputs: [[2]], [floats("b", [2], [10, 20])])
    net.graph.inputs.append(port("b", [2]))
    #expect(try imported(net).opcodes == [.input, .add, .output])
    #expect(try result(net).floats == [11, 22])
  }

  @Test func anOpenBatchIsOne() throws {
    for dimension in [ONNXDimension.unknown, .named("N"), .fixed(0)] {
      var net = model([node("Relu")])
      net.graph.inputs[0].shape = [dimension, .fixed(3)]
      #expect(try result(net).shape == [1, 3])
    }
  }

  @Test func severalInputsAndOutputsKeepTheirOrder() throws {
    let net = model(
      [node("Relu", ["x1"], ["a"]), node("Neg", ["x"], ["b"])], inputs: [[1], [2]], outputs: ["b", "a", "x"])
    #expect(try evaluated(net).map(\.floats) == [[-1], [1, 2], [1]])
  }

  @Test func refusalsOfInputs() {
    func changed(_ change: (inout ONNXValueInfo) -> Void) -> ONNXModel {
      var net = model([node("Relu")])
      change(&net.graph.inputs[0])
      return net
    }
    expectRefusal("import.input-type", of: changed { $0.elementType = .int64 })
    expectRefusal("import.input-type", of: changed { $0.elementType = nil })
    expectRefusal("import.dynamic-shape", of: changed { $0.shape = nil })
    expectRefusal("import.dynamic-shape", of: changed { $0.shape = [.fixed(1), .unknown] })
    expectRefusal("import.dynamic-shape", of: changed { $0.shape = [.fixed(1), .fixed(0)] })
    expectRefusal("import.input-size", of: changed { $0.shape = [.fixed(1 << 40)] })
    expectRefusal("import.input-size", of: changed { $0.shape = [.fixed(1 << 40), .fixed(1 << 40)] })
    expectRefusal("import.name-twice", of: model([node("Relu")], inputs: [[1], [1]]).renamed(1, "x"))
  }

  /// Each input is reported; what follows from it is not.
  @Test func allInputsAreReported() {
    var net = model([node("Add", ["x", "x1"], ["a"]), node("Relu", ["a"])], inputs: [[1], [1], [1]])
    net.graph.inputs[0].shape = nil
    net.graph.inputs[1].elementType = .string
    expectRefusal("import.dynamic-shape", "import.input-type", of: net)
  }

  @Test func refusalsOfOutputs() {
    expectRefusal("import.output", of: model([node("Relu")], outputs: []))
    expectRefusal("import.output", of: model([node("Relu")], outputs: ["nothing"]))
    expectRefusal("import.output", of: model([]))
    expectRefusal("import.name-twice", of: model([node("Relu")], outputs: ["y", "y"]))
  }

  @Test func refusalsOfNodes() throws {
    var custom = node("Relu")
    custom.domain = "com.microsoft"
    expectRefusal("import.domain", of: model([custom]))
    custom.domain = "ai.onnx"
    _ = try imported(model([custom]))
    let unknown = try #require(
      expectRefusal("import.operator", of: model([node("DeformConv")])).first)
    #expect(unknown.notes[0].contains("docs/operators.md"))
    let near = try #require(expectRefusal("import.operator", of: model([node("Rellu")])).first)
    #expect(near.notes[0].hasPrefix("did you mean Relu? ") && near.notes[0].contains("docs/operators.md"))
    expectRefusal("import.output-missing", of: model([node("Relu", ["x"], [])]))
    expectRefusal("import.output-missing", of: model([node("Relu", ["x"], [""])]))
    expectRefusal("import.extra-outputs", of: model([node("Relu", ["x"], ["y", "z"])], outputs: ["y", "z"]))
    expectRefusal("import.undefined", of: model([node("Relu", ["later"]), node("Relu", ["x"], ["later"])]))
    expectRefusal("import.name-twice", of: model([node("Relu"), node("Neg")]))
    expectRefusal("import.name-twice", of: model([node("Relu", ["x"], ["x"])]))
    expectRefusal("import.name-twice", of: model([node("Relu", ["x"], ["w"])], [counted("w", [1])]))
  }

  /// What cannot be imported is reported once, not again by everything that follows from it.
  @Test func allFaultsAreReportedOnce() {
    let net = model(
      [
        node("Foo", ["x"], ["a"]), node("Relu", ["a"], ["b"]), node("Bar", ["x"], ["c"]),
        node("Add", ["b", "c"], ["d"]),
        node("Concat", ["x"], ["e"], ["axis": .int(9)]), node("Identity", ["d"], ["y"]),
      ], outputs: ["y", "e"])
    expectRefusal("import.operator", "import.operator", "import.axis", of: net)
  }

  @Test func afterTwentyFaultsTheImportStops() {
    do throws(DiagnosticList) {
      _ = try importModel(model((0..<50).map { node("Foo", ["x"], ["y\($0)"]) }))
      Issue.record("expected faults")
    } catch { #expect(error.items.count == 20) }
  }

  /// Every id that the importers can throw is named by a test.
  @Test func everyIdHasATest() throws {
    let thrown = try ids(in: "Sources/Import", /(?:failure\(\s*|"import\.)"?([a-z-]+)"/)
    let tested = try ids(in: "Tests/ImportTests", /"import\.([a-z-]+)"/)
    #expect(thrown.count > 25)
    #expect(thrown.subtracting(tested).isEmpty && tested.subtracting(thrown).isEmpty)
  }
}

extension ONNXModel {
  /// The same model with another name for input `index`.
  func renamed(_ index: Int, _ name: String) -> ONNXModel {
    var copy = self
    copy.graph.inputs[index].name = name
    return copy
  }
}
