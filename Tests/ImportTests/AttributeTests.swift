import Import
import ONNX
import Support
import Tensors
import Testing

/// Attributes that change nothing because nobody reads them are refused, and so are declared shapes that are not computed.
@Suite("Attributes and declared shapes")
struct AttributeTests {
  @Test func unknownAttributesAreRefused() {
    let weights = [floats("w", [1, 2, 1, 1], [1, 1])]
    expectRefusal(
      "import.attribute", of: model([node("Conv", ["x", "w"], ["y"], ["dilation": .ints([2, 2])])], weights))
    expectRefusal(
      "import.attribute",
      of: model(
        [node("Gemm", ["x", "w"], ["y"], ["foo": .int(1)])], inputs: [[1, 2]], [counted("w", [2, 2])]))
    expectRefusal("import.attribute", of: model([node("Relu", ["x"], ["y"], ["alpha": .float(1)])]))
  }

  @Test func attributesOfOtherOperatorSetsAreRefused() throws {
    let old = [node("ReduceMean", ["x"], ["y"], ["axes": .ints([1])])]
    #expect(try result(model(old, inputs: [[1, 2]], opset: 17)).floats == [1.5])
    expectRefusal("import.attribute", of: model(old, inputs: [[1, 2]], opset: 18))
    let new = [node("MaxPool", ["x"], ["y"], ["kernel_shape": .ints([2, 2]), "ceil_mode": .int(1)])]
    expectRefusal("import.attribute", of: model(new, opset: 9))
    #expect(try result(model(new, opset: 10)).shape == [1, 2, 3, 3])
  }

  /// Attributes about training, or about modes that are not used, change nothing.
  @Test func attributesWithoutEffectAreRead() throws {
    let pool = node("MaxPool", ["x"], ["y"], ["kernel_shape": .ints([2, 2]), "storage_order": .int(1)])
    #expect(try result(model([pool])).shape == [1, 2, 3, 3])
    let gemm = node("Gemm", ["x", "w"], ["y"], ["beta": .float(2)])
    #expect(try result(model([gemm], inputs: [[1, 1]], [counted("w", [1, 1])])).floats == [1])
  }

  @Test func functionsHaveTheAttributesThatTheyName() throws {
    var net = model([node("F", ["x"], ["y"], ["beta": .float(1)])])
    net.graph.nodes[0].domain = "local"
    net.functions = [
      ONNXFunction(
        .init(domain: "local", name: "F"), inputs: ["a"], outputs: ["b"], attributes: ["alpha"],
        nodes: [node("Relu", ["a"], ["b"])], opsets: [ONNXOpset(domain: "", version: 17)])
    ]
    expectRefusal("import.attribute", of: net)
  }

  @Test func declaredShapesMustBeThoseComputed() throws {
    var net = model([node("Relu")], inputs: [[2, 3]])
    for shape in [[2, 4], [3, 3], [2, 3, 1], [6]] {
      net.graph.outputs = [ONNXValueInfo(name: "y", elementType: .float, shape: shape.map { .fixed($0) })]
      expectRefusal("import.output-shape", of: net)
    }
    for shape in [[.fixed(2), .fixed(3)], [.unknown, .named("n")], [.fixed(0), .fixed(3)]]
      as [[ONNXDimension]]
    {
      net.graph.outputs = [ONNXValueInfo(name: "y", elementType: .float, shape: shape)]
      #expect(try result(net).shape == [2, 3])
    }
    // An open batch is one sample, whatever batch the exporter saw.
    net.graph.inputs[0].shape = [.named("batch"), .fixed(3)]
    net.graph.outputs = [ONNXValueInfo(name: "y", elementType: .float, shape: [.fixed(8), .fixed(3)])]
    #expect(try result(net).shape == [1, 3])
  }

