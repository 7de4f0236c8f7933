import IR
import Passes
import Evaluator
import Support
import Tensors
import Testing

/// What stands between two layers and only moves, adds or joins elements works on integers.
@Suite("quantize: elements that move")
struct QuantizeMovesTests {
  private func quantize(_ net: Net, _ options: String, _ samples: [[Tensor]]) throws -> Module<TensorLevel> {
    try run("calibrate, quantize(inputs: 10, weights: 12\(options))", on: net.module, calibration: samples)
      .tensorModule
  }

  private static let options = ["", ", signed: zero-point", ", scale: output"]

  @Test(arguments: options) func movesBetweenLayersStayInIntegers(options: String) throws {
    let moves: [@Sendable (inout Net, ValueID) throws -> ValueID] = [
      { try $0.digital(.slice(start: [0, 1, 0, 2], end: [1, 4, 8, 7]), $1) },
      { try $0.digital(.gather(indices: [7, 7, 0, 3, 1], axis: 3), $1) },
      { try $0.digital(.gather(indices: (0..<90).map { $0 % 8 }, axis: 2), $1) },
      { try $0.digital(.pad(before: [0, 0, 1, 2], after: [0, 0, 0, 1], value: 0), $1) },
      { try $0.digital(.pad(before: [0, 0, 1, 0], after: [0, 0, 0, 1], value: 0.4), $1) },
      {
        try $0.digital(
          .unary(.relu), try $0.digital(.pad(before: [0, 0, 1, 2], after: [0, 0, 0, 1], value: 0), $1))
      },
    ]
    for (number, move) in moves.enumerated() {
      var net = Net(seed: 80 + UInt64(number))
      let first = try net.conv(net.input([1, 2, 8, 8]), ConvGeometry(pads: [1, 1, 1, 1]))
      net.output(try net.conv(try move(&net, first), ConvGeometry(filters: 3)))
      let samples = net.samples(6, -1...1)
      let module = try quantize(net, options, samples)
      #expect(
        module.count(.quantize) == 1 && module.count(.dequantize) == 1, "floats only at the ends: \(number)")
      for sample in samples {
        #expect(try distance(net.module.outputs(sample)[0], module.outputs(sample)[0]) < 0.05, "\(number)")
      }
    }
  }

  /// What a pad adds lies at the level of its value, exactly as if floats were quantized behind it.
  @Test(arguments: options) func aPadAddsTheLevelOfItsValue(options: String) throws {
    for value in [0, 0.3, -0.2, 100] as [Float] {
      var net = Net(seed: 90)
      let first = try net.conv(net.input([1, 2, 4, 4]), ConvGeometry())
      let padded = try net.digital(.pad(before: [0, 0, 0, 1], after: [0, 0, 0, 0], value: value), first)
      net.output(try net.conv(padded, ConvGeometry(filters: 2, kernel: [1, 1])))
      let samples = net.samples(4, -1...1)
      let module = try quantize(net, options, samples)
      let pad = try module.first(.pad)
      let type = module.values[pad.results[0]].type
      let grid = try #require(type.quantization)
      let (low, high) =
        (options.contains("zero-point") ? 0 : -511, options.contains("zero-point") ? 1023 : 511)
        as (Int64, Int64)
      let level = Int64((value / grid.scale).rounded(.toNearestOrEven)) + grid.zero
      #expect(pad[.padValue] == Float(max(low, min(high, level))))
    }
  }

  /// A clamp behind a pad would change what the pad adds, so it works on floats.
  @Test func aClampThatChangesAPadIsNotMerged() throws {
    var net = Net(seed: 91)
    let first = try net.conv(net.input([1, 2, 4, 4]), ConvGeometry())
    let padded = try net.digital(.pad(before: [0, 0, 1, 1], after: [0, 0, 1, 1], value: -2), first)
    let y = try net.conv(try net.digital(.unary(.relu), padded), ConvGeometry(filters: 2))
    net.output(y)
    let samples = net.samples(6, -1...1)
    let module = try quantize(net, "", samples)
    #expect(module.count(.relu) == 1 && module.count(.quantize) == 2)
    #expect(try distance(net.module.outputs(samples[0])[0], module.outputs(samples[0])[0]) < 0.05)
  }

  // MARK: Concatenations

  @Test(arguments: options) func joinedSumsGoToOneGrid(options: String) throws {
    for seed in 0..<6 as Range<UInt64> {
      var net = Net(seed: 100 + seed)
      let x = net.input([1, 2, 8, 8])
      let a = try net.digital(.unary(.relu), try net.conv(x, ConvGeometry(filters: 2, pads: [1, 1, 1, 1])))
      let b = try net.conv(x, ConvGeometry(filters: 3, kernel: [1, 1]))
      var joined = try net.digital(.concat(axis: 1), a, b)
      if seed % 2 == 1 { joined = try net.pool(joined) }
      if seed % 3 == 1 { joined = try net.digital(.unary(.clip(low: -0.25, high: 0.5)), joined) }
      net.output(try net.conv(joined, ConvGeometry(filters: 2)))
      let samples = net.samples(6, -1...1)
      let module = try quantize(net, options, samples)
      #expect(
        module.count(.quantize) == 1 && module.count(.dequantize) == 1 && module.count(.requantize) == 2)
      let concat = try module.first(.concat)
      #expect(
        concat.operands.allSatisfy {
          module.values[$0].type.quantization == module.values[concat.results[0]].type.quantization
        })
      for sample in samples {
        #expect(try distance(net.module.outputs(sample)[0], module.outputs(sample)[0]) < 0.05)
      }
    }
  }

  /// As in a dense block: each layer sees all before it; the input of the graph is a float and is quantized for the
  /// join.
  @Test func joinsOfJoins() throws {
    var net = Net(seed: 110)
    let x = net.input([1, 2, 6, 6])
    let same = ConvGeometry(filters: 2, pads: [1, 1, 1, 1])
    let a = try net.digital(.unary(.relu), try net.conv(x, same))
    let first = try net.digital(.concat(axis: 1), x, a)
    let b = try net.digital(.unary(.relu), try net.conv(first, same))
    let second = try net.digital(.concat(axis: 1), first, b)
    net.output(try net.conv(second, same), name: "y")
    net.output(try net.digital(.mean(axes: [2, 3]), second), name: "z")
    let samples = net.samples(6, -1...1)
    let module = try quantize(net, "", samples)
    for sample in samples {
      let (expected, found) = (try net.module.outputs(sample), try module.outputs(sample))
      for (a, b) in zip(expected, found) { #expect(distance(a, b) < 0.1) }
    }
    // One with the parameters of the second layer, two with those of the third, two of floats.
    #expect(module.count(.concat) == 5)
  }

  @Test func joinedFloatsStayFloats() throws {
    var net = Net(seed: 111)
    let x = net.input([1, 2, 4, 4])
    let a = try net.digital(.unary(.tanh), x)
    net.output(try net.conv(try net.digital(.concat(axis: 1), x, a), ConvGeometry(filters: 2)))
    let module = try quantize(net, "", net.samples(3, -1...1))
    let joined = try module.first(.concat).results[0]
    #expect(module.count(.quantize) == 1 && module.values[joined].type.element.isFloat)
  }
}
