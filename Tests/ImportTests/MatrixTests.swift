import IR
import ONNX
import Support
import Tensors
import Testing

@Suite("Conv, Gemm, MatMul, BatchNormalization")
struct MatrixTests {
  // MARK: Conv

  /// The length of the result of a convolution of 10 elements with a kernel of 3.
  private func length(_ attributes: [String: ONNXAttribute.Value]) throws -> Int {
    let net = model(
      [node("Conv", ["x", "w"], ["y"], attributes)], inputs: [[1, 1, 10]], [counted("w", [1, 1, 3])])
    return try result(net).shape[2]
  }

  @Test func attributesOfAConvolutionDefaultToOnesAndZeros() throws {
    let net = model([node("Conv", ["x", "w", "b"])], [counted("w", [3, 2, 2, 3]), counted("b", [3])])
    let op = try imported(net).first(.conv)
    #expect(
      op[.strides] == [1, 1] && op[.dilations] == [1, 1] && op[.pads] == [0, 0, 0, 0])
    #expect(op[.groups] == 1 && op.operands.count == 3)
    #expect(try result(net).shape == [1, 3, 3, 2])
  }

  @Test func attributesOfAConvolutionAreTaken() throws {
    #expect(try length([:]) == 8)
    #expect(try length(["strides": .ints([3])]) == 3)
    #expect(try length(["dilations": .ints([4])]) == 2)
    #expect(try length(["pads": .ints([2, 1])]) == 11)
    #expect(try length(["kernel_shape": .ints([3])]) == 8)
  }

  @Test func valuesOfAConvolutionByHand() throws {
    let net = model(
      [node("Conv", ["x", "w", "b"], ["y"], ["pads": .ints([1, 0]), "strides": .ints([2])])],
      inputs: [[1, 1, 4]],
      [floats("w", [1, 1, 2], [10, 1]), floats("b", [1], [0.5])])
    // Taps (0, 1), (2, 3); the last element plays no part.
    #expect(try result(net) == Tensor([1, 1, 2], [1.5, 23.5] as [Float]))
  }

  @Test func groupsSplitTheChannels() throws {
    let net = model(
      [node("Conv", ["x", "w"], ["y"], ["group": .int(2)])], inputs: [[1, 4, 1, 1]],
      [floats("w", [2, 2, 1, 1], [1, 10, 1, 10])])
    #expect(try result(net) == Tensor([1, 2, 1, 1], [21, 43] as [Float]))
  }

  @Test func autoPadKeepsTheLengthOverTheStride() throws {
    for mode in ["SAME_UPPER", "SAME_LOWER"] {
      for (stride, expected) in [(1, 10), (2, 5), (3, 4), (4, 3)] {
        #expect(try length(["auto_pad": .string(mode), "strides": .ints([Int64(stride)])]) == expected)
      }
    }
    #expect(try length(["auto_pad": .string("VALID"), "pads": .ints([5, 5])]) == 8)
    #expect(try length(["auto_pad": .string("NOTSET"), "pads": .ints([1, 1])]) == 10)
  }

  /// A kernel of 2 needs one element of padding: behind the input, or before it.
  @Test func autoPadPutsTheOddElement() throws {
    func pads(_ mode: String) throws -> [Int] {
      let net = model(
        [node("Conv", ["x", "w"], ["y"], ["auto_pad": .string(mode)])], inputs: [[1, 1, 4]],
        [counted("w", [1, 1, 2])])
      return try imported(net).first(.conv)[.pads]
    }
    #expect(try pads("SAME_UPPER") == [0, 1] && pads("SAME_LOWER") == [1, 0])
  }

  @Test func refusalsOfAConvolution() {
    func conv(
      _ attributes: [String: ONNXAttribute.Value], _ x: [Int] = [1, 2, 4, 4], _ w: [Int] = [2, 2, 3, 3]
    )
      -> ONNXModel
    {
      model([node("Conv", ["x", "w"], ["y"], attributes, name: "c1")], inputs: [x], [counted("w", w)])
    }
    expectRefusal("import.conv-rank", of: conv([:], [1, 2, 3, 3, 3], [1, 2, 1, 1, 1]))
    expectRefusal("import.conv-rank", of: conv([:], [1, 2], [1, 2]))
    expectRefusal("import.conv-rank", of: conv([:], [4], [4]))
    expectRefusal("import.conv-rank", of: conv([:], [1, 2, 4, 4], [2, 2, 3]))
    expectRefusal("import.conv-kernel", of: conv(["kernel_shape": .ints([3, 2])]))
    expectRefusal("import.auto-pad", of: conv(["auto_pad": .string("SAME")]))
    for bad: [String: ONNXAttribute.Value] in [
      ["strides": .ints([0, 1])], ["strides": .ints([1])], ["strides": .ints([-1, 1])],
      ["pads": .ints([-1, 0, 0, 0])],
      ["pads": .ints([1, 1])], ["dilations": .ints([.max, 1])], ["dilations": .ints([])],
      ["pads": .ints([.max, 0, 0, 0])], ["strides": .ints([.min, 1])],
    ] { expectRefusal("import.window", of: conv(bad)) }
    for bad: [String: ONNXAttribute.Value] in [
      ["group": .int(0)], ["group": .int(-1)], ["group": .int(3)], ["group": .int(.max)], ["group": .int(2)],
      ["dilations": .ints([2, 2])],
    ] { expectRefusal("import.shape", of: conv(bad)) }
    expectRefusal("import.shape", of: conv([:], [1, 2, 2, 2]))
    expectRefusal("onnx.attribute-type", of: conv(["strides": .int(1)]))
  }

  /// A message names the node, its operator and the file.
  @Test func messagesSayWhere() throws {
    let net = model(
      [node("Relu"), node("Conv", ["y", "w"], ["z"], ["kernel_shape": .ints([5, 5])], name: "c1")],
      [counted("w", [2, 2, 3, 3])], outputs: ["z"])
    let found = try #require(expectRefusal("import.conv-kernel", of: net).first)
    #expect(found.location.description == "net.onnx: node 1 'c1' (Conv)")
    #expect(found.message == "kernel_shape [5, 5] differs from the weights' [3, 3]")
  }

  // MARK: Gemm

  /// `x` is `[[1, 2], [3, 4]]`.
  private func gemm(
    _ attributes: [String: ONNXAttribute.Value] = [:], _ b: ONNXTensor = floats("b", [2, 2], [1, 0, 10, 1]),
    _ c: ONNXTensor? = nil
  ) throws -> Tensor {
    let inputs = ["x", "b"] + (c == nil ? [] : ["c"])
    return try result(
      model([node("Gemm", inputs, ["y"], attributes)], inputs: [[2, 2]], [b] + (c.map { [$0] } ?? [])))
  }

  @Test func attributesOfGemm() throws {
    #expect(try gemm().floats == [21, 2, 43, 4])
    #expect(try gemm(["transA": .int(1)]).floats == [31, 3, 42, 4])
    #expect(try gemm(["transB": .int(1)]).floats == [1, 12, 3, 34])
    #expect(try gemm(["transA": .int(1), "transB": .int(1)]).floats == [1, 13, 2, 24])
    #expect(try gemm(["alpha": .float(0.5)]).floats == [10.5, 1, 21.5, 2])
    #expect(
      try gemm(["transB": .int(1)], floats("b", [3, 2], [1, 0, 0, 1, 1, 1])).floats == [1, 2, 3, 3, 4, 7])
  }

  @Test func theAddendOfGemmBroadcasts() throws {
    let plain: [Float] = [21, 2, 43, 4]
    let addends: [(ONNXTensor, [Float])] = [
      (floats("c", [], [1]), [1, 1, 1, 1]), (floats("c", [1], [1]), [1, 1, 1, 1]),
      (floats("c", [2], [1, 2]), [1, 2, 1, 2]), (floats("c", [1, 2], [1, 2]), [1, 2, 1, 2]),
      (floats("c", [2, 1], [1, 2]), [1, 1, 2, 2]), (floats("c", [2, 2], [1, 2, 3, 4]), [1, 2, 3, 4]),
      (floats("c", [1, 1], [1]), [1, 1, 1, 1]),
    ]
    for (c, expected) in addends {
      #expect(
        try gemm([:], floats("b", [2, 2], [1, 0, 10, 1]), c).floats == zip(plain, expected).map { $0 + $1 })
      let scaled = try gemm(["beta": .float(-2)], floats("b", [2, 2], [1, 0, 10, 1]), c).floats
      #expect(scaled == zip(plain, expected).map { $0 - 2 * $1 })
    }
  }

  @Test func aVectorAsAddendIsTheBias() throws {
    for c in [counted("c", [3]), counted("c", [1, 3])] {
      let net = model([node("Gemm", ["x", "w", "c"])], inputs: [[1, 2]], [counted("w", [2, 3]), c])
      let module = try imported(net)
      #expect(try module.first(.gemm).operands.count == 3 && !module.opcodes.contains(.add))
    }
  }

  @Test func gemmOfComputedMatrices() throws {
    let net = model(
      [node("Gemm", ["x", "x1", "c"], ["y"], ["alpha": .float(2)])], inputs: [[2, 2], [2, 2]],
      [counted("c", [2])])
    #expect(try result(net).floats == [15, 22, 31, 46])
    #expect(try imported(net).opcodes.contains(.matmul))
  }

  @Test func refusalsOfGemm() {
    let w = [counted("w", [2, 3])]
    expectRefusal("import.gemm-rank", of: model([node("Gemm", ["x", "w"])], inputs: [[2]], w))
    expectRefusal("import.gemm-rank", of: model([node("Gemm", ["x", "w"])], inputs: [[1, 1, 2]], w))
    expectRefusal(
      "import.gemm-rank", of: model([node("Gemm", ["x", "w"])], inputs: [[1, 2]], [counted("w", [2])]))
    expectRefusal(
      "import.gemm-rank", of: model([node("Gemm", ["x", "w"])], inputs: [[1, 2]], [counted("w", [])]))
    expectRefusal("import.shape", of: model([node("Gemm", ["x", "w"])], inputs: [[1, 3]], w))
    expectRefusal("import.input-missing", of: model([node("Gemm", ["x"])], inputs: [[1, 3]]))
    expectRefusal(
      "import.shape", of: model([node("Gemm", ["x", "w", "c"])], inputs: [[1, 2]], w + [counted("c", [2])]))
  }

  // MARK: MatMul

  @Test func productsWithConstantsAreLayers() throws {
    for shape in [[2], [1, 2], [3, 2], [2, 3, 2]] {
      let net = model([node("MatMul", ["x", "w"])], inputs: [shape], [floats("w", [2, 1], [1, 10])])
      let module = try imported(net)
      #expect(module.opcodes == [.input, .gemm, .output])
      let y = try result(net)
      #expect(y.shape == shape.dropLast() + [1])
      let expected: [Float] = (0..<y.count).map { k in Float(22 * k + 21) }
      #expect(y.floats == expected)
    }
  }

  @Test func aConstantOnTheLeftIsTurnedRound() throws {
    let net = model([node("MatMul", ["w", "x"])], inputs: [[2, 3]], [floats("w", [2, 2], [1, 10, 0, 1])])
    #expect(try imported(net).opcodes.contains(.gemm))
    #expect(try result(net) == Tensor([2, 3], [41, 52, 63, 4, 5, 6] as [Float]))
  }

  @Test func otherProductsAreDigital() throws {
    let computed = model([node("MatMul", ["x", "x1"])], inputs: [[2, 1, 2], [2, 2, 1]])
    #expect(try imported(computed).opcodes.contains(.matmul))
    #expect(try result(computed).floats == [5, 25])
    let stacked = model([node("MatMul", ["x", "w"])], inputs: [[2, 1, 2]], [counted("w", [2, 2, 1])])
    #expect(try imported(stacked).opcodes.contains(.matmul))
    #expect(try result(stacked).floats == [5, 25])
  }

  @Test func refusalsOfMatMul() {
    expectRefusal(
      "import.shape", of: model([node("MatMul", ["x", "w"])], inputs: [[1, 3]], [counted("w", [2, 2])]))
    expectRefusal(
      "import.shape", of: model([node("MatMul", ["x", "w"])], inputs: [[]], [counted("w", [2, 2])]))
    expectRefusal("import.shape", of: model([node("MatMul", ["x", "w"])], inputs: [[2]], [counted("w", [])]))
    expectRefusal("import.input-missing", of: model([node("MatMul", [])]))
  }

  // MARK: BatchNormalization

  private func norm(
    _ attributes: [String: ONNXAttribute.Value] = [:], _ x: [Int] = [1, 2, 1, 2], count: Int = 2,
    outputs: [String] = ["y"]
  ) -> ONNXModel {
    let parameters = ["s", "b", "m", "v"].map { counted($0, [count]) }
    return model(
      [node("BatchNormalization", ["x", "s", "b", "m", "v"], outputs, attributes)], inputs: [x], parameters,
      opset: attributes["spatial"] == nil ? 17 : 8)
  }

  @Test func batchNormalizationByHand() throws {
    let y = try result(norm(["epsilon": .float(0)])).floats
    // Channel 0: scale, bias, mean and variance 1. Channel 1: (x - 2) / sqrt(2) * 2 + 2.
    let expected: [Float] = [1, 2, 1 * 2 / Float(2).squareRoot() + 2, 2 * 2 / Float(2).squareRoot() + 2]
    #expect(zip(y, expected).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(try imported(norm()).first(.batchNorm)[.epsilon] == 1e-5)
    #expect(try result(norm([:], [3, 2])).shape == [3, 2])
  }

  @Test func refusalsOfBatchNormalization() {
    expectRefusal("import.batch-norm-mode", of: norm(["training_mode": .int(1)]))
    expectRefusal("import.batch-norm-mode", of: norm(["spatial": .int(0)]))
    expectRefusal("import.batch-norm-shape", of: norm([:], [1, 3, 2, 2]))
    expectRefusal("import.batch-norm-shape", of: norm([:], [2]))
    var statistics = norm(outputs: ["y", "mean", "var"])
    #expect((try? imported(statistics)) != nil, "nothing takes the statistics")
    statistics.graph.outputs.append(ONNXValueInfo(name: "mean"))
    expectRefusal("import.extra-outputs", of: statistics)
  }
}
