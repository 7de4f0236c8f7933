import IR
import Import
import ONNX
import Evaluator
import Support
import Tensors
import Testing

/// Changes models at random; the sequence depends on the seed alone.
private struct Mutator {
  var random: SeededGenerator
  let corpus: [ONNXModel]

  mutating func next() -> ONNXModel {
    var model = corpus[random.below(corpus.count)]
    for _ in 0..<random.inside(1...3) {
      if model.functions.isEmpty || random.chance(0.4) {
        change(&model.graph)
      } else {
        changeFunction(&model.functions[random.below(model.functions.count)])
      }
    }
    return model
  }

  /// Changes the body of a function like a graph, or what tells it from others.
  private mutating func changeFunction(_ function: inout ONNXFunction) {
    var graph = ONNXGraph(
      nodes: function.nodes, initializers: [counted("c", [1])],
      inputs: function.inputs.map { ONNXValueInfo(name: $0) }, outputs: [])
    guard !graph.nodes.isEmpty, !graph.inputs.isEmpty else { return }
    switch random.below(6) {
    case 0: function.inputs = Array(function.inputs.shuffled(using: &random).dropFirst(random.below(2)))
    case 1:
      function.outputs = function.outputs + [graph.nodes[random.below(graph.nodes.count)].outputs.first ?? ""]
    case 2: function.key.name = ["Block", "Twice", "Relu", ""][random.below(4)]
    case 3:
      function.opsets = random.chance(0.5) ? [] : [ONNXOpset(domain: "", version: random.inside(7...25))]
    default: change(&graph)
    }
    function.nodes = graph.nodes
  }

  private mutating func change(_ graph: inout ONNXGraph) {
    switch random.below(12) {
    case 0...4: changeAttribute(&graph)
    case 5, 6: changeTensor(&graph)
    case 7: changeInput(&graph)
    case 8: graph.nodes.swapAt(random.below(graph.nodes.count), random.below(graph.nodes.count))
    case 9: changeOperator(&graph)
    default: changeName(&graph)
    }
  }

  private mutating func number() -> Int64 {
    let interesting: [Int64] = [0, 1, -1, 2, 3, 5, .max, .min, 1 << 20, 1 << 31, 1 << 40, -7]
    return interesting[random.below(interesting.count)]
  }

  private mutating func numbers() -> [Int64] { (0..<random.below(6)).map { _ in number() } }

  private mutating func changeAttribute(_ graph: inout ONNXGraph) {
    let at = random.below(graph.nodes.count)
    let names = [
      "axis", "axes", "perm", "pads", "strides", "dilations", "kernel_shape", "group", "transA", "start",
      "to",
    ]
    let known = graph.nodes[at].attributes.map(\.name)
    let name =
      known.isEmpty || random.chance(0.3)
      ? names[random.below(names.count)] : known[random.below(known.count)]
    graph.nodes[at].attributes.removeAll { $0.name == name }
    let value: ONNXAttribute.Value
    switch random.below(6) {
    case 0, 1: value = .ints(numbers())
    case 2, 3: value = .int(number())
    case 4: value = .float([0, -1, .nan, .infinity][random.below(4)])
    default: value = .string(["SAME_UPPER", "VALID", "", "edge"][random.below(4)])
    }
    if random.chance(0.9) { graph.nodes[at].attributes.append(ONNXAttribute(name: name, value: value)) }
  }

  /// Another shape, with as many elements as it needs as long as that is few; or other integers.
  private mutating func changeTensor(_ graph: inout ONNXGraph) {
    guard !graph.initializers.isEmpty else { return }
    let at = random.below(graph.initializers.count)
    let name = graph.initializers[at].name
    if graph.initializers[at].elementType == .int64 {
      graph.initializers[at] = integers(name, numbers())
      return
    }
    let shape = (0..<random.below(6)).map { _ in random.chance(0.1) ? 0 : random.inside(1...4) }
    let values = (0..<shape.reduce(1, *)).map { _ in Float(random.unit()) }
    graph.initializers[at] = floats(name, shape, values)
  }

