public import Hardware
public import Mapping
public import ProgramFormat
import Support
import Tensors

/// Builds programs layer by layer, each an integer matrix mapped densely: weights as differences of two magnitudes,
/// sliced into cells, whole crossbars filled one after the other.
public struct DenseBuilder {
  private let machine: Machine
  private let units: UnitForming
  private var placement: CrossbarFiller
  private var random: SeededGenerator
  private var buffers: [Buffer] = []
  private var layers: [Layer] = []
  private var code: [Instruction] = []

  /// Starts a program; weights come from `seed`.
  public init(machine: Machine, units: UnitForming, seed: UInt64) {
    self.machine = machine
    self.units = units
    placement = CrossbarFiller(machine.array)
    random = SeededGenerator(seed: seed)
  }

  mutating func buffer(_ shape: [Int], _ element: ElementType) -> Int {
    buffers.append(Buffer(name: "b\(buffers.count)", shape: shape, element: element))
    return buffers.count - 1
  }

  mutating func append(_ operation: Operation, _ name: String) {
    code.append(Instruction(operation, origin: NodeOrigin(index: code.count, name: name, op: "Op")))
  }

  func shape(_ buffer: Int) -> [Int] { buffers[buffer].shape }

  func element(_ buffer: Int) -> ElementType { buffers[buffer].element }

  /// The program so far.
  func program(_ name: String, input: Int, output: Int) -> Program {
    Program(
      name: name, machine: machine, inputs: [Port(name: "image", buffer: input)],
      outputs: [Port(name: "scores", buffer: output)], buffers: buffers, crossbars: placement.crossbars,
      layers: layers, code: code, info: [])
  }

  /// A layer with weights of roughly normal distribution and 8 bits.
  mutating func layer(
    _ name: String, inputs: Int, outputs: Int, element: ElementType = .integer(bits: 8, signed: false)
  ) -> Int {
    let weights = (0..<inputs * outputs).map { _ -> Int in
      let sum = (0..<6).reduce(0.0) { total, _ in total + random.unit() - 0.5 }
      return max(-127, min(127, Int(sum * 45)))
    }
    var blocks: [Block] = []
    let array = machine.array
    let slices = ceilDivide(7, array.cellBits)
    let perBlock = max(1, array.columns / (2 * slices))
    for row in stride(from: 0, to: inputs, by: array.rows) {
      for output in stride(from: 0, to: outputs, by: perBlock) {
        blocks.append(
          block(
            weights, row..<min(row + array.rows, inputs), output..<min(output + perBlock, outputs), outputs,
            slices))
      }
    }
    layers.append(
      Layer(
        name: name, inputs: inputs, outputs: outputs, inputBits: element.bits,
        inputSigned: element.lowest < 0,
        dacBits: array.dacBits,
        adcBits: array.adcBits, offset: 0, blocks: blocks))
    return layers.count - 1
  }

  private mutating func block(
    _ weights: [Int], _ rows: Range<Int>, _ outputs: Range<Int>, _ stride: Int, _ slices: Int
  ) -> Block {
    let bits = machine.array.cellBits
    let columns = outputs.flatMap { output in
      (0..<2 * slices).map { ColumnEntry(output: output, shift: $0 / 2 * bits, negative: $0 % 2 == 1) }
    }
    let cells = rows.flatMap { row in
      columns.map { column -> UInt8 in
        let weight = weights[row * stride + column.output]
        let magnitude = column.negative ? max(0, -weight) : max(0, weight)
        return UInt8(magnitude >> column.shift & ((1 << bits) - 1))
      }
    }
    let corner = placement.place(cells, height: rows.count, width: columns.count, fresh: true)
    return Block(
      crossbar: corner.crossbar, row: corner.row, column: corner.column,
      rows: rows.map { RowEntry(input: $0) }, columns: columns, units: units)
  }

