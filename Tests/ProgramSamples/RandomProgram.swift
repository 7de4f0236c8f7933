import Hardware
import Mapping
public import ProgramFormat
import Support
import Tensors

/// Makes random valid programs: chains of windowed layers with digital operators between them.
public struct ProgramSampler {
  private var random: SeededGenerator
  private let machine: Machine
  private var placement: CrossbarFiller
  private var buffers: [Buffer] = []
  private var layers: [Layer] = []
  private var code: [Instruction] = []

  /// Starts the sequence of `seed`.
  public init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    machine = randomMachine(&random, largest: 24)
    placement = CrossbarFiller(machine.array)
  }

  /// The program of a seed.
  public static func program(seed: UInt64) -> Program {
    var sampler = ProgramSampler(seed: seed)
    return segmented(sampler.make(name: "random\(seed)"), &sampler.random)
  }

  private mutating func make(name: String) -> Program {
    let shape = [1, random.inside(1...3), random.inside(1...6), random.inside(1...6)]
    let input = buffer(shape, .float32)
    var current = quantized(input, shape)
    for _ in 0...random.below(3) { current = random.chance(0.2) ? recurrent(current) : windowed(current) }
    if random.chance(0.5) { current = parted(current) }
    if random.chance(0.3) { current = nested(current) }
    let result = buffer(buffers[current].shape, .float32)
    append(.digital(.dequantize(scale: 0.125, zero: 1), inputs: [current], output: result))
    let output = floatChain(result)
    let info = (0..<random.below(3)).map { InfoEntry(key: "key \($0)", text: "text é \($0)") }
    return Program(
      name: name, machine: machine, inputs: [Port(name: "x", buffer: input)],
      outputs: [Port(name: "y", buffer: output)], buffers: buffers, crossbars: placement.crossbars,
      layers: layers, code: code, info: info)
  }

  private mutating func buffer(_ shape: [Int], _ element: ElementType, initial: Tensor? = nil) -> Int {
    buffers.append(Buffer(name: "b\(buffers.count)", shape: shape, element: element, initial: initial))
    return buffers.count - 1
  }

  /// Numbers that a driven buffer of type `element` may start with.
  private mutating func numbers(_ shape: [Int], _ element: ElementType) -> Tensor {
    let range = Int(-limit(element))...Int(element.highest)
    let values = (0..<shape.reduce(1, *)).map { _ in Int64(random.inside(range)) }
    return Tensor(shape, values, as: element)
  }

  private func origin() -> NodeOrigin { NodeOrigin(index: code.count, name: "n\(code.count)", op: "Op") }

  private mutating func append(_ operation: Operation) {
    code.append(Instruction(operation, origin: random.chance(0.5) ? origin() : nil))
  }

  private mutating func randomElement() -> ElementType {
    let signed = random.chance(0.4)
    return .integer(bits: random.chance(0.7) ? random.inside(2...8) : random.inside(9...16), signed: signed)
  }

  private mutating func quantized(_ input: Int, _ shape: [Int]) -> Int {
    let element = randomElement()
    let output = buffer(shape, element)
    append(
      .digital(
        .quantize(scale: 1 / Float(element.highest), zero: 0, low: -limit(element), high: element.highest),
        inputs: [input], output: output))
    return output
  }

  /// The largest magnitude below zero that a symmetric input has.
  private func limit(_ element: ElementType) -> Int64 { element.lowest < 0 ? element.highest : 0 }

  private func traits(_ element: ElementType) -> LayerTraits {
    guard case .integer(let bits, let signed) = element else {
      return LayerTraits(inputBits: 8, inputSigned: false)
    }
    return LayerTraits(inputBits: bits, inputSigned: signed)
  }

  private mutating func layer(inputs: Int, outputs: Int, _ element: ElementType) -> Int {
    var layer = randomLayer(
      named: "layer\(layers.count)", inputs: inputs, outputs: outputs, traits: traits(element),
      array: machine.array, placement: &placement, random: &random)
    let isFixed = layer.blocks.allSatisfy(\.formedUnits.isFixed)
    if machine.memory != nil && isFixed && random.chance(0.7) {
      layer.fetch = random.chance(0.5) ? .serial : .doubleBuffered
    }
    layers.append(layer)
    return layers.count - 1
  }

  /// A layer over windows of `source`, in one group or two, and a requantization.
  private mutating func windowed(_ source: Int) -> Int {
    let shape = buffers[source].shape
    let kernel = (random.inside(1...min(3, shape[2])), random.inside(1...min(3, shape[3])))
    let pad = (random.below(kernel.0), random.below(kernel.1))
    let out = (shape[2] + pad.0 - kernel.0 + 1, shape[3] + pad.1 - kernel.1 + 1)
    let groups = shape[1] > 1 && random.chance(0.3) ? 2 : 1
    let channels = random.inside(1...4)
    let sums = buffer([1, channels * groups, out.0, out.1], .accumulator)
    var body: [Operation] = []
    for group in 0..<groups {
      let first = group * (shape[1] - 1)
      let window = Window(
        batch: 1, channels: shape[1], height: shape[2], width: shape[3],
        channelStart: groups == 1 ? 0 : first,
        channelCount: groups == 1 ? shape[1] : 1, kernelHeight: kernel.0, kernelWidth: kernel.1,
        padTop: pad.0, padLeft: pad.1, outHeight: out.0, outWidth: out.1)
      let register = buffer([window.length], buffers[source].element)
      let result = buffer([channels], .accumulator)
      let index = layer(inputs: window.length, outputs: channels, buffers[source].element)
      body += [
        .load(register: register, source: source, window: window, padding: 0),
        .drive(register: register, layer: index), .convert(layer: index),
        .accumulate(register: result, layer: index),
      ]
      let biased = random.chance(0.2) ? buffer([channels], .accumulator) : result
      if biased != result {
        let values = (0..<channels).map { Int64($0) }
        body.append(.digital(.addBias(values: values, axis: 0), inputs: [result], output: biased))
      }
      let place = OutputLayout(
        channels: channels * groups, positions: out.0 * out.1, channelStart: group * channels)
      body.append(.store(destination: sums, register: biased, layout: place))
    }
    append(.loop(count: out.0 * out.1, body: body.map { Instruction($0) }))
    return requantized(sums)
  }

  private mutating func requantized(_ sums: Int) -> Int {
    let element = randomElement()
    let channels = buffers[sums].shape[1]
    let output = buffer(buffers[sums].shape, element)
    let rule = Requantization(
      multipliers: (0..<channels).map { _ in Int64(random.inside(1...1000)) },
      shifts: [Int64](repeating: Int64(random.inside(8...16)), count: channels), zero: 0,
      low: -limit(element),
      high: element.highest, axis: 1)
    append(.digital(.requantize(rule), inputs: [sums], output: output))
    return output
  }

  /// A state that each round of a loop computes from itself and from a row of `source`.
  private mutating func recurrent(_ source: Int) -> Int {
    let count = buffers[source].count
    let element = buffers[source].element
    let size = random.inside(1...4)
    let step = buffer([1], element)
    let sums = [buffer([size], .accumulator), buffer([size], .accumulator)]
    let total = buffer([size], .accumulator)
    let state = buffer([size], element, initial: numbers([size], element))
    let history = buffer([1, size, count, 1], element)
    let forward = layer(inputs: 1, outputs: size, element)
    let back = layer(inputs: size, outputs: size, element)
    let rule = Requantization(
      multipliers: [Int64(random.inside(1...1000))], shifts: [12], zero: 0, low: -limit(element),
      high: element.highest, axis: 0)
    let body: [Operation] = [
      .load(register: step, source: source, window: .rows(count, 1), padding: 0),
      .drive(register: step, layer: forward), .convert(layer: forward),
      .drive(register: state, layer: back), .convert(layer: back),
      .accumulate(register: sums[0], layer: forward), .accumulate(register: sums[1], layer: back),
      .digital(.binary(.add), inputs: sums, output: total),
      .digital(.requantize(rule), inputs: [total], output: state),
      .store(
        destination: history, register: state,
        layout: OutputLayout(channels: size, positions: count, channelStart: 0)),
    ]
    append(.loop(count: count, body: body.map { Instruction($0) }))
    return history
  }

  /// The parts of `source` along an axis, taken one by one, in a loop or, where there is one, without; each through a
  /// copy.
  private mutating func parted(_ source: Int) -> Int {
    let shape = buffers[source].shape
    let axis = random.below(shape.count)
    let divisors = (1...shape[axis]).filter { shape[axis] % $0 == 0 }
    let count = divisors[random.below(divisors.count)]
    var part = shape
    part[axis] /= count
    let target = random.below(shape.count)
    var whole = part
    whole[target] *= count
    let (register, copy) = (buffer(part, buffers[source].element), buffer(part, buffers[source].element))
    let result = buffer(whole, buffers[source].element)
    let from = Parts(axis: axis, count: count, isReversed: random.chance(0.5))
    let to = Parts(axis: target, count: count, isReversed: random.chance(0.5))
    let body: [Operation] = [
      .scanSlice(register: register, source: source, parts: from),
      .digital(.reshape(part), inputs: [register], output: copy),
      .scanOutput(destination: result, register: copy, parts: to),
    ]
    if count == 1 && random.chance(0.5) {
      body.forEach { append($0) }
    } else {
      append(.loop(count: count, body: body.map { Instruction($0) }))
    }
    return result
  }

  /// A loop over the channels of `source` around one over their rows, each row through a layer.
  private mutating func nested(_ source: Int) -> Int {
    let shape = buffers[source].shape
    let element = buffers[source].element
    let size = random.inside(1...3)
    let channel = buffer([shape[0], 1, shape[2], shape[3]], element)
    let row = buffer([shape[3]], element)
    let sums = buffer([size], .accumulator)
    let image = buffer([1, size, shape[0] * shape[2], 1], .accumulator)
    let result = buffer([1, size * shape[1], shape[0] * shape[2], 1], .accumulator)
    let index = layer(inputs: shape[3], outputs: size, element)
    let rows = shape[0] * shape[2]
    let inner: [Operation] = [
      .load(register: row, source: channel, window: .rows(rows, shape[3]), padding: 0),
      .drive(register: row, layer: index), .convert(layer: index), .accumulate(register: sums, layer: index),
      .store(
        destination: image, register: sums,
        layout: OutputLayout(channels: size, positions: rows, channelStart: 0)),
    ]
    let body: [Operation] = [
      .scanSlice(
        register: channel, source: source,
        parts: Parts(axis: 1, count: shape[1], isReversed: random.chance(0.5))),
      .loop(count: rows, body: inner.map { Instruction($0) }),
      .scanOutput(
        destination: result, register: image,
        parts: Parts(axis: 1, count: shape[1], isReversed: random.chance(0.5))),
    ]
    append(.loop(count: shape[1], body: body.map { Instruction($0) }))
    return requantized(result)
  }

  /// Float operators of many kinds, one after the other.
  private mutating func floatChain(_ start: Int) -> Int {
    var current = start
    for _ in 0..<random.below(4) {
      let shape = buffers[current].shape
      let (op, result) = randomFloatOperator(shape, &random)
      let output = buffer(result, .float32)
      let inputs: [Int]
      switch op {
      case .binary where random.chance(0.5):
        let constant = Tensor([shape[1], 1, 1], (0..<shape[1]).map { _ in Float(random.unit() * 2 - 1) })
        inputs = [current, buffer(constant.shape, .float32, initial: constant)]
      case .binary, .concat: inputs = [current, current]
      case .select:
        let numbers = (0..<shape[1]).map { _ in Float(random.below(2)) }
        inputs = [
          buffer([shape[1], 1, 1], .float32, initial: Tensor([shape[1], 1, 1], numbers)), current, current,
        ]
      default: inputs = [current]
      }
      append(.digital(op, inputs: inputs, output: output))
      current = output
    }
    return current
  }
}

