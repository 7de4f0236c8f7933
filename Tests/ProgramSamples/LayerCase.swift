public import Hardware
public import Mapping
public import ProgramFormat
import Support
public import Tensors

/// A program of one random layer over the rows of a matrix, with its inputs.
public struct LayerCase {
  /// The program.
  public let program: Program
  /// One array for each sample.
  public let inputs: [[Float]]

  /// What the cases of a seed cover; cell bits, converters, digits, units, signs, offsets and shifts vary.
  public init(seed: UInt64, samples: Int = 2) {
    var random = SeededGenerator(seed: seed)
    let machine = randomMachine(&random, largest: random.chance(0.15) ? 140 : 40)
    let signed = random.chance(0.4)
    let bits = random.chance(0.8) ? random.inside((signed ? 2 : 1)...9) : random.inside(10...20)
    let element = ElementType.integer(bits: bits, signed: signed)
    let inputs = random.inside(1...50)
    let outputs = random.inside(1...8)
    let rows = random.chance(0.5) ? random.inside(1...5) : random.inside(6...12)
    var placement = CrossbarFiller(machine.array)
    let traits = LayerTraits(
      inputBits: bits, inputSigned: signed, zeros: random.unit())
    let layer = randomLayer(
      named: "layer", inputs: inputs, outputs: outputs, traits: traits, array: machine.array,
      placement: &placement, random: &random)
    program = LayerCase.program(machine, placement.crossbars, layer, element, rows: rows)
    let density = random.unit()
    let top = Int(element.highest)
    self.inputs = (0..<samples).map { _ in
      (0..<rows * inputs).map { _ in
        guard random.chance(density) else { return 0 }
        return Float(random.inside((signed ? -top : 0)...top))
      }
    }
  }

  /// A program that computes `layer` with other `blocks` for each row of its input `[rows, inputs]`.
  public static func program(
    _ machine: Machine, _ crossbars: [Crossbar], _ layer: Layer, _ blocks: [Block], _ element: ElementType,
    rows: Int
  ) -> Program {
    var layer = layer
    layer.blocks = blocks
    return program(machine, crossbars, layer, element, rows: rows)
  }

  /// A program that computes `layer` for each row of its input `[rows, inputs]`.
  public static func program(
    _ machine: Machine, _ crossbars: [Crossbar], _ layer: Layer, _ element: ElementType, rows: Int
  ) -> Program {
    let buffers = [
      Buffer(name: "x", shape: [rows, layer.rows], element: .float32),
      Buffer(name: "q", shape: [rows, layer.rows], element: element),
      Buffer(name: "r", shape: [layer.rows], element: element),
      Buffer(name: "a", shape: [layer.columns], element: .accumulator),
      Buffer(name: "s", shape: [rows, layer.columns], element: .accumulator),
      Buffer(name: "y", shape: [rows, layer.columns], element: .float32),
    ]
    let low = element.lowest < 0 ? -element.highest : 0
    let body: [Operation] = [
      .load(register: 2, source: 1, window: .rows(rows, layer.rows), padding: 0),
      .drive(register: 2, layer: 0), .convert(layer: 0), .accumulate(register: 3, layer: 0),
      .store(
        destination: 4, register: 3,
        layout: OutputLayout(channels: layer.columns, positions: 1, channelStart: 0)),
    ]
    let code: [Operation] = [
      .digital(.quantize(scale: 1, zero: 0, low: low, high: element.highest), inputs: [0], output: 1),
      .loop(count: rows, body: body.map { Instruction($0) }),
      .digital(.dequantize(scale: 1, zero: 0), inputs: [4], output: 5),
    ]
    return Program(
      name: "layer", machine: machine, inputs: [Port(name: "x", buffer: 0)],
      outputs: [Port(name: "y", buffer: 5)],
      buffers: buffers, crossbars: crossbars, layers: [layer],
      code: code.map { Instruction($0) },
      info: [])
  }
}
