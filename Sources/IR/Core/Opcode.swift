import Mapping

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
        [.crossbar, .program], operands: 0...0, results: 0, AttributeSpec.of(Layer.fields), symbol: true, body: [.block], "an integer matrix that blocks of cells realise")
    default:
      return OpSpec(
        [.crossbar, .program], operands: 0...0, results: 0,
        AttributeSpec.of(Block.fields), "a rectangle of cells inside one crossbar")
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
    func unary(_ attributes: [AttributeSpec], _ summary: String) -> OpSpec {
      OpSpec(everyLevel, operands: 1...1, attributes, summary)
    }
    func binary(_ summary: String) -> OpSpec { OpSpec(everyLevel, operands: 2...2, [], summary) }
    let alpha = [AttributeSpec("alpha", .float)]
    switch self {
    case .relu: return unary([], "max(x, 0)")
    case .leakyRelu: return unary(alpha, "x where x >= 0, alpha * x elsewhere")
    case .clip:
      return unary([AttributeSpec("low", .float), AttributeSpec("high", .float)], "min(max(x, low), high)")
    case .sigmoid: return unary([], "1 / (1 + exp(-x))")
    case .tanh: return unary([], "hyperbolic tangent")
    case .hardSigmoid:
      return unary(alpha + [AttributeSpec("beta", .float)], "max(0, min(1, alpha * x + beta))")
    case .hardSwish: return unary([], "x * max(0, min(1, x / 6 + 1/2))")
    case .elu: return unary(alpha, "x where x >= 0, alpha * (exp(x) - 1) elsewhere")
    case .softplus: return unary([], "log(1 + exp(x))")
    case .exp: return unary([], "exponential")
    case .log: return unary([], "natural logarithm")
    case .sqrt: return unary([], "square root")
    case .abs: return unary([], "magnitude")
    case .negate: return unary([], "-x")
    case .erf: return unary([], "error function")
    case .floor: return unary([], "the largest whole number that is not larger")
    case .round: return unary([], "the nearest whole number, of two the even one")
    case .sign: return unary([], "-1, 0 or 1")
    case .add: return binary("sum, with broadcasting")
    case .subtract: return binary("difference, with broadcasting")
    case .multiply: return binary("product, with broadcasting")
    case .divide: return binary("quotient, with broadcasting")
    case .maximum: return binary("larger one, with broadcasting")
    case .minimum: return binary("smaller one, with broadcasting")
    case .greater: return binary("1 where the first is larger, else 0; with broadcasting")
    case .equal: return binary("1 where both are equal, else 0; with broadcasting")
    case .power: return binary("the first to the power of the second, with broadcasting")
    case .softmax: return unary([AttributeSpec("axis", count)], "exponentials that sum to 1 along an axis")
    case .matmul: return binary("product of two computed matrices")
    default: return structuralSpec
    }
  }

  private var structuralSpec: OpSpec {
    func one(_ attributes: [AttributeSpec], _ summary: String) -> OpSpec {
      OpSpec(everyLevel, operands: 1...1, attributes, summary)
    }
    let scale = [AttributeSpec("scale", .float), AttributeSpec("zero", anyInt)]
    let clamp = [AttributeSpec("low", anyInt), AttributeSpec("high", anyInt)]
    switch self {
    case .maxPool: return one([AttributeSpec("window", .window)], "maximum over windows of each channel")
    case .averagePool:
      return one(
        [AttributeSpec("window", .window), AttributeSpec("count-padding", .word(["true", "false"]))],
        "mean over windows of each channel")
    case .mean: return one([AttributeSpec("axes", .ints)], "mean over axes, which stay with length 1")
    case .argMax:
      return one(
        [AttributeSpec("axis", count), AttributeSpec("last", .word(["true", "false"]))],
        "the place of the largest float on an axis, which stays with length 1")
    case .reshape: return one([AttributeSpec("shape", .ints)], "the same elements under another shape")
    case .transpose: return one([AttributeSpec("order", .ints)], "result axis k is argument axis order[k]")
    case .concat:
      return OpSpec(everyLevel, operands: many, [AttributeSpec("axis", count)], "joins tensors along an axis")
    case .pad:
      return one(
        [AttributeSpec("before", .ints), AttributeSpec("after", .ints), AttributeSpec("value", .float)],
        "adds elements at the ends of the axes")
    case .slice:
      return one(
        [AttributeSpec("start", .ints), AttributeSpec("end", .ints)],
        "the elements from start on and before end on every axis")
    case .take:
      return one(
        [AttributeSpec("indices", .tensor), AttributeSpec("axis", count)],
        "element j on an axis is the argument's element indices[j]")
    case .quantize: return one(scale + clamp, "clamp(round(x / scale) + zero, low, high)")
    case .dequantize: return one(scale, "(q - zero) * scale")
    case .requantize:
      return one(
        [
          AttributeSpec("multipliers", .tensor), AttributeSpec("shifts", .tensor),
          AttributeSpec("zero", anyInt),
        ]
          + clamp + [AttributeSpec("axis", count)], "accumulators to quantized values by a fixed-point factor"
      )
    case .addBias:
      return one(
        [AttributeSpec("values", .tensor), AttributeSpec("axis", count)], "adds a constant per channel")
    default:
      return one([AttributeSpec("table", .tensor), AttributeSpec("first", anyInt)], "table[q - first]")
    }
  }
}
