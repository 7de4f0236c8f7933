import IR
import ONNX
import Support
import Tensors
import Testing

/// Outputs that ONNX has as integers, truth values or constants: the program gives the same numbers as floats.
@Suite("Outputs of every kind")
struct OutputTests {
  private let grid = [floats("s", [], [0.5]), stored("z", [], .int8, [0xFD])]

  @Test func levelsAreTheirNumbers() throws {
    let net = model([node("QuantizeLinear", ["x", "s", "z"])], inputs: [[4]], grid)
    #expect(try imported(net).opcodes == [.input, .quantize, .dequantize, .output])
    #expect(try result(net, [Tensor([4], [-100, -0.25, 0.75, 9] as [Float])]).floats == [-128, -3, -1, 15])
    let pool = model(
      [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("MaxPool", ["q"], ["y"], ["kernel_shape": .ints([2])]),
      ], inputs: [[1, 1, 3]], grid)
    #expect(try result(pool).floats == [1, 3])
  }

  @Test func sumsOfIntegersAreTheirNumbers() throws {
    let weights = stored("w", [2, 2], .int8, [1, 0xFE, 3, 4])
    let net = model(
      [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("MatMulInteger", ["q", "w", "z"])],
      inputs: [[1, 2]], grid + [weights])
    // Levels 2 and 4 above the zero point.
    #expect(try result(net).floats == [14, 12])
    let wide = model(
      [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("MatMulInteger", ["q", "w", "z"], ["i"]),
        node("Cast", ["i"], ["y"], ["to": .int(7)]),
      ], inputs: [[1, 2]], grid + [weights])
    #expect(try result(wide).floats == [14, 12])
  }

