import IR
import Import
import ONNX
import Support
import Tensors
import Testing

/// A function of the domain `f` for operator set 17.
private func function(
  _ name: String, from inputs: [String] = ["a"], to outputs: [String] = ["b"], attributes: [String] = [],
  defaults: [String: ONNXAttribute.Value] = [:], opset: Int? = 17, _ nodes: [ONNXNode]
) -> ONNXFunction {
  ONNXFunction(
    ONNXFunction.Key(domain: "f", name: name), inputs: inputs, outputs: outputs, attributes: attributes,
    defaults: defaults.sorted { $0.key < $1.key }.map { ONNXAttribute(name: $0.key, value: $0.value) },
    nodes: nodes.enumerated().map { index, node in
      var copy = node
      copy.index = index
      return copy
    }, opsets: opset.map { [ONNXOpset(domain: "", version: $0)] } ?? [])
}

private func call(
  _ name: String, _ inputs: [String] = ["x"], _ outputs: [String] = ["y"],
  _ attributes: [String: ONNXAttribute.Value] = [:], name label: String = ""
) -> ONNXNode {
  var result = node(name, inputs, outputs, attributes, name: label)
  result.domain = "f"
  return result
}

@Suite("Functions of a model")
struct FunctionTests {
  private func net(
    _ nodes: [ONNXNode], _ functions: [ONNXFunction], inputs: [[Int]] = [[2]], _ tensors: [ONNXTensor] = [],
    outputs: [String] = ["y"], opset: Int = 17
  ) -> ONNXModel {
    var result = model(nodes, inputs: inputs, tensors, outputs: outputs, opset: opset)
    result.functions = functions
    return result
  }

  @Test func bodiesStandInPlaceOfCalls() throws {
    let twice = function("Twice", [node("Add", ["a", "a"], ["b"], name: "sum")])
    let found = net([call("Twice", ["x"], ["b"], name: "first"), call("Twice", ["b"], ["y"])], [twice])
    #expect(try imported(found).opcodes == [.input, .add, .add, .output])
    #expect(try result(found).floats == [4, 8])
    #expect(try imported(found).bodyOps.compactMap(\.origin?.name) == ["first/sum", "Twice1/sum"])
  }

  /// Names of a body mean nothing outside, and names outside nothing in it.
  @Test func namesDoNotClash() throws {
    let body = function(
      "F", from: ["x", "y"], to: ["w"], [node("Sub", ["y", "x"], ["t"]), node("Neg", ["t"], ["w"])])
    let nodes = [
      node("Neg", ["x1"], ["t"]), call("F", ["t", "x"], ["w"]), node("Add", ["w", "t"], ["y"]),
    ]
    // t = -x1 = [-1, -2]; w = -(x - t) = [-2, -4].
    #expect(try result(net(nodes, [body], inputs: [[2], [2]])).floats == [-3, -6])
    let leak = function("F", [node("Add", ["a", "x"], ["b"])])
    expectRefusal("import.undefined", of: net([call("F")], [leak]))
  }

  @Test func attributesComeFromTheCallOrTheDefault() throws {
    let body = function(
      "Leaky", attributes: ["free"], defaults: ["slope": .float(0.5)],
      [
        node("LeakyRelu", ["a"], ["t"], ["alpha": .reference("slope")]),
        node("LeakyRelu", ["t"], ["b"], ["alpha": .reference("free")]),
      ])
    func slopes(_ attributes: [String: ONNXAttribute.Value]) throws -> [Float] {
      try imported(net([call("Leaky", ["x"], ["y"], attributes)], [body])).bodyOps
        .filter { $0.opcode == .leakyRelu }.map { $0[.alpha] }
    }
    #expect(try slopes([:]) == [0.5, 0.01])
    #expect(try slopes(["slope": .float(2), "free": .float(4)]) == [2, 4])
    expectRefusal("import.attribute", of: net([call("Leaky", ["x"], ["y"], ["unknown": .float(2)])], [body]))
    expectRefusal(
      "onnx.attribute-type", of: net([call("Leaky", ["x"], ["y"], ["slope": .int(1)])], [body]))
    expectRefusal(
      "onnx.attribute-type", of: net([node("LeakyRelu", ["x"], ["y"], ["alpha": .reference("slope")])], []))
  }

  @Test func referencesReachThroughNestedCallsAndBranches() throws {
    let inner = function("Inner", attributes: ["k"], [node("Elu", ["a"], ["b"], ["alpha": .reference("k")])])
    let branch = ONNXGraph(
      nodes: [call("Inner", ["a"], ["t"], ["k": .reference("outer")])], outputs: [ONNXValueInfo(name: "t")])
    let outer = function(
      "Outer", from: ["a", "c"], attributes: ["outer"],
      [node("If", ["c"], ["b"], ["then_branch": .graph(branch), "else_branch": .graph(branch)])])
    let found = net(
      [call("Outer", ["x", "yes"], ["y"], ["outer": .float(3)], name: "o")], [outer, inner],
      [stored("yes", [], .bool, [1])])
    let op = try imported(found).first(.elu)
    #expect(op[.alpha] == 3 && op.origin?.name == "o/If0/Inner0/Elu0")
  }