  /// A layer over the windows of `source`, requantized to unsigned 8 bits with ReLU; returns the new buffer.
  mutating func windowed(_ source: Int, _ name: String, _ window: Window, outputs: Int) -> Int {
    let u8 = ElementType.integer(bits: 8, signed: false)
    let index = layer(name, inputs: window.length, outputs: outputs)
    let register = buffer([window.length], u8)
    let result = buffer([outputs], .accumulator)
    let shape = [1, outputs, window.outHeight, window.outWidth]
    let sums = buffer(shape, .accumulator)
    let body: [Operation] = [
      .load(register: register, source: source, window: window, padding: 0),
      .drive(register: register, layer: index), .convert(layer: index),
      .accumulate(register: result, layer: index),
      .store(
        destination: sums, register: result,
        layout: OutputLayout(channels: outputs, positions: window.positions, channelStart: 0)),
    ]
    append(.loop(count: window.positions, body: body.map { Instruction($0) }), name)
    let output = buffer(shape, u8)
    let shift = Int64(bitWidth(of: window.length) / 2 + 6)
    let rule = Requantization(multipliers: [1], shifts: [shift], zero: 0, low: 0, high: 255, axis: 1)
    append(.digital(.requantize(rule), inputs: [sums], output: output), name)
    return output
  }

  mutating func pooled(_ source: Int, _ name: String) -> Int {
    let shape = buffers[source].shape
    let output = buffer([1, shape[1], shape[2] / 2, shape[3] / 2], buffers[source].element)
    let window = Window(
      batch: 1, channels: shape[1], height: shape[2], width: shape[3], kernelHeight: 2, kernelWidth: 2,
      strideHeight: 2, strideWidth: 2, outHeight: shape[2] / 2, outWidth: shape[3] / 2)
    append(.digital(.maxPool(window), inputs: [source], output: output), name)
    return output
  }

  /// LeNet-5 as in Caffe: convolutions of 20 and 50 channels with 5x5 kernels and pools, layers of 500 and 10.
  public static func leNet(
    machine: Machine = sampleMachine(adcBits: 5), units: UnitForming = .fixed(height: 16, width: 16),
    seed: UInt64 = 1
  ) -> Program {
    var builder = DenseBuilder(machine: machine, units: units, seed: seed)
    let input = builder.buffer([1, 1, 28, 28], .float32)
    let pixels = builder.buffer([1, 1, 28, 28], .integer(bits: 8, signed: false))
    builder.append(
      .digital(.quantize(scale: 1 / 255, zero: 0, low: 0, high: 255), inputs: [input], output: pixels),
      "quantize")
    func window(_ channels: Int, _ side: Int, _ kernel: Int) -> Window {
      Window(
        batch: 1, channels: channels, height: side, width: side, kernelHeight: kernel, kernelWidth: kernel,
        outHeight: side - kernel + 1, outWidth: side - kernel + 1)
    }
    var current = builder.windowed(pixels, "conv1", window(1, 28, 5), outputs: 20)
    current = builder.pooled(current, "pool1")
    current = builder.windowed(current, "conv2", window(20, 12, 5), outputs: 50)
    current = builder.pooled(current, "pool2")
    current = builder.windowed(current, "fc1", window(50, 4, 4), outputs: 500)
    current = builder.windowed(current, "fc2", window(500, 1, 1), outputs: 10)
    let output = builder.buffer([1, 10, 1, 1], .float32)
    builder.append(.digital(.dequantize(scale: 1, zero: 0), inputs: [current], output: output), "dequantize")
    return builder.program("LeNet-5", input: input, output: output)
  }
}

extension ElementType {
  /// Bits of an integer.
  fileprivate var bits: Int {
    if case .integer(let bits, _) = self { return bits }
    return 32
  }
}

/// Images of 28 x 28 with one bright blob on black, about a fifth of the pixels lit, as handwritten digits are.
public func blobImages(_ count: Int, seed: UInt64) -> [Float] {
  var random = SeededGenerator(seed: seed)
  return (0..<count).flatMap { _ -> [Float] in
    let (x, y) = (10 + 8 * random.unit(), 10 + 8 * random.unit())
    return (0..<784).map { place in
      let (dx, dy) = (Double(place % 28) - x, Double(place / 28) - y)
      let distance = dx * dx + dy * dy
      return distance > 50 ? 0 : Float(max(0, 1 - distance / 50) * (0.6 + 0.4 * random.unit()))
    }
  }
}
