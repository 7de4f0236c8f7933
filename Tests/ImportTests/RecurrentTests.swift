import IR
import ONNX
import Support
import Tensors
import Testing

/// What of LSTM, GRU and RNN is read and refused; their numbers are tested end to end.
@Suite("Recurrent operators")
struct RecurrentImportTests {
  /// An RNN of one unit: h = tanh(2 x + 3 h + 0.5).
  private func rnn(
    _ attributes: [String: ONNXAttribute.Value] = [:], inputs: [String] = ["x", "w", "r", "b"],
    outputs: [String] = ["y"], shape: [Int] = [2, 1, 1], more: [ONNXTensor] = [], op: String = "RNN",
    graph: [String] = ["y"]
  ) -> ONNXModel {
    let rows = ["LSTM": 4, "GRU": 3][op] ?? 1
    return model(
      [node(op, inputs, outputs, attributes, name: "cell")], inputs: [shape],
      [
        floats("w", [1, rows, 1], [Float](repeating: 2, count: rows)),
        floats("r", [1, rows, 1], [Float](repeating: 3, count: rows)),
        floats("b", [1, 2 * rows], [Float](repeating: 0.25, count: 2 * rows)),
      ] + more, outputs: graph)
  }

  @Test func aWorkedRecurrence() throws {
    let relu: [String: ONNXAttribute.Value] = ["activations": .strings(["Relu"])]
    let y = try result(rnn(relu), [Tensor([2, 1, 1], [Float(1), -1])])
    // 2 + 0.5; then -2 + 3 * 2.5 + 0.5.
    #expect(y == Tensor([2, 1, 1, 1], [Float(2.5), 6]))
  }

  @Test func productsOfInputsStandBeforeTheLoop() throws {
    let module = try imported(rnn())
    let loop = try module.first(.scan)
    #expect(module.bodyOps.filter { $0.opcode == .gemm }.map { $0[.part] } == ["forward.input"])
    let body = loop.body.map { module.ops[$0] }
    #expect(body.map(\.opcode) == [.carry, .scanSlice, .gemm, .add, .tanh, .scanOutput, .yield])
    #expect(body[2][.part] == "forward.recurrent")
    #expect(loop.origin?.name == "cell")
  }

  /// Results that nothing takes cost nothing.
  @Test func unusedOutputsAreLeftOut() throws {
    let module = try imported(rnn(outputs: ["all", "y"]))
    #expect(!module.flatOps.contains { $0.opcode == .scanOutput })
    #expect(try result(rnn(outputs: ["all", "y"])).shape == [1, 1, 1])
  }

  @Test func weightsMayComeFromConstants() throws {
    let parts = model(
      [
        node("Slice", ["all", "zero", "one", "zero"], ["w"]),
        node("Slice", ["all", "one", "two", "zero"], ["rows"]),
        node("Unsqueeze", ["rows", "zero"], ["more"]), node("Squeeze", ["more", "zero"], ["r"]),
        node("Concat", ["half", "half"], ["b"], ["axis": .int(1)]),
        node("RNN", ["x", "w", "r", "b"], ["y"], ["activations": .strings(["Relu"])]),
      ], inputs: [[2, 1, 1]],
      [
        floats("all", [2, 1, 1], [2, 3]), floats("half", [1, 1], [0.25]), integers("zero", [0]),
        integers("one", [1]), integers("two", [2]),
      ])
    #expect(try result(parts, [Tensor([2, 1, 1], [Float(1), -1])]).floats == [2.5, 6])
  }

  @Test func formsThatAreRefused() {
    func refused(
      _ attributes: [String: ONNXAttribute.Value], _ id: String = "import.recurrent-form", op: String = "RNN"
    ) {
      expectRefusal(id, of: rnn(attributes, op: op))
    }
    refused(["direction": .string("sideways")])
    refused(["clip": .float(-1)])
    refused(["clip": .float(.nan)])
    refused(["hidden_size": .int(2)])
    refused(["direction": .string("bidirectional")])
    refused(["activations": .strings(["Relu", "Relu"])], "import.recurrent-activation")
    refused(["activations": .strings(["Hardmax"])], "import.recurrent-activation")
    refused(["activations": .strings(["ScaledTanh"])], "import.recurrent-activation")
    refused(
      ["activations": .strings(["Affine"]), "activation_alpha": .floats([1])], "import.recurrent-activation")
    refused(["activations": .strings(["Tanh"])], "import.recurrent-activation", op: "LSTM")
    expectRefusal("import.recurrent-form", of: rnn(shape: [2, 1, 3]))
    expectRefusal("import.recurrent-form", of: rnn(shape: [2, 1]))
    expectRefusal("import.input-missing", of: rnn(inputs: ["x", "w"]))
    expectRefusal("import.undefined", of: rnn(inputs: ["x", "nothing", "r"]))
  }

  /// What the importer makes itself is bounded before memory is taken.
  @Test func largeStatesAreRefused() {
    expectRefusal("import.size", of: rnn(shape: [2, 1 << 27, 1]))
    expectRefusal("import.size", of: rnn(shape: [1 << 14, 1 << 14, 1]))
    expectRefusal("import.recurrent-form", of: rnn(shape: [1 << 21, 1, 1]))
  }

