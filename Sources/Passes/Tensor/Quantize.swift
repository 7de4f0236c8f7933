import Hardware
import IR
import Support
import Tensors

/// Every convolution and every product with constant weights works on integers.
///
/// Weights become integers, symmetric around 0: all of `weights` bits, or those of few significant bits (scheme
/// `sme`: SME, ICCD 2021). Their inputs become `inputs`-bit integers by the ranges that `calibrate` found. Products
/// are exact sums; a fixed-point factor takes them to the next input. ReLU, clip, max-pools and operations that
/// move, choose, add or join elements between two products stay in integers; all other operators work on floats as
/// before. Where the file gives levels of weights, of inputs or of both, these are taken as they are. Spec: ir-spec.md, `quantize`.
struct Quantize: Pass {
  typealias L = TensorLevel
  static let name = "quantize"
  static let summary = "every convolution and product with constant weights works on integers"
  static let requires: Set<Fact> = [.shaped, .calibrated]
  static let establishes: Set<Fact> = [.quantized]
  static let guarantee = Guarantee.bounded(
    "a weight moves by at most half a step, or with scheme sme by one part in 2^min(window, bits) of itself where"
      + " that is more; with fit squares weights beyond the largest level are clamped to it; an input inside its"
      + " calibrated range moves by half a step and one part in 2^30; inputs outside are clamped to it; levels that the"
      + " file gives stay")

  private static let weightsOption = PassOption.int(
    "weights", 2...16, default: 8, "for linear: bits of a weight, sign included")
  private static let inputsOption = PassOption.int("inputs", 1...16, default: 8, "bits of an input")
  private static let scaleOption = PassOption.choice(
    "scale", default: WeightScale.group,
    "one weight scale for a layer, for each group of a convolution, whose groups are matrices of their own, or for each of"
      + " its outputs")
  private static let schemeOption = PassOption.choice(
    "scheme", default: WeightScheme.linear,
    "weights are any integers, or those whose set bits lie in a window")
  private static let windowOption = PassOption.int(
    "window", 1...15, default: 3, "for sme: significant bits of a weight")
  private static let bitsOption = PassOption.int(
    "bits", 1...15, default: 8, "for sme: bits of a weight's magnitude, all behind the point")
  private static let fitOption = PassOption.choice(
    "fit", default: WeightCoding.Fit.max,
    "the largest weight sets a scale, or the least squared error of the scales tried")
  private static let signedOption = PassOption.choice(
    "signed", default: SignedInputs.passes,
    "inputs that can be negative: a pass for each sign, or unsigned with a zero point")
  static let options = [
    weightsOption.spec, inputsOption.spec, scaleOption.spec, schemeOption.spec, windowOption.spec,
    bitsOption.spec, fitOption.spec, signedOption.spec,
  ]

  private enum WeightScheme: String, OptionWord { case linear, sme }

  private enum SignedInputs: String, OptionWord {
    case passes
    case zeroPoint = "zero-point"
  }

  /// How weights become integers.
  private(set) var weights: WeightCoding
  /// Bits of an input.
  let inputBits: Int
  /// Which weights have one scale.
  let weightScale: WeightScale
  /// Whether inputs that can be negative get a zero point.
  let usesZeroPoint: Bool

  /// The weights that share a scale.
  enum WeightScale: String, OptionWord {
    case tensor, group, output
  }

  init(_ options: PassOptions) {
    weights = WeightCoding(
      levels: options[Self.schemeOption] == .sme
        ? .significantBits(window: options[Self.windowOption], bits: options[Self.bitsOption])
        : .linear(bits: options[Self.weightsOption]),
      fit: options[Self.fitOption])
    inputBits = options[Self.inputsOption]
    weightScale = options[Self.scaleOption]
    usesZeroPoint = options[Self.signedOption] == .zeroPoint
  }

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    guard !module.facts.contains(.quantized) else {
      throw Diagnostic("quantize.twice", "the module is quantized already", notes: ["run quantize once"])
    }
    var pass = self
    pass.weights.threads = context.threads
    var quantizer = Quantizer(module, pass)
    try quantizer.run()
    module = quantizer.builder.module
    dropUnusedConstants(&module)
    module = module.compacted()
    context.weightErrors += quantizer.weightErrors
    context.count("layers-quantized", quantizer.weightErrors.count)
    if quantizer.givenLayers > 0 { context.count("layers-with-given-weights", quantizer.givenLayers) }
  }

  /// The integer type for values in `range`, or nil where there are too few bits for a sign.
  func inputType(for range: [Float]) -> Grid? {
    let low = Double(min(range[0], 0))
    let high = Double(max(range[1], 0))
    let top = Int64(1) << Int64(inputBits) - 1
    if low == 0 || usesZeroPoint {
      let scale = usableScale((high - low) / Double(top))
      let zero = Int64(min((-low / Double(scale)).rounded(), Double(top)))
      return Grid(
        type: .integer(bits: inputBits, signed: false), quantization: Quantization(scale: scale, zero: zero),
        low: 0, high: top)
    }
    guard inputBits >= 2 else { return nil }
    let limit = Int64(1) << Int64(inputBits - 1) - 1
    let scale = usableScale(max(-low, high) / Double(limit))
    return Grid(
      type: .integer(bits: inputBits, signed: true), quantization: Quantization(scale: scale, zero: 0),
      low: -limit, high: limit)
  }

  /// The levels that the file gives, under other numbers where crossbars ask for it: `offset` is added to each.
  ///
  /// Signed levels whose zero point is not 0 become unsigned. Where it is 0 they stay signed, with a bit more for the
  /// lowest one, unless a zero point is asked for or none of them is negative.
  func grid(given grid: Grid) -> GivenGrid {
    guard case .integer(let bits, signed: true) = grid.type else { return GivenGrid(grid: grid, offset: 0) }
    var result = grid
    let isSymmetric = grid.quantization.zero == 0
    if isSymmetric && grid.low >= 0 && bits > 1 {
      result.type = .integer(bits: bits - 1, signed: false)
      return GivenGrid(grid: result, offset: 0)
    }
    if isSymmetric && !usesZeroPoint {
      result.type = .integer(bits: grid.low > grid.type.lowest ? bits : bits + 1, signed: true)
      return GivenGrid(grid: result, offset: 0)
    }
    let offset = -grid.type.lowest
    result.type = .integer(bits: bits, signed: false)
    result.quantization.zero += offset
    result.low += offset
    result.high += offset
    return GivenGrid(grid: result, offset: offset)
  }
}

/// The fixed-point form of a positive real factor: `multiplier / 2^shift` with a multiplier of 31 bits.
///
/// The relative error is at most 2^-31 for factors in 2^-32 ..< 2^29; smaller factors lose precision gradually.
/// Returns nil for factors of 2^30 and more.
func fixedPoint(_ factor: Double) -> (multiplier: Int64, shift: Int64)? {
  guard factor > 0, factor < 0x1p30 else { return factor == 0 ? (0, 1) : nil }
  var shift = min(62, 30 - Int64(factor.exponent))
  var multiplier = Int64((factor * Double(sign: .plus, exponent: Int(shift), significand: 1)).rounded())
  if multiplier == 1 << 31 {
    multiplier >>= 1
    shift -= 1
  }
  return shift >= 1 ? (multiplier, shift) : nil
}