/// An operator for arguments of `shape`, and the shape of its result.
private func randomFloatOperator(
  _ shape: [Int], _ random: inout SeededGenerator
) -> (DigitalOperator, [Int]) {
  let functions: [UnaryFunction] = [
    .relu, .leakyRelu(slope: 0.1), .clip(low: -1, high: 1), .sigmoid, .tanh,
    .hardSigmoid(slope: 0.2, shift: 0.5),
    .hardSwish, .elu(alpha: 1), .softplus, .exp, .log, .sqrt, .abs, .negate, .erf, .floor, .round,
    .sign, .ceil,
  ]
  let window = Window(
    batch: shape[0], channels: shape[1], height: shape[2], width: shape[3], kernelHeight: 1, kernelWidth: 1,
    outHeight: shape[2], outWidth: shape[3])
  switch random.below(14) {
  case 12: return (.select, shape)
  case 13: return (.reduceMax(axes: [1, 3]), [shape[0], 1, shape[2], 1])
  case 8:
    let part = shape.map { random.inside(1...$0) }
    let start = zip(shape, part).map { random.inside(0...$0 - $1) }
    return (.slice(start: start, end: zip(start, part).map(+)), part)
  case 9:
    let indices = (0..<random.inside(1...4)).map { _ in Int64(random.below(shape[1])) }
    return (.gather(indices: indices, axis: 1), [shape[0], indices.count, shape[2], shape[3]])
  case 0: return (.softmax(axis: 1), shape)
  case 1: return (.mean(axes: [2, 3]), [shape[0], shape[1], 1, 1])
  case 2: return (.transpose([0, 2, 1, 3]), [shape[0], shape[2], shape[1], shape[3]])
  case 3: return (.concat(axis: 1), [shape[0], 2 * shape[1], shape[2], shape[3]])
  case 4:
    return (
      .pad(before: [0, 0, 1, 0], after: [0, 1, 0, 0], value: 0.5),
      [shape[0], shape[1] + 1, shape[2] + 1, shape[3]]
    )
  case 5: return (.maxPool(window), shape)
  case 6: return (.averagePool(window, countPadding: random.chance(0.5)), shape)
  case 7: return (.reshape([1, shape.reduce(1, *), 1, 1]), [1, shape.reduce(1, *), 1, 1])
  case 10: return (.binary(BinaryFunction.allCases[random.below(BinaryFunction.allCases.count)]), shape)
  default: return (.unary(functions[random.below(functions.count)]), shape)
  }
}
