import Foundation
import IR
import ONNX
import Support
import Tensors
import Testing

/// Operators that are composed of others, against plain formulas in binary64 on seeded random numbers.
@Suite("Composed operators")
struct ComposedOperatorTests {
  private func random(_ count: Int, in range: ClosedRange<Double> = -4...4, seed: UInt64 = 5) -> [Float] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
      Float(range.lowerBound + random.unit() * (range.upperBound - range.lowerBound))
    }
  }

  private func expect(_ found: [Float], _ expected: [Double], _ name: String) {
    #expect(found.count == expected.count, "\(name)")
    let size = max(1, expected.map { abs($0) }.max() ?? 0)
    for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) <= 2e-6 * size, "\(name): \(a), \(b)") }
  }

  // MARK: One element

  @Test func functionsOfOneElement() throws {
    let x = random(200)
    func check(
      _ op: String, _ attributes: [String: ONNXAttribute.Value] = [:], opset: Int = 20,
      _ formula: (Double) -> Double
    ) throws {
      let net = model([node(op, ["x"], ["y"], attributes)], inputs: [[200]], opset: opset)
      expect(try result(net, [Tensor([200], x)]).floats, x.map { formula(Double($0)) }, op)
    }
    func elu(_ x: Double, _ alpha: Double) -> Double { x < 0 ? alpha * (Foundation.exp(x) - 1) : x }
    try check("Floor") { $0.rounded(.down) }
    try check("Ceil") { $0.rounded(.up) }
    try check("Round") { $0.rounded(.toNearestOrEven) }
    try check("Sign") { $0 < 0 ? -1 : $0 > 0 ? 1 : 0 }
    try check("Reciprocal") { 1 / $0 }
    try check("Softsign") { $0 / (1 + abs($0)) }
    try check("Mish") { $0 * Foundation.tanh(Foundation.log(1 + Foundation.exp($0))) }
    try check("Selu") { 1.05070102214813232421875 * elu($0, 1.67326319217681884765625) }
    try check("Selu", ["alpha": .float(2), "gamma": .float(0.5)]) { 0.5 * elu($0, 2) }
    try check("Celu") { elu($0, 1) }
    try check("Celu", ["alpha": .float(0.5)]) { max(0, $0) + min(0, 0.5 * (Foundation.exp($0 / 0.5) - 1)) }
    try check("ThresholdedRelu") { $0 > 1 ? $0 : 0 }
    try check("ThresholdedRelu", ["alpha": .float(-0.5)]) { $0 > -0.5 ? $0 : 0 }
    try check("Gelu") { 0.5 * $0 * (1 + Foundation.erf($0 / 2.0.squareRoot())) }
    try check("Gelu", ["approximate": .string("tanh")]) {
      0.5 * $0 * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)))
    }
    expectRefusal(
      "import.gelu", of: model([node("Gelu", ["x"], ["y"], ["approximate": .string("sin")])], opset: 20))
  }

  @Test func roundingIsOneOperation() throws {
    for (op, opcode) in [("Floor", Opcode.floor), ("Ceil", .ceil), ("Round", .round)] {
      let found = try imported(model([node(op, ["x"], ["y"])], inputs: [[3]], opset: 20))
      #expect(found.opcodes == [.input, opcode, .output])
    }
  }

  @Test func powersByTheirExponent() throws {
    for exponent in [0, 0.25, 0.5, 0.75, 1, 2, 3, 7, -1, -0.5, 1.7, 65] as [Double] {
      let x = random(50, in: 0.3...1.5)
      let net = model([node("Pow", ["x", "e"])], inputs: [[50]], [floats("e", [], [Float(exponent)])])
      let expected = x.map { Foundation.pow(Double($0), Double(Float(exponent))) }
      let size = expected.max() ?? 1
      for (a, b) in zip(try result(net, [Tensor([50], x)]).floats, expected) {
        #expect(abs(Double(a) - b) <= 2e-5 * size, "\(exponent)")
      }
    }
    let cube = model([node("Pow", ["x", "e"])], inputs: [[2]], [integers("e", [3], shape: [1, 1])])
    #expect(try result(cube, [Tensor([2], [-2, 3] as [Float])]) == Tensor([1, 2], [-8, 27] as [Float]))
    let apart = model([node("Pow", ["x", "e"])], inputs: [[2, 1]], [floats("e", [2], [1, 2])])
    #expect(
      try result(apart, [Tensor([2, 1], [-3, 5] as [Float])]) == Tensor([2, 2], [-3, 9, 5, 25] as [Float]))
    let endless = model([node("Pow", ["x", "e"])], inputs: [[2]], [floats("e", [], [.infinity])])
    #expect(try result(endless, [Tensor([2], [0.5, 2] as [Float])]).floats == [0, .infinity])
    let computed = model([node("Pow", ["x", "x1"])], inputs: [[2], [2]])
    #expect(
      try result(computed, [Tensor([2], [2, 9] as [Float]), Tensor([2], [3, 0.5] as [Float])]).floats == [
        8, 3,
      ])
    // Integers have integer powers; of others what stands behind the point is lost.
    let known = model([node("Pow", ["a", "e"])], [integers("a", [2, -3]), integers("e", [5, 3])])
    #expect(try result(known).floats == [32, -27])
    let mixed = model([node("Pow", ["a", "x"])], inputs: [[2]], [integers("a", [2, 3])])
    #expect(try result(mixed, [Tensor([2], [0.5, 2] as [Float])]).floats == [1, 9])
    expectRefusal(
      "import.integer", of: model([node("Pow", ["a", "e"])], [integers("a", [10]), integers("e", [30])]))
  }

  @Test func slopesOfPRelu() throws {
    let x = random(24)
    let slopes: [Float] = [0.5, -2, 0.1]
    let net = model([node("PRelu", ["x", "s"])], inputs: [[2, 3, 4]], [floats("s", [3, 1], slopes)])
    let expected = x.enumerated().map { k, value in
      value < 0 ? Double(slopes[k / 4 % 3]) * Double(value) : Double(value)
    }
    expect(try result(net, [Tensor([2, 3, 4], x)]).floats, expected, "PRelu")
  }

  @Test func meansOfInputs() throws {
    let net = model([node("Mean", ["x", "x1", "x"])], inputs: [[2, 2], [2]])
    let expected: [Float] = [1, 2, 7.0 / 3, 10.0 / 3]
    #expect(try result(net).floats == expected)
  }

  // MARK: Reductions

  @Test func reductionsOverAxes() throws {
    let shape = [2, 5, 3]
    let x = random(30, in: 0.5...2)
    let reductions: [(String, ([Double]) -> Double)] = [
      ("ReduceSum", { $0.reduce(0, +) }), ("ReduceProd", { $0.reduce(1, *) }),
      ("ReduceMax", { $0.max() ?? 0 }),
      ("ReduceMin", { $0.min() ?? 0 }), ("ReduceL1", { $0.reduce(0) { $0 + abs($1) } }),
      ("ReduceL2", { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }),
      ("ReduceSumSquare", { $0.reduce(0) { $0 + $1 * $1 } }),
      ("ReduceLogSum", { Foundation.log($0.reduce(0, +)) }),
      ("ReduceLogSumExp", { Foundation.log($0.reduce(0) { $0 + Foundation.exp($1) }) }),
      ("ReduceMean", { $0.reduce(0, +) / Double($0.count) }),
    ]
    for axes in [[], [0], [1], [2], [0, 2], [1, 2], [0, 1, 2]] {
      for (op, reduce) in reductions {
        let summed = axes.isEmpty ? [0, 1, 2] : axes
        var groups: [Int: [Double]] = [:]
        for k in x.indices {
          let index = [k / 15, k / 3 % 5, k % 3]
          let key = (0..<3).reduce(0) { $0 * 10 + (summed.contains($1) ? 0 : index[$1]) }
          groups[key, default: []].append(Double(x[k]))
        }
        let expected = groups.sorted { $0.key < $1.key }.map { reduce($0.value) }
        let kept = summed.reduce(into: shape) { $0[$1] = 1 }
        let list = integers("a", axes.map { Int64($0) - (axes.count == 1 ? 3 : 0) })
        let net = model([node(op, axes.isEmpty ? ["x"] : ["x", "a"])], inputs: [shape], [list], opset: 18)
        let found = try result(net, [Tensor(shape, x)])
        #expect(found.shape == kept)
        expect(found.floats, expected, "\(op) \(axes)")
        let bare = model(
          [node(op, ["x", "a"], ["y"], ["keepdims": .int(0)])], inputs: [shape], [list], opset: 18)
        let rest = shape.indices.filter { !summed.contains($0) }.map { shape[$0] }
        #expect(try result(bare, [Tensor(shape, x)]).shape == rest)
      }
    }
  }

  @Test func logSoftmaxOfLargeNumbers() throws {
    let x: [Float] = [1000, 999, -1000, 3, 3, 3]
    let net = model([node("LogSoftmax")], inputs: [[2, 3]])
    let line = Foundation.log(1 + Foundation.exp(-1.0))
    expect(
      try result(net, [Tensor([2, 3], x)]).floats,
      [-line, -1 - line, -2000 - line, -Foundation.log(3.0), -Foundation.log(3.0), -Foundation.log(3.0)],
      "LogSoftmax")
    let old = model([node("LogSoftmax", ["x"], ["y"], ["axis": .int(0)])], inputs: [[2, 2]], opset: 11)
    let sum = Foundation.log((1...4).reduce(0.0) { $0 + Foundation.exp(Double($1)) })
    expect(try result(old).floats, (1...4).map { Double($0) - sum }, "LogSoftmax")
  }

  // MARK: Normalizations

  /// `(x - mean) / sqrt(variance + epsilon)` of each group of elements, numbered by `group`.
  private func normalized(_ x: [Float], epsilon: Double, _ group: (Int) -> Int) -> [Double] {
    var members: [Int: [Double]] = [:]
    for k in x.indices { members[group(k), default: []].append(Double(x[k])) }
    return x.indices.map { k in
      let all = members[group(k)] ?? []
      let mean = all.reduce(0, +) / Double(all.count)
      let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
      return (Double(x[k]) - mean) / (variance + epsilon).squareRoot()
    }
  }

  @Test func normalizationsByGroups() throws {
    let (shape, x) = ([2, 4, 3, 2], random(48))
    let (scale, bias) = (random(4, seed: 6), random(4, seed: 7))
    let parameters = [floats("s", [4], scale), floats("b", [4], bias)]
    func channel(_ k: Int) -> Int { k / 6 % 4 }
    func check(_ op: String, _ attributes: [String: ONNXAttribute.Value], opset: Int, _ expected: [Double])
      throws
    {
      let net = model(
        [node(op, ["x", "s", "b"], ["y"], attributes)], inputs: [shape], parameters, opset: opset)
      let found = try result(net, [Tensor(shape, x)])
      #expect(found.shape == shape)
      expect(
        found.floats,
        zip(expected, x.indices).map { $0 * Double(scale[channel($1)]) + Double(bias[channel($1)]) }, op)
    }
    try check(
      "InstanceNormalization", ["epsilon": .float(0.01)], opset: 17, normalized(x, epsilon: 0.01) { $0 / 6 })
    try check(
      "GroupNormalization", ["num_groups": .int(2)], opset: 21, normalized(x, epsilon: 1e-5) { $0 / 12 })
    let old = model(
      [node("GroupNormalization", ["x", "s", "b"], ["y"], ["num_groups": .int(2)])], inputs: [shape],
      [floats("s", [2], [2, 3]), floats("b", [2], [1, -1])], opset: 18)
    let groups = normalized(x, epsilon: 1e-5) { $0 / 12 }
    expect(
      try result(old, [Tensor(shape, x)]).floats,
      groups.enumerated().map { $1 * ($0 / 12 % 2 == 0 ? 2 : 3) + ($0 / 12 % 2 == 0 ? 1 : -1) },
      "GroupNormalization")
    let layer = model(
      [node("LayerNormalization", ["x", "s"], ["y"], ["axis": .int(2), "epsilon": .float(0.1)])],
      inputs: [shape],
      [floats("s", [2], [2, -1])])
    expect(
      try result(layer, [Tensor(shape, x)]).floats,
      normalized(x, epsilon: 0.1) { $0 / 6 }.enumerated().map { $1 * ($0 % 2 == 0 ? 2 : -1) },
      "LayerNormalization")
    let wide = model([node("MeanVarianceNormalization")], inputs: [shape])
    expect(
      try result(wide, [Tensor(shape, x)]).floats, normalized(x, epsilon: 0, channel),
      "MeanVarianceNormalization")
  }

  @Test func normsOfLines() throws {
    for p in [1, 2] {
      let net = model([node("LpNormalization", ["x"], ["y"], ["p": .int(Int64(p))])], inputs: [[2, 3]])
      let found = try result(net, [Tensor([2, 3], [3, -4, 0, 0, 0, 0] as [Float])]).floats
      let expected: [Float] = p == 1 ? [3.0 / 7, -4.0 / 7, 0, 0, 0, 0] : [0.6, -0.8, 0, 0, 0, 0]
      #expect(found == expected)
    }
    expectRefusal("import.norm", of: model([node("LpNormalization", ["x"], ["y"], ["p": .int(3)])]))
  }

  @Test func responsesOfNeighboringChannels() throws {
    let (shape, x) = ([1, 5, 2, 1], random(10))
    for (size, beta) in [(3, 0.75), (4, 0.5), (5, 1), (1, 0.6), (9, 2)] {
      let attributes: [String: ONNXAttribute.Value] = [
        "size": .int(Int64(size)), "alpha": .float(0.5), "beta": .float(Float(beta)), "bias": .float(2),
      ]
      let found = try result(
        model([node("LRN", ["x"], ["y"], attributes)], inputs: [shape]), [Tensor(shape, x)])
      let expected = x.indices.map { k -> Double in
        let channels = max(0, k / 2 - (size - 1) / 2)...min(4, k / 2 + size / 2)
        let sum = channels.reduce(0.0) { $0 + Double(x[$1 * 2 + k % 2]) * Double(x[$1 * 2 + k % 2]) }
        return Double(x[k]) / Foundation.pow(2 + 0.5 / Double(size) * sum, Double(Float(beta)))
      }
      expect(found.floats, expected, "LRN \(size)")
    }
  }

  @Test func refusalsOfNormalizations() {
    expectRefusal("import.norm", of: model([node("LRN")]))
    expectRefusal("import.norm", of: model([node("LRN", ["x"], ["y"], ["size": .int(3)])], inputs: [[2, 2]]))
    let one = [counted("s", [1]), counted("b", [1])]
    expectRefusal("import.norm", of: model([node("InstanceNormalization", ["x", "s", "b"])], one))
    expectRefusal(
      "import.norm",
      of: model(
        [node("GroupNormalization", ["x", "s", "b"], ["y"], ["num_groups": .int(3)])], one, opset: 18))
    expectRefusal(
      "import.axis", of: model([node("LayerNormalization", ["x", "s"], ["y"], ["axis": .int(4)])], one))
    expectRefusal(
      "import.extra-outputs",
      of: model(
        [
          node("InstanceNormalization", ["x", "s", "b"], ["z", "mean"]), node("Add", ["z", "mean"], ["y"]),
        ],
        [counted("s", [2]), counted("b", [2])]))
    for op in ["LpPool", "GlobalLpPool"] {
      let kernel: [String: ONNXAttribute.Value] = op == "LpPool" ? ["kernel_shape": .ints([1, 1])] : [:]
      expectRefusal(
        "import.norm", of: model([node(op, ["x"], ["y"], kernel.merging(["p": .int(0)]) { $1 })]))
    }
  }

  // MARK: Pools

  /// Pools of a line: `reduce` over the taps inside, and how many taps lie inside of the padded line.
  private func pooled(
    _ x: [Float], kernel: Int, stride: Int, pads: (Int, Int), _ reduce: ([Double], Int) -> Double
  ) -> [Double] {
    let length = x.count + pads.0 + pads.1
    var count = (length - kernel + stride - 1) / stride + 1
    if (count - 1) * stride >= x.count + pads.0 { count -= 1 }
    return (0..<count).map { position in
      let places = (0..<kernel).map { position * stride + $0 }
      let taps = places.filter { $0 >= pads.0 && $0 < pads.0 + x.count }.map { Double(x[$0 - pads.0]) }
      return reduce(taps, places.filter { $0 < length }.count)
    }
  }

  @Test func windowsThatReachOverTheEnd() throws {
    var generator = SeededGenerator(seed: 12)
    for round in 0..<60 {
      let kernel = generator.inside(1...4)
      let (stride, length) = (generator.inside(1...4), generator.inside(4...9))
      let pads = (generator.below(kernel), generator.below(kernel))
      let x = random(length, seed: UInt64(round))
      func check(_ op: String, _ more: [String: ONNXAttribute.Value], _ reduce: ([Double], Int) -> Double)
        throws
      {
        let attributes: [String: ONNXAttribute.Value] = [
          "kernel_shape": .ints([Int64(kernel)]), "strides": .ints([Int64(stride)]),
          "pads": .ints([Int64(pads.0), Int64(pads.1)]), "ceil_mode": .int(1),
        ]
        let net = model(
          [node(op, ["x"], ["y"], attributes.merging(more) { $1 })], inputs: [[1, 1, length]], opset: 19)
        expect(
          try result(net, [Tensor([1, 1, length], x)]).floats,
          pooled(x, kernel: kernel, stride: stride, pads: pads, reduce), op)
      }
      try check("MaxPool", [:]) { taps, _ in taps.max() ?? 0 }
      try check("AveragePool", [:]) { taps, _ in taps.reduce(0, +) / Double(taps.count) }
      try check("AveragePool", ["count_include_pad": .int(1)]) { $0.reduce(0, +) / Double($1) }
      try check("LpPool", [:]) { taps, _ in taps.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      try check("LpPool", ["p": .int(1)]) { taps, _ in taps.reduce(0) { $0 + abs($1) } }
    }
  }

  /// A pool over three axes that leaves some alone is one over two.
  @Test func poolsOverThreeAxes() throws {
    let shape = [1, 2, 4, 3, 2]
    func pool(_ kernel: [Int64], _ pads: [Int64]) -> ONNXModel {
      model(
        [node("MaxPool", ["x"], ["y"], ["kernel_shape": .ints(kernel), "pads": .ints(pads)])], inputs: [shape]
      )
    }
    let first = try result(pool([2, 1, 1], [1, 0, 0, 0, 0, 0]))
    #expect(first.shape == shape)
    let counted: [Float] = (1...48).map { Float($0) }
    #expect(first.floats == counted)
    let rest = try result(pool([1, 3, 2], [0, 0, 0, 0, 0, 0]))
    let largest: [Float] = [6, 12, 18, 24, 30, 36, 42, 48]
    #expect(rest.shape == [1, 2, 4, 1, 1] && rest.floats == largest)
    expectRefusal("import.pool-rank", of: pool([2, 2, 1], [0, 0, 0, 0, 0, 0]))
  }
}
