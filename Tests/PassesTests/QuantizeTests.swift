import IR
import Mapping
import Passes
import Evaluator
import NaiveTwin
import Support
import Tensors
import Testing

@Suite("quantize")
struct QuantizeTests {
  private static let modes = [
    "", "signed: zero-point", "scale: output", "scale: output, signed: zero-point", "weights: 16, inputs: 16",
    "scale: tensor", "weights: 2, inputs: 2", "weights: 4, inputs: 3, scale: output", "scheme: sme",
    "scheme: sme, window: 1, bits: 1, scale: output", "scheme: sme, window: 2, bits: 15, signed: zero-point",
  ]

  private func quantize(_ net: Net, _ options: String, _ samples: [[Tensor]]) throws -> Module<TensorLevel> {
    let text = options.isEmpty ? "quantize" : "quantize(\(options))"
    return try run("calibrate, \(text)", on: net.module, calibration: samples).tensorModule
  }

  /// Integers of a matrix operation of the quantized module, in real numbers.
  private struct Layer {
    var op: Op
    var x: Tensor
    var weights: Tensor
    var step: Quantization

    init(_ module: Module<TensorLevel>, _ op: Op, _ values: [String: Tensor]) throws {
      self.op = op
      x = try #require(values[module.values[op.operands[0]].name])
      step = try #require(module.values[op.operands[0]].type.quantization)
      let constant = try #require(module.bodyOps.first { $0.results == [op.operands[1]] })
      let type = module.values[op.operands[1]].type
      weights = try #require(module.tensor(constant["value"], element: type.element, shape: type.shape ?? []))
    }

    /// The sums over the taps of a convolution without bias, by the definition: padding stands for 0.
    func sums(_ geometry: ConvGeometry) -> [Int64] {
      let centered = NaiveArray(x.shape, x.integers.map { $0 - step.zero })
      return geometry.naive.sums(centered, NaiveArray(weights), bias: nil).elements
    }
  }

  /// Grouped, dilated, strided, padded and one-dimensional convolutions: exact integer sums, and real results within
  /// the bound that half a step of inputs and weights gives.
  @Test(arguments: modes) func convolutionsAreExactSums(options: String) throws {
    for seed in 0..<30 as Range<UInt64> {
      var net = Net(seed: 100 + seed)
      let spatial = seed % 3 == 0 ? 1 : 2
      let geometry = ConvGeometry.random(channels: 4, spatial: spatial, &net.random)
      let x = net.input([1, 4] + [8, 9].suffix(spatial))
      net.output(try net.conv(x, geometry, bias: false))
      let samples = net.samples(3, -1...2)
      let module = try quantize(net, options, samples)
      let op = try module.first(.conv)
      let values = try module.values(samples[0])
      let layer = try Layer(module, op, values)
      let sums = try #require(values[module.values[op.results[0]].name])
      #expect(sums.integers == layer.sums(geometry))
      try checkBound(net, module, samples[0], options)
    }
  }

