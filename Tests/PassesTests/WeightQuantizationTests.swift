import IR
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// The weights of `quantize` by scheme, scale and fit.
@Suite("Weights of quantize")
struct WeightQuantizationTests {
  /// The quantized weights of one product, in integers and with what 1 stands for: once, or once for each output.
  private struct Coded {
    var module: Module<TensorLevel>
    var integers: [Int64]
    var scales: [Float]
    var element: ElementType
  }

  /// A product with `weights[input][output]`, quantized.
  private func code(_ weights: [Float], inputs: Int, _ options: String, seed: UInt64 = 1) throws -> (
    coded: Coded, samples: [[Tensor]]
  ) {
    var net = Net(seed: seed)
    let outputs = weights.count / inputs
    let x = net.input([3, inputs])
    net.output(try net.op(.gemm, [x, net.constant([inputs, outputs], weights)]))
    let samples = net.samples(2, -1...2)
    let module = try run("calibrate, quantize(\(options))", on: net.module, calibration: samples).tensorModule
    let op = try module.first(.gemm)
    let type = module.values[op.operands[1]].type
    let constant = try #require(module.bodyOps.first { $0.results == [op.operands[1]] })
    let tensor = try #require(
      module.tensor(constant["value"], element: type.element, shape: type.shape ?? []))
    let step = try #require(module.values[op.operands[0]].type.quantization).scale
    let scales = try type.quantization.map { [$0.scale] } ?? weightScales(module, step)
    return (Coded(module: module, integers: tensor.integers, scales: scales, element: type.element), samples)
  }

  /// Scales of outputs, from the factors behind the sums: inexact by the rounding of a product.
  private func weightScales(_ module: Module<TensorLevel>, _ step: Float) throws -> [Float] {
    let multiply = try module.first(.multiply)
    let constant = try #require(module.bodyOps.first { $0.results == [multiply.operands[1]] })
    let shape = module.values[multiply.operands[1]].type.shape ?? []
    return try #require(module.tensor(constant["value"], element: .float32, shape: shape)).floats.map {
      $0 / step
    }
  }

  private func weights(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in
      Float(sign: random.chance(0.5) ? .minus : .plus, exponent: -random.inside(0...7), significand: 1)
        * Float(random.unit())
    }
  }

  private func squaredError(_ weights: [Float], _ coded: Coded) -> Double {
    weights.enumerated().reduce(0) { sum, next in
      let scale = Double(coded.scales[coded.scales.count == 1 ? 0 : next.offset % coded.scales.count])
      let error = Double(next.element) - Double(coded.integers[next.offset]) * scale
      return sum + error * error
    }
  }

  // MARK: Codes

  @Test func theExampleOfTheSource() throws {
    let values: [Float] = [1, -1, 0.876, -0.876, 0.618, -0.618, 0.389, -0.389, 0.020, -0.020, 0, 0]
    let coded = try code(values, inputs: 6, "scheme: sme").coded
    #expect(coded.integers == [224, -224, 224, -224, 160, -160, 96, -96, 5, -5, 0, 0])
    #expect(coded.scales == [0x1p-8] && coded.element == .integer(bits: 9, signed: true))
  }

  /// Every width and every window: the type, the codes of the public function, and sums that are plain integers.
  @Test func codesAndSumsOfEveryShape() throws {
    var random = SeededGenerator(seed: 410)
    for bits in 1...15 {
      for window in 1...15 {
        let values = weights(20, &random)
        let options = "scheme: sme, window: \(window), bits: \(bits)"
        let (coded, samples) = try code(values, inputs: 5, options)
        let largest = try #require(values.map { abs($0) }.max())
        let expected = values.map {
          significantBitCode(of: Double($0) / Double(largest), window: window, bits: bits)
        }
        #expect(coded.integers == expected, "\(options)")
        #expect(coded.scales == [Float(sign: .plus, exponent: -bits, significand: 1) * largest])
        #expect(coded.element == .integer(bits: bits + 1, signed: true))
        try checkSums(coded, samples[0])
      }
    }
  }

  private func checkSums(_ coded: Coded, _ sample: [Tensor]) throws {
    let op = try coded.module.first(.gemm)
    let values = try coded.module.values(sample)
    let x = try #require(values[coded.module.values[op.operands[0]].name]).integers
    let sums = try #require(values[coded.module.values[op.results[0]].name]).integers
    var expected = [Int64](repeating: 0, count: 12)
    for at in 0..<12 {
      for input in 0..<5 { expected[at] += x[at / 4 * 5 + input] * coded.integers[input * 4 + at % 4] }
    }
    #expect(sums == expected)
  }

  /// Bit planes in crossbars give what the integers of the tensor level give, up to the widest weights.
  @Test func bitPlanesGiveTheSameOutputs() throws {
    for (window, bits) in [(1, 1), (3, 8), (2, 9), (15, 15)] {
      var net = Net(seed: 414)
      let x = try net.conv(net.input([1, 2, 6, 6]), ConvGeometry(pads: [1, 1, 1, 1]))
      net.output(try net.conv(try net.digital(.unary(.relu), x), ConvGeometry()))
      let samples = net.samples(2, -1...1)
      var module = net.module
      module.machine = testMachine(cellBits: 1)
      let options = "scheme: sme, window: \(window), bits: \(bits), scale: output, fit: mse"
      let quantized = try run("calibrate, quantize(\(options))", on: module, calibration: samples)
      var context = PassContext()
      let planes = try run(
        "lower-to-crossbar, slice-bits(placement: inter), form-units(lossless: true)", on: quantized,
        in: &context)
      for sample in samples { #expect(try planes.outputs(sample) == quantized.outputs(sample)) }
    }
  }

  /// `|w - w'| <= max(|w| * 2^-S, half a step)`.
  @Test(arguments: ["tensor", "output"]) func weightsStayWithinTheBound(scale: String) throws {
    var random = SeededGenerator(seed: 411)
    for number in 0..<200 {
      let (window, bits) = (random.inside(1...15), random.inside(1...15))
      let values = weights(12, &random)
      let coded = try code(
        values, inputs: 4, "scheme: sme, window: \(window), bits: \(bits), scale: \(scale)",
        seed: UInt64(number)
      ).coded
      let part = Double(sign: .plus, exponent: -min(window, bits), significand: 1)
      for (k, weight) in values.enumerated().map({ ($0, Double($1)) }) {
        let step = Double(coded.scales[coded.scales.count == 1 ? 0 : k % 3])
        let error = abs(weight - Double(coded.integers[k]) * step)
        // The scale of a layer is exact, those of outputs went through two roundings.
        let slack = scale == "tensor" ? 0 : abs(weight) * 0x1p-22
        #expect(error <= max(abs(weight) * part, step / 2) + slack)
      }
    }
  }

  @Test func outputsHaveScalesOfTheirOwn() throws {
    let values: [Float] = [1, 0.25, 0.618, -0.1545, 0.02, -0.005]
    let coded = try code(values, inputs: 3, "scheme: sme, scale: output").coded
    #expect(coded.integers == [224, 224, 160, -160, 5, -5])
    #expect(zip(coded.scales, [0x1p-8, 0x1p-10]).allSatisfy { abs($0 / $1 - 1) < 1e-6 })
  }

  @Test func weightsOfZeroAndOfExtremeSizes() throws {
    for scheme in ["linear", "sme"] {
      for fit in ["max", "mse"] {
        for scale in ["tensor", "output"] {
          let options = "scheme: \(scheme), fit: \(fit), scale: \(scale)"
          #expect(try code([0, 0, 0, 0], inputs: 2, options).coded.integers == [0, 0, 0, 0])
          #expect(try code([1e-38, 0, -1e-38, 0], inputs: 2, options).coded.integers == [0, 0, 0, 0])
        }
      }
      let huge = try code([1e38, 0], inputs: 2, "scheme: \(scheme)").coded.integers
      #expect(huge == [scheme == "sme" ? 224 : 127, 0])
    }
  }

  // MARK: Fit

  /// The least squared error is never above that of the largest magnitude, and often far below.
  @Test(arguments: ["tensor", "output"]) func mseIsNeverWorseThanMax(scale: String) throws {
    var random = SeededGenerator(seed: 412)
    var better = 0
    for number in 0..<200 {
      let values = weights(30, &random)
      let scheme =
        number % 4 == 0
        ? "weights: \(random.inside(2...6))"
        : "scheme: sme, window: \(random.inside(1...5)), bits: \(random.inside(1...10))"
      let errors = try ["max", "mse"].map { fit in
        squaredError(values, try code(values, inputs: 6, "\(scheme), scale: \(scale), fit: \(fit)").coded)
      }
      #expect(errors[1] <= errors[0] * 1.000001, "\(scheme)")
      if errors[1] < errors[0] * 0.9 { better += 1 }
    }
    #expect(better > 50, "\(better) of 200")
  }

  /// The same search once more, by loops of the test.
  @Test func squaresFindTheLeastOfTheScalesTried() throws {
    var random = SeededGenerator(seed: 413)
    for window in 1...4 {
      let values = weights(40, &random)
      let coded = try code(values, inputs: 8, "scheme: sme, window: \(window), fit: mse").coded
      let largest = Double(try #require(values.map { abs($0) }.max()))
      var least = (error: Double.infinity, scale: Float(0))
      for k in (32...128).reversed() {
        let scale = Float(largest * Double(k) / 64 / 256)
        let error = values.reduce(0) { sum, weight in
          let full = Double(scale) * 256
          let code = significantBitCode(of: Double(weight) / full, window: window, bits: 8)
          let distance = Double(weight) - Double(code) * Double(scale)
          return sum + distance * distance
        }
        if error < least.error { least = (error, scale) }
      }
      #expect(coded.scales == [least.scale])
    }
  }

  /// Powers of two are exact in one bit where full scale is twice the largest; of equal scales the largest is taken.
  @Test func tiesGoToTheLargerScale() throws {
    let coded = try code([1, -0.5, 0.25, 0], inputs: 2, "scheme: sme, window: 1, fit: mse").coded
    #expect(coded.integers == [128, -64, 32, 0] && coded.scales == [0x1p-7])
    let wide = try code([1, -0.5, 0.25, 0], inputs: 2, "scheme: sme, window: 2, bits: 9, fit: mse").coded
    #expect(wide.integers == [256, -128, 64, 0] && wide.scales == [0x1p-8])
  }
}
