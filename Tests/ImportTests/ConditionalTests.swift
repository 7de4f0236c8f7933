import IR
import ONNX
import Support
import Tensors
import Testing

@Suite("Branches, and what is refused by name")
struct ConditionalTests {
  private func branch(
    _ nodes: [ONNXNode], _ outputs: [String], _ tensors: [ONNXTensor] = [], inputs: [ONNXValueInfo] = []
  ) -> ONNXAttribute.Value {
    .graph(
      ONNXGraph(
        nodes: nodes.enumerated().map { index, node in
          var copy = node
          copy.index = index
          return copy
        }, initializers: tensors, inputs: inputs, outputs: outputs.map { ONNXValueInfo(name: $0) }))
  }

  private func truth(_ name: String, _ value: Bool) -> ONNXTensor { stored(name, [], .bool, [value ? 1 : 0]) }

  private var positive: ONNXAttribute.Value { branch([node("Relu", ["x"], ["t"])], ["t"]) }
  private var negative: ONNXAttribute.Value { branch([node("Neg", ["x"], ["t"])], ["t"]) }

  @Test(arguments: [true, false]) func theConditionChooses(_ value: Bool) throws {
    let nodes = [node("If", ["c"], ["y"], ["then_branch": positive, "else_branch": negative])]
    #expect(
      try imported(model(nodes, [truth("c", value)])).opcodes == [.input, value ? .relu : .negate, .output])
    let constant = node("Constant", [], ["c"], ["value": .tensor(truth("", value))])
    #expect(try imported(model([constant] + nodes)).opcodes == [.input, value ? .relu : .negate, .output])
  }

  @Test(arguments: [
    ("Equal", [true, false, false]), ("Less", [false, true, false]), ("Greater", [false, false, true]),
    ("LessOrEqual", [true, true, false]), ("GreaterOrEqual", [true, false, true]),
  ]) func comparisons(op: String, expected: [Bool]) throws {
    for ((a, b), expected) in zip([(4, 4), (2, 4), (4, 2)] as [(Int64, Int64)], expected) {
      let nodes = [
        node(op, ["a", "b"], ["c"]),
        node("If", ["c"], ["y"], ["then_branch": positive, "else_branch": negative]),
      ]
      let found = try imported(model(nodes, [integers("a", [a], shape: []), integers("b", [b])]))
      #expect(found.opcodes[1] == (expected ? .relu : .negate), "\(a) \(op) \(b)")
    }
  }

  @Test func logic() throws {
    func isTaken(_ nodes: [ONNXNode], _ p: Bool, _ q: Bool) throws -> Bool {
      let choice = node("If", ["c"], ["y"], ["then_branch": positive, "else_branch": negative])
      return try imported(model(nodes + [choice], [truth("p", p), truth("q", q)])).opcodes[1] == .relu
    }
    for (p, q) in [(false, false), (false, true), (true, false), (true, true)] {
      #expect(try isTaken([node("And", ["p", "q"], ["c"])], p, q) == (p && q))
      #expect(try isTaken([node("Or", ["p", "q"], ["c"])], p, q) == (p || q))
      #expect(try isTaken([node("Xor", ["p", "q"], ["c"])], p, q) == (p != q))
      #expect(try isTaken([node("Not", ["p"], ["c"])], p, q) == !p)
    }
    let size = [node("Size", ["x"], ["n"]), node("Equal", ["n", "k"], ["c"])]
    let choice = node("If", ["c"], ["y"], ["then_branch": positive, "else_branch": negative])
    #expect(try imported(model(size + [choice], [integers("k", [32])])).opcodes[1] == .relu)
    let lists = [integers("a", [1, 2, 3]), integers("b", [1, 5])]
    expectRefusal("import.integer", of: model([node("Equal", ["a", "b"], ["c"])], lists))
    expectRefusal("import.condition", of: model([node("Equal", ["x", "x"], ["c"]), choice]))
    // A list against a number is a list.
    let mask = [
      node("Less", ["two", "a"], ["m"]), node("Cast", ["m"], ["f"], ["to": .int(1)]),
      node("Mul", ["x", "f"]),
    ]
    let masked = model(mask, inputs: [[3]], [integers("a", [1, 2, 3]), integers("two", [2], shape: [])])
    #expect(try result(masked).floats == [0, 0, 3])
  }

  @Test func branchesSeeWhatIsAround() throws {
    let inner = branch(
      [node("Add", ["t", "w"], ["u"]), node("Mul", ["u", "v"], ["z"])], ["z"], [floats("v", [1], [3])])
    let outer = branch(
      [
        node("Neg", ["x"], ["t"]), node("If", ["c"], ["r"], ["then_branch": inner, "else_branch": inner]),
      ], ["r", "w"], [floats("w", [2], [10, 20])])
    let nodes = [
      node("If", ["c"], ["a", "b"], ["then_branch": outer, "else_branch": outer]), node("Add", ["a", "b"]),
    ]
    // (-x + w) * 3 + w
    #expect(try result(model(nodes, inputs: [[2]], [truth("c", true)])).floats == [37, 74])
  }

  /// What only the other branch needs costs nothing.
  @Test func theOtherBranchLeavesNothing() throws {
    let other = branch([node("Unheard", ["h"], ["t"])], ["t"])
    let nodes = [
      node("Conv", ["x", "w"], ["h"]),
      node("If", ["c"], ["y"], ["then_branch": positive, "else_branch": other]),
    ]
    let module = try imported(model(nodes, [truth("c", true), counted("w", [2, 2, 1, 1])]))
    #expect(module.bodyOps.map(\.opcode) == [.input, .relu, .output] && module.resources.isEmpty)
  }

  @Test func refusalsOfIf() {
    let both = ["then_branch": positive, "else_branch": negative]
    expectRefusal("import.condition", of: model([node("If", ["x"], ["y"], both)]))
    expectRefusal(
      "import.condition", of: model([node("If", ["c"], ["y"], both)], [stored("c", [2], .bool, [1, 1])]))
    expectRefusal("import.condition", of: model([node("If", [], ["y"], both)]))
    func refused(_ branch: ONNXAttribute.Value?, _ outputs: [String] = ["y"]) -> ONNXModel {
      model([node("If", ["c"], outputs, branch.map { ["then_branch": $0] } ?? [:])], [truth("c", true)])
    }
    expectRefusal("import.branch", of: refused(nil))
    expectRefusal("import.branch", of: refused(branch([], ["x", "x"])))
    expectRefusal("import.branch", of: refused(branch([], ["x"], inputs: [port("i", [1])])))
    expectRefusal("import.body-output", of: refused(branch([], ["nothing"])))
    expectRefusal("onnx.attribute-type", of: refused(.int(1)))
    expectRefusal("import.operator", of: refused(branch([node("Unheard", ["x"], ["t"])], ["t"])))
    expectRefusal("import.name-twice", of: refused(branch([node("Relu", ["x"], ["x"])], ["x"])))
  }

  @Test(arguments: [
    ("Loop", "import.control-flow"), ("Scan", "import.control-flow"), ("SequenceAt", "import.sequence"),
    ("SplitToSequence", "import.sequence"), ("ConcatFromSequence", "import.sequence"),
    ("SequenceMap", "import.sequence"), ("Optional", "import.optional"),
    ("OptionalGetElement", "import.optional"),
  ]) func refusedByName(op: String, id: String) throws {
    let found = try #require(expectRefusal(id, of: model([node(op, name: "n")])).first)
    #expect(found.message.hasPrefix(op) && found.location.description == "net.onnx: node 0 'n' (\(op))")
  }

  @Test func refusalsOfDomainsSayWhatTheyAre() throws {
    for (domain, words) in [
      ("com.microsoft", "onnxruntime"), ("ai.onnx.ml", "classical"), ("aten", "PyTorch"),
      ("org.me", "function"),
    ] {
      var custom = node("FusedConv")
      custom.domain = domain
      let found = try #require(expectRefusal("import.domain", of: model([custom])).first)
      #expect(found.message.contains("FusedConv") && found.message.contains("'\(domain)'"))
      #expect(found.notes[0].contains(words))
    }
  }

  @Test func refusalsOfOtherTypesNameThem() throws {
    for kind in ["sequence", "optional", "map"] {
      var net = model([node("Relu")])
      net.graph.inputs[0] = ONNXValueInfo(name: "x", otherType: kind)
      let found = try #require(expectRefusal("import.input-type", of: net).first)
      #expect(found.message.contains(kind))
    }
  }
}
