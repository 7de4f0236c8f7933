import IR
import Support
import Tensors
import Testing

/// The types that operations compute, and parameters that would overflow.
@Suite struct TypingTests {
  private func type(
    _ opcode: Opcode, _ shapes: [[Int]?], _ attributes: [(String, Attribute)] = [],
    element: ElementType = .float32
  )
    throws(Diagnostic) -> ValueType?
  {
    var module = Module<TensorLevel>(name: "m")
    let operands = shapes.enumerated().map {
      module.values.add(Value(name: "v\($0)", type: ValueType(element, $1)))
    }
    let result = module.values.add(Value(name: "r", type: ValueType(element, nil)))
    let named = attributes.map { NamedAttribute($0, $1) }
    return try module.resultType(of: Op(opcode, operands: operands, results: [result], attributes: named))
  }

  private func conv(
    _ x: [Int], _ w: [Int], pads: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, groups: Int = 1
  )
    throws(Diagnostic) -> [Int]?
  {
    let spatial = max(0, x.count - 2)
    let ones = [Int](repeating: 1, count: spatial)
    return try type(
      .conv, [x, w],
      [
        ("strides", .ints(strides ?? ones)), ("pads", .ints(pads)), ("dilations", .ints(dilations ?? ones)),
        ("groups", .int(Int64(groups))),
      ])?.shape
  }

  @Test func shapesOfConvolutions() throws {
    #expect(try conv([2, 3, 8, 9], [5, 3, 3, 2], pads: [1, 0, 1, 0]) == [2, 5, 8, 8])
    #expect(try conv([1, 4, 7], [6, 2, 3], pads: [1, 1], strides: [2], groups: 2) == [1, 6, 4])
    #expect(try conv([1, 1, 9, 9], [1, 1, 3, 3], pads: [0, 0, 0, 0], dilations: [4, 2]) == [1, 1, 1, 5])
  }

  /// A convolution that cannot be.
  struct BadConvolution: Sendable {
    var x = [1, 1, 4]
    var w = [1, 1, 2]
    var pads = [0, 0]
    var strides = [1]
    var dilations = [1]
    var groups = 1
  }

  @Test(arguments: [
    BadConvolution(pads: [.max, .max]), BadConvolution(pads: [-1, 0]), BadConvolution(pads: [0]),
    BadConvolution(strides: [0]), BadConvolution(strides: [.min]), BadConvolution(dilations: [.max]),
    BadConvolution(w: [1, 1, 5]), BadConvolution(w: [0, 1, 2]), BadConvolution(groups: 0),
    BadConvolution(x: [1, 3, 4], w: [2, 1, 2], groups: 2), BadConvolution(x: [1, 1], w: [1, 1]),
    BadConvolution(x: [], w: []), BadConvolution(x: [1, 1, 2, 2, 2], w: [1, 1, 1, 1, 1]),
    BadConvolution(x: [0, 1, 4]), BadConvolution(x: [1, 1, 1 << 30], w: [1 << 20, 1, 1]),
  ])
  func convolutionsThatDoNotFit(_ bad: BadConvolution) {
    expectFailure("verify.shape") { () throws(Diagnostic) in
      _ = try conv(
        bad.x, bad.w, pads: bad.pads, strides: bad.strides, dilations: bad.dilations, groups: bad.groups)
    }
  }

