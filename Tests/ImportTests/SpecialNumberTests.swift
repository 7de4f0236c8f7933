import Foundation
import IR
import Import
import ONNX
import Evaluator
import Support
import Tensors
import Testing

/// Operators that are composed of others, with infinities and what is no number in every operand, also in the one that is
/// not taken, as inputs and as constants; against plain formulas of what ONNX defines.
@Suite("Infinities and NaN in composed operators")
struct SpecialNumberTests {
  private static let numbers: [Float] = [
    .infinity, -.infinity, .nan, 0, -0.0, 1, -1, 2.5, -3, 1e-3, 3e38, -3e38,
  ]

  private func expect(_ found: [Float], _ expected: [Float], _ name: String) {
    #expect(found.count == expected.count, "\(name)")
    for (k, (a, b)) in zip(found, expected).enumerated() {
      let isSame = a == b || a.isNaN && b.isNaN || abs(a - b) <= 2e-6 * max(1, abs(b))
      #expect(isSame, "\(name): element \(k) is \(a), expected \(b)")
    }
  }

  /// The outputs with `values` as inputs, and with them as constants.
  private func check(
    _ nodes: [ONNXNode], _ values: [Tensor], opset: Int = 20, _ name: String, _ expected: [Float]
  ) throws {
    let names = values.indices.map { $0 == 0 ? "x" : "x\($0)" }
    let computed = model(nodes, inputs: values.map(\.shape), opset: opset)
    expect(try result(computed, values).floats, expected, name)
    let constants = zip(names, values).map { floats($0, $1.shape, $1.floats) }
    let known = model(nodes, inputs: [], constants, opset: opset)
    expect(try result(known).floats, expected, "\(name) of constants")
  }

  private func checkEach(
    _ op: String, _ attributes: [String: ONNXAttribute.Value] = [:], opset: Int = 20,
    _ formula: (Float) -> Float
  ) throws {
    let x = Self.numbers
    try check(
      [node(op, ["x"], ["y"], attributes)], [Tensor([x.count], x)], opset: opset, op, x.map(formula))
  }

  /// All pairs of numbers.
  private static var pairs: (Tensor, Tensor) {
    let all = numbers.flatMap { x in numbers.map { (x, $0) } }
    return (Tensor([all.count], all.map(\.0)), Tensor([all.count], all.map(\.1)))
  }

  private func checkPairs(_ op: String, _ formula: (Float, Float) -> Float) throws {
    let (a, b) = Self.pairs
    try check(
      [node(op, ["x", "x1"], ["y"])], [a, b], op, zip(a.floats, b.floats).map { formula($0, $1) })
  }

  @Test func functionsOfOneElement() throws {
    try checkEach("Reciprocal") { 1 / $0 }
    try checkEach("ThresholdedRelu") { $0 > 1 ? $0 : 0 }
    try checkEach("ThresholdedRelu", ["alpha": .float(-2)]) { $0 > -2 ? $0 : 0 }
    func elu(_ x: Float, _ alpha: Float) -> Float { x < 0 ? alpha * (Foundation.expf(x) - 1) : x }
    try checkEach("Selu") { 1.050701 * elu($0, 1.6732632) }
    try checkEach("Celu") { elu($0, 1) }
    for alpha in [0.5, -0.5] as [Float] {
      try checkEach("Celu", ["alpha": .float(alpha)]) { x in
        let bent = alpha * (Foundation.expf(x / alpha) - 1)
        return x.isNaN ? x : (x > 0 ? x : 0) + (bent < 0 ? bent : 0)
      }
    }
    try checkEach("Softsign") { $0 / (1 + abs($0)) }
    try checkEach("Mish") { $0 * Foundation.tanhf($0 > 50 ? $0 : Foundation.log1pf(Foundation.expf($0))) }
    try checkEach("Gelu") { 0.5 * $0 * (1 + Foundation.erff($0 * Float(0.5).squareRoot())) }
    try checkEach("Gelu", ["approximate": .string("tanh")]) {
      0.5 * $0 * (1 + Foundation.tanhf(Float((2 / Double.pi).squareRoot()) * ($0 + 0.044715 * $0 * $0 * $0)))
    }
    try checkEach("IsNaN") { $0.isNaN ? 1 : 0 }
    try checkEach("IsInf") { $0.isInfinite ? 1 : 0 }
    try checkEach("IsInf", ["detect_negative": .int(0)]) { $0 == .infinity ? 1 : 0 }
    try checkEach("IsInf", ["detect_positive": .int(0)]) { $0 == -.infinity ? 1 : 0 }
    try checkEach("Clip") { $0.isInfinite ? Float.greatestFiniteMagnitude * ($0 > 0 ? 1 : -1) : $0 }
    try checkEach("Softplus") { $0 > 50 ? $0 : Foundation.log1pf(Foundation.expf($0)) }
    try checkEach("HardSwish") { $0 * max(0, min(1, $0 / 6 + 0.5)) }
  }