  private mutating func changeInput(_ graph: inout ONNXGraph) {
    let at = random.below(graph.inputs.count)
    let shape = (0..<random.below(6)).map { _ in
      ONNXDimension.fixed(random.chance(0.1) ? 1 << 30 : random.inside(0...6))
    }
    graph.inputs[at].shape = random.chance(0.1) ? nil : shape
    if random.chance(0.1) { graph.inputs[at].elementType = .int64 }
  }

  private mutating func changeOperator(_ graph: inout ONNXGraph) {
    graph.nodes[random.below(graph.nodes.count)].op =
      supportedOperators[random.below(supportedOperators.count)]
  }

  private mutating func changeName(_ graph: inout ONNXGraph) {
    let names =
      graph.nodes.flatMap { $0.inputs + $0.outputs } + graph.initializers.map(\.name) + ["", "x", "y"]
    let name = names[random.below(names.count)]
    let at = random.below(graph.nodes.count)
    switch random.below(6) {
    case 0 where !graph.nodes[at].outputs.isEmpty: graph.nodes[at].outputs[0] = name
    case 1: graph.nodes[at].inputs = []
    case 2: graph.nodes[at].outputs = []
    case 3: graph.nodes[at].inputs.append(name)
    case 4: graph.outputs = random.chance(0.3) ? [] : [ONNXValueInfo(name: name), ONNXValueInfo(name: name)]
    default:
      guard !graph.nodes[at].inputs.isEmpty else { return }
      graph.nodes[at].inputs[random.below(graph.nodes[at].inputs.count)] = name
    }
  }
}

