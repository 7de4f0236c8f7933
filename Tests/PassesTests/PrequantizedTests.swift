import IR
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// Networks whose integers a file gives, through the passes above crossbars.
@Suite("Prequantized networks")
struct PrequantizedTests {
  /// Constants of random integers behind random moves, factors and zero points.
  private struct Chain {
    var net: Net
    var value: ValueID
    var integers: Tensor
    /// How many factors there are: of several the order of the products matters.
    var factors = 0

    init(seed: UInt64) throws {
      var net = Net(seed: seed)
      let shape = (0..<net.random.inside(2...3)).map { _ in net.random.inside(1...4) }
      let element = ElementType.integer(bits: net.random.inside(2...8), signed: net.random.chance(0.5))
      let values = (0..<shape.reduce(1, *)).map { _ in
        element.lowest + Int64(net.random.inside(0...Int(element.highest - element.lowest)))
      }
      integers = Tensor(shape, values, as: element)
      let constant = net.builder.constant(integers, element: element, name: "q")
      value = try net.digital(
        .dequantize(scale: net.random.chance(0.5) ? 1 : 0.37, zero: Int64(net.random.inside(0...2))), constant
      )
      let steps = net.random.inside(0...4)
      self.net = net
      for _ in 0..<steps { try grow() }
    }

    private var shape: [Int] { net.builder.type(value).shape ?? [] }

    private mutating func grow() throws {
      switch net.random.below(4) {
      case 0:
        var order = Array(shape.indices)
        order.swapAt(0, net.random.below(order.count))
        value = try net.digital(.transpose(order), value)
        integers = try DigitalOperator.transpose(order).apply(to: [integers])
      case 1:
        let axis = net.random.below(shape.count)
        let factors = net.floats(shape[axis], in: 0.25...2)
        let list = [factors.count] + [Int](repeating: 1, count: shape.count - 1 - axis)
        value = try net.digital(.binary(.multiply), net.constant(list, factors), value)
        self.factors += 1
      case 2:
        let zero = Float(net.random.inside(-3...3))
        value = try net.digital(.binary(.subtract), value, net.constant([], [zero]))
      default:
        let wide =
          shape.count == 2 && net.random.chance(0.3)
          ? shape + [1] : [shape[0], shape.dropFirst().reduce(1, *)]
        value = try net.digital(.reshape(wide), value)
        integers = integers.reshaped(wide)
      }
    }
  }