  @Test func constantsAndKnownIntegers() throws {
    let shape = model([node("Shape")], inputs: [[2, 3, 4]])
    #expect(try result(shape) == Tensor([3], [2, 3, 4] as [Float]))
    #expect(try imported(shape).opcodes == [.input, .output])
    let stored = model([node("Relu", ["x"], ["z"])], [counted("w", [2])], outputs: ["w", "z", "i"])
    expectRefusal("import.output", of: stored)
    let both = model(
      [node("Relu", ["x"], ["z"])], inputs: [[1]], [counted("w", [2]), integers("i", [-7, 1 << 24])],
      outputs: ["w", "z", "i"])
    #expect(try evaluated(both).map(\.floats) == [[1, 2], [1], [-7, 0x1p24]])
    let truth = model(
      [node("Equal", ["a", "b"])], inputs: [[1]], [integers("a", [1, 2]), integers("b", [2])])
    #expect(try result(truth).floats == [0, 1])
    let computed = model(
      [node("Exp", ["w"], ["e"]), node("Log", ["e"])], inputs: [[1]], [floats("w", [2], [0, 1])])
    #expect(try zip(result(computed).floats, [0, 1]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  /// What a float cannot hold is refused, not rounded; so are integers outside of the type that the file declares.
  @Test func integersThatAreNoFloats() throws {
    expectRefusal("import.output", of: model([], [integers("y", [1 << 24 + 1])]))
    expectRefusal("import.output", of: model([], [integers("y", [.max])]))
    #expect(try result(model([], inputs: [[1]], [integers("y", [1 << 40])])).floats == [0x1p40])
    var narrow = model([node("Add", ["a", "a"])], [integers("a", [200])])
    #expect(try result(narrow).floats == [400])
    narrow.graph.outputs[0].elementType = .uint8
    expectRefusal("import.output", of: narrow)
    let bytes = model([node("Add", ["a", "a"])], [stored("a", [1], .uint8, [200])])
    expectRefusal("import.integer", of: bytes)
    expectRefusal("import.size", of: model([], [integers("y", [])]))
    expectRefusal("import.size", of: model([], [floats("y", [0, 3], [])]))
  }

  @Test func dynamicLevelsAreRefused() {
    for output in ["q", "r", "z"] {
      let net = model([node("DynamicQuantizeLinear", ["x"], ["q", "r", "z"])], outputs: [output])
      expectRefusal("import.dynamic-quantization", of: net)
    }
  }

  // MARK: Casts

  @Test func castsLoseWhatStandsBehindThePoint() throws {
    let x = Tensor([8], [-2.75, -1, -0.5, 0, 0.5, 1, 2.75, 1e20] as [Float])
    for type in [2, 3, 5, 6, 7, 12] as [Int64] {
      let net = model([node("Cast", ["x"], ["y"], ["to": .int(type)])], inputs: [[8]])
      #expect(try result(net, [x]).floats == [-2, -1, 0, 0, 0, 1, 2, 1e20])
    }
    let truth = model([node("Cast", ["x"], ["y"], ["to": .int(9)])], inputs: [[8]])
    #expect(try result(truth, [x]).floats == [1, 1, 1, 0, 1, 1, 1, 1])
    let back = model(
      [node("Cast", ["x"], ["i"], ["to": .int(7)]), node("Cast", ["i"], ["y"], ["to": .int(1)])],
      inputs: [[8]])
    #expect(try result(back, [x]).floats == [-2, -1, 0, 0, 0, 1, 2, 1e20])
    expectRefusal("import.cast", of: model([node("Cast", ["x"], ["y"], ["to": .int(8)])]))
  }

  @Test func levelsCastToTypesThatHoldThem() throws {
    func cast(_ type: Int64) -> ONNXModel {
      model(
        [node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("Cast", ["q"], ["y"], ["to": .int(type)])],
        inputs: [[2]], grid)
    }
    for type in [1, 3, 5, 6, 7] as [Int64] { #expect(try result(cast(type)).floats == [-1, 1]) }
    #expect(try result(cast(9)).floats == [1, 1])
    expectRefusal("import.cast", of: cast(2))
  }

  @Test func castsToTheTypeOfAnother() throws {
    let x = Tensor([2], [1.5, -2.5] as [Float])
    let like = model([node("CastLike", ["x", "l"])], inputs: [[2]], [integers("l", [1])])
    #expect(try result(like, [x]).floats == [1, -2])
    let same = model([node("CastLike", ["x", "x1"])], inputs: [[2], [1]])
    #expect(try result(same, [x, Tensor([1], [0] as [Float])]).floats == [1.5, -2.5])
    let unknown = model([node("Greater", ["x", "x"], ["g"]), node("CastLike", ["x", "g"])])
    expectRefusal("import.cast", of: unknown)
  }

  // MARK: Whole numbers that are computed

  /// They move, join, add up and choose as others do.
  @Test func wholeNumbersGoOn() throws {
    let places = node("ArgMax", ["x"], ["p"], ["axis": .int(1)])
    let x = Tensor([2, 3], [1, 5, 2, 9, 0, 4] as [Float])
    func run(_ nodes: [ONNXNode], _ more: [ONNXTensor] = []) throws -> Tensor {
      try result(model([places] + nodes, inputs: [[2, 3]], more), [x])
    }
    #expect(try run([node("Identity", ["p"])]) == Tensor([2, 1], [1, 0] as [Float]))
    #expect(try run([node("Squeeze", ["p"])]) == Tensor([2], [1, 0] as [Float]))
    #expect(try run([node("Transpose", ["p"])]).shape == [1, 2])
    #expect(
      try run([node("Concat", ["p", "k"], ["y"], ["axis": .int(0)])], [integers("k", [7], shape: [1, 1])])
        .floats == [1, 0, 7])
    #expect(try run([node("Add", ["p", "k"])], [integers("k", [10])]).floats == [11, 10])
    #expect(try run([node("Sub", ["k", "p"])], [integers("k", [10])]).floats == [9, 10])
    #expect(try run([node("Max", ["p", "k"])], [integers("k", [-1])]).floats == [1, 0])
    #expect(try run([node("Equal", ["p", "k"])], [integers("k", [1])]).floats == [1, 0])
    #expect(
      try run([node("Cast", ["p"], ["f"], ["to": .int(1)]), node("Mul", ["f", "x"])]).floats
        == [1, 5, 2, 0, 0, 0])
    #expect(
      try run(
        [node("Where", ["c", "p", "k"])],
        [
          integers("k", [5]), stored("c", [2, 1], .bool, [0, 1]),
        ]
      ).floats == [5, 0])
    let pad = node("Pad", ["p", "pads", "k"])
    #expect(
      try run([pad], [integers("pads", [1, 0, 0, 0]), integers("k", [-4], shape: [])]).floats == [-4, 1, 0])
    // Floats take no integers, indices must be known, and quotients of integers would need a rest.
    expectRefusal("import.integer-input", of: model([places, node("Relu", ["p"])], inputs: [[2, 3]]))
    expectRefusal("import.dynamic", of: model([places, node("Gather", ["x", "p"])], inputs: [[2, 3]]))
    expectRefusal("import.integer-input", of: model([places, node("Div", ["p", "p"])], inputs: [[2, 3]]))
    expectRefusal("import.integer-input", of: model([places, node("Add", ["p", "x"])], inputs: [[2, 3]]))
  }

  /// What depends on constants alone is known at import, as shapes must be.
  @Test func placesInConstantsAreKnown() throws {
    let net = model(
      [
        node("ArgMax", ["w"], ["p"], ["axis": .int(0), "keepdims": .int(0)]), node("Gather", ["x", "p"]),
      ], inputs: [[3]], [floats("w", [3, 2], [1, 9, 5, 2, 3, 4])])
    #expect(try result(net).floats == [2, 1])
  }
}
