import Hardware
import Tensors

/// Every operation of every level; `spec` says what each one takes.
public enum Opcode: String, Hashable, Sendable, CaseIterable {
  // Frame.
  case input, output, constant
  // Matrix operators of networks, tensor level.
  case conv, gemm
  case batchNorm = "batch-norm"
  // Digital operators, every level.
  case relu
  case leakyRelu = "leaky-relu"
  case clip, sigmoid, tanh
  case hardSigmoid = "hard-sigmoid"
  case hardSwish = "hard-swish"
  case elu, softplus, exp, log, sqrt, abs, negate, erf, floor, round, sign
  case add, subtract, multiply, divide, maximum, minimum, greater, equal, power
  case softmax, matmul
  case maxPool = "max-pool"
  case averagePool = "average-pool"
  case mean
  case argMax = "arg-max"
  case reshape, transpose, concat, pad, slice, take
  case quantize, dequantize, requantize
  case addBias = "add-bias"
  case lookup
  // Time, tensor and crossbar level; steps and stacks at every level.
  case loop, state, step, next, stack
  // Crossbar level.
  case window, mvm, arrange
  // Crossbar and program level.
  case layer, block
  // Program level.
  case buffer, crossbar, load, drive, convert, accumulate, store
  case `repeat`
}

/// An attribute in the table of an operation.
public struct AttributeSpec: Hashable, Sendable {
  /// The name.
  public let name: String
  /// The kind of value.
  public let kind: AttributeKind
  /// Whether it must be there.
  public let isRequired: Bool

  /// Creates an entry.
  public init(_ name: String, _ kind: AttributeKind, required: Bool = true) {
    self.name = name
    self.kind = kind
    isRequired = required
  }
}

/// What an operation takes and gives: the one table that printer, parser, verifier and document agree on.
public struct OpSpec: Hashable, Sendable {
  /// The levels at which it may stand.
  public let levels: Set<LevelName>
  /// How many operands it takes.
  public let operands: ClosedRange<Int>
  /// How many results it has.
  public let results: Int
  /// Its attributes in printing order.
  public let attributes: [AttributeSpec]
  /// Whether it defines a symbol.
  public let hasSymbol: Bool
  /// The operations that its body may hold; nil for operations without a body.
  public let body: Set<Opcode>?
  /// What it does, in a sentence.
  public let summary: String

  init(
    _ levels: Set<LevelName>, operands: ClosedRange<Int>, results: Int = 1, _ attributes: [AttributeSpec],
    symbol: Bool = false, body: Set<Opcode>? = nil, _ summary: String
  ) {
    self.levels = levels
    self.operands = operands
    self.results = results
    self.attributes = attributes
    hasSymbol = symbol
    self.body = body
    self.summary = summary
  }
}

private let everyLevel: Set<LevelName> = [.tensor, .crossbar, .program]
private let count = AttributeKind.int(0...Int64(Int32.max))
private let positive = AttributeKind.int(1...Int64(Int32.max))
private let anyInt = AttributeKind.int(Int64.min...Int64.max)
private let many = 1...4096

extension Opcode {
  /// The table entry of this operation.
  public var spec: OpSpec {
    switch self {
    case .input, .output, .constant, .conv, .gemm, .batchNorm: return frameSpec
    case .loop, .state, .step, .next, .stack: return loopSpec
    case .window, .mvm, .arrange, .layer, .block: return crossbarSpec
    case .buffer, .crossbar, .load, .drive, .convert, .accumulate, .store, .repeat: return programSpec
    default: return digitalSpec
    }
  }

  private var frameSpec: OpSpec {
    switch self {
    case .input:
      return OpSpec(
        everyLevel, operands: 0...0, [AttributeSpec("name", .string)], "a graph input; one sample at a time")
    case .output:
      return OpSpec(
        everyLevel, operands: 1...1, results: 0, [AttributeSpec("name", .string)], "a graph output")
    case .constant:
      return OpSpec(
        [.tensor, .crossbar], operands: 0...0, [AttributeSpec("value", .tensor)],
        "numbers known at compile time")
    case .conv:
      return OpSpec(
        [.tensor], operands: 2...3,
        [
          AttributeSpec("strides", .ints), AttributeSpec("pads", .ints), AttributeSpec("dilations", .ints),
          AttributeSpec("groups", positive),
        ], "convolution of an image with weights, plus a bias")
    case .gemm:
      return OpSpec(
        [.tensor], operands: 2...3, [AttributeSpec("part", .string, required: false)],
        "product of a matrix with weights, plus a bias")
    default:
      return OpSpec(
        [.tensor], operands: 5...5, [AttributeSpec("epsilon", .float)],
        "per channel (x - mean) / sqrt(variance + epsilon) * scale + bias")
    }
  }