  @Test func lengthsMustBeKnownAndFit() {
    func lengths(_ values: [Int64]) -> ONNXModel {
      rnn(inputs: ["x", "w", "r", "b", "l"], more: [integers("l", values)])
    }
    expectRefusal("import.recurrent-form", of: lengths([0]))
    expectRefusal("import.recurrent-form", of: lengths([3]))
    expectRefusal("import.recurrent-form", of: lengths([1, 1]))
    expectRefusal("import.dynamic", of: rnn(inputs: ["x", "w", "r", "b", "x"]))
    #expect(throws: Never.self) { try imported(lengths([2])) }
  }

  /// A state has the lengths of the node, and weights follow from the file.
  @Test func statesAndWeightsAreChecked() {
    let state = rnn(inputs: ["x", "w", "r", "b", "", "h"], more: [floats("h", [1, 2, 1], [0, 0])])
    expectRefusal("import.recurrent-form", of: state)
    let computed = model(
      [node("RNN", ["x", "x1", "r"], ["y"])], inputs: [[2, 1, 1], [1, 1, 1]], [floats("r", [1, 1, 1], [1])])
    expectRefusal("import.recurrent-weights", of: computed)
  }
}

@Suite("Operators that exporters write")
struct ExporterTests {
  @Test func constantOfShape() throws {
    let two = stored("", [1], .float, [0, 0, 0, 0x40])
    let sums = model(
      [
        node("Shape", ["x"], ["s"]), node("ConstantOfShape", ["s"], ["c"], ["value": .tensor(two)]),
        node("Add", ["x", "c"]),
      ], inputs: [[2, 1]])
    #expect(try result(sums) == Tensor([2, 1], [Float(3), 4]))
    let zeros = model(
      [node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"])], inputs: [[1]], [integers("s", [2])])
    #expect(try result(zeros) == Tensor([2], [Float(1), 1]))
    let shape = model(
      [
        node("ConstantOfShape", ["s"], ["c"], ["value": .tensor(integers("", [3]))]),
        node("Expand", ["x", "c"]),
      ], inputs: [[1, 1]], [integers("s", [2])])
    #expect(try result(shape).shape == [3, 3])
    expectRefusal(
      "import.size", of: model([node("ConstantOfShape", ["s"])], inputs: [[1]], [integers("s", [1 << 40])]))
    expectRefusal(
      "import.size", of: model([node("ConstantOfShape", ["s"])], inputs: [[1]], [integers("s", [-1])]))
  }

  @Test func expand() throws {
    func expanded(_ shape: [Int64]) -> ONNXModel {
      model([node("Expand", ["x", "s"])], inputs: [[2, 1]], [integers("s", shape)])
    }
    #expect(try result(expanded([2, 3])) == Tensor([2, 3], [Float](arrayLiteral: 1, 1, 1, 2, 2, 2)))
    #expect(try imported(expanded([2, 1])).opcodes == [.input, .output])
    #expect(try result(expanded([1])).shape == [2, 1])
    expectRefusal("import.expand", of: expanded([3, 2]))
    expectRefusal("import.expand", of: expanded([1 << 40, 1]))
  }

  @Test func slices() throws {
    func sliced(_ start: [Int64], _ end: [Int64], _ axes: [Int64]?, _ steps: [Int64]? = nil) -> ONNXModel {
      var inputs = ["x", "a", "b"]
      var lists = [integers("a", start), integers("b", end)]
      if let axes { (inputs, lists) = (inputs + ["c"], lists + [integers("c", axes)]) }
      if let steps { (inputs, lists) = (inputs + ["d"], lists + [integers("d", steps)]) }
      return model([node("Slice", inputs)], inputs: [[2, 3]], lists)
    }
    #expect(try result(sliced([1], [2], nil)).floats == [4, 5, 6])
    #expect(try result(sliced([-2], [.max], [-1], [1])).floats == [2, 3, 5, 6])
    #expect(try result(sliced([0, 1], [1, -1], [0, 1])).floats == [2])
    #expect(try result(sliced([.min], [1], [1])).floats == [1, 4])
    expectRefusal("import.slice", of: sliced([1], [1], nil))
    #expect(try result(sliced([2], [0], [1], [-1])).floats == [3, 2, 6, 5])
    expectRefusal("import.slice", of: sliced([1, 2], [2], nil))
    expectRefusal("import.axis", of: sliced([1], [2], [2]))
    let old = model(
      [node("Slice", ["x"], ["y"], ["starts": .ints([1]), "ends": .ints([2]), "axes": .ints([1])])],
      inputs: [[2, 3]], opset: 9)
    #expect(try result(old).floats == [2, 5])
  }

  @Test func onePlaceOfAnAxis() throws {
    func picked(_ index: ONNXTensor, _ axis: Int64) -> ONNXModel {
      model([node("Gather", ["x", "i"], ["y"], ["axis": .int(axis)])], inputs: [[2, 3]], [index])
    }
    #expect(try result(picked(integers("i", [-1], shape: []), 1)) == Tensor([2], [Float(3), 6]))
    #expect(try result(picked(integers("i", [1]), 0)) == Tensor([1, 3], [Float](arrayLiteral: 4, 5, 6)))
    expectRefusal("import.gather", of: picked(integers("i", [3]), 1))
    expectRefusal("import.gather", of: picked(integers("i", [-4]), 1))
    expectRefusal("import.gather", of: picked(integers("i", [.max]), 1))
  }
}