  /// `|y - y'| <= sum(|w| * sx / 2 + |x'| * sw / 2)` over the taps, with `sum` bounded by the widest filter.
  private func checkBound(
    _ net: Net, _ module: Module<TensorLevel>, _ sample: [Tensor], _ options: String
  ) throws {
    let op = try module.first(.conv)
    let layer = try Layer(module, op, try module.values(sample))
    let original = try net.module.first(.conv)
    let constant = try #require(net.module.bodyOps.first { $0.results == [original.operands[1]] })
    let weights = try #require(
      net.module.tensor(constant["value"], element: .float32, shape: layer.weights.shape)
    ).floats
    let inner = layer.weights.count / layer.weights.shape[0]
    let largestWeight = weights.map { abs($0) }.max() ?? 0
    let largest = layer.x.integers.map { Float(abs($0 - layer.step.zero)) * layer.step.scale }.max() ?? 0
    var bound: Float = 0
    for filter in 0..<layer.weights.shape[0] {
      let taps = filter * inner..<(filter + 1) * inner
      var sum: Float = 1e-5
      for k in taps {
        let move = movement(of: weights[k], bits(module, op), options, largest: largestWeight)
        sum += abs(weights[k]) * layer.step.scale / 2 + largest * move
      }
      bound = max(bound, sum)
    }
    #expect(distance(try net.module.outputs(sample)[0], try module.outputs(sample)[0]) <= bound * 1.0001)
  }

  /// How far a weight may move: half a step, or of codes of significant bits one part in `2^window`.
  private func movement(of weight: Float, _ bits: Int, _ options: String, largest: Float) -> Float {
    guard options.contains("sme") else { return largest / Float((1 << (bits - 1)) - 1) / 2 }
    let window = min(bits - 1, number("window", options) ?? 3)
    return max(abs(weight) / Float(1 << window), largest / Float(1 << bits))
  }

  /// The whole number that `options` give `name`.
  private func number(_ name: String, _ options: String) -> Int? {
    options.split(separator: ", ").first { $0.hasPrefix("\(name): ") }.flatMap {
      Int($0.dropFirst(name.count + 2))
    }
  }

  private func bits(_ module: Module<TensorLevel>, _ op: Op) -> Int {
    if case .integer(let bits, _) = module.values[op.operands[1]].type.element { return bits }
    return 0
  }

  @Test func productsOfAnyRankAreQuantized() throws {
    for shape in [[6], [1, 6], [3, 6], [2, 3, 6]] {
      for options in Self.modes {
        var net = Net(seed: 40)
        net.output(try net.gemm(net.input(shape), 5))
        let samples = net.samples(8, -1...1)
        let module = try quantize(net, options, samples)
        let close: Float =
          options.contains("2, inputs") || options.contains("bits: 1,")
          ? 6 : options.contains("inputs: 3") ? 3 : options.contains("sme") ? 1.6 : 0.2
        #expect(try distance(net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < close)
      }
    }
  }

  /// The groups of a convolution are matrices of their own: each has a scale, so that one with large weights does not
  /// take the levels of the others. `tensor` has one scale for all, `output` one for each filter.
  @Test(arguments: [
    ("group", [127, 64, 95, 127] as [Int64]), ("tensor", [127, 64, 2, 3]), ("output", [127, 127, 127, 127]),
  ])
  func groupsHaveScales(scale: String, expected: [Int64]) throws {
    var net = Net(seed: 73)
    let x = net.input([1, 4, 3, 3])
    let weights = net.constant([4, 2, 1, 1], [1, 0.5, 0.015, 0.02].flatMap { [$0, -$0 / 2] })
    net.output(
      try net.op(.conv, [x, weights], ConvGeometry(filters: 4, kernel: [1, 1], groups: 2).attributes))
    let samples = net.samples(4, -1...1)
    let module = try quantize(net, "scale: \(scale)", samples)
    let layer = try Layer(module, module.first(.conv), module.values(samples[0]))
    #expect(stride(from: 0, to: 8, by: 2).map { layer.weights.integers[$0] } == expected)
  }

  // MARK: Between two layers

  /// conv, `between`, conv; returns the module and the values of one sample.
  private func pair(
    _ options: String, seed: UInt64 = 50, _ between: (inout Net, ValueID) throws -> ValueID
  ) throws -> (net: Net, module: Module<TensorLevel>, samples: [[Tensor]]) {
    var net = Net(seed: seed)
    let first = try net.conv(net.input([1, 2, 8, 8]), ConvGeometry(pads: [1, 1, 1, 1]), name: "first")
    let x = try between(&net, first)
    let y =
      (net.builder.type(x).shape?.count ?? 0) == 4
      ? try net.conv(x, ConvGeometry(filters: 3), name: "second") : try net.gemm(x, 3, name: "second")
    net.output(y)
    let samples = net.samples(6, -1...1)
    return (net, try quantize(net, options, samples), samples)
  }

  @Test(arguments: modes) func requantizeIsOneLevelOffAtMost(options: String) throws {
    for seed in 0..<10 as Range<UInt64> {
      let (net, module, samples) = try pair(options, seed: 60 + seed) { try $0.digital(.unary(.relu), $1) }
      let op = try module.first(.requantize)
      guard case .requantize(let rule)? = module.digitalOperator(of: op) else { return }
      let grid = try #require(module.values[op.results[0]].type.quantization)
      let values = try module.values(samples[0])
      let sums = try #require(values[module.values[op.operands[0]].name])
      let levels = try #require(values[module.values[op.results[0]].name]).integers
      let scales = try weightScales(net, options)
      let step = try #require(module.values[module.first(.conv).operands[0]].type.quantization).scale
      for (k, sum) in sums.integers.enumerated() {
        let channel = k / 64 % 4
        let real = Double(sum) * Double(step) * Double(scales[scales.count == 1 ? 0 : channel])
        let level = max(
          Double(rule.low), min(Double(rule.high), (real / Double(grid.scale)).rounded() + Double(grid.zero)))
        #expect(abs(level - Double(levels[k])) <= 1)
      }
    }
  }

  /// The scales of the first convolution's weights: the largest magnitude over the levels of full scale.
  private func weightScales(_ net: Net, _ options: String) throws -> [Float] {
    let op = try net.module.first(.conv)
    let constant = try #require(net.module.bodyOps.first { $0.results == [op.operands[1]] })
    let shape = try #require(net.module.values[op.operands[1]].type.shape)
    let weights = try #require(net.module.tensor(constant["value"], element: .float32, shape: shape)).floats
    let limit =
      options.contains("sme")
      ? Float(1 << (number("bits", options) ?? 8)) : Float(1 << ((number("weights", options) ?? 8) - 1) - 1)
    let scales =
      options.contains("scale: output") ? shape[0] : options.contains("scale: tensor") ? 1 : op[.groups]
    let run = weights.count / scales
    return stride(from: 0, to: weights.count, by: run).map { start in
      (weights[start..<start + run].map { abs($0) }.max() ?? 0) / limit
    }
  }

  @Test func reluAndClipCostNothing() throws {
    for function in [UnaryFunction.relu, .clip(low: 0, high: 0.5), .clip(low: -0.25, high: 0.25)] {
      let (net, module, samples) = try pair("inputs: 10, weights: 12") {
        try $0.digital(.unary(function), $1)
      }
      #expect(module.count(.relu) == 0 && module.count(.clip) == 0 && module.count(.dequantize) == 1)
      #expect(module.count(.requantize) == 1 && module.count(.quantize) == 1)
      #expect(try distance(net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < 0.05)
    }
  }

  /// `clip(relu(x), -3, -1)` is -1 everywhere.
  @Test func clampsInARowAreOneClamp() throws {
    let clamps: [[UnaryFunction]] = [
      [.relu, .clip(low: -3, high: -1)], [.clip(low: -3, high: -1), .relu],
      [.clip(low: 1, high: 2), .clip(low: -2, high: -1)],
      [.clip(low: -0.5, high: 0.5), .relu, .clip(low: 0.1, high: 0.2)],
    ]
    for list in clamps {
      let (net, module, samples) = try pair("inputs: 10, weights: 12") { net, x in
        try list.reduce(x) { try net.digital(.unary($1), $0) }
      }
      #expect(try distance(net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < 0.05)
      var single = Net(seed: 70)
      let x = try single.gemm(single.input([1, 4]), 4)
      single.output(try list.reduce(x) { try single.digital(.unary($1), $0) })
      let inputs = single.samples(4, -4...4)
      let quantized = try quantize(single, "inputs: 10, weights: 12", inputs)
      #expect(try distance(single.module.outputs(inputs[0])[0], quantized.outputs(inputs[0])[0]) < 0.05)
    }
  }

  /// A clip whose bounds are in the wrong order gives its upper bound, as in ONNX.
  @Test func aClipInTheWrongOrderStaysAsItIs() throws {
    let (net, module, samples) = try pair("inputs: 10, weights: 12") {
      try $0.digital(.unary(.clip(low: 1, high: -1)), $1)
    }
    #expect(module.count(.clip) == 1)
    #expect(try distance(net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < 0.05)
  }

  @Test func poolsAndShapesBetweenLayersStayInIntegers() throws {
    let chains: [@Sendable (inout Net, ValueID) throws -> ValueID] = [
      { try $0.pool(try $0.digital(.unary(.relu), $1)) },
      { try $0.digital(.unary(.relu), try $0.pool($1)) },
      { try $0.digital(.reshape([1, 256]), try $0.digital(.unary(.relu), $1)) },
      { try $0.digital(.unary(.relu), try $0.digital(.reshape([1, 64]), try $0.pool($1))) },
      { try $0.digital(.transpose([0, 1, 3, 2]), try $0.digital(.unary(.clip(low: -1, high: 1)), $1)) },
    ]
    for options in ["inputs: 10, weights: 12", "inputs: 10, weights: 12, scale: output, signed: zero-point"] {
      for chain in chains {
        let (net, module, samples) = try pair(options, chain)
        #expect(module.count(.dequantize) == 1 && module.count(.quantize) == 1, "floats only at the ends")
        for sample in samples {
          #expect(try distance(net.module.outputs(sample)[0], module.outputs(sample)[0]) < 0.05)
        }
      }
    }
  }

  /// After the last layer nothing is rounded to the parameters of inputs.
  @Test func resultsAreNotRounded() throws {
    var net = Net(seed: 71)
    let y = try net.conv(net.input([1, 2, 4, 4]), ConvGeometry())
    net.output(try net.digital(.reshape([1, 16]), try net.digital(.unary(.relu), y)), name: "a")
    net.output(try net.pool(try net.digital(.transpose([0, 1, 3, 2]), y)), name: "b")
    let module = try quantize(net, "scale: output", net.samples(4))
    #expect(module.count(.requantize) == 0)
  }

  @Test func aValueWithTwoUsersKeepsItsForms() throws {
    var net = Net(seed: 72)
    let y = try net.conv(net.input([1, 2, 6, 6]), ConvGeometry(pads: [1, 1, 1, 1]))
    let relu = try net.digital(.unary(.relu), y)
    let a = try net.conv(relu, ConvGeometry(pads: [1, 1, 1, 1]))
    let b = try net.conv(y, ConvGeometry(pads: [1, 1, 1, 1]))
    net.output(try net.digital(.binary(.add), try net.digital(.binary(.add), a, b), relu))
    let samples = net.samples(4, -1...1)
    for options in Self.modes.prefix(4) {
      let module = try quantize(
        net, "weights: 10, inputs: 10" + (options.isEmpty ? "" : ", \(options)"), samples)
      #expect(try distance(net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < 0.2)
    }
  }

  @Test func otherOperatorsWorkOnFloats() throws {
    var net = Net(seed: 73)
    let y = try net.gemm(net.input([1, 6]), 6)
    let z = try net.gemm(try net.digital(.unary(.sigmoid), try net.digital(.softmax(axis: 1), y)), 4)
    net.output(z)
    let samples = net.samples(8)
    let module = try quantize(net, "inputs: 12, weights: 12", samples)
    #expect(module.count(.softmax) == 1 && module.count(.sigmoid) == 1)
    #expect(try distance(net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < 0.01)
  }

  @Test func bitsAreThoseAskedFor() throws {
    for weights in [2, 5, 8, 16] {
      for inputs in [1, 2, 7, 16] {
        var net = Net(seed: 74)
        net.output(try net.gemm(net.input([1, 6]), 4))
        let module = try quantize(net, "weights: \(weights), inputs: \(inputs)", net.samples(2))
        let op = try module.first(.gemm)
        #expect(module.values[op.operands[0]].type.element == .integer(bits: inputs, signed: false))
        #expect(module.values[op.operands[1]].type.element == .integer(bits: weights, signed: true))
      }
    }
  }

  @Test func countsItsLayers() throws {
    var net = Net(seed: 75)
    net.output(try net.gemm(try net.gemm(net.input([1, 6]), 4), 3))
    var context = PassContext(calibration: net.samples(2))
    _ = try run("calibrate, quantize", on: AnyModule(net.module), in: &context)
    #expect(context.counts.last.map { $0 == ("layers-quantized", 2) } == true)
  }

  // MARK: Refusals

  @Test func refusals() throws {
    var signed = Net(seed: 76)
    signed.output(try signed.gemm(signed.input([1, 4]), 2))
    expectFailure("quantize.range") { _ = try quantize(signed, "inputs: 1", signed.samples(2, -1...1)) }

    var normed = Net(seed: 77)
    normed.output(try normed.batchNorm(normed.input([1, 4])))
    expectFailure("quantize.batch-norm") { _ = try quantize(normed, "", normed.samples(2)) }

    var dynamic = Net(seed: 78)
    let (x, w) = (dynamic.input([1, 4]), dynamic.input([4, 2]))
    dynamic.output(try dynamic.op(.gemm, [x, w]))
    expectFailure("quantize.weights") { _ = try quantize(dynamic, "", dynamic.samples(2)) }

    var bias = Net(seed: 79)
    let (y, b) = (bias.input([1, 4]), bias.input([2]))
    bias.output(try bias.op(.gemm, [y, bias.constant([4, 2]), b]))
    expectFailure("quantize.bias") { _ = try quantize(bias, "", bias.samples(2)) }

    var constant = Net(seed: 80)
    constant.output(try constant.op(.gemm, [constant.constant([1, 4]), constant.constant([4, 2])]))
    expectFailure("quantize.range") { _ = try quantize(constant, "", [[]]) }
  }

  @Test func refusesWeightsThatAreNoNumbers() throws {
    for bad in [Float.nan, .infinity] {
      var net = Net(seed: 81)
      net.output(try net.op(.gemm, [net.input([1, 2]), net.constant([2, 1], [bad, 1])]))
      var module = try run("calibrate", on: try finite(net.module), calibration: net.samples(2)).tensorModule
      for id in module.body where module.ops[id].opcode == .constant {
        module.ops[id]["value"] = net.module.constantValue()
      }
      expectFailure("quantize.weights") { _ = try run("quantize", on: module) }
    }
  }

  private func finite(_ module: Module<TensorLevel>) throws -> Module<TensorLevel> {
    var copy = module
    for id in copy.body where copy.ops[id].opcode == .constant { copy.ops[id]["value"] = .floats([1, 1]) }
    return copy
  }

  @Test func aFactorBetweenLayersMayBeTooLarge() throws {
    var net = Net(seed: 82)
    let y = try net.op(.gemm, [net.input([1, 1]), net.constant([1, 1], [1e20])])
    net.output(try net.gemm(try net.digital(.unary(.clip(low: 0, high: 1e-20)), y), 1))
    expectFailure("quantize.factor") { _ = try quantize(net, "", net.samples(2)) }
  }

  @Test func aQuantizedModuleIsNotQuantizedAgain() throws {
    var net = Net(seed: 83)
    net.output(try net.gemm(net.input([1, 4]), 2))
    let module = try quantize(net, "", net.samples(2))
    expectFailure("quantize.twice") { _ = try run("quantize", on: module) }
  }
}

extension Module where L == TensorLevel {
  /// The numbers of the first constant.
  fileprivate func constantValue() -> Attribute? { bodyOps.first { $0.opcode == .constant }?["value"] }
}
