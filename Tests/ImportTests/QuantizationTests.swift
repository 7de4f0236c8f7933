import IR
import ONNX
import Evaluator
import Support
import Tensors
import Testing

/// Levels of 8 bits of a file.
private func bytes(_ name: String, _ shape: [Int], _ values: [Int64], _ type: ONNXElementType = .int8)
  -> ONNXTensor
{
  stored(name, shape, type, values.map { UInt8(truncatingIfNeeded: $0) })
}

private func words(_ name: String, _ values: [Int32]) -> ONNXTensor {
  stored(
    name, [values.count], .int32,
    values.flatMap { value in withUnsafeBytes(of: value.littleEndian, Array.init) })
}

@Suite("Import of quantized networks")
struct QuantizationTests {
  private let scale = floats("s", [], [0.5])
  private let zero = bytes("z", [], [128], .uint8)

  private func model(
    _ nodes: [ONNXNode], inputs: [[Int]] = [[1, 4]], _ initializers: [ONNXTensor] = [], opset: Int = 21
  ) -> ONNXModel {
    ImportTests.model(nodes, inputs: inputs, [scale, zero] + initializers, opset: opset)
  }

  private let quantize = node("QuantizeLinear", ["x", "s", "z"], ["q"])

  // MARK: Pairs

  /// 0.5 steps: 127.75 and 128.25 lie between two levels, halves go to the even one.
  @Test func aPairRoundsToLevels() throws {
    let file = model([quantize, node("DequantizeLinear", ["q", "s", "z"])])
    let x = Tensor([1, 4], [-100, 0.25, 0.75, 1000] as [Float])
    #expect(try result(file, [x]).floats == [-64, 0, 1, 63.5])
    let module = try imported(file)
    #expect(module.opcodes == [.input, .quantize, .dequantize, .output])
    let op = try module.first(.quantize)
    #expect(
      module.values[op.results[0]].type
        == ValueType(.integer(bits: 8, signed: false), [1, 4], Quantization(scale: 0.5, zero: 128)))
    #expect((op[.low], op[.high]) == (0, 255))
  }

  @Test(arguments: [
    (ONNXElementType.uint4, 0, 15), (.int4, -8, 7), (.uint8, 0, 255), (.int8, -128, 127), (.uint16, 0, 65535),
    (.int16, -32768, 32767), (.uint2, 0, 3), (.int2, -2, 1),
  ]) func typesSetTheLevels(type: ONNXElementType, low: Int, high: Int) throws {
    let attributes: [String: ONNXAttribute.Value] = ["output_dtype": .int(Int64(type.rawValue))]
    let file = model([
      node("QuantizeLinear", ["x", "s"], ["q"], attributes), node("DequantizeLinear", ["q", "s"]),
    ])
    let x = Tensor([1, 4], [-1e9, 0, 0.5, 1e9] as [Float])
    #expect(try result(file, [x]).floats == [Float(low) / 2, 0, 0.5, Float(high) / 2])
  }

  /// Both spellings of an axis, with scales and zero points of their own.
  @Test func slicesHaveScalesOfTheirOwn() throws {
    for axis in [1, -1] {
      let file = model(
        [
          node("DequantizeLinear", ["w", "ws", "wz"], ["v"], ["axis": .int(Int64(axis))]),
          node("Add", ["x", "v"]),
        ], inputs: [[2, 3]],
        [
          bytes("w", [2, 3], [1, 2, 3, -1, -2, -3]), floats("ws", [3], [1, 0.5, 0.25]),
          bytes("wz", [3], [0, 1, -1]),
        ])
      let zeros = Tensor([2, 3], [Float](repeating: 0, count: 6))
      #expect(try result(file, [zeros]).floats == [1, 0.5, 1, -1, -1.5, -0.5])
    }
  }

  @Test func levelsMoveAsTheyAre() throws {
    let file = model(
      [
        quantize, node("MaxPool", ["q"], ["p"], ["kernel_shape": .ints([1, 2])]),
        node("Flatten", ["p"], ["f"]), node("Identity", ["f"], ["i"]),
        node("DequantizeLinear", ["i", "s", "z"]),
      ], inputs: [[1, 1, 1, 3]])
    let module = try imported(file)
    #expect(module.opcodes == [.input, .quantize, .maxPool, .reshape, .dequantize, .output])
    #expect(try result(file, [Tensor([1, 1, 1, 3], [1, 3, -2] as [Float])]).floats == [3, 3])
  }

  /// Weights may be turned and reshaped before they are floats.
  @Test func storedLevelsMoveAsTheyAre() throws {
    let nodes = [
      node("Reshape", ["w", "shape"], ["r"]), node("Transpose", ["r"], ["t"]),
      node("DequantizeLinear", ["t", "s"], ["v"]), node("MatMul", ["x", "v"]),
    ]
    let file = model(
      nodes, inputs: [[1, 2]], [bytes("w", [4], [1, 2, 3, 4]), integers("shape", [2, 2])])
    #expect(try result(file, [Tensor([1, 2], [1, 10] as [Float])]).floats == [10.5, 21.5])
  }

  // MARK: Integer operators

  /// (x - 128) W with x = 2 times the input, less the zero point 1 of W: [2, 4] and [[1, 2], [3, 5]] less 1.
  @Test func matMulIntegerGivesSums() throws {
    let nodes = [
      quantize, node("MatMulInteger", ["q", "w", "z", "wz"], ["i"]),
      node("Cast", ["i"], ["y"], ["to": .int(1)]),
    ]
    let file = model(
      nodes, inputs: [[1, 2]], [bytes("w", [2, 2], [1, 2, 3, 5], .uint8), bytes("wz", [], [1], .uint8)])
    #expect(try result(file, [Tensor([1, 2], [1, 2] as [Float])]).floats == [8, 18])
    let module = try imported(file)
    let weights = module.values[try module.first(.gemm).operands[1]].type.element
    #expect(weights == .integer(bits: 8, signed: true))
  }

  /// A zero point of the product other than that of its input is a shift of all levels.
  @Test func zeroPointsNeedNotAgree() throws {
    let nodes = [
      quantize, node("MatMulInteger", ["q", "w", "other"], ["i"]),
      node("Cast", ["i"], ["y"], ["to": .int(1)]),
    ]
    let file = model(
      nodes, inputs: [[1, 2]], [bytes("w", [2, 1], [1, 3]), bytes("other", [], [120], .uint8)])
    #expect(try result(file, [Tensor([1, 2], [1, 2] as [Float])]).floats == [10 + 36])
  }

  /// The sum 2 * 2 + 4 * 1 + 3 stands for 11 * 0.5 * 0.25, 2.75 steps of 0.5: three levels above 10.
  @Test func qLinearConvRoundsToLevels() throws {
    let nodes = [
      quantize,
      node("QLinearConv", ["q", "s", "z", "w", "ws", "wz", "s", "ten", "b"], ["r"]),
      node("DequantizeLinear", ["r", "s"]),
    ]
    let file = model(
      nodes, inputs: [[1, 1, 1, 2]],
      [
        bytes("w", [1, 1, 1, 2], [2, 1]), floats("ws", [], [0.25]), bytes("wz", [], [0]),
        bytes("ten", [], [10], .uint8), words("b", [3]),
      ])
    #expect(try result(file, [Tensor([1, 1, 1, 2], [1, 2] as [Float])]).floats == [6.5])
    #expect(
      try imported(file).opcodes == [.input, .quantize, .conv, .dequantize, .quantize, .dequantize, .output])
  }

  /// What the quantizer of PyTorch or onnxruntime writes for dynamic quantization is the product of the reals.
  @Test func dynamicScalesCancel() throws {
    let nodes = [
      node("DynamicQuantizeLinear", ["x"], ["q", "xs", "xz"]),
      node("MatMulInteger", ["q", "w", "xz", "wz"], ["i"]), node("Mul", ["xs", "ws"], ["scale"]),
      node("Cast", ["i"], ["f"], ["to": .int(1)]), node("Mul", ["f", "scale"], ["y"]),
    ]
    let weights = [
      bytes("w", [2, 2], [1, 2, 3, 5], .uint8), bytes("wz", [], [1], .uint8), floats("ws", [], [0.5]),
    ]
    let x = Tensor([1, 2], [1, 2] as [Float])
    #expect(try result(model(nodes, inputs: [[1, 2]], weights), [x]).floats == [2, 4.5])
    var open = nodes
    open[4] = node("Add", ["f", "ws"], ["y"])
    expectRefusal("import.dynamic-quantization", of: model(open, inputs: [[1, 2]], weights))
  }

  @Test func dynamicProductsOfTwoValues() throws {
    let nodes = [
      node("DynamicQuantizeLinear", ["x"], ["a", "as", "az"]),
      node("DynamicQuantizeLinear", ["x1"], ["b", "bs", "bz"]),
      node("MatMulInteger", ["a", "b", "az", "bz"], ["i"]), node("Mul", ["bs", "as"], ["scale"]),
      node("Cast", ["i"], ["f"], ["to": .int(1)]), node("Mul", ["scale", "f"], ["y"]),
    ]
    #expect(try result(model(nodes, inputs: [[1, 2], [2, 1]])).floats == [5])
  }

  // MARK: Blocks

  /// Levels less zero points times scales, block by block, against plain loops; the last block may be shorter.
  @Test func weightsInBlocks() throws {
    var random = SeededGenerator(seed: 71)
    for round in 0..<40 {
      let (inner, outer) = (random.inside(1...7), random.inside(1...4))
      let size = random.inside(1...4)
      let (count, isTurned) = ((inner + size - 1) / size, round % 2 == 1)
      let levels = (0..<inner * outer).map { _ in Int64(random.inside(-8...7)) }
      let zeros = (0..<count * outer).map { _ in round % 3 == 0 ? 0 : Int64(random.inside(-3...3)) }
      let scales = (0..<count * outer).map { _ in Float(random.inside(1...9)) / 8 }
      // Places of level (row, column) and of block (block, column) as the file has them.
      func place(_ row: Int, _ column: Int, _ rows: Int) -> Int {
        isTurned ? column * rows + row : row * outer + column
      }
      let dequantize = node(
        "DequantizeLinear", ["w", "ws", "wz"], ["v"],
        ["block_size": .int(Int64(size)), "axis": .int(isTurned ? -1 : 0)])
      let shape = isTurned ? [outer, inner] : [inner, outer]
      let cut = isTurned ? [outer, count] : [count, outer]
      let products: [[ONNXNode]] =
        isTurned
        ? [
          [node("Gemm", ["x", "v"], ["y"], ["transB": .int(1)])],
          [node("Transpose", ["v"], ["t"]), node("MatMul", ["x", "t"])],
        ] : [[node("MatMul", ["x", "v"])], [node("Gemm", ["x", "v"])]]
      let x = Tensor([2, inner], (0..<2 * inner).map { _ in Float(random.inside(-4...4)) })
      var expected: [Float] = []
      for row in 0..<2 {
        for column in 0..<outer {
          expected.append(
            (0..<inner).reduce(0) { sum, k in
              let block = place(k / size, column, count)
              let weight = Float(levels[place(k, column, inner)] - zeros[block]) * scales[block]
              return sum + x.floats[row * inner + k] * weight
            })
        }
      }
      for product in products {
        let file = model(
          [dequantize] + product, inputs: [[2, inner]],
          [bytes("w", shape, levels), floats("ws", cut, scales), bytes("wz", cut, zeros)])
        #expect(try imported(file).opcodes.count { $0 == .gemm } == count)
        #expect(try result(file, [x]).floats == expected)
      }
    }
  }

  @Test func blocksWithFactorsAndBias() throws {
    let file = model(
      [
        node("DequantizeLinear", ["w", "ws"], ["v"], ["block_size": .int(2), "axis": .int(0)]),
        node("Gemm", ["x", "v", "b"], ["y"], ["alpha": .float(2), "beta": .float(3), "transA": .int(1)]),
      ], inputs: [[4, 1]],
      [bytes("w", [4, 1], [1, 2, 3, 4]), floats("ws", [2, 1], [1, 0.5]), floats("b", [1], [10])])
    // 2 * (1 + 4 + (9 + 16) / 2) + 30
    #expect(try result(file) == Tensor([1, 1], [65] as [Float]))
  }

  @Test func blocksThatNoProductTakes() {
    func refused(
      _ after: [ONNXNode], _ shape: [Int] = [4, 2], _ cut: [Int] = [2, 2], size: Int64 = 2, axis: Int64 = 0,
      _ id: String = "import.quantization-blocks"
    ) {
      let dequantize = node(
        "DequantizeLinear", ["w", "ws"], ["v"], ["block_size": .int(size), "axis": .int(axis)])
      let count = shape.reduce(1, *)
      expectRefusal(
        id,
        of: model(
          [dequantize] + after,
          [
            bytes("w", shape, [Int64](repeating: 1, count: count)),
            floats("ws", cut, [Float](repeating: 1, count: cut.reduce(1, *))),
          ]))
    }
    let product = [node("MatMul", ["x", "v"])]
    refused([node("Add", ["x", "v"])])
    refused([node("Identity", ["v"])])
    refused([node("Relu", ["v"])])
    refused([node("MatMul", ["v", "x"])])
    refused(product, [4, 2], [4, 1], axis: 1)
    refused(product, [4, 2, 1], [2, 2, 1])
    refused(product, [4, 2], [3, 2], "import.quantization")
    refused(product, size: -1, "import.quantization")
    expectRefusal(
      "import.quantization-blocks",
      of: model([
        quantize, node("DequantizeLinear", ["q", "s", "z"], ["v"], ["block_size": .int(2)]),
        node("Relu", ["v"]),
      ]))
  }

  // MARK: Refusals

  @Test func refusals() {
    let w = bytes("w", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    func refused(_ nodes: [ONNXNode], _ more: [ONNXTensor] = []) -> ONNXModel { model(nodes, [w] + more) }
    let dequantize = node("DequantizeLinear", ["q", "s", "z"])
    expectRefusal(
      "import.quantization-blocks",
      of: refused([node("QuantizeLinear", ["x", "s", "z"], ["q"], ["block_size": .int(2)]), dequantize]))
    for bad in [[0], [-1], [Float.nan], [.infinity], []] as [[Float]] {
      expectRefusal(
        "import.quantization",
        of: refused(
          [node("QuantizeLinear", ["x", "bad", "z"], ["q"]), dequantize], [floats("bad", [bad.count], bad)]))
    }
    expectRefusal(
      "import.quantization", of: refused([node("QuantizeLinear", ["x", "x"], ["q"]), dequantize]))
    expectRefusal(
      "import.quantization",
      of: refused([node("QuantizeLinear", ["x", "s"], ["q"], ["output_dtype": .int(17)]), dequantize]))
    expectRefusal(
      "import.quantization",
      of: refused(
        [node("QuantizeLinear", ["x", "three"], ["q"]), dequantize], [floats("three", [3], [1, 1, 1])]))
    expectRefusal("import.integer-input", of: refused([quantize, node("Relu", ["q"])]))
    expectRefusal("import.integer-input", of: refused([node("MatMul", ["x", "w"])]))
    expectRefusal("import.quantization", of: refused([node("DequantizeLinear", ["x", "s"])]))
    expectRefusal(
      "import.quantization",
      of: refused([
        quantize, node("MatMulInteger", ["q", "q"], ["i"]), node("Cast", ["i"], ["y"], ["to": .int(1)]),
      ]))
  }

  /// 0 ... 65535 less 0 needs a sign: 17 bits.
  @Test func weightsOfSeventeenBitsAreRefused() throws {
    let nodes = [
      quantize, node("MatMulInteger", ["q", "w", "z"], ["i"]), node("Cast", ["i"], ["y"], ["to": .int(1)]),
    ]
    let found = expectRefusal(
      "import.quantization", of: model(nodes, [stored("w", [4, 1], .uint16, [255, 255, 1, 0, 0, 0, 0, 0])]))
    #expect(found.first?.message.contains("i17") == true)
  }

  @Test func otherOperatorsOfOnnxruntimeAreRefusedByName() {
    var attention = node("Attention", ["x"])
    attention.domain = "com.microsoft"
    let found = expectRefusal("import.domain", of: model([attention]))
    #expect(found.first?.message.contains("Attention") == true)
  }
}
