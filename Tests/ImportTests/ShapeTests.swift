import IR
import ONNX
import Support
import Tensors
import Testing

@Suite("Shapes and constants")
struct ShapeTests {
  private func shape(
    _ op: String, _ x: [Int], _ attributes: [String: ONNXAttribute.Value] = [:], _ list: [Int64]? = nil
  ) throws
    -> [Int]
  {
    let net = model(
      [node(op, list == nil ? ["x"] : ["x", "list"], ["y"], attributes)], inputs: [x],
      list.map { [integers("list", $0)] } ?? [], opset: attributes["axes"] == nil ? 17 : 12)
    let y = try result(net)
    #expect(y.floats == (0..<y.count).map { Float($0 + 1) }, "elements stay in order")
    return y.shape
  }

  @Test func reshape() throws {
    #expect(try shape("Reshape", [2, 3, 4], [:], [6, 4]) == [6, 4])
    #expect(try shape("Reshape", [2, 3, 4], [:], [-1, 4]) == [6, 4])
    #expect(try shape("Reshape", [2, 3, 4], [:], [0, -1]) == [2, 12])
    #expect(try shape("Reshape", [2, 3, 4], [:], [0, 0, 0, 1]) == [2, 3, 4, 1])
    #expect(try shape("Reshape", [1, 1], [:], []) == [])
    #expect(try shape("Reshape", [2, 3], ["allowzero": .int(1)], [3, -1]) == [3, 2])
  }

  @Test func refusalsOfReshape() {
    for bad in [
      [5], [-1, -1], [-2, 3], [0, 0, 0], [-1, 0, 5], [.max, .max], [.min], [4, -1], [1 << 40, 1 << 40],
    ] as [[Int64]] {
      expectRefusal(
        "import.reshape", of: model([node("Reshape", ["x", "s"])], inputs: [[2, 3]], [integers("s", bad)]))
    }
    let zero = model(
      [node("Reshape", ["x", "s"], ["y"], ["allowzero": .int(1)])], inputs: [[2, 3]],
      [integers("s", [0, -1])])
    expectRefusal("import.reshape", of: zero)
    expectRefusal("import.dynamic", of: model([node("Reshape", ["x", "x1"])], inputs: [[2], [1]]))
    expectRefusal(
      "import.dynamic", of: model([node("Reshape", ["x", "s"])], inputs: [[2]], [floats("s", [1], [2])]))
    expectRefusal("import.input-missing", of: model([node("Reshape", ["x"])], inputs: [[2]]))
  }

  /// Values of more than 4 GiB together are refused before anybody computes them.
  @Test func valuesTakeNoMoreThanTheLimit() {
    expectRefusal("import.memory", of: model([node("Relu")], inputs: [[1, 1 << 30]]))
  }

  @Test func flatten() throws {
    #expect(try shape("Flatten", [2, 3, 4]) == [2, 12])
    #expect(try shape("Flatten", [2, 3, 4], ["axis": .int(0)]) == [1, 24])
    #expect(try shape("Flatten", [2, 3, 4], ["axis": .int(3)]) == [24, 1])
    #expect(try shape("Flatten", [2, 3, 4], ["axis": .int(-1)]) == [6, 4])
    for axis in [4, -4, .max, .min] as [Int64] {
      expectRefusal(
        "import.axis", of: model([node("Flatten", ["x"], ["y"], ["axis": .int(axis)])], inputs: [[2, 3, 4]]))
    }
  }

