import IR
import ONNX
import Support
import Tensors
import Testing

@Suite("Pools, activations, arithmetic")
struct OperatorTests {
  // MARK: Pools

  private func pool(_ op: String, _ attributes: [String: ONNXAttribute.Value], _ x: [Int] = [1, 1, 1, 5])
    throws -> [Float]
  {
    try result(model([node(op, ["x"], ["y"], attributes)], inputs: [x])).floats
  }

  @Test func maxPoolsByHand() throws {
    #expect(try pool("MaxPool", ["kernel_shape": .ints([1, 2])]) == [2, 3, 4, 5])
    #expect(try pool("MaxPool", ["kernel_shape": .ints([2]), "strides": .ints([2])], [1, 1, 5]) == [2, 4])
    #expect(
      try pool("MaxPool", ["kernel_shape": .ints([2]), "dilations": .ints([3])], [1, 1, 5]) == [4, 5])
    #expect(
      try pool("MaxPool", ["kernel_shape": .ints([3]), "pads": .ints([1, 1])], [1, 1, 3]) == [2, 3, 3])
    let same: [String: ONNXAttribute.Value] = ["kernel_shape": .ints([2]), "auto_pad": .string("SAME_UPPER")]
    #expect(try pool("MaxPool", same, [1, 1, 3]) == [2, 3, 3])
    let fits: [String: ONNXAttribute.Value] = ["kernel_shape": .ints([2]), "ceil_mode": .int(1)]
    #expect(try pool("MaxPool", fits, [1, 1, 3]) == [2, 3])
  }

  @Test func averagePoolsByHand() throws {
    #expect(try pool("AveragePool", ["kernel_shape": .ints([2])], [1, 1, 3]) == [1.5, 2.5])
    let pads: [String: ONNXAttribute.Value] = ["kernel_shape": .ints([2]), "pads": .ints([1, 0])]
    #expect(try pool("AveragePool", pads, [1, 1, 2]) == [1, 1.5])
    #expect(
      try pool("AveragePool", pads.merging(["count_include_pad": .int(1)]) { $1 }, [1, 1, 2]) == [0.5, 1.5])
  }

  @Test func globalPools() throws {
    #expect(try pool("GlobalAveragePool", [:], [1, 2, 2, 2]) == [2.5, 6.5])
    #expect(try pool("GlobalMaxPool", [:], [1, 2, 2, 2]) == [4, 8])
    #expect(try pool("GlobalAveragePool", [:], [1, 2, 3]) == [2, 5])
    #expect(try pool("GlobalMaxPool", [:], [1, 2, 3]) == [3, 6])
    #expect(try result(model([node("GlobalMaxPool")], inputs: [[1, 2, 3]])).shape == [1, 2, 1])
  }

  @Test func refusalsOfPools() {
    func pool(_ attributes: [String: ONNXAttribute.Value], _ x: [Int] = [1, 1, 5], _ op: String = "MaxPool")
      -> ONNXModel
    {
      model([node(op, ["x"], ["y"], attributes)], inputs: [x])
    }
    expectRefusal("import.window", of: pool([:]))
    for rank in [[5], [1, 5], [1, 1, 5, 5, 5], []] {
      expectRefusal("import.pool-rank", of: pool(["kernel_shape": .ints([2])], rank))
      expectRefusal("import.pool-rank", of: pool([:], rank, "GlobalMaxPool"))
    }
    for kernel in [[6], [0], [-1], [.max], [], [2, 2]] as [[Int64]] {
      expectRefusal("import.window", of: pool(["kernel_shape": .ints(kernel)]))
    }
    // The first window lies in the padding alone.
    expectRefusal("import.shape", of: pool(["kernel_shape": .ints([2]), "pads": .ints([2, 0])]))
    let net = model(
      [node("MaxPool", ["x"], ["y", "indices"], ["kernel_shape": .ints([2])])], inputs: [[1, 1, 5]],
      outputs: ["y", "indices"])
    expectRefusal("import.extra-outputs", of: net)
  }

  // MARK: ReduceMean

  @Test func meansOverAxesAsAttributeAndAsInput() throws {
    for (axes, keep, shape) in [
      ([1], 1, [2, 1, 4]), ([-1, 0], 1, [1, 3, 1]), ([1], 0, [2, 4]), ([0, 1, 2], 0, []),
      ([2, -1], 1, [2, 3, 1]),
    ] as [([Int64], Int64, [Int])] {
      let old = model(
        [node("ReduceMean", ["x"], ["y"], ["axes": .ints(axes), "keepdims": .int(keep)])],
        inputs: [[2, 3, 4]], opset: 13)
      let new = model(
        [node("ReduceMean", ["x", "a"], ["y"], ["keepdims": .int(keep)])], inputs: [[2, 3, 4]],
        [integers("a", axes)],
        opset: 18)
      #expect(try result(old).shape == shape)
      #expect(try result(old) == result(new))
    }
    #expect(try result(model([node("ReduceMean")], inputs: [[2, 2]])).floats == [2.5])
    let noop = model(
      [node("ReduceMean", ["x", "a"], ["y"], ["noop_with_empty_axes": .int(1)])], inputs: [[2, 2]],
      [integers("a", [])],
      opset: 18)
    #expect(try result(noop).floats == [1, 2, 3, 4])
  }

  @Test func refusalsOfReduceMean() {
    for axes in [[3], [-4], [.max], [.min]] as [[Int64]] {
      expectRefusal(
        "import.axis",
        of: model([node("ReduceMean", ["x"], ["y"], ["axes": .ints(axes)])], inputs: [[2, 3, 4]]))
      let input = model(
        [node("ReduceMean", ["x", "a"])], inputs: [[2, 3, 4]], [integers("a", axes)], opset: 18)
      expectRefusal("import.axis", of: input)
    }
    expectRefusal(
      "import.dynamic", of: model([node("ReduceMean", ["x", "x1"])], inputs: [[2, 2], [1]], opset: 18))
  }

  // MARK: Activations

  @Test func activationsByHand() throws {
    let x = Tensor([3], [-1, 0, 2] as [Float])
    func apply(_ op: String, _ attributes: [String: ONNXAttribute.Value] = [:]) throws -> [Float] {
      try result(model([node(op, ["x"], ["y"], attributes)], inputs: [[3]]), [x]).floats
    }
    #expect(try apply("Relu") == [0, 0, 2])
    #expect(
      try apply("LeakyRelu") == [-0.01, 0, 2] && apply("LeakyRelu", ["alpha": .float(0.5)]) == [-0.5, 0, 2])
    #expect(try apply("Abs") == [1, 0, 2] && apply("Neg")[0] == 1)
    #expect(
      try apply("HardSigmoid") == [0.3, 0.5, 0.9]
        && apply("HardSigmoid", ["alpha": .float(1), "beta": .float(0)]) == [0, 0, 1])
    #expect(try apply("Elu")[2] == 2 && abs(apply("Elu", ["alpha": .float(2)])[0] + 1.2642411) < 1e-6)
    #expect(try apply("HardSwish")[1] == 0 && apply("Exp")[1] == 1 && apply("Sqrt")[1] == 0)
    #expect(try apply("Sigmoid")[1] == 0.5 && apply("Tanh")[1] == 0 && apply("Erf")[1] == 0)
    #expect(try abs(apply("Softplus")[1] - 0.6931472) < 1e-6 && apply("Log")[2] > 0.69)
  }

  @Test func clipTakesItsBoundsFromAttributesOrInputs() throws {
    let x = Tensor([3], [-9, 0.5, 9] as [Float])
    let old = model(
      [node("Clip", ["x"], ["y"], ["min": .float(0), "max": .float(6)])], inputs: [[3]], opset: 10)
    #expect(try result(old, [x]).floats == [0, 0.5, 6])
    let bounds = [floats("low", [], [0]), floats("high", [1], [6])]
    let new = model([node("Clip", ["x", "low", "high"])], inputs: [[3]], bounds)
    #expect(try result(new, [x]).floats == [0, 0.5, 6])
    #expect(
      try result(model([node("Clip", ["x", "", "high"])], inputs: [[3]], bounds), [x]).floats == [-9, 0.5, 6])
    #expect(
      try result(model([node("Clip", ["x", "low"])], inputs: [[3]], bounds), [x]).floats == [0, 0.5, 9])
    #expect(try result(model([node("Clip")], inputs: [[3]]), [x]).floats == [-9, 0.5, 9])
  }

  @Test func clipTakesItsBoundsFromEveryFormOfConstant() throws {
    let x = Tensor([2], [-9, 9] as [Float])
    for value: (String, ONNXAttribute.Value) in [
      ("value_float", .float(6)), ("value_floats", .floats([6])), ("value", .tensor(floats("", [], [6]))),
    ] {
      let net = model(
        [
          node("Constant", [], ["c"], [value.0: value.1]), node("Identity", ["c"], ["high"]),
          node("Clip", ["x", "", "high"]),
        ], inputs: [[2]])
      #expect(try result(net, [x]).floats == [-9, 6])
    }
  }

  @Test func refusalsOfClip() {
    expectRefusal("import.dynamic", of: model([node("Clip", ["x", "x1"])], inputs: [[2], [1]]))
    expectRefusal(
      "import.dynamic", of: model([node("Clip", ["x", "a"])], inputs: [[2]], [floats("a", [2], [1, 2])]))
    expectRefusal(
      "import.clip", of: model([node("Clip", ["x", "a"])], inputs: [[2]], [floats("a", [], [.nan])]))
    expectRefusal(
      "import.clip", of: model([node("Clip", ["x"], ["y"], ["min": .float(.nan)])], inputs: [[2]], opset: 10))
  }

  /// Up to opset 12 the axes from `axis` on are one.
  @Test func softmaxBeforeAndAfterOpset13() throws {
    func sums(_ opset: Int, _ attributes: [String: ONNXAttribute.Value], over axes: [Int64]) throws -> [Float]
    {
      let net = model(
        [
          node("Softmax", ["x"], ["s"], attributes), node("ReduceMean", ["s"], ["y"], ["axes": .ints(axes)]),
        ], inputs: [[2, 3, 4]], opset: opset)
      let count = Float(axes.map { [2, 3, 4][Int($0)] }.reduce(1, *))
      return try result(net).floats.map { ($0 * count * 1000).rounded() / 1000 }
    }
    #expect(try sums(12, [:], over: [1, 2]) == [1, 1])
    #expect(try sums(12, ["axis": .int(2)], over: [2]) == [1, 1, 1, 1, 1, 1])
    #expect(try sums(12, ["axis": .int(0)], over: [0, 1, 2]) == [1])
    #expect(try sums(13, [:], over: [2]) == [1, 1, 1, 1, 1, 1])
    #expect(try sums(13, ["axis": .int(1)], over: [1]) == [1, 1, 1, 1, 1, 1, 1, 1])
    expectRefusal("import.axis", of: model([node("Softmax", ["x"], ["y"], ["axis": .int(4)])]))
    expectRefusal("import.axis", of: model([node("Softmax")], inputs: [[]]))
  }

  // MARK: Arithmetic

  @Test func arithmeticBroadcasts() throws {
    func apply(_ op: String, _ b: ONNXTensor) throws -> [Float] {
      try result(model([node(op, ["x", "b"])], inputs: [[2, 2]], [b])).floats
    }
    let b = floats("b", [2], [1, 2])
    #expect(try apply("Add", b) == [2, 4, 4, 6] && apply("Sub", b) == [0, 0, 2, 2])
    #expect(try apply("Mul", b) == [1, 4, 3, 8] && apply("Div", b) == [1, 1, 3, 2])
    #expect(
      try apply("Max", floats("b", [], [3])) == [3, 3, 3, 4]
        && apply("Min", floats("b", [2, 1], [1, 3])) == [1, 1, 3, 3])
  }

  @Test func sumsOfAnyNumber() throws {
    for op in ["Sum", "Max", "Min"] {
      #expect(try result(model([node(op, ["x"])], inputs: [[2]])).floats == [1, 2])
      let three = try result(model([node(op, ["x", "b", "x"])], inputs: [[2]], [floats("b", [2], [5, 0])]))
        .floats
      #expect(three == (op == "Sum" ? [7, 4] : op == "Max" ? [5, 2] : [1, 0]))
      expectRefusal("import.input-missing", of: model([node(op, [])]))
    }
  }

  @Test func refusalsOfArithmetic() {
    expectRefusal("import.shape", of: model([node("Add", ["x", "b"])], inputs: [[2]], [counted("b", [3])]))
    expectRefusal("import.input-missing", of: model([node("Add", ["x"])]))
    expectRefusal("import.input-missing", of: model([node("Add", ["x", ""])]))
    expectRefusal(
      "import.integer-input", of: model([node("Add", ["x", "b"])], inputs: [[2]], [integers("b", [1, 2])]))
    expectRefusal("import.undefined", of: model([node("Add", ["x", "nothing"])]))
    // 1024 * 1024 rows times as many columns.
    let wide = model([node("Add", ["x", "x1"])], inputs: [[1 << 20, 1], [1, 1 << 20]])
    expectRefusal("import.shape", of: wide)
    let product = model(
      [node("MatMul", ["x", "w"])], inputs: [[1 << 20, 1]],
      [floats("w", [1, 1 << 12], [Float](repeating: 0, count: 1 << 12))])
    expectRefusal("import.shape", of: product)
  }
}
