import ONNX
import Support
import TestSupport
import Testing

@Suite("Graphs and nodes")
struct GraphTests {
  private func network() throws -> ONNXModel { try readModel(path: fixture("network.onnx")) }

  @Test func readsTheHead() throws {
    let model = try network()
    #expect(model.irVersion == 7)
    #expect(
      model.opsets == [ONNXOpset(domain: "", version: 13), ONNXOpset(domain: "com.example", version: 2)])
    #expect(model.opset() == 13)
    #expect(model.opset(domain: "com.example") == 2)
    #expect(model.producer == "fixtures 1")
    #expect(Set(model.metadata) == [.init(key: "author", value: "nobody"), .init(key: "epochs", value: "3")])
    #expect(model.graph.name == "network")
    #expect(model.functions.isEmpty)
    #expect(model.path == fixture("network.onnx"))
  }

  @Test func readsNodesInOrder() throws {
    let nodes = try network().graph.nodes
    #expect(nodes.map(\.op) == ["Conv", "Relu", "Flatten", "Gemm", "Clip"])
    #expect(nodes.map(\.index) == [0, 1, 2, 3, 4])
    #expect(nodes.map(\.name) == ["conv", "", "", "fc", ""])
    #expect(nodes.map(\.domain) == ["", "", "", "", ""])
    #expect(nodes[0].inputs == ["x", "conv.weight", "conv.bias"])
    #expect(nodes[0].outputs == ["a"])
    #expect(nodes[4].inputs == ["y", "", ""])
    #expect(nodes[0].origin.description == "node 0 'conv' (Conv)")
    #expect(nodes[1].origin.description == "node 1 (Relu)")
  }

  @Test func looksAttributesUp() throws {
    let nodes = try network().graph.nodes
    #expect(try nodes[0].ints("pads") == [1, 1, 1, 1])
    #expect(try nodes[0].int("group") == 1)
    #expect(try nodes[0].string("auto_pad") == "NOTSET")
    #expect(try nodes[0].int("dilations") == nil)
    #expect(try nodes[3].float("alpha") == 1)
    #expect(nodes[3].attribute("transB")?.name == "transB")
    #expect(nodes[3].attribute("transA") == nil)
  }

  @Test func refusesLookUpsOfAnotherType() throws {
    let conv = try network().graph.nodes[0]
    let found = refusal { () throws(Diagnostic) in try conv.int("pads") }
    #expect(found?.id == "onnx.attribute-type")
    #expect(found?.message == "attribute 'pads' is a list of ints, expected an int")
    #expect(found?.location.place == .node(conv.origin))
    #expect(found?.notes.isEmpty == false)
    let failures = [
      refusal { () throws(Diagnostic) in try conv.float("group") },
      refusal { () throws(Diagnostic) in try conv.string("group") },
      refusal { () throws(Diagnostic) in try conv.tensor("group") },
      refusal { () throws(Diagnostic) in try conv.graph("group") },
      refusal { () throws(Diagnostic) in try conv.ints("group") },
      refusal { () throws(Diagnostic) in try conv.floats("group") },
      refusal { () throws(Diagnostic) in try conv.strings("group") },
    ]
    for failure in failures {
      #expect(failure?.id == "onnx.attribute-type")
      #expect(failure?.message.contains("is an int, expected") == true)
    }
  }

  @Test func readsInitializersThatAreInputs() throws {
    let graph = try network().graph
    #expect(graph.inputs.map(\.name) == ["x", "fc.bias", "anything", "rankless", "list"])
    #expect(graph.initializers.map(\.name).contains("fc.bias"))
    for (tensor, wanted) in zip(graph.initializers, try expectedTensors("network.onnx")) {
      try expectEqual(tensor, wanted)
    }
  }

  @Test func readsValueTypes() throws {
    let graph = try network().graph
    #expect(graph.inputs[0].shape == [.named("batch"), .fixed(1), .fixed(4), .fixed(4)])
    #expect(graph.inputs[0].elementType == .float)
    #expect(graph.inputs[2].shape == [.unknown, .unknown, .fixed(3)])
    #expect(graph.inputs[3] == ONNXValueInfo(name: "rankless", elementType: .float16))
    #expect(graph.inputs[4] == ONNXValueInfo(name: "list", otherType: "sequence"))
    #expect(
      graph.outputs == [ONNXValueInfo(name: "z", elementType: .float, shape: [.named("batch"), .fixed(10)])])
    #expect(graph.valueInfo.map(\.name) == ["a"])
  }

  @Test(arguments: [(4, "sequence"), (5, "map"), (7, "opaque"), (8, "sparse tensor"), (9, "optional")])
  func namesOtherTypes(_ field: Int, _ name: String) throws {
    let bytes = model {
      $0.message(Field.input) {
        $0.text(1, "x")
        $0.message(2) { $0.message(field) { _ in } }
      }
    }
    #expect(try readModel(bytes: bytes).graph.inputs == [ONNXValueInfo(name: "x", otherType: name)])
  }

  private func input(elementType: Int64, dimension: Int64) -> [UInt8] {
    model {
      $0.message(Field.input) {
        $0.text(1, "x")
        $0.message(2) {
          $0.message(1) {
            $0.int(1, elementType)
            $0.message(2) { $0.message(1) { $0.int(1, dimension) } }
          }
        }
      }
    }
  }

  @Test func readsDimensions() throws {
    func shape(_ dimension: Int64) throws -> [ONNXDimension]? {
      try readModel(bytes: input(elementType: 1, dimension: dimension)).graph.inputs.first?.shape
    }
    #expect(try shape(5) == [.fixed(5)])
    #expect(try shape(0) == [.fixed(0)])
    #expect(try shape(.max) == [.fixed(.max)])
    #expect(try shape(-1) == [.unknown])
    expectRefused(
      input(elementType: 1, dimension: -2), "onnx.value-shape", at: .item("value 'x'"), saying: "-2")
    expectRefused(input(elementType: 1, dimension: .min), "onnx.value-shape")
  }

  @Test func refusesUnknownElementTypesOfValues() throws {
    #expect(try readModel(bytes: input(elementType: 0, dimension: 1)).graph.inputs.first?.elementType == nil)
    for type in [27, 1000, -5] as [Int64] {
      expectRefused(
        input(elementType: type, dimension: 1), "onnx.tensor-type", at: .item("value 'x'"), saying: "\(type)")
    }
  }

  @Test func readsSubgraphsAndFunctions() throws {
    let model = try readModel(path: fixture("subgraphs.onnx"))
    let function = try #require(model.functions.first)
    #expect(model.functions.count == 1 && function.key.description == "com.example.Twice")
    #expect(function.inputs == ["a"] && function.outputs == ["b"] && function.opset() == 17)
    #expect(function.nodes.map(\.op) == ["Add"] && function.nodes[0].inputs == ["a", "a"])
    #expect(function.attributes.isEmpty && function.defaults.isEmpty)
    let node = try #require(model.graph.nodes.first)
    for (name, output, factor) in [("then_branch", "yes", 2), ("else_branch", "no", 3)] {
      let branch = try #require(try node.graph(name))
      #expect(branch.name == output)
      #expect(branch.nodes.map(\.op) == ["Mul"])
      #expect(branch.outputs.map(\.name) == [output])
      #expect(try branch.initializers.first?.floats() == [Float(factor)])
    }
  }

  @Test func refusesANodeWithoutOperator() {
    let bytes = model {
      $0.message(Field.node) { $0.text(Field.op, "Relu") }
      $0.message(Field.node) { $0.text(3, "n") }
    }
    expectRefused(bytes, "onnx.node", at: .node(NodeOrigin(index: 1, name: "n", op: "")))
  }

  @Test func buildsModelsByHand() throws {
    let node = ONNXNode(index: 0, op: "Relu", inputs: ["x"], outputs: ["y"])
    let model = ONNXModel(
      irVersion: 8, opsets: [ONNXOpset(domain: "", version: 17)],
      graph: ONNXGraph(nodes: [node], inputs: [ONNXValueInfo(name: "x")]))
    #expect(model.opset() == 17)
    #expect(model.graph.nodes.first?.origin == NodeOrigin(index: 0, name: "", op: "Relu"))
  }
}