  @Test func squeezeAndUnsqueezeTakeAxesFromAttributesOrInputs() throws {
    for axes in [[0], [0, 2], [-1], [2, 0]] as [[Int64]] {
      #expect(
        try shape("Squeeze", [1, 3, 1], ["axes": .ints(axes)]) == shape("Squeeze", [1, 3, 1], [:], axes))
    }
    #expect(try shape("Squeeze", [1, 3, 1]) == [3])
    #expect(try shape("Squeeze", [1, 3, 1], [:], [0]) == [3, 1])
    #expect(try shape("Unsqueeze", [2, 3], ["axes": .ints([0, 3])]) == [1, 2, 3, 1])
    #expect(try shape("Unsqueeze", [2, 3], [:], [3, 0]) == [1, 2, 3, 1])
    #expect(try shape("Unsqueeze", [2, 3], [:], [-1]) == [2, 3, 1])
    #expect(try shape("Unsqueeze", [], [:], [0, 1]) == [1, 1])
  }

  @Test func refusalsOfSqueezeAndUnsqueeze() {
    func one(_ op: String, _ axes: [Int64]) -> ONNXModel {
      model([node(op, ["x"], ["y"], ["axes": .ints(axes)])], inputs: [[1, 3]], opset: 11)
    }
    expectRefusal("import.squeeze", of: one("Squeeze", [1]))
    for axes in [[2], [-3], [.min], [.max]] as [[Int64]] {
      expectRefusal("import.axis", of: one("Squeeze", axes))
    }
    for axes in [[3], [-4], [0, 0], [0, -4], [.min]] as [[Int64]] {
      expectRefusal("import.axis", of: one("Unsqueeze", axes))
    }
  }

  @Test func transpose() throws {
    let net = model([node("Transpose", ["x"], ["y"], ["perm": .ints([1, 0])])], inputs: [[2, 3]])
    #expect(try result(net) == Tensor([3, 2], [1, 4, 2, 5, 3, 6] as [Float]))
    #expect(try result(model([node("Transpose")], inputs: [[2, 3, 4]])).shape == [4, 3, 2])
    for perm in [[0], [0, 0], [0, 2], [1, .max], [-1, 0]] as [[Int64]] {
      expectRefusal(
        "import.shape", of: model([node("Transpose", ["x"], ["y"], ["perm": .ints(perm)])], inputs: [[2, 3]]))
    }
  }

  @Test func concat() throws {
    let net = model(
      [node("Concat", ["x", "x1", "x"], ["y"], ["axis": .int(-1)])], inputs: [[2, 1], [2, 2]])
    #expect(try result(net) == Tensor([2, 4], [1, 1, 2, 1, 2, 3, 4, 2] as [Float]))
    expectRefusal("import.axis", of: model([node("Concat", ["x"], ["y"], ["axis": .int(4)])]))
    expectRefusal(
      "import.shape",
      of: model([node("Concat", ["x", "x1"], ["y"], ["axis": .int(0)])], inputs: [[2, 1], [2, 2]]))
    expectRefusal("import.input-missing", of: model([node("Concat", [], ["y"], ["axis": .int(0)])]))
    expectRefusal(
      "import.input-count",
      of: model(
        [node("Concat", [String](repeating: "x", count: 4097), ["y"], ["axis": .int(0)])], inputs: [[1]]))
    expectRefusal(
      "import.integer-input",
      of: model([node("Concat", ["x", "i"], ["y"], ["axis": .int(0)])], inputs: [[1]], [integers("i", [1])]))
  }

  @Test func padTakesAmountsFromAttributesOrInputs() throws {
    let old = model(
      [node("Pad", ["x"], ["y"], ["pads": .ints([1, 0]), "value": .float(7)])], inputs: [[2]], opset: 10)
    #expect(try result(old).floats == [7, 1, 2])
    let new = model(
      [node("Pad", ["x", "p", "v"])], inputs: [[2]], [integers("p", [0, 2]), floats("v", [], [9])])
    #expect(try result(new).floats == [1, 2, 9, 9])
    #expect(
      try result(model([node("Pad", ["x", "p"])], inputs: [[2]], [integers("p", [0, 1])])).floats == [
        1, 2, 0,
      ])
  }

  @Test func refusalsOfPad() throws {
    func pad(
      _ pads: [Int64], _ attributes: [String: ONNXAttribute.Value] = [:], _ inputs: [String] = ["x", "p"]
    ) -> ONNXModel {
      model(
        [node("Pad", inputs, ["y"], attributes)], inputs: [[2]],
        [integers("p", pads), integers("a", [0]), integers("b", [1])])
    }
    #expect(try result(pad([1, 0], [:], ["x", "p", "", "a"])).floats == [0, 1, 2])
    for bad in [[1], [-2, 0], [-1, -1], [0, -2], [-3, 9], [1, 2, 3], [.max, 1], []] as [[Int64]] {
      expectRefusal("import.pad", of: pad(bad))
    }
    expectRefusal("import.pad", of: pad([2, 0], ["mode": .string("reflect")]))
    expectRefusal("import.pad", of: pad([0, 2], ["mode": .string("reflect")]))
    expectRefusal("import.pad", of: pad([1, 0], ["mode": .string("mirror")]))
    expectRefusal("import.axis", of: pad([1, 0], [:], ["x", "p", "", "b"]))
    expectRefusal("import.pad", of: model([node("Pad")], inputs: [[2]], opset: 10))
  }

  // MARK: Shape arithmetic

  /// `x` reshaped to what `nodes` compute as `s`.
  private func reshaped(_ nodes: [ONNXNode], _ initializers: [ONNXTensor] = [], _ x: [Int] = [2, 3, 4]) throws
    -> [Int]
  {
    try result(model(nodes + [node("Reshape", ["x", "s"])], inputs: [x], initializers)).shape
  }

  @Test func theChainThatExportersWrite() throws {
    let chain = [
      node("Shape", ["x"], ["all"]),
      node("Constant", [], ["zero"], ["value": .tensor(integers("", [0], shape: []))]),
      node("Gather", ["all", "zero"], ["batch"], ["axis": .int(0)]),
      node("Unsqueeze", ["batch", "first"], ["batch1"]),
      node("Constant", [], ["rest"], ["value_ints": .ints([-1])]),
      node("Concat", ["batch1", "rest"], ["s"], ["axis": .int(0)]),
    ]
    #expect(try reshaped(chain, [integers("first", [0])]) == [2, 12])
    let module = try imported(
      model(chain + [node("Reshape", ["x", "s"])], inputs: [[2, 3, 4]], [integers("first", [0])]))
    #expect(module.opcodes == [.input, .reshape, .output], "nothing of the chain is left")
  }

  @Test func shapeTakesAPart() throws {
    func part(_ attributes: [String: ONNXAttribute.Value]) throws -> Int {
      let module = try imported(
        model(
          [
            node("Shape", ["x"], ["p"], attributes), node("Concat", ["p", "m"], ["s"], ["axis": .int(0)]),
            node("Reshape", ["x", "s"]),
          ],
          inputs: [[1, 1, 1, 1]], [integers("m", [1])], opset: 15))
      return try #require(module.values[module.first(.reshape).results[0]].type.shape).count - 1
    }
    #expect(try part([:]) == 4 && part(["start": .int(1)]) == 3 && part(["start": .int(-1)]) == 1)
    #expect(try part(["end": .int(-1)]) == 3 && part(["start": .int(3), "end": .int(1)]) == 0)
    #expect(try part(["start": .int(.min), "end": .int(.max)]) == 4)
  }

  @Test func integerArithmetic() throws {
    let ints = [integers("a", [12, 2]), integers("b", [2]), integers("c", [6], shape: [])]
    #expect(
      try reshaped(
        [node("Div", ["a", "b"], ["d"]), node("Mul", ["d", "e"], ["s"])], ints + [integers("e", [1, 4])]) == [
          6, 4,
        ])
    #expect(
      try reshaped(
        [node("Sub", ["a", "c"], ["s0"]), node("Max", ["f"], ["unused"]), node("Add", ["s0", "g"], ["s"])],
        ints + [floats("f", [1], [1]), integers("g", [0, 8])]) == [6, 4])
    expectRefusal(
      "import.integer",
      of: model([node("Div", ["a", "z"], ["s"]), node("Reshape", ["x", "s"])], ints + [integers("z", [0])]))
    expectRefusal(
      "import.integer",
      of: model(
        [node("Mul", ["a", "z"], ["s"]), node("Reshape", ["x", "s"])], ints + [integers("z", [.max])]))
    expectRefusal(
      "import.integer",
      of: model([node("Div", ["z", "o"], ["s"])], [integers("z", [.min]), integers("o", [-1])]))
    expectRefusal(
      "import.integer", of: model([node("Add", ["a", "z"], ["s"])], ints + [integers("z", [1, 2, 3])]))
  }

  /// Integers keep their shapes, so that a list of lists is not taken for a list.
  @Test func integersKeepTheirShapes() throws {
    let square = integers("q", [2, 3, 4, 1], shape: [2, 2])
    #expect(
      try reshaped([node("Reshape", ["q", "flat"], ["s"])], [square, integers("flat", [-1])]) == [2, 3, 4, 1])
    #expect(
      try reshaped(
        [node("Flatten", ["q"], ["m"], ["axis": .int(0)]), node("Squeeze", ["m", "zero"], ["s"])],
        [square, integers("zero", [0])]) == [2, 3, 4, 1])
    let axis1 = [
      node("Concat", ["q", "q"], ["m"], ["axis": .int(1)]), node("Shape", ["m"], ["h"]),
      node("Gather", ["h", "one"], ["s"]),
    ]
    #expect(try reshaped(axis1, [square, integers("one", [1])], [4]) == [4])
    expectRefusal(
      "import.integer",
      of: model([node("Concat", ["q", "l"], ["m"], ["axis": .int(0)])], [square, integers("l", [1])]))
  }

  @Test func casts() throws {
    for (to, shape) in [(7, [32]), (6, [32]), (2, [32]), (9, [1, 32])] as [(Int64, [Int])] {
      let known = integers("s0", to == 9 ? [7, 32] : [32])
      let net = model(
        [
          node("Cast", ["s0"], ["s"], ["to": .int(to)]), node("Mul", ["s", "one"], ["t"]),
          node("Reshape", ["x", "t"]),
        ], [known, integers("one", to == 9 ? [1, 32] : [1])])
      #expect(try result(net).shape == shape)
    }
    for to in [99, -1, 8, 3] as [Int64] {
      let net = model(
        [node("Cast", ["s0"], ["s"], ["to": .int(to)]), node("Reshape", ["x", "s"])], [integers("s0", [200])])
      expectRefusal("import.cast", of: net)
    }
    let wide = model([node("Cast", ["s0"], ["s"], ["to": .int(6)])], [integers("s0", [1 << 40])])
    expectRefusal("import.cast", of: wide)
    let small = model([node("Cast", ["s0"], ["s"], ["to": .int(2)])], [integers("s0", [256])])
    expectRefusal("import.cast", of: small)
    #expect(try result(model([node("Cast", ["x"], ["y"], ["to": .int(1)])], inputs: [[2]])).floats == [1, 2])
    // Known integers become floats, and truth values.
    let scaled = [node("Cast", ["s0"], ["s"], ["to": .int(1)]), node("Mul", ["x", "s"])]
    #expect(try result(model(scaled, inputs: [[2]], [integers("s0", [3, 5])])).floats == [3, 10])
    let truth = [node("Cast", ["s0"], ["s"], ["to": .int(9)]), node("Cast", ["s"], ["t"], ["to": .int(1)])]
    #expect(
      try result(model(truth + [node("Mul", ["x", "t"])], inputs: [[2]], [integers("s0", [0, 5])])).floats
        == [0, 2])
    expectRefusal("import.cast", of: model([node("Cast")]))
  }

  /// A shape that is scaled as floats, as exporters of Resize write it.
  @Test func castsOfKnownNumbersBothWays() throws {
    let net = model(
      [
        node("Shape", ["x"], ["s"]), node("Cast", ["s"], ["f"], ["to": .int(1)]),
        node("Mul", ["f", "half"], ["g"]),
        node("Floor", ["g"], ["h"]), node("Cast", ["h"], ["i"], ["to": .int(7)]),
        node("ConstantOfShape", ["i"], ["c"], ["value": .tensor(floats("", [1], [2]))]),
        node("Add", ["c", "one"], ["d"]),
        node("Add", ["d", "x1"]),
      ], inputs: [[3, 8], [1, 4]], [floats("half", [], [0.5]), floats("one", [], [1])])
    #expect(try result(net).shape == [1, 4])
    #expect(try result(net).floats == [4, 5, 6, 7])
  }

  @Test func refusalsOfGather() {
    func gather(_ data: ONNXTensor, _ index: ONNXTensor, _ axis: Int64 = 0) -> ONNXModel {
      model(
        [
          node("Gather", [data.name, index.name], ["s"], ["axis": .int(axis)]), node("Reshape", ["x", "s"]),
        ], [data, index])
    }
    for index in [2, -3, .max, .min] as [Int64] {
      expectRefusal("import.gather", of: gather(integers("d", [8, 4]), integers("i", [index])))
    }
    expectRefusal("import.axis", of: gather(integers("d", [8, 4]), integers("i", [0]), 1))
    expectRefusal("import.dynamic", of: model([node("Gather", ["d", "x"])], [integers("d", [1])]))
    expectRefusal("import.axis", of: model([node("Gather", ["x", "i"])], inputs: [[]], [integers("i", [0])]))
  }

  // MARK: Constants and aliases

  @Test func formsOfConstant() throws {
    for (name, value, expected): (String, ONNXAttribute.Value, [Float]) in [
      ("value", .tensor(floats("", [2], [3, 4])), [4, 6]), ("value_float", .float(3), [4, 5]),
      ("value_floats", .floats([3, 4]), [4, 6]),
    ] {
      let net = model([node("Constant", [], ["c"], [name: value]), node("Add", ["x", "c"])], inputs: [[2]])
      #expect(try result(net).floats == expected)
    }
    for (name, value): (String, ONNXAttribute.Value) in [
      ("value_int", .int(2)), ("value_ints", .ints([2])), ("value", .tensor(integers("", [2]))),
    ] {
      let net = model(
        [
          node("Constant", [], ["c"], [name: value]), node("Concat", ["c1", "c1"], ["s"], ["axis": .int(0)]),
          node("Reshape", ["x", "s"]),
        ], inputs: [[4]])
      let listed = node("Reshape", ["c", "one"], ["c1"])
      var graph = net
      graph.graph.nodes.insert(listed, at: 1)
      graph.graph.initializers = [integers("one", [1])]
      #expect(try result(graph).shape == [2, 2])
    }
  }

  @Test func refusalsOfConstant() {
    for (name, value): (String, ONNXAttribute.Value) in [
      ("value_string", .string("a")), ("sparse_value", .unsupported("a sparse tensor")), ("value", .int(1)),
      ("value_ints", .int(1)),
    ] { expectRefusal("import.constant", of: model([node("Constant", [], ["c"], [name: value])])) }
    expectRefusal("import.constant", of: model([node("Constant", [], ["c"])]))
    let text = stored("t", [0], .int4, [])
    expectRefusal(
      "import.integer-input",
      of: model([node("Constant", [], ["c"], ["value": .tensor(text)]), node("Sigmoid", ["c"])]))
  }

  @Test func aliases() throws {
    let net = model(
      [
        node("Identity", ["x"], ["a"]), node("Dropout", ["a", "r", ""], ["b", "mask"]), node("Relu", ["b"]),
      ], [floats("r", [], [0.5])])
    #expect(try imported(net).opcodes == [.input, .relu, .output])
    expectRefusal("import.undefined", of: model([node("Identity", [])]))
    expectRefusal("import.undefined", of: model([node("Identity", ["x"], [])]))
    expectRefusal(
      "import.integer-input", of: model([node("Dropout", ["x"], ["a", "mask"]), node("Sigmoid", ["mask"])]))
    let training = [node("Dropout", ["x", "", "t"])]
    expectRefusal("import.dropout", of: model(training, [stored("t", [], .bool, [1])]))
    #expect(try imported(model(training, [stored("t", [], .bool, [0])])).opcodes == [.input, .output])
  }

  @Test func emptyConstantsDoNotTrap() {
    let huge = stored("w", [0, 1 << 40, 1 << 40], .float, [])
    for op in supportedOnOne {
      let attributes: [String: ONNXAttribute.Value] =
        op == "MaxPool" ? ["kernel_shape": .ints([1])] : op == "Concat" ? ["axis": .int(1)] : [:]
      expectRefusal("import.size", of: model([node(op, ["w", "w"], ["y"], attributes)], [huge]))
    }
    let empty = stored("e", [0], .float, [])
    expectRefusal("import.size", of: model([node("Relu", ["e"])], [empty]))
    expectRefusal(
      "import.shape", of: model([node("Conv", ["x", "e"])], [stored("e", [0, 2, 1, 1], .float, [])]))
    let indices = stored("i", [0, 1 << 40, 1 << 40], .int64, [])
    expectRefusal("import.size", of: model([node("Reshape", ["x", "i"])], [indices]))
  }

  private let supportedOnOne = [
    "Relu", "Flatten", "Softmax", "Add", "MatMul", "Gemm", "MaxPool", "GlobalAveragePool", "Squeeze",
    "Transpose", "ReduceMean", "Concat", "Conv",
  ]
}