  @Test func windowCounts() {
    #expect(
      windowCount(5, 0, 5, 1, 1) == 1 && windowCount(5, 2, 3, 2, 2) == 2 && windowCount(4, 0, 5, 1, 1) == nil)
    for (size, padding, kernel, step, spread) in [
      (Int.max, 0, 1, 1, 1), (1, Int.max, 1, 1, 1), (1, 0, Int.max, 1, 1), (1, 0, 1, 0, 1),
      (1, 0, 1, 1, Int.max), (0, 0, 1, 1, 1),
      (-1, 0, 1, 1, 1), (1, 1, 1 << 30, 1, 1 << 30),
    ] {
      #expect(windowCount(size, padding, kernel, step, spread) == nil)
    }
  }

  @Test func productsAndNormalizations() throws {
    #expect(try type(.gemm, [[2, 3, 4], [4, 5]])?.shape == [2, 3, 5])
    #expect(
      try type(.gemm, [[2, 4], [4, 5]], element: .integer(bits: 4, signed: true))
        == ValueType(.accumulator, [2, 5]))
    #expect(try type(.batchNorm, [[1, 2, 3], [2], [2], [2], [2]])?.shape == [1, 2, 3])
    for shapes in [
      [[4], [5, 4]], [[], [1, 1]], [[2, 4], [4]], [[2, 0], [0, 4]], [[1 << 20, 1], [1, 1 << 20]],
    ] {
      expectFailure("verify.shape") { () throws(Diagnostic) in _ = try type(.gemm, shapes) }
    }
    for shapes in [
      [[1, 2], [3], [3], [3], [3]], [[2], [2], [2], [2], [2]], [[1, 2], [2], [2], [2], [1, 2]],
    ] {
      expectFailure("verify.shape") { () throws(Diagnostic) in _ = try type(.batchNorm, shapes) }
    }
  }

  @Test func digitalOperatorsKeepTheirErrors() {
    let huge = Attribute.int(.max)
    let cases: [(Opcode, [[Int]], [(String, Attribute)], String)] = [
      (.softmax, [[2]], [("axis", huge)], "operator.axis"),
      (.mean, [[2]], [("axes", .list([.int(.min)]))], "operator.axis"),
      (.mean, [[2]], [("axes", .ints([0, 0]))], "operator.axis"),
      (.transpose, [[2, 3]], [("order", .ints([0, 0]))], "operator.axis"),
      (.reshape, [[2]], [("shape", .list([huge, huge]))], "operator.shape"),
      (.reshape, [[2]], [("shape", .ints([-1, -2]))], "operator.shape"),
      (.concat, [[2], [3, 1]], [("axis", .int(0))], "operator.shape"),
      (
        .pad, [[2]], [("before", .list([huge])), ("after", .list([huge])), ("value", .float(0))],
        "operator.parameter"
      ),
      (
        .pad, [[2]], [("before", .ints([1 << 30])), ("after", .ints([1 << 30])), ("value", .float(0))],
        "operator.size"
      ),
      (.slice, [[2]], [("start", .ints([0])), ("end", .ints([3]))], "operator.parameter"),
      (.slice, [[2]], [("start", .ints([1])), ("end", .ints([1]))], "operator.parameter"),
      (.slice, [[2]], [("start", .list([.int(.min)])), ("end", .list([huge]))], "operator.parameter"),
      (.slice, [[2, 2]], [("start", .ints([0])), ("end", .ints([1]))], "operator.parameter"),
      (.gather, [[2]], [("indices", .ints([2])), ("axis", .int(0))], "operator.parameter"),
      (.gather, [[2]], [("indices", .ints([-1])), ("axis", .int(0))], "operator.parameter"),
      (.gather, [[2]], [("indices", .list([])), ("axis", .int(0))], "operator.parameter"),
      (.gather, [[2]], [("indices", .ints([0])), ("axis", huge)], "operator.axis"),
      (.add, [[2], [3]], [], "operator.shape"),
      (.matmul, [[2, 3], [2, 3]], [], "operator.shape"),
      (
        .quantize, [[2]], [("scale", .float(0)), ("zero", .int(0)), ("low", .int(0)), ("high", .int(1))],
        "operator.parameter"
      ),
      (
        .quantize, [[2]], [("scale", .float(1)), ("zero", .int(.min)), ("low", .int(0)), ("high", .int(1))],
        "operator.parameter"
      ),
      (
        .quantize, [[2]], [("scale", .float(1)), ("zero", .int(0)), ("low", .int(1)), ("high", .int(0))],
        "operator.parameter"
      ),
      (.dequantize, [[2]], [("scale", .float(.nan)), ("zero", .int(0))], "operator.parameter"),
      (.maxPool, [[1, 1, 2, 2]], [("window", .window(.rows(3, 3)))], "operator.window"),
      (.maxPool, [[1, 1, 2, 2]], [], "verify.attribute"),
    ]
    for (opcode, shapes, attributes, id) in cases {
      expectFailure(id) { () throws(Diagnostic) in _ = try type(opcode, shapes, attributes) }
    }
  }

  @Test func requantizationParameters() {
    func attempt(_ multipliers: [Int64], _ shifts: [Int64], axis: Int64 = 0, id: String) {
      expectFailure(id) { () throws(Diagnostic) in
        _ = try type(
          .requantize, [[2, 3]],
          [
            ("multipliers", .ints(multipliers)), ("shifts", .ints(shifts)), ("zero", .int(0)),
            ("low", .int(0)),
            ("high", .int(1)), ("axis", .int(axis)),
          ], element: .accumulator)
      }
    }
    attempt([1 << 31], [1], id: "operator.parameter")
    attempt([-1], [1], id: "operator.parameter")
    attempt([1], [0], id: "operator.parameter")
    attempt([1], [63], id: "operator.parameter")
    attempt([1, 2], [1], id: "operator.parameter")
    attempt([1, 2], [1, 2], axis: 1, id: "operator.parameter")
    attempt([1, 2], [1, 2], axis: .max, id: "operator.axis")
    attempt([], [], id: "operator.parameter")
  }

  @Test func whatHasNoShapeHasNoType() throws {
    #expect(try type(.relu, [nil]) == nil)
    #expect(try type(.conv, [nil, [1, 1, 1]]) == nil)
    #expect(try type(.add, [[1], nil]) == nil)
  }
}
