import IR
import Mapping
import Passes
import Evaluator
import Support
import Tensors
import Testing

@Suite("lower-to-crossbar")
struct LowerToCrossbarTests {
  private static let options = [
    "", "signed: zero-point", "scale: output", "scale: output, signed: zero-point", "weights: 16, inputs: 16",
    "weights: 3, inputs: 5, signed: zero-point",
  ]

  /// Quantizes and lowers; the outputs of both modules must agree to the bit.
  private func check(_ net: inout Net, _ options: String = "") throws -> Module<CrossbarLevel> {
    let samples = net.samples(4, -1...2)
    let text = options.isEmpty ? "quantize" : "quantize(\(options))"
    let quantized = try run("calibrate, \(text)", on: net.module, calibration: samples).tensorModule
    let lowered = try run("lower-to-crossbar", on: quantized).crossbarModule
    for sample in samples { #expect(try quantized.outputs(sample) == lowered.outputs(sample)) }
    #expect(lowered.facts == [.shaped])
    #expect(lowered.count(.conv) == 0 && lowered.count(.gemm) == 0)
    return lowered
  }

  @Test(arguments: options) func convolutionsKeepEveryBit(options: String) throws {
    for seed in 0..<30 as Range<UInt64> {
      var net = Net(seed: 200 + seed)
      let spatial = seed % 3 == 0 ? 1 : 2
      let geometry = ConvGeometry.random(channels: 4, spatial: spatial, &net.random)
      let x = net.input([1, 4] + [8, 9].suffix(spatial))
      net.output(try net.conv(x, geometry, bias: seed % 2 == 0))
      let lowered = try check(&net, options)
      #expect(lowered.layers.count == geometry.groups)
      for (_, layer) in lowered.layers {
        #expect(layer.rows == 4 / geometry.groups * geometry.kernel.reduce(1, *))
        #expect(layer.columns == geometry.filters / geometry.groups)
      }
    }
  }

  @Test(arguments: options) func productsKeepEveryBit(options: String) throws {
    for shape in [[6], [1, 6], [3, 6], [2, 3, 6]] {
      for bias in [true, false] {
        var net = Net(seed: 240)
        net.output(try net.gemm(net.input(shape), 5, bias: bias))
        _ = try check(&net, options)
      }
    }
  }

  @Test(arguments: options) func networksKeepEveryBit(options: String) throws {
    var net = Net(seed: 250)
    let x = net.input([2, 3, 12, 12])
    let a = try net.digital(.unary(.relu), try net.conv(x, ConvGeometry(pads: [1, 1, 1, 1])))
    let b = try net.conv(try net.pool(a), ConvGeometry(filters: 6, groups: 2))
    let c = try net.pool(try net.digital(.unary(.clip(low: -1, high: 1)), b))
    let d = try net.gemm(try net.digital(.reshape([2, 24]), c), 5)
    net.output(try net.digital(.softmax(axis: 1), d))
    _ = try check(&net, options)
  }

  /// `W(x - z) = Wx - z * sum(W)`: the bias is all that a zero point costs.
  @Test func aZeroPointMovesIntoTheBias() throws {
    var net = Net(seed: 251)
    net.output(try net.conv(net.input([1, 4, 6, 6]), ConvGeometry(pads: [2, 1, 0, 1]), bias: false))
    let lowered = try check(&net, "signed: zero-point")
    let window = try lowered.first(.window)
    let zero = try #require(lowered.values[window.operands[0]].type.quantization?.zero)
    #expect(zero > 0 && window[.padding] == zero)
    let layer = try #require(lowered.layers.first).layer
    let weights = try #require(layer.weights?.integers)
    let sums = (0..<4).map { column in
      stride(from: column, to: weights.count, by: 4).reduce(0) { $0 + weights[$1] }
    }
    #expect(try lowered.integers(lowered.first(.addBias)["values"]) == sums.map { -$0 * Int64(zero) })
    #expect(lowered.count(.addBias) == 1)
  }

  @Test func withoutBiasAndZeroPointNothingIsAdded() throws {
    var net = Net(seed: 252)
    net.output(try net.gemm(net.input([1, 6]), 4, bias: false))
    #expect(try check(&net).count(.addBias) == 0)
  }

  @Test func layersAreNamedAfterTheirNodes() throws {
    var net = Net(seed: 253)
    let x = net.input([1, 4, 6, 6])
    let a = try net.conv(x, ConvGeometry(groups: 2), name: "my conv")
    net.output(try net.gemm(try net.digital(.reshape([1, 64]), a), 3, name: "fc"))
    #expect(try check(&net).layers.map(\.layer.name) == ["my_conv.0", "my_conv.1", "fc"])
  }

  /// Constants of two nodes of one name must not replace one another.
  @Test func nodesOfOneNameKeepTheirWeights() throws {
    var net = Net(seed: 254)
    let x = net.input([1, 4, 6, 6])
    let a = try net.conv(x, ConvGeometry(), name: "conv")
    let b = try net.conv(a, ConvGeometry(), name: "conv")
    let c = try net.digital(.reshape([1, 16]), b)
    let d = try net.gemm(try net.gemm(c, 16, name: "fc"), 16, name: "fc")
    let e = try net.digital(.binary(.multiply), d, net.constant([6, 16], name: "conv.weights"))
    net.output(try net.digital(.binary(.add), e, net.constant([6, 16], name: "conv.weights.2")))
    #expect(try check(&net).layers.map(\.layer.name) == ["conv", "conv.2", "fc", "fc.2"])
  }

  @Test func constantsThatOnlyLayersUsedAreGone() throws {
    var net = Net(seed: 255)
    net.output(try net.gemm(net.input([1, 20]), 10))
    let lowered = try check(&net)
    #expect(lowered.count(.constant) == 0 && lowered.resources.count == 1)
  }

  // MARK: Modules that quantize would not make

  /// `x` as `u8`, times constant weights of `element`, plus a bias.
  private func product(_ element: ElementType, bias: Int64, zero: Int64 = 0) -> Module<TensorLevel> {
    var builder = Builder(Module<TensorLevel>(name: "net", facts: [.shaped, .quantized]))
    let x = builder.emit(
      .input, [], [NamedAttribute("name", .string("x"))], type: ValueType(.float32, [1, 2]), name: "x",
      origin: nil)
    let u8 = ValueType(.integer(bits: 8, signed: false), [1, 2], Quantization(scale: 1, zero: zero))
    let q = builder.emit(
      .quantize(scale: 1, zero: zero, low: 0, high: 255), [x], type: u8, name: "q", origin: nil)
    let w = builder.constant(Tensor([2, 1], [1, 1] as [Int64]), element: element, name: "w")
    let b = builder.constant(Tensor([1], [bias]), element: .accumulator, name: "b")
    let type = ValueType(.accumulator, [1, 1])
    let y = builder.emit(.gemm, [q, w, b], type: type, name: "y", origin: nil)
    let real = builder.emit(
      .dequantize(scale: 1, zero: 0), [y], type: ValueType(.float32, [1, 1]), name: "real", origin: nil)
    builder.module.append(Op(.output, operands: [real], attributes: [NamedAttribute("name", .string("y"))]))
    return builder.module
  }

  @Test func weightsMustBeSignedAndNarrow() throws {
    for element in [
      ElementType.integer(bits: 8, signed: false), .integer(bits: 17, signed: true), .accumulator,
    ] {
      expectFailure("lower-to-crossbar.weights") {
        _ = try run("lower-to-crossbar", on: product(element, bias: 0))
      }
    }
  }

  /// Numbers at the end of 64 bits are refused or computed, never a trap.
  @Test func extremeBiasesDoNotTrap() throws {
    let element = ElementType.integer(bits: 8, signed: true)
    for bias in [Int64.min, .min + 1, .max] {
      for zero in [0, 255, 1 << 60] as [Int64] {
        let module = product(element, bias: bias, zero: zero)
        if let lowered = try? run("lower-to-crossbar", on: module) {
          _ = try? lowered.outputs([Tensor([1, 2], [1, 2] as [Float])])
        }
        _ = try? module.outputs([Tensor([1, 2], [1, 2] as [Float])])
      }
    }
    for zero in [Int64.min, .max] {
      _ = try? run("lower-to-crossbar", on: product(element, bias: 0, zero: zero))
    }
    expectFailure("lower-to-crossbar.bias") {
      _ = try run("lower-to-crossbar", on: product(element, bias: .min, zero: 255))
    }
  }
}