@Suite("Mutations of models")
struct MutationTests {
  private var corpus: [ONNXModel] {
    let classifier = model(
      [
        node("Conv", ["x", "w1", "b1"], ["c"], ["pads": .ints([1, 1, 1, 1]), "strides": .ints([1, 1])]),
        node("BatchNormalization", ["c", "s", "s", "s", "s"], ["n"]), node("Relu", ["n"], ["r"]),
        node("MaxPool", ["r"], ["p"], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])]),
        node("Shape", ["p"], ["h"]), node("Gather", ["h", "i"], ["g"]),
        node("Concat", ["g", "m"], ["t"], ["axis": .int(0)]),
        node("Reshape", ["p", "t"], ["f"]),
        node("Gemm", ["f", "w2", "b2"], ["z"], ["transB": .int(1), "alpha": .float(2)]),
        node("Softmax", ["z"], ["y"], ["axis": .int(1)]),
      ],
      [
        counted("w1", [3, 2, 3, 3]), counted("b1", [3]), counted("s", [3]), integers("i", [0]),
        integers("m", [-1]),
        counted("w2", [5, 12]), counted("b2", [5]),
      ])
    let shapes = model(
      [
        node("Transpose", ["x"], ["a"], ["perm": .ints([0, 2, 1])]), node("Unsqueeze", ["a", "u"], ["b"]),
        node("Pad", ["b", "p"], ["c"]), node("Squeeze", ["c", "u"], ["d"]), node("Flatten", ["d"], ["e"]),
        node("ReduceMean", ["e", "u"], ["f"]), node("Clip", ["f", "l"], ["g"]),
        node("Concat", ["g", "g"], ["h"], ["axis": .int(0)]),
        node("Mul", ["h", "h"], ["k"]), node("Sum", ["k", "h", "k"], ["y"]),
      ], inputs: [[1, 3, 4]],
      [integers("u", [1]), integers("p", [0, 0, 0, 1, 0, 0, 1, 0]), floats("l", [], [0])], opset: 18)
    let pools = model(
      [
        node("AveragePool", ["x"], ["a"], ["kernel_shape": .ints([2]), "auto_pad": .string("SAME_UPPER")]),
        node("Conv", ["a", "w"], ["b"], ["dilations": .ints([2]), "group": .int(2)]),
        node("GlobalMaxPool", ["b"], ["c"]),
        node("Flatten", ["c"], ["f"]), node("MatMul", ["v", "f"], ["d"]), node("Div", ["d", "d"], ["y"]),
      ], inputs: [[2, 4, 9]], [counted("w", [4, 2, 3]), counted("v", [3, 2])])
    let images = model(
      [
        node(
          "ConvTranspose", ["x", "w", "b"], ["a"],
          [
            "strides": .ints([2, 1]), "pads": .ints([0, 1, 1, 0]), "output_padding": .ints([1, 0]),
            "group": .int(2),
          ]),
        node("Resize", ["a", "", "s"], ["c"], ["mode": .string("linear")]),
        node("DepthToSpace", ["c"], ["d"], ["blocksize": .int(2)]),
        node("LRN", ["d"], ["e"], ["size": .int(3), "beta": .float(0.75)]),
        node("InstanceNormalization", ["e", "g", "g"], ["f"]),
        node("LpPool", ["f"], ["h"], ["kernel_shape": .ints([2, 2]), "ceil_mode": .int(1)]),
        node("Pad", ["h", "p", "", "q"], ["k"], ["mode": .string("reflect")]),
        node("ReduceMax", ["k", "q"], ["y"], ["keepdims": .int(0)]),
      ], inputs: [[1, 4, 3, 4]],
      [
        counted("w", [4, 2, 2, 2]), counted("b", [4]), floats("s", [4], [1, 1, 2, 2]), counted("g", [1]),
        integers("p", [1, 1]), integers("q", [2]),
      ], opset: 18)
    let choices = model(
      [
        node("Slice", ["x", "one", "five", "one", "two"], ["a"]),
        node("Split", ["a", "parts"], ["b", "c"], ["axis": .int(1)]),
        node("Tile", ["b", "r"], ["d"]), node("Gather", ["c", "i"], ["e"], ["axis": .int(1)]),
        node("Expand", ["e", "one"], ["f"]),
        node("Einsum", ["d", "f"], ["g"], ["equation": .string("ab,ac->bc")]),
        node("Range", ["zero", "five", "two"], ["h"]), node("Equal", ["h", "i"], ["k"]),
        node("Where", ["k", "g", "z"], ["l"]), node("Pow", ["l", "three"], ["m"]),
        node("LayerNormalization", ["m", "z"], ["n"], ["axis": .int(-1)]),
        node("ConstantOfShape", ["one"], ["o"]), node("Trilu", ["n", "one"], ["t"]),
        node("Gelu", ["t"], ["u"]),
        node("Add", ["u", "o"], ["y"]),
      ], inputs: [[2, 6]],
      [
        integers("zero", [0], shape: []), integers("one", [1]), integers("two", [2]), integers("five", [5]),
        integers("parts", [1, 1]), integers("r", [1, 2]), integers("i", [0, 0, 0]), floats("z", [1], [1]),
        floats("three", [], [3]),
      ], opset: 20)
    return [classifier, shapes, pools, images, choices, recurrent, structured]
  }

  /// Functions in functions, and branches.
  private var structured: ONNXModel {
    func local(_ op: String, _ inputs: [String], _ outputs: [String], _ slope: ONNXAttribute.Value)
      -> ONNXNode
    {
      var result = node(op, inputs, outputs, ["slope": slope])
      result.domain = "f"
      return result
    }
    func branch(_ op: String) -> ONNXAttribute.Value {
      .graph(ONNXGraph(nodes: [node(op, ["t"], ["u"])], outputs: [ONNXValueInfo(name: "u")]))
    }
    var result = model(
      [
        local("Block", ["x", "w"], ["t"], .float(2)), node("Size", ["t"], ["n"]),
        node("Equal", ["n", "k"], ["c"]),
        node("If", ["c"], ["v"], ["then_branch": branch("Relu"), "else_branch": branch("Neg")]),
        local("Twice", ["v"], ["y"], .float(3)),
      ], inputs: [[2, 3]], [counted("w", [3, 4]), integers("k", [8])])
    result.functions = [
      ONNXFunction(
        ONNXFunction.Key(domain: "f", name: "Block"), inputs: ["a", "b"], outputs: ["d"],
        attributes: ["slope"],
        nodes: [
          node("MatMul", ["a", "b"], ["c"]), local("Twice", ["c"], ["d"], .reference("slope")),
        ], opsets: [ONNXOpset(domain: "", version: 17)]),
      ONNXFunction(
        ONNXFunction.Key(domain: "f", name: "Twice"), inputs: ["a"], outputs: ["b"],
        defaults: [ONNXAttribute(name: "slope", value: .float(1))],
        nodes: [
          node("LeakyRelu", ["a"], ["c"], ["alpha": .reference("slope")]), node("Add", ["c", "a"], ["b"]),
        ], opsets: [ONNXOpset(domain: "", version: 16)]),
    ]
    return result
  }

  private var recurrent: ONNXModel {
    model(
      [
        node("Shape", ["x"], ["s"]), node("Gather", ["s", "one"], ["b"]),
        node("Concat", ["two", "b", "four"], ["t"], ["axis": .int(0)]),
        node("ConstantOfShape", ["t"], ["h"]), node("Slice", ["all", "zero", "last", "axis"], ["w"]),
        node(
          "LSTM", ["x", "w", "r", "bias", "lengths", "h", "h", "p"], ["y1", "yh", "yc"],
          [
            "direction": .string("bidirectional"), "clip": .float(0.5), "input_forget": .int(1),
            "activations": .strings(["Sigmoid", "Tanh", "Affine", "HardSigmoid", "Softsign", "Relu"]),
            "activation_alpha": .floats([0.5, 0.25]), "activation_beta": .floats([0.5, 0.25]),
          ]),
        node("Transpose", ["y1"], ["y2"], ["perm": .ints([0, 2, 1, 3])]),
        node("Reshape", ["y2", "rows"], ["y3"]),
        node("GRU", ["y3", "v", "u"], ["", "g"], ["linear_before_reset": .int(1), "layout": .int(0)]),
        node("Expand", ["g", "rows"], ["e"]), node("Gather", ["e", "zero"], ["k"]),
        node("Reshape", ["yc", "flat"], ["c"]), node("Add", ["k", "c"], ["y"]),
      ], inputs: [[3, 2, 5]],
      [
        counted("all", [2, 16, 6]), counted("r", [2, 16, 4]), counted("bias", [2, 32]),
        counted("p", [2, 12]),
        integers("lengths", [3, 1]), integers("one", [1]), integers("two", [2]), integers("four", [4]),
        integers("zero", [0]), integers("last", [5]), integers("axis", [2]), integers("rows", [3, 2, 8]),
        integers("flat", [1, 2, 8]),
        counted("v", [1, 24, 8]), counted("u", [1, 24, 8]),
      ])
  }

  /// A module that verifies and can be evaluated, or a list of errors: never a trap.
  @Test func theCorpusIsSound() throws {
    for model in corpus { #expect(try verify(importModel(model)).isEmpty) }
  }

  @Test func endInErrorsOrInASoundModule() throws {
    var mutator = Mutator(random: SeededGenerator(seed: 40), corpus: corpus)
    var (sound, broken) = (0, 0)
    for number in 0..<6000 {
      let model = mutator.next()
      do throws(DiagnosticList) {
        let module = try importModel(model)
        if !verify(module).isEmpty { Issue.record("mutation \(number): \(verify(module))") }
        evaluate(module)
        sound += 1
      } catch {
        if error.items.isEmpty || error.items.contains(where: { $0.message.isEmpty }) {
          Issue.record("mutation \(number)")
        }
        broken += 1
      }
    }
    #expect(sound > 300 && broken > 3000, "\(sound) sound, \(broken) broken")
  }

  /// Evaluates small modules; errors are fine.
  private func evaluate(_ module: Module<TensorLevel>) {
    let shapes = module.values.elements.map { $0.type.shape ?? [] }
    guard shapes.allSatisfy({ $0.reduce(1, *) < 1 << 12 }) else { return }
    let inputs = module.bodyOps.filter { $0.opcode == .input }.map { op in
      let shape = module.values[op.results[0]].type.shape ?? []
      return Tensor(shape, [Float](repeating: 0.5, count: shape.reduce(1, *)))
    }
    _ = try? Interpreter(module).evaluate(inputs)
  }
}
