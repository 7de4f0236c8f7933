import Mapping
import ONNX
import Support
import Tensors

// A network of integers as a file has it, and what it computes by the formulas of the operators.

/// The type of stored levels.
struct LevelType {
  let type: ONNXElementType
  let bits: Int
  let signed: Bool

  static let all = [
    LevelType(type: .int8, bits: 8, signed: true), LevelType(type: .uint8, bits: 8, signed: false),
    LevelType(type: .int4, bits: 4, signed: true), LevelType(type: .uint4, bits: 4, signed: false),
    LevelType(type: .int16, bits: 16, signed: true), LevelType(type: .uint16, bits: 16, signed: false),
  ]

  var low: Int64 { signed ? -(1 << Int64(bits - 1)) : 0 }
  var high: Int64 { low + 1 << Int64(bits) - 1 }

  /// The elements as a file stores them, two in a byte where they have four bits.
  func tensor(_ name: String, _ shape: [Int], _ values: [Int64]) throws -> ONNXTensor {
    let bytes: [UInt8]
    if bits == 4 {
      bytes = stride(from: 0, to: values.count, by: 2).map { k in
        let second = k + 1 < values.count ? values[k + 1] : 0
        return UInt8(truncatingIfNeeded: values[k] & 15 | second << 4)
      }
    } else {
      bytes = values.flatMap { value in
        (0..<bits / 8).map { UInt8(truncatingIfNeeded: value >> Int64(8 * $0)) }
      }
    }
    return try ONNXTensor(name: name, shape: shape, elementType: type, bytes: bytes)
  }
}

/// Levels of one activation.
struct ActivationGrid {
  var type: LevelType
  var scale: Float
  var zero: Int64

  /// `clamp(round(x / scale) + zero)`, halves to even, the division in binary32.
  func levels(_ x: [Float]) -> [Int64] {
    x.map { max(type.low, min(type.high, Int64(($0 / scale).rounded(.toNearestOrEven)) + zero)) }
  }
}

/// A convolution with a 2x2 pool behind it where it has one, or a product with the flattened input.
struct IntegerLayer {
  var isConv: Bool
  var shape: [Int]
  var weights: [Int64]
  var type: LevelType
  /// One for all outputs, or one for each.
  var scales: [Float]
  var zeros: [Int64]
  var bias: [Int64]
  var pad = 0
  var stride = 1
  var groups = 1
  var hasRelu = false
  var hasPool = false
  var output: ActivationGrid

  var outputs: Int { shape[0] }

  /// The weights less their zero points: a filter, or the weights of one output, after the other.
  var centered: [Int64] {
    let run = weights.count / outputs
    return weights.enumerated().map { k, weight in weight - zeros[zeros.count == 1 ? 0 : k / run] }
  }

  /// The weights of group `group` as a matrix of a row for each input, row-major.
  func matrix(group: Int) -> [Int64] {
    let (run, count) = (weights.count / outputs, outputs / groups)
    let all = centered
    return (0..<run).flatMap { row in (0..<count).map { all[(group * count + $0) * run + row] } }
  }
}

/// A random chain of quantized layers.
struct QuantizedNetwork {
  var inputShape: [Int]
  var input: ActivationGrid
  var layers: [IntegerLayer] = []
  /// The samples; parameters were chosen for the first one.
  var samples: [[Float]]

  /// How the operators are spelled.
  enum Notation: CaseIterable { case pairs, linear }

  init(_ random: inout SeededGenerator, wide: Bool) {
    let types = wide ? LevelType.all : Array(LevelType.all.prefix(2))
    inputShape = [1, 2, random.inside(5...7), random.inside(5...7)]
    let type = types[random.below(types.count)]
    let zero = random.chance(0.5) ? type.low : type.low + Int64(random.inside(0...(1 << (type.bits - 1))))
    input = ActivationGrid(
      type: type, scale: Float(2.0 / Double(1 << type.bits) * (0.5 + random.unit())), zero: zero)
    let count = inputShape.reduce(1, *)
    samples = (0..<3).map { _ in (0..<count).map { _ in Float(random.unit() * 2 - 0.5) } }
    var (shape, grid) = (inputShape, input)
    var levels = input.levels(samples[0])
    for number in 0..<3 {
      var layer = IntegerLayer.random(number, input: shape, types, &random)
      let sums = layer.sums(levels, shape, grid.zero)
      let largest =
        sums.enumerated().map { k, sum in
          abs(Double(sum) * layer.factor(k / (sums.count / layer.outputs), grid.scale, exact: true))
        }.max() ?? 1
      layer.output.scale = Float(
        max(largest, 1e-3) * (0.6 + random.unit()) / Double(1 << layer.output.type.bits))
      (levels, shape) = layer.apply(levels, shape, grid, exact: true).result
      grid = layer.output
      layers.append(layer)
    }
  }

  /// The real outputs for a sample, and whether a sum was so close to the middle of two levels that factors of 31 bits
  /// may round it to the other one.
  func reals(_ x: [Float], _ notation: Notation) -> (outputs: [Float], isClose: Bool) {
    var (levels, shape, grid) = (input.levels(x), inputShape, input)
    var isClose = false
    for layer in layers {
      let step = layer.apply(levels, shape, grid, exact: notation == .pairs)
      (levels, shape) = step.result
      isClose = isClose || step.isClose
      grid = layer.output
    }
    return (levels.map { Float($0 - grid.zero) * grid.scale }, isClose)
  }
}

