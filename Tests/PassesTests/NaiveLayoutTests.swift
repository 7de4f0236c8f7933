import Evaluator
import IR
import Mapping
import NaiveTwin
import Passes
import Support
import Tensors
import Testing

/// Convolutions in the evaluator and lowered to layers, beside their definition, which shares no function with either.
@Suite("Layout of convolutions")
struct NaiveLayoutTests {
  /// A convolution on integers with a zero point: `sum((x - zero) * w) + b`.
  private struct IntegerConvolution {
    let geometry: ConvGeometry
    let x: NaiveArray<Int64>
    let weights: NaiveArray<Int64>
    let bias: [Int64]
    let zero: Int64
    var isSigned = false

    init(_ random: inout SeededGenerator) {
      let spatial = random.inside(1...2)
      geometry = .random(channels: 4, spatial: spatial, &random)
      isSigned = random.chance(0.3)
      zero = isSigned ? 0 : Int64(random.below(256))
      func integers(_ shape: [Int], _ range: ClosedRange<Int>) -> NaiveArray<Int64> {
        NaiveArray(shape) { _ in Int64(random.inside(range)) }
      }
      let shape = [random.inside(1...2), 4] + [8, 9].suffix(spatial)
      x = integers(shape, isSigned ? -127...127 : 0...255)
      weights = integers([geometry.filters, 4 / geometry.groups] + geometry.kernel, -127...127)
      bias = random.chance(0.5) ? integers([geometry.filters], -9999...9999).elements : []
    }

    /// The sums by the definition.
    var sums: NaiveArray<Int64> {
      let centered = NaiveArray(x.shape, x.elements.map { $0 - zero })
      return geometry.naive.sums(centered, weights, bias: bias.isEmpty ? nil : bias)
    }

    /// The graph input that is quantized to `x`.
    var input: Tensor { Tensor(x.shape, x.elements.map { Float($0 - zero) }) }

    var module: Module<TensorLevel> {
      var builder = Builder(Module<TensorLevel>(name: "net", facts: [.shaped, .quantized]))
      let image = builder.emit(
        .input, [], [NamedAttribute("name", .string("x"))], type: ValueType(.float32, x.shape), name: "x",
        origin: nil)
      let element = ElementType.integer(bits: 8, signed: isSigned)
      let levels = builder.emit(
        .quantize(scale: 1, zero: zero, low: element.lowest, high: element.highest), [image],
        type: ValueType(element, x.shape, Quantization(scale: 1, zero: zero)), name: "q", origin: nil)
      let signed = ElementType.integer(bits: 8, signed: true)
      var operands = [
        levels,
        builder.constant(
          weights.tensor(in: .i8), element: signed, name: "w", quantization: Quantization(scale: 1, zero: 0)),
      ]
      if !bias.isEmpty {
        operands.append(builder.constant(Tensor([bias.count], bias), element: .accumulator, name: "b"))
      }
      let shape = sums.shape
      let conv = builder.emit(
        .conv, operands, geometry.attributes, type: ValueType(.accumulator, shape), name: "sums", origin: nil)
      let real = builder.emit(
        .dequantize(scale: 1, zero: 0), [conv], type: ValueType(.float32, shape), name: "y", origin: nil)
      builder.module.append(
        Op(.output, operands: [real], attributes: [NamedAttribute("name", .string("y"))]))
      return builder.module
    }
  }

  @Test func sumsOfFloats() throws {
    for seed in 0..<300 as Range<UInt64> {
      var net = Net(seed: 500 + seed)
      let spatial = net.random.inside(1...2)
      let geometry = ConvGeometry.random(channels: 4, spatial: spatial, &net.random)
      let x = net.input([net.random.inside(1...2), 4] + [8, 9].suffix(spatial))
      net.output(try net.conv(x, geometry, bias: seed % 2 == 0))
      let module = net.module
      let constants = module.bodyOps.filter { $0.opcode == .constant }.compactMap { op in
        module.tensor(op["value"], element: .float32, shape: module.values[op.results[0]].type.shape ?? [])
      }
      let sample = net.sample(-1...1)
      let expected = geometry.naive.sums(
        NaiveArray<Float>(sample[0]), NaiveArray<Float>(constants[0]),
        bias: constants.count > 1 ? constants[1].floats : nil)
      #expect(try module.outputs(sample) == [expected.tensor], "\(geometry)")
    }
  }

  @Test func sumsOfIntegersAtBothLevels() throws {
    var random = SeededGenerator(seed: 501)
    for _ in 0..<300 {
      let sample = IntegerConvolution(&random)
      let (module, expected) = (sample.module, sample.sums)
      let reals = Tensor(expected.shape, expected.elements.map { Float($0) })
      #expect(try module.outputs([sample.input]) == [reals], "\(sample.geometry)")
      let lowered = try run("lower-to-crossbar", on: module).crossbarModule
      #expect(try lowered.outputs([sample.input]) == [reals], "\(sample.geometry)")
      try checkLayers(lowered, sample)
    }
  }

  /// The matrix of each group, the windows that go into it, and the layout of what comes out of all.
  private func checkLayers(_ module: Module<CrossbarLevel>, _ sample: IntegerConvolution) throws {
    let (naive, kernel) = (sample.geometry.naive, sample.geometry.kernel)
    let values = try module.values([sample.input])
    let windows = module.bodyOps.filter { $0.opcode == .window }
    let layers = module.layers.map(\.layer)
    #expect(layers.count == naive.groups && windows.count == naive.groups)
    var rows = [[Int64]](
      repeating: [], count: windows.isEmpty ? 0 : try positions(windows[0], values, module))
    for group in 0..<naive.groups {
      let matrix = naive.matrix(sample.weights, group: group)
      #expect(layers[group].weights?.integers == matrix.flatMap { $0 })
      let seen = naive.windows(sample.x, kernel: kernel, group: group, padding: sample.zero)
      let found = try #require(values[module.values[windows[group].results[0]].name])
      #expect(found.integers == seen.flatMap { $0 } && found.shape == [seen.count, matrix.count])
      for (k, row) in naiveProduct(seen, matrix).enumerated() { rows[k] += row }
    }
    let arranged = try #require(module.bodyOps.first { $0.opcode == .col2im })
    let images = naiveImages(rows, batch: sample.x.shape[0])
    #expect(values[module.values[arranged.results[0]].name]?.integers == images.elements)
  }

  private func positions(_ op: Op, _ values: [String: Tensor], _ module: Module<CrossbarLevel>) throws -> Int
  {
    try #require(values[module.values[op.results[0]].name]).shape[0]
  }
}
