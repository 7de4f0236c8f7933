import Hardware
import Mapping
public import ProgramFormat
import Support
import Tensors

extension DenseBuilder {
  /// A random network of bytes: convolutions with strides, pads, dilations and groups, of signed or unsigned inputs,
  /// with bias, with levels or sums behind them, and layers over whole images and over rows.
  public static func byteNetwork(seed: UInt64) -> Program {
    var random = SeededGenerator(seed: seed)
    let dac = [1, 1, 2, 3, 4][random.below(5)]
    var machine = sampleMachine(rows: random.inside(8...40), columns: 32, adcBits: 16)
    machine.array.dacBits = dac
    let size = random.inside(1...machine.array.rows)
    let units: UnitForming = [
      .fixed(height: size, width: 8), .fixed(height: size, width: 8), .zeroSkipping(height: size, width: 8),
      .dynamic(height: size, width: 8),
    ][random.below(4)]
    var builder = DenseBuilder(machine: machine, units: units, seed: seed)
    let isSigned = random.chance(0.4)
    let shape = [1, random.inside(1...6), random.inside(1...12), random.inside(1...12)]
    let input = builder.buffer(shape, .float32)
    let element = ElementType.integer(
      bits: isSigned ? random.inside(2...8) : random.inside(1...8), signed: isSigned)
    var current = builder.buffer(shape, element)
    builder.append(
      .digital(
        .quantize(scale: 1, zero: 0, low: isSigned ? -element.highest : 0, high: element.highest),
        inputs: [input],
        output: current), "quantize")
    for number in 0..<random.inside(1...3) where builder.element(current) != .accumulator {
      current = builder.byteLayer(current, "layer\(number)", &random)
    }
    let output = builder.buffer(builder.shape(current), .float32)
    builder.append(.digital(.dequantize(scale: 1, zero: 0), inputs: [current], output: output), "dequantize")
    return builder.program("bytes\(seed)", input: input, output: output)
  }

  /// A random layer over `source`; the levels behind it, or the sums where these are the result.
  private mutating func byteLayer(_ source: Int, _ name: String, _ random: inout SeededGenerator) -> Int {
    let shape = shape(source)
    guard shape.count == 4 else { return source }
    guard random.chance(0.7) else {
      let whole = Window(
        batch: 1, channels: shape[1], height: shape[2], width: shape[3], kernelHeight: shape[2],
        kernelWidth: shape[3],
        outHeight: 1, outWidth: 1)
      return byteLayer(source, name, [whole], outputs: random.inside(1...20), &random)
    }
    let groups = random.chance(0.3) ? shape[1] : 1
    let (vertical, horizontal) = (axis(shape[2], &random), axis(shape[3], &random))
    let windows = (0..<groups).map { group in
      Window(
        batch: 1, channels: shape[1], height: shape[2], width: shape[3],
        channelStart: group * shape[1] / groups,
        channelCount: shape[1] / groups, kernelHeight: vertical.kernel, kernelWidth: horizontal.kernel,
        strideHeight: vertical.stride, strideWidth: horizontal.stride, padTop: vertical.pad,
        padLeft: horizontal.pad,
        dilationHeight: vertical.dilation, dilationWidth: horizontal.dilation, outHeight: vertical.positions,
        outWidth: horizontal.positions)
    }
    return byteLayer(source, name, windows, outputs: random.inside(1...(groups > 1 ? 2 : 9)), &random)
  }

  /// A kernel along an axis of `length`, with padding on both sides.
  private func axis(_ length: Int, _ random: inout SeededGenerator) -> (
    kernel: Int, stride: Int, pad: Int, dilation: Int, positions: Int
  ) {
    let (dilation, pad) = (random.inside(1...2), random.inside(0...2))
    let kernel = random.inside(1...max(1, min(5, (length + 2 * pad - 1) / dilation + 1)))
    let stride = random.chance(0.6) ? 1 : random.inside(1...3)
    let positions = max(1, (length + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1)
    return (kernel, stride, pad, dilation, positions)
  }

  /// A layer for each window, whose outputs lie one behind the other.
  private mutating func byteLayer(
    _ source: Int, _ name: String, _ windows: [Window], outputs: Int, _ random: inout SeededGenerator
  ) -> Int {
    let (first, channels) = (windows[0], outputs * windows.count)
    let shape = [1, channels, first.outHeight, first.outWidth]
    let sums = buffer(shape, .accumulator)
    let padding =
      element(source).lowest < 0 ? 0 : Int64(random.below(2) * random.below(Int(element(source).highest) + 1))
    var body: [Operation] = []
    for (number, window) in windows.enumerated() {
      let index = layer(
        "\(name).\(number)", inputs: window.length, outputs: outputs, element: element(source))
      let register = buffer([window.length], element(source))
      let result = buffer([outputs], .accumulator)
      body += [
        .load(register: register, source: source, window: window, padding: padding),
        .drive(register: register, layer: index), .convert(layer: index),
        .accumulate(register: result, layer: index),
        .store(
          destination: sums, register: result,
          layout: OutputLayout(
            channels: channels, positions: first.outHeight * first.outWidth, channelStart: number * outputs)),
      ]
    }
    append(.loop(count: first.positions, body: body.map { Instruction($0) }), name)
    if random.chance(0.2) { return sums }
    return levels(of: sums, shape, name, &random)
  }

  private mutating func levels(
    of sums: Int, _ shape: [Int], _ name: String, _ random: inout SeededGenerator
  ) -> Int {
    var current = sums
    if random.chance(0.6) {
      current = buffer(shape, .accumulator)
      let bias = (0..<shape[1]).map { _ in Int64(random.inside(-20_000...20_000)) }
      append(.digital(.addBias(values: bias, axis: 1), inputs: [sums], output: current), name)
    }
    let isSigned = random.chance(0.3)
    let levels = ElementType.integer(bits: random.chance(0.8) ? 8 : 12, signed: isSigned)
    let count = random.chance(0.5) ? 1 : shape[1]
    let rule = Requantization(
      multipliers: (0..<count).map { _ in Int64(random.inside(1 << 20...1 << 30)) },
      shifts: (0..<count).map { _ in Int64(random.inside(34...37)) },
      zero: isSigned ? 0 : Int64(random.below(9)),
      low: isSigned ? -levels.highest : 0, high: levels.highest, axis: 1)
    let output = buffer(shape, levels)
    append(.digital(.requantize(rule), inputs: [current], output: output), name)
    return output
  }
}