extension IntegerLayer {
  static func random(_ number: Int, input shape: [Int], _ types: [LevelType], _ random: inout SeededGenerator)
    -> IntegerLayer
  {
    let isConv = number < 2
    let outputs = 2 * random.inside(1...3)
    let groups = isConv && random.chance(0.3) ? 2 : 1
    let inner =
      isConv ? [shape[1] / groups, random.inside(1...3), random.inside(1...3)] : [shape.reduce(1, *)]
    let type = types[random.below(types.count)]
    let perOutput = random.chance(0.5)
    let count = inner.reduce(outputs, *)
    let middle = type.signed ? 0 : Int64(1) << Int64(type.bits - 1)
    let zeros = (0..<(perOutput ? outputs : 1)).map { _ in
      random.chance(0.5) ? middle : middle + Int64(random.inside(0...3))
    }
    // 16 bits hold a weight less its zero point where that is in the middle.
    let isWide = type.bits == 16
    let next = LevelType.all[random.below(types.count)]
    var layer = IntegerLayer(
      isConv: isConv, shape: [outputs] + inner,
      weights: (0..<count).map { _ in type.low + Int64(random.inside(0...Int(type.high - type.low))) },
      type: type,
      scales: (0..<(perOutput ? outputs : 1)).map { _ in Float(0.001 + random.unit() * 0.01) },
      zeros: isWide ? [middle] : zeros,
      bias: (0..<outputs).map { _ in Int64(random.inside(-2000...2000)) },
      output: ActivationGrid(
        type: next, scale: 1,
        zero: random.chance(0.5) ? next.low : next.low + Int64(random.inside(0...(1 << next.bits) - 1))))
    layer.groups = groups
    layer.hasRelu = random.chance(0.4)
    if isConv {
      layer.pad = random.inside(0...1)
      layer.stride = number == 0 ? 1 : random.inside(1...2)
      layer.hasPool = number == 0 && random.chance(0.5)
    }
    return layer
  }

  /// The factor that makes a real number of a sum of output `k`: in the QLinear operators one number of binary32.
  func factor(_ k: Int, _ inputScale: Float, exact: Bool) -> Double {
    let scale = scales[scales.count == 1 ? 0 : k]
    return exact ? Double(inputScale) * Double(scale) : Double(inputScale * scale)
  }

  private func size(_ length: Int, _ kernel: Int) -> Int { (length + 2 * pad - kernel) / stride + 1 }

  /// The sums for each output and position.
  func sums(_ x: [Int64], _ input: [Int], _ zero: Int64) -> [Int64] {
    let w = centered
    guard isConv else {
      return (0..<outputs).map { o in x.indices.reduce(bias[o]) { $0 + (x[$1] - zero) * w[o * x.count + $1] }
      }
    }
    let (channels, height, width) = (shape[1], shape[2], shape[3])
    let (rows, columns) = (size(input[2], height), size(input[3], width))
    var result: [Int64] = []
    for o in 0..<outputs {
      let first = o / (outputs / groups) * channels
      for spot in 0..<rows * columns {
        var sum = bias[o]
        for tap in 0..<channels * height * width {
          let (c, i, j) = (tap / (height * width), tap / width % height, tap % width)
          let (y, z) = (spot / columns * stride + i - pad, spot % columns * stride + j - pad)
          guard 0..<input[2] ~= y, 0..<input[3] ~= z else { continue }
          sum +=
            (x[((first + c) * input[2] + y) * input[3] + z] - zero) * w[o * channels * height * width + tap]
        }
        result.append(sum)
      }
    }
    return result
  }

  /// The levels behind the layer with their shape: `clamp(floor(sum * factor / scale + 1/2) + zero)`, a ReLU before it
  /// where there is one, and a pool of 2x2 behind it.
  func apply(_ x: [Int64], _ input: [Int], _ grid: ActivationGrid, exact: Bool) -> (
    result: (levels: [Int64], shape: [Int]), isClose: Bool
  ) {
    let sums = sums(x, input, grid.zero)
    let spots = sums.count / outputs
    var isClose = false
    let low = hasRelu ? max(output.type.low, output.zero) : output.type.low
    var levels = sums.enumerated().map { k, sum in
      let real = Double(sum) * factor(k / spots, grid.scale, exact: exact) / Double(output.scale) + 0.5
      if abs(real - real.rounded()) < 2e-9 * max(1, abs(real)) { isClose = true }
      return max(low, min(output.type.high, Int64(real.rounded(.down)) + output.zero))
    }
    guard isConv else { return ((levels, [1, outputs]), isClose) }
    var result = [1, outputs, size(input[2], shape[2]), size(input[3], shape[3])]
    if hasPool {
      let (height, width) = (result[2], result[3])
      (result[2], result[3]) = (height - 1, width - 1)
      levels = (0..<result.reduce(1, *)).map { k in
        let (plane, y, z) = (k / (result[2] * result[3]), k / result[3] % result[2], k % result[3])
        return [0, 1, width, width + 1].map { levels[(plane * height + y) * width + z + $0] }.max() ?? 0
      }
    }
    return ((levels, result), isClose)
  }
}