  @Test func functionsOfTwoElements() throws {
    try checkPairs("PRelu") { x, slope in x < 0 ? slope * x : x }
    try checkPairs("GreaterOrEqual") { $0 >= $1 ? 1 : 0 }
    try checkPairs("LessOrEqual") { $0 <= $1 ? 1 : 0 }
    try checkPairs("Mean") { ($0 + $1) / 2 }
    try checkPairs("Max") { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    try checkPairs("Min") { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }
  }

  @Test func powersByFixedExponents() throws {
    for exponent in [0, 0.25, 0.5, 0.75, -0.25, -0.5, 1, 2, 3, -1, -2, 1.7] as [Float] {
      let x = Self.numbers.filter { abs($0) < 1e30 || !$0.isFinite }
      let found = try result(
        model([node("Pow", ["x", "e"])], inputs: [[x.count]], [floats("e", [1], [exponent])]),
        [Tensor([x.count], x)])
      expect(found.floats, x.map { Foundation.powf($0, exponent) }, "Pow \(exponent)")
    }
  }

  // MARK: Choices

  @Test func choicesLeaveOutWhatIsNotChosen() throws {
    let (a, b) = Self.pairs
    for isFirst in [true, false] {
      let expected = isFirst ? a.floats : b.floats
      let flags = stored("c", [1], .bool, [isFirst ? 1 : 0])
      let known = model([node("Where", ["c", "x", "x1"], ["y"])], inputs: [a.shape, b.shape], [flags])
      expect(try result(known, [a, b]).floats, expected, "Where of a known condition")
      let constants = model(
        [node("Where", ["c", "x", "x1"], ["y"])], inputs: [],
        [flags, floats("x", a.shape, a.floats), floats("x1", b.shape, b.floats)])
      expect(try result(constants).floats, expected, "Where of constants")
      let computed = model(
        [node("Greater", ["x2", "zero"], ["c"]), node("Where", ["c", "x", "x1"], ["y"])],
        inputs: [a.shape, b.shape, [1]], [floats("zero", [], [0])])
      let condition = Tensor([1], [isFirst ? 1 : -1] as [Float])
      expect(try result(computed, [a, b, condition]).floats, expected, "Where of a computed condition")
    }
  }

  @Test func whatIsNoNumberCanBeReplaced() throws {
    let x = Self.numbers
    try check(
      [node("IsNaN", ["x"], ["c"]), node("Where", ["c", "x1", "x"], ["y"])],
      [Tensor([x.count], x), Tensor([], [0] as [Float])], "Where(IsNaN)", x.map { $0.isNaN ? 0 : $0 })
  }

  @Test func trianglesLeaveOutWhatIsOutside() throws {
    for value in [Float.infinity, -.infinity, .nan] {
      for (upper, k) in [(1, 1), (1, 0), (0, -1), (0, 0), (1, -2)] {
        let x = (0..<16).map { $0 % 3 == 0 ? Float($0) : value }
        let expected = x.enumerated().map { place, element in
          let offset = place % 4 - place / 4
          return (upper == 1 ? offset >= k : offset <= k) ? element : 0
        }
        for isConstant in [false, true] {
          let net = model(
            [node("Trilu", ["x", "k"], ["y"], ["upper": .int(Int64(upper))])],
            inputs: isConstant ? [] : [[4, 4]],
            [integers("k", [Int64(k)], shape: [])] + (isConstant ? [floats("x", [4, 4], x)] : []))
          let found = try isConstant ? result(net) : result(net, [Tensor([4, 4], x)])
          expect(found.floats, expected, "Trilu \(upper) \(k) of \(value)")
        }
      }
    }
  }

  /// The causal mask of attention: a triangle of -inf added to scores.
  @Test func causalMasksLeaveTheFirstTokenAlone() throws {
    let net = model(
      [
        node("Trilu", ["full", "k"], ["mask"]), node("Add", ["x", "mask"], ["masked"]),
        node("Softmax", ["masked"], ["y"]),
      ], inputs: [[4, 4]],
      [
        floats("full", [4, 4], [Float](repeating: -.infinity, count: 16)), integers("k", [1], shape: []),
      ])
    let found = try result(net, [Tensor([4, 4], [Float](repeating: 3, count: 16))]).floats
    #expect(Array(found.prefix(4)) == [1, 0, 0, 0])
    #expect(Array(found[4..<8]) == [0.5, 0.5, 0, 0])
  }

  /// An infinity has no integer, but it only matters where it is chosen.
  @Test func infinitiesThatAreCastAndNotChosen() throws {
    let net = model(
      [
        node("Log", ["a"], ["l"]), node("Cast", ["l"], ["whole"], ["to": .int(7)]),
        node("Where", ["c", "whole", "other"], ["chosen"]),
        node("Cast", ["chosen"], ["numbers"], ["to": .int(1)]),
        node("Add", ["x", "numbers"], ["y"]),
      ], inputs: [[3]],
      [
        floats("a", [3], [0, 1, 20.1]), stored("c", [3], .bool, [0, 1, 1]), integers("other", [7, 8, 9]),
      ])
    #expect(try result(net, [Tensor([3], [0, 0, 0.5] as [Float])]).floats == [7, 0, 3.5])
  }

  // MARK: Lines

  private static let lines: [[Float]] = [
    [-.infinity, -.infinity, -.infinity], [.infinity, 0, 1], [-.infinity, 0, 1], [.nan, 1, 2], [1, .nan, 2],
    [1, 2, .nan], [.infinity, -.infinity, 1], [0, 0, 0], [-0.5, 2, 1], [.nan, .nan, .nan],
    [.infinity, .infinity, 2],
  ]

  private func checkLines(
    _ op: String, _ attributes: [String: ONNXAttribute.Value] = [:], _ formula: ([Float]) -> [Float]
  ) throws {
    let x = Tensor([Self.lines.count, 3], Self.lines.flatMap { $0 })
    try check([node(op, ["x"], ["y"], attributes)], [x], opset: 17, op, Self.lines.flatMap(formula))
  }

  @Test func reductionsOfLines() throws {
    func sum(_ x: [Float]) -> Float { x.reduce(0, +) }
    func largest(_ x: [Float]) -> Float { x.contains(where: \.isNaN) ? .nan : x.max() ?? 0 }
    let reductions: [(String, ([Float]) -> Float)] = [
      ("ReduceSum", sum), ("ReduceMean", { sum($0) / 3 }), ("ReduceProd", { $0.reduce(1, *) }),
      ("ReduceMax", largest), ("ReduceMin", { -largest($0.map { -$0 }) }),
      ("ReduceL1", { sum($0.map { abs($0) }) }), ("ReduceL2", { sum($0.map { $0 * $0 }).squareRoot() }),
      ("ReduceSumSquare", { sum($0.map { $0 * $0 }) }), ("ReduceLogSum", { Foundation.logf(sum($0)) }),
      ("ReduceLogSumExp", { Foundation.logf(sum($0.map { Foundation.expf($0) })) }),
    ]
    for (op, formula) in reductions {
      let attributes: [String: ONNXAttribute.Value] =
        op == "ReduceSum" ? ["keepdims": .int(0)] : ["axes": .ints([1]), "keepdims": .int(0)]
      if op == "ReduceSum" {
        let x = Tensor([Self.lines.count, 3], Self.lines.flatMap { $0 })
        let net = model(
          [node(op, ["x", "a"], ["y"], attributes)], inputs: [x.shape], [integers("a", [1])])
        expect(try result(net, [x]).floats, Self.lines.map(formula), op)
      } else {
        try checkLines(op, attributes) { [formula($0)] }
      }
    }
  }

  @Test func placesAndNormsOfLines() throws {
    func place(_ x: [Float], _ isBetter: (Float, Float) -> Bool) -> Int {
      if let nan = x.firstIndex(where: \.isNaN) { return nan }
      return x.indices.first { k in x.allSatisfy { !isBetter($0, x[k]) } } ?? 0
    }
    try checkLines("ArgMax", ["axis": .int(1)]) { [Float(place($0, >))] }
    try checkLines("ArgMin", ["axis": .int(1)]) { [Float(place($0, <))] }
    try checkLines("Hardmax") { line in line.indices.map { $0 == place(line, >) ? 1 : 0 } }
    try checkLines("LogSoftmax") { line in
      // As ONNX's reference, less the largest element.
      let top = line.contains(where: \.isNaN) ? Float.nan : line.max() ?? 0
      let sum = line.reduce(Float(0)) { $0 + Foundation.expf($1 - top) }
      return line.map { $0 - (Foundation.logf(sum) + top) }
    }
    for p in [1, 2] {
      try checkLines("LpNormalization", ["p": .int(Int64(p))]) { line in
        let sum = line.reduce(Float(0)) { $0 + (p == 1 ? abs($1) : $1 * $1) }
        let norm = p == 1 ? sum : sum.squareRoot()
        return line.map { norm == 0 ? 0 : $0 / norm }
      }
    }
    let x = Tensor([Self.lines.count, 3], Self.lines.flatMap { $0 })
    let top = model(
      [node("TopK", ["x", "k"], ["y", "i"])], inputs: [x.shape], [integers("k", [1])], outputs: ["y", "i"])
    let found = try Interpreter(imported(top)).evaluate([x]).outputs
    expect(found[0].floats, Self.lines.map { $0.contains(where: \.isNaN) ? .nan : $0.max() ?? 0 }, "TopK")
    expect(found[1].floats, Self.lines.map { Float(place($0, >)) }, "TopK places")
  }

  @Test func normalizationsOfLines() throws {
    let net = model(
      [node("LayerNormalization", ["x", "s", "b"], ["y"])], inputs: [[Self.lines.count, 3]],
      [floats("s", [3], [1, 2, 0]), floats("b", [3], [0, 1, 2])])
    let expected = Self.lines.flatMap { line -> [Float] in
      let mean = line.reduce(0, +) / 3
      let variance = line.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 3
      return line.enumerated().map { k, x in
        (x - mean) / (variance + 1e-5).squareRoot() * [1, 2, 0][k] + [0, 1, 2][k]
      }
    }
    expect(
      try result(net, [Tensor([Self.lines.count, 3], Self.lines.flatMap { $0 })]).floats, expected,
      "LayerNormalization")
  }

  // MARK: Loops

  /// What stands behind the end of a sequence does not reach the states, whatever it is.
  @Test(arguments: [Float.infinity, -.infinity, .nan]) func endedSequencesKeepTheirState(value: Float) throws
  {
    let net = model(
      [node("RNN", ["x", "w", "r", "", "lengths"], ["y", "h"], ["hidden_size": .int(1)])],
      inputs: [[3, 2, 1]],
      [
        floats("w", [1, 1, 1], [1]), floats("r", [1, 1, 1], [0.5]),
        stored("lengths", [2], .int32, [1, 0, 0, 0, 3, 0, 0, 0]),
      ], outputs: ["y", "h"])
    let x = Tensor([3, 2, 1], [0.5, 0.5, value, 0.25, value, 0.125] as [Float])
    let found = try Interpreter(imported(net)).evaluate([x]).outputs
    let first = Foundation.tanhf(0.5)
    let second = Foundation.tanhf(0.25 + 0.5 * first)
    let third = Foundation.tanhf(0.125 + 0.5 * second)
    expect(found[0].floats, [first, first, 0, second, 0, third], "RNN")
    expect(found[1].floats, [first, third], "RNN states")
  }
}