  @Test func foldingKeepsWhatConstantsStandFor() throws {
    var kept = 0
    for seed in 0..<300 as Range<UInt64> {
      var chain = try Chain(seed: 500 + seed)
      let shape = chain.net.builder.type(chain.value).shape ?? []
      guard shape.count == 2 else { continue }
      let x = chain.net.input([1, shape[0]])
      chain.net.output(try chain.net.op(.gemm, [x, chain.value], name: "fc"))
      let sample = chain.net.sample()
      let folded = try run("fold-constants", on: chain.net.module).tensorModule
      #expect(verify(folded).isEmpty)
      let (before, after) = (try chain.net.module.outputs(sample)[0], try folded.outputs(sample)[0])
      let size = before.floats.reduce(1) { max($0, abs($1)) }
      #expect(chain.factors == 0 ? before == after : distance(before, after) <= size * 1e-6)
      guard folded.count(.dequantize) == 1 else { continue }
      kept += 1
      #expect(folded.count(.transpose) + folded.count(.reshape) + folded.count(.subtract) == 0)
      let levels = try folded.first(.dequantize).operands[0]
      let constant = try #require(folded.bodyOps.first { $0.results == [levels] })
      let type = folded.values[levels].type
      let found = try #require(
        folded.tensor(constant["value"], element: type.element, shape: type.shape ?? []))
      #expect(found.shape == chain.integers.shape && found.integers == chain.integers.integers)
    }
    #expect(kept > 60, "few constants are unquantized")
  }

  /// The options say nothing of integers that the file gives; inputs follow them.
  @Test(arguments: [
    "weights: 3, inputs: 5", "scheme: sme", "scale: output, signed: zero-point, fit: mse",
  ])
  func weightsAloneStayAsTheyAre(options: String) throws {
    for seed in 0..<10 as Range<UInt64> {
      var net = Net(seed: 800 + seed)
      let levels = (0..<12).map { _ in Int64(net.random.inside(-8...7)) }
      let constant = net.builder.constant(
        Tensor([3, 4], levels, as: .integer(bits: 4, signed: true)), element: .integer(bits: 4, signed: true),
        name: "q")
      let centered = try net.digital(.dequantize(scale: 1, zero: 0), constant)
      let scales = net.constant([3, 1], net.floats(3, in: 0.5...1))
      let weights = try net.digital(
        .transpose([1, 0]), try net.digital(.binary(.multiply), centered, scales))
      net.output(try net.op(.gemm, [net.input([1, 4]), weights], name: "fc"))
      let samples = net.samples(4, -1...1)
      let module = try run(
        "fold-constants, calibrate, quantize(\(options))", on: net.module, calibration: samples
      )
      .tensorModule
      let op = try module.first(.gemm)
      let stored = try #require(module.bodyOps.first { $0.results == [op.operands[1]] })
      let type = module.values[op.operands[1]].type
      #expect(type.element == .integer(bits: 4, signed: true))
      let found = try #require(module.tensor(stored["value"], element: type.element, shape: [4, 3])).integers
      let turned = (0..<12).map { (k: Int) -> Int64 in levels[k % 3 * 4 + k / 3] }
      #expect(found == turned)
      let bound: Float = options.contains("inputs: 5") ? 4 : 0.2
      #expect(try distance(net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < bound)
    }
  }

  private func levels(_ net: inout Net, _ x: ValueID, _ element: ElementType, _ scale: Float, _ zero: Int64)
    -> ValueID
  {
    let digital = DigitalOperator.quantize(
      scale: scale, zero: zero, low: element.lowest, high: element.highest)
    let (opcode, attributes) = net.builder.module.encoding(of: digital, name: "q")
    return net.builder.emit(
      opcode, [x], attributes,
      type: ValueType(element, net.builder.type(x).shape, Quantization(scale: scale, zero: zero)), name: "q",
      origin: nil)
  }

  /// A sum of two branches on levels of their own: floats between the levels, all of them those of the file.
  @Test func branchesOnLevelsAreAdded() throws {
    let byte = ElementType.integer(bits: 8, signed: true)
    for seed in 0..<10 as Range<UInt64> {
      var net = Net(seed: 820 + seed)
      let x = try net.digital(
        .dequantize(scale: 0.02, zero: -5), levels(&net, net.input([1, 4, 5, 5]), byte, 0.02, -5))
      let y = try net.conv(x, ConvGeometry(pads: [1, 1, 1, 1]), name: "c")
      let q = levels(&net, y, byte, 0.05, 10)
      let sum = try net.digital(.binary(.add), try net.digital(.dequantize(scale: 0.05, zero: 10), q), x)
      net.output(try net.digital(.dequantize(scale: 0.07, zero: 0), levels(&net, sum, byte, 0.07, 0)))
      let sample = net.sample(-1...1)
      var context = PassContext()
      let module = try run("calibrate, quantize(weights: 12)", on: AnyModule(net.module), in: &context)
        .tensorModule
      #expect(context.warnings.isEmpty)
      #expect(module.count(.requantize) == 1 && module.count(.add) == 1)
      let difference = try distance(net.module.outputs(sample)[0], module.outputs(sample)[0])
      #expect(difference < 0.07 * 1.5, "the rounded weights move a sum by a level at most")
    }
  }

  /// Where one input has no levels, calibration is asked for.
  @Test func aMixedNetworkNeedsSamples() throws {
    var net = Net(seed: 840)
    let byte = ElementType.integer(bits: 8, signed: false)
    let first = try net.gemm(net.input([1, 4]), 4)
    net.output(
      try net.gemm(try net.digital(.dequantize(scale: 0.1, zero: 9), levels(&net, first, byte, 0.1, 9)), 2))
    var context = PassContext()
    _ = try run("calibrate, quantize", on: AnyModule(net.module), in: &context)
    #expect(context.warnings.map(\.id) == ["calibrate.no-samples"])
    let samples = net.samples(5, -1...1)
    let module = try run("calibrate, quantize(weights: 10, inputs: 10)", on: net.module, calibration: samples)
      .tensorModule
    #expect(module.count(.requantize) == 1 && module.count(.quantize) == 1)
    #expect(try distance(net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < 0.3)
  }

  /// Signed levels: a pass for each sign with a bit for the lowest level, unsigned with a zero point, or without a sign
  /// behind a ReLU.
  @Test func signedLevelsGetTheTypeThatCrossbarsTake() throws {
    let byte = ElementType.integer(bits: 8, signed: true)
    let cases: [(options: String, zero: Int64, relu: Bool, type: ElementType, grid: Int64)] = [
      ("", 0, false, .integer(bits: 9, signed: true), 0), ("", 0, true, .integer(bits: 7, signed: false), 0),
      ("", -128, false, .integer(bits: 8, signed: false), 0),
      ("", 5, true, .integer(bits: 8, signed: false), 133),
      ("(signed: zero-point)", 0, false, .integer(bits: 8, signed: false), 128),
    ]
    for (options, zero, relu, type, expected) in cases {
      var net = Net(seed: 850)
      let x = net.input([1, 4])
      let start = try net.digital(.dequantize(scale: 0.01, zero: 0), levels(&net, x, byte, 0.01, 0))
      var y = try net.gemm(start, 4)
      if relu { y = try net.digital(.unary(.relu), y) }
      let q = levels(&net, y, byte, 0.02, zero)
      net.output(try net.gemm(try net.digital(.dequantize(scale: 0.02, zero: zero), q), 3))
      let module = try run("calibrate, quantize\(options)", on: net.module).tensorModule
      let found = module.values[try module.first(.requantize).results[0]].type
      #expect(found.element == type && found.quantization?.zero == expected, "\(options), \(zero), \(relu)")
      let sample = net.sample(-1...1)
      #expect(try distance(net.module.outputs(sample)[0], module.outputs(sample)[0]) < 0.2)
    }
  }
}