  /// Where ONNX, its reference and onnxruntime disagree, nobody is guessed to be right.
  @Test func paddingThatRuntimesUnderstandDifferentlyIsRefused() throws {
    for op in ["MaxPool", "AveragePool", "LpPool"] {
      for mode in ["SAME_UPPER", "SAME_LOWER"] {
        let attributes: [String: ONNXAttribute.Value] = [
          "auto_pad": .string(mode), "kernel_shape": .ints([2]), "dilations": .ints([2]),
          "ceil_mode": .int(1),
        ]
        expectRefusal(
          "import.auto-pad", of: model([node(op, ["x"], ["y"], attributes)], inputs: [[1, 1, 7]], opset: 20))
        let alone = attributes.merging(["kernel_shape": .ints([1])]) { $1 }
        let net = model([node(op, ["x"], ["y"], alone)], inputs: [[1, 1, 7]], opset: 20)
        #expect(try result(net).shape == [1, 1, 7])
      }
    }
    for mode in ["SAME_UPPER", "SAME_LOWER"] {
      func transposed(_ more: [String: ONNXAttribute.Value]) -> ONNXModel {
        let attributes: [String: ONNXAttribute.Value] = ["auto_pad": .string(mode)]
        return model(
          [node("ConvTranspose", ["x", "w"], ["y"], attributes.merging(more) { $1 })], inputs: [[1, 1, 3]],
          [counted("w", [1, 1, 2])])
      }
      expectRefusal("import.auto-pad", of: transposed(["strides": .ints([3])]))
      #expect(try result(transposed(["strides": .ints([2])])).floats == [1, 2, 2, 4, 3, 6])
      #expect(
        try result(transposed(["strides": .ints([3]), "output_padding": .ints([2])])).shape == [1, 1, 9])
    }
  }

  /// A factor of 0 takes C away, whatever it holds.
  @Test func gemmWithoutItsSummand() throws {
    let net = model(
      [node("Gemm", ["x", "w", "c"], ["y"], ["beta": .float(0)])], inputs: [[1, 2]],
      [counted("w", [2, 1]), floats("c", [1], [.infinity])])
    #expect(try result(net).floats == [5])
  }

  @Test func reductionsOverNothing() throws {
    let expected: [(String, Float)] = [
      ("ReduceSum", 0), ("ReduceL1", 0), ("ReduceL2", 0), ("ReduceSumSquare", 0), ("ReduceProd", 1),
      ("ReduceMax", -.infinity), ("ReduceMin", .infinity), ("ReduceLogSum", -.infinity),
      ("ReduceLogSumExp", -.infinity),
    ]
    for (op, value) in expected {
      for keeps in [0, 1] {
        let net = model(
          [
            node(op, ["none", "axes"], ["r"], ["keepdims": .int(Int64(keeps))]),
            node("Add", ["x", "r"], ["y"]),
          ], inputs: [[4]], [floats("none", [0], []), integers("axes", [0])], opset: 20)
        #expect(try result(net).floats == [1, 2, 3, 4].map { $0 + value }, "\(op)")
      }
    }
    expectRefusal(
      "import.reduce-nothing",
      of: model(
        [node("ReduceMean", ["none"], ["r"]), node("Add", ["x", "r"], ["y"])], inputs: [[4]],
        [floats("none", [0], [])], opset: 20))
  }

  @Test func reductionsThatReduceNoAxis() throws {
    let x = Tensor([3], [1, 2, 3] as [Float])
    let negative = Tensor([3], [-1, 2, -3] as [Float])
    let expected: [(String, Tensor, [Float])] = [
      ("ReduceL1", negative, [1, 2, 3]), ("ReduceL2", negative, [1, 2, 3]),
      ("ReduceSumSquare", negative, [1, 4, 9]), ("ReduceLogSum", x, [0, 0.6931472, 1.0986123]),
      ("ReduceLogSumExp", negative, [-1, 2, -3]), ("ReduceSum", negative, [-1, 2, -3]),
      ("ReduceMax", negative, [-1, 2, -3]), ("ReduceMin", negative, [-1, 2, -3]),
      ("ReduceMean", negative, [-1, 2, -3]), ("ReduceProd", negative, [-1, 2, -3]),
    ]
    for (op, input, output) in expected {
      for keeps in [0, 1] {
        let attributes: [String: ONNXAttribute.Value] = [
          "noop_with_empty_axes": .int(1), "keepdims": .int(Int64(keeps)),
        ]
        let net = model([node(op, ["x"], ["y"], attributes)], inputs: [[3]], opset: 18)
        #expect(try result(net, [input]).floats == output, "\(op)")
        let listed = model(
          [node(op, ["x", "a"], ["y"], attributes)], inputs: [[3]], [integers("a", [])], opset: 18)
        #expect(try result(listed, [input]).floats == output, "\(op)")
      }
    }
  }
}