  private var crossbarSpec: OpSpec {
    switch self {
    case .window:
      return OpSpec(
        [.crossbar], operands: 1...1, [AttributeSpec("window", .window), AttributeSpec("padding", anyInt)],
        "the windows of an image as the rows of a matrix (im2col)")
    case .mvm:
      return OpSpec(
        [.crossbar], operands: 1...1, [AttributeSpec("layer", .symbol)],
        "every row of a matrix through a layer of crossbars")
    case .arrange:
      return OpSpec(
        [.crossbar], operands: many, [], "joins the columns of matrices and makes them the channels of images"
      )
    case .layer:
      return OpSpec(
        [.crossbar, .program], operands: 0...0, results: 0,
        [
          AttributeSpec("rows", positive), AttributeSpec("columns", positive),
          AttributeSpec("inputs", .element),
          AttributeSpec("weight-bits", .int(2...16), required: false),
          AttributeSpec("weights", .tensor, required: false),
          AttributeSpec("encoding", .word(["differential", "twos-complement", "offset"]), required: false),
          AttributeSpec("cell-bits", .int(1...8), required: false),
          AttributeSpec("offset", .int(0...1 << 32), required: false),
          AttributeSpec("bitlines", .columns, required: false),
          AttributeSpec("dac", .int(1...8), required: false),
          AttributeSpec("adc", .int(1...16), required: false),
          AttributeSpec("full-scale", .int(1...1 << 48), required: false),
          AttributeSpec("compose", .int(1...16), required: false),
          AttributeSpec("vectors", .word(["true", "false"]), required: false),
          AttributeSpec("fetch", .word(FetchOrder.allCases.map(\.rawValue)), required: false),
          AttributeSpec("stage", count, required: false),
          AttributeSpec("segment", count, required: false),
        ], symbol: true, body: [.block], "an integer matrix that blocks of cells realise")
    default:
      return OpSpec(
        [.crossbar, .program], operands: 0...0, results: 0,
        [
          AttributeSpec("crossbar", count, required: false), AttributeSpec("at", .ints, required: false),
          AttributeSpec("rows", .rows), AttributeSpec("row-index", .index, required: false),
          AttributeSpec("columns", .columns), AttributeSpec("column-index", .index, required: false),
          AttributeSpec("units", .units, required: false), AttributeSpec("cells", .tensor, required: false),
        ], "a rectangle of cells inside one crossbar")
    }
  }

  private var loopSpec: OpSpec {
    let parts = [
      AttributeSpec("axis", count), AttributeSpec("parts", positive),
      AttributeSpec("reverse", .word(["true", "false"])),
    ]
    switch self {
    case .loop:
      return OpSpec(
        [.tensor, .crossbar], operands: 0...0, results: 0, [AttributeSpec("count", .int(1...1 << 20))],
        body: Set(Opcode.allCases).subtracting([
          .input, .output, .constant, .batchNorm, .buffer, .crossbar, .layer, .block, .load, .drive, .convert,
          .accumulate, .store, .repeat, .loop,
        ]),
        "runs its body a number of times, with states that go from round to round")
    case .state:
      return OpSpec(
        [.tensor, .crossbar], operands: 1...1, [],
        "a state of the loop: its operand in the first round, then what the round before gave it")
    case .step:
      return OpSpec(
        everyLevel, operands: 1...1, parts,
        "the part of this round, of equal parts along an axis; the last one first where reversed")
    case .next:
      return OpSpec(
        [.tensor, .crossbar], operands: 2...2, [],
        "gives a state its value for the next round; its result is the state behind the last round")
    default:
      return OpSpec(
        everyLevel, operands: 1...1, parts,
        "the parts of all rounds joined along an axis, behind the loop; the last round first where reversed")
    }
  }

  private var programSpec: OpSpec {
    switch self {
    case .buffer:
      return OpSpec(
        [.program], operands: 0...0, [AttributeSpec("value", .tensor, required: false)],
        "declares an array that instructions work on, zeros at first unless it has a value")
    case .crossbar:
      return OpSpec(
        [.program], operands: 0...0, results: 0,
        [AttributeSpec("id", count), AttributeSpec("cells", .tensor)],
        "a programmed crossbar")
    case .load:
      return OpSpec(
        [.program], operands: 1...1, [AttributeSpec("window", .window), AttributeSpec("padding", anyInt)],
        "copies the window of this round into a register")
    case .drive:
      return OpSpec(
        [.program], operands: 1...1, results: 0, [AttributeSpec("layer", .symbol)],
        "presents a register to the wordline drivers of a layer")
    case .convert:
      return OpSpec(
        [.program], operands: 0...0, results: 0, [AttributeSpec("layer", .symbol)],
        "reads every operation unit of a layer for every input digit")
    case .accumulate:
      return OpSpec(
        [.program], operands: 0...0, [AttributeSpec("layer", .symbol)],
        "adds the bitlines of a layer into a register of outputs")
    case .store:
      return OpSpec(
        [.program], operands: 1...1,
        [
          AttributeSpec("channels", positive), AttributeSpec("spots", positive),
          AttributeSpec("start", count),
        ],
        "copies a register into its place in a buffer")
    default:
      return OpSpec(
        [.program], operands: 0...0, results: 0, [AttributeSpec("count", positive)],
        body: Set(Opcode.allCases).subtracting([
          .input, .output, .constant, .buffer, .crossbar, .layer, .block, .loop, .state, .next,
        ]),
        "runs its body a number of times")
    }
  }

  private var digitalSpec: OpSpec {
    guard let entry = digital else { preconditionFailure("\(rawValue) is no digital operation") }
    return OpSpec(entry)
  }
}

extension OpSpec {
  /// The table entry of a digital operator.
  init(_ entry: OperatorEntry) {
    let operands: ClosedRange<Int>
    switch entry.arguments {
    case .one: operands = 1...1
    case .two: operands = 2...2
    case .oneOrMore: operands = many
    }
    self.init(
      everyLevel, operands: operands,
      entry.parameters.map { AttributeSpec($0.name, AttributeKind($0.kind)) }, entry.summary)
  }
}

extension AttributeKind {
  /// The kind of attribute for a parameter of a digital operator.
  init(_ kind: OperatorParameter.Kind) {
    switch kind {
    case .float: self = .float
    case .integer: self = anyInt
    case .axis: self = count
    case .flag: self = .word(["true", "false"])
    case .window: self = .window
    case .axes, .lengths, .moreLengths: self = .ints
    case .constants: self = .tensor
    }
  }
}
