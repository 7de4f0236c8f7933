public import Hardware
public import Mapping
public import Support
public import Tensors

/// A crossbar program: all that the executor needs, decoded.
///
/// ir-spec.md, *Binary*, describes its bytes. Indices are positions in the arrays below.
public struct Program: Equatable, Sendable {
  /// The network's name.
  public var name: String
  /// The machine that the program was compiled for.
  public var machine: Machine
  /// Graph inputs in order.
  public var inputs: [Port]
  /// Graph outputs in order.
  public var outputs: [Port]
  /// The buffers that instructions work on.
  public var buffers: [Buffer]
  /// Programmed crossbars.
  public var crossbars: [Crossbar]
  /// Layers with their blocks, whose cells lie in `crossbars`.
  public var layers: [Layer]
  /// What to do for one sample.
  public var code: [Instruction]
  /// Free text about the origin, such as the pipeline; it never affects execution. Keys are distinct.
  public var info: [InfoEntry]

  /// Creates a program.
  public init(
    name: String, machine: Machine, inputs: [Port], outputs: [Port], buffers: [Buffer],
    crossbars: [Crossbar], layers: [Layer], code: [Instruction], info: [InfoEntry]
  ) {
    self.name = name
    self.machine = machine
    self.inputs = inputs
    self.outputs = outputs
    self.buffers = buffers
    self.crossbars = crossbars
    self.layers = layers
    self.code = code
    self.info = info
  }
}

extension Program {
  /// How many segments it has: parts that are written to the crossbars and executed in turn.
  public var segments: Int { (layers.map(\.segment).max() ?? 0) &+ 1 }
}

/// One line of free text with a key.
public struct InfoEntry: Equatable, Sendable {
  /// What the text is about, such as `pipeline`.
  public var key: String
  /// The text.
  public var text: String

  /// Creates an entry.
  public init(key: String, text: String) {
    self.key = key
    self.text = text
  }
}

/// A named array of elements that lives while a sample is processed. For each sample a buffer starts with its
/// initial numbers, or with zeros.
public struct Buffer: Equatable, Sendable {
  /// A unique name.
  public var name: String
  /// The lengths of its axes.
  public var shape: [Int]
  /// The type of its elements.
  public var element: ElementType
  /// The numbers that it starts with; of the buffer's shape, in the container of its element type. Nil for zeros.
  public var initial: Tensor?

  /// Creates a buffer.
  public init(name: String, shape: [Int], element: ElementType, initial: Tensor? = nil) {
    self.name = name
    self.shape = shape
    self.element = element
    self.initial = initial
  }

  /// How many elements it has.
  public var count: Int { shape.reduce(1, *) }
}

/// A graph input or output and the buffer that holds it.
public struct Port: Equatable, Sendable {
  /// The name in the network.
  public var name: String
  /// The buffer, always of type f32.
  public var buffer: Int

  /// Creates a port.
  public init(name: String, buffer: Int) {
    self.name = name
    self.buffer = buffer
  }
}

/// A programmed crossbar of the machine's size.
public struct Crossbar: Equatable, Sendable {
  /// Cell levels, row-major, `rows * columns` of the machine's crossbar; unused cells are 0.
  public var cells: [UInt8]

  /// Creates a crossbar.
  public init(cells: [UInt8]) { self.cells = cells }
}

/// How a register of results is laid into a tensor `[batch, channels, positions]`: the register of repeat number
/// `p` goes to image `p / positions`, position `p % positions`, channels `channelStart ...`.
public struct OutputLayout: Hashable, Sendable {
  /// Channels of the tensor.
  public var channels: Int
  /// Positions of one channel.
  public var positions: Int
  /// Channel of the register's first element.
  public var channelStart: Int

  /// Creates an layout.
  public init(channels: Int, positions: Int, channelStart: Int) {
    self.channels = channels
    self.positions = positions
    self.channelStart = channelStart
  }
}

/// An array as `count` equal parts along `axis`: round `p` has part `p`, or part `count - 1 - p` where `isReversed`.
public struct Parts: Hashable, Sendable {
  /// The axis.
  public var axis: Int
  /// How many parts there are.
  public var count: Int
  /// Whether the last part comes first.
  public var isReversed: Bool

  /// Creates a division into parts.
  public init(axis: Int, count: Int, isReversed: Bool) {
    self.axis = axis
    self.count = count
    self.isReversed = isReversed
  }
}

/// One instruction and the ONNX node that it serves.
public struct Instruction: Equatable, Sendable {
  /// What to do.
  public var operation: Operation
  /// The ONNX node, for messages and per-layer results; strippable.
  public var origin: NodeOrigin?

  /// Creates an instruction.
  public init(_ operation: Operation, origin: NodeOrigin? = nil) {
    self.operation = operation
    self.origin = origin
  }
}

/// What an instruction does. `repeat` numbers its rounds from 0; `load`, `store`, `scanSlice` and `scanOutput` use the
/// number of the innermost round, or 0 outside of any.
public indirect enum Operation: Equatable, Sendable {
  /// Runs `body` `count` times.
  case loop(count: Int, body: [Instruction])
  /// Copies window number `round` of `source` into `register`; padding becomes `padding`.
  case load(register: Int, source: Int, window: Window, padding: Int64)
  /// Presents `register` to the wordline drivers of `layer`.
  case drive(register: Int, layer: Int)
  /// Reads every operation unit of `layer` for every input digit through the converters, and shifts and adds
  /// over digits and units, bitline by bitline.
  case convert(layer: Int)
  /// Adds the bitlines of `layer` with their signs and weights, subtracts the offset correction and puts the
  /// outputs into `register`.
  case accumulate(register: Int, layer: Int)
  /// Copies `register` into its place in `destination`.
  case store(destination: Int, register: Int, layout: OutputLayout)
  /// Copies the part of this round of `source` into `register`.
  case scanSlice(register: Int, source: Int, parts: Parts)
  /// Copies `register` into its part of `destination`.
  case scanOutput(destination: Int, register: Int, parts: Parts)
  /// Applies `operator` to `inputs`.
  case digital(DigitalOperator, inputs: [Int], output: Int)
}