  @Test func inputsAndOutputsCanBeLeftOut() throws {
    let clip = function(
      "Bound", from: ["a", "low", "high"], to: ["b", "other"],
      [node("Clip", ["a", "low", "high"], ["b"]), node("Unheard", ["a"], ["other"])])
    let tensors = [floats("two", [], [2])]
    #expect(
      try result(net([call("Bound", ["x", "two"])], [clip], inputs: [[3]], tensors)).floats == [2, 2, 3])
    #expect(
      try result(net([call("Bound", ["x", "", "two"], ["y", ""])], [clip], inputs: [[3]], tensors)).floats
        == [
          1, 2, 2,
        ])
    expectRefusal(
      "import.operator",
      of: net([call("Bound", ["x"], ["y", "z"])], [clip], inputs: [[3]], outputs: ["y", "z"]))
  }

  @Test func resultsMayBeInputsAndIntegers() throws {
    let shape = function(
      "ShapeOf", to: ["b", "c"], [node("Shape", ["a"], ["b"]), node("Identity", ["a"], ["c"])])
    let found = net(
      [
        call("ShapeOf", ["x1"], ["s", "same"]), node("Reshape", ["x", "s"], ["r"]),
        node("Add", ["r", "same"]),
      ],
      [shape], inputs: [[4], [2, 2]])
    #expect(try result(found).floats == [2, 4, 6, 8] && result(found).shape == [2, 2])
  }

  /// Softmax changed its meaning in set 13; each body has its own.
  @Test func bodiesHaveTheirOwnOperatorSet() throws {
    let old = function("Old", opset: 11, [node("Softmax", ["a"], ["b"], ["axis": .int(1)])])
    let nodes = [call("Old", ["x"], ["o"]), node("Softmax", ["o"], ["y"], ["axis": .int(1)])]
    let module = try imported(net(nodes, [old], inputs: [[1, 2, 3]]))
    #expect(module.opcodes == [.input, .reshape, .softmax, .reshape, .softmax, .output])
    expectRefusal(
      "import.opset", of: net([call("Old")], [function("Old", opset: nil, [node("Relu", ["a"], ["b"])])]))
  }

  @Test func overloadsAreToldApart() throws {
    var first = function("F", [node("Neg", ["a"], ["b"])])
    var second = function("F", [node("Abs", ["a"], ["b"])])
    (first.key.overload, second.key.overload) = ("one", "two")
    var chosen = call("F")
    chosen.overload = "two"
    #expect(try imported(net([chosen], [first, second])).opcodes == [.input, .abs, .output])
    expectRefusal("import.domain", of: net([call("F")], [first, second]))
  }

  @Test func aFunctionMayReplaceAStandardOperator() throws {
    var own = function("Relu", [node("Neg", ["a"], ["b"])])
    own.key.domain = ""
    #expect(try imported(net([node("Relu")], [own])).opcodes == [.input, .negate, .output])
  }

  // MARK: Refusals

  @Test func recursionIsRefused() throws {
    let a = function("A", [call("B", ["a"], ["b"])])
    let b = function("B", [call("A", ["a"], ["b"])])
    let found = try #require(expectRefusal("import.recursion", of: net([call("A")], [a, b])).first)
    #expect(found.message.contains("'f.A' calls itself"))
    #expect(found.location.description == "net.onnx: node 0 'A0/B0/A0' (A)")
    _ = try imported(net([node("Relu")], [a, b]))
  }

  @Test func deepAndWideCallsAreRefused() throws {
    func tower(_ height: Int, width: Int) -> [ONNXFunction] {
      (0..<height).map { level in
        let next = level + 1 == height ? node("Relu", ["a"], ["b"]) : call("F\(level + 1)", ["a"], ["b"])
        let side = (1..<width).map { k in
          level + 1 == height ? node("Relu", ["a"], ["c\(k)"]) : call("F\(level + 1)", ["a"], ["c\(k)"])
        }
        let sum = width == 1 ? [] : [node("Sum", ["b0"] + (1..<width).map { "c\($0)" }, ["b"])]
        var first = next
        if width > 1 { first.outputs = ["b0"] }
        return function("F\(level)", [first] + side + sum)
      }
    }
    #expect(try imported(net([call("F0")], tower(32, width: 1))).opcodes == [.input, .relu, .output])
    expectRefusal("import.function-depth", of: net([call("F0")], tower(33, width: 1)))
    #expect(try imported(net([call("F0")], tower(6, width: 2))).opcodes.count == 2 + 127)
  }

  /// Ten functions of nine nodes each call for 8^10 nodes: refused soon, whatever the outputs are.
  @Test(.timeLimit(.minutes(3))) func exponentialCallsAreRefused() {
    let tower = (0..<10).map { level in
      let calls = (0..<8).map { k in
        level == 9 ? node("Relu", ["a"], ["c\(k)"]) : call("F\(level + 1)", ["a"], ["c\(k)"])
      }
      return function("F\(level)", calls + [node("Sum", (0..<8).map { "c\($0)" }, ["b"])])
    }
    do throws(DiagnosticList) {
      _ = try importModel(net([call("F0")], tower))
      Issue.record("expected a refusal")
    } catch {
      #expect(error.items.allSatisfy { $0.id == "import.function-size" }, "\(error)")
    }
  }

  @Test func refusalsOfCalls() {
    let twice = function("Twice", [node("Add", ["a", "a"], ["b"])])
    expectRefusal("import.function-call", of: net([call("Twice", ["x", "x"])], [twice]))
    expectRefusal(
      "import.function-call", of: net([call("Twice", ["x"], ["y", "z"])], [twice], outputs: ["y", "z"]))
    expectRefusal("import.undefined", of: net([call("Twice", ["nothing"])], [twice]))
    expectRefusal("import.body-output", of: net([call("F")], [function("F", [node("Relu", ["a"], ["c"])])]))
    expectRefusal("import.name-twice", of: net([call("Twice"), call("Twice")], [twice]))
    expectRefusal(
      "import.operator", "import.axis",
      of: net(
        [call("F")],
        [
          function(
            "F",
            [
              node("Unheard", ["a"], ["c"]), node("Flatten", ["a"], ["d"], ["axis": .int(9)]),
              node("Add", ["c", "d"], ["b"]),
            ])
        ]))
  }
}
