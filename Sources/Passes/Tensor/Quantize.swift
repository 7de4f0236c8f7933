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
/// before. Where the file gives levels of weights, of inputs or of both, these are taken as they are. Spec: ir-spec.md,
/// `quantize`.
struct Quantize: Pass {
  typealias L = TensorLevel
  static let name = "quantize"
  static let summary = "every convolution and product with constant weights works on integers"
  static let requires: Set<Fact> = [.shaped, .calibrated]
  static let establishes: Set<Fact> = [.quantized]
  static let guarantee = Guarantee.bounded(
    "a weight moves by at most half a step, or with scheme sme by one part in 2^min(window, bits) of itself where"
      + " that is more; with fit mse weights beyond the largest level are clamped to it; an input inside its"
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
    "weights are any integers, or only those whose set bits lie in a window")
  private static let windowOption = PassOption.int(
    "window", 1...15, default: 3, "for sme: significant bits of a weight")
  private static let bitsOption = PassOption.int(
    "bits", 1...15, default: 8, "for sme: bits of a weight's magnitude, all after the binary point")
  private static let fitOption = PassOption.choice(
    "fit", default: WeightQuantization.Fit.max,
    "the largest weight sets the scale, or the scale with the least mean squared error is chosen")
  private static let signedOption = PassOption.choice(
    "signed", default: SignedInputs.twoPass,
    "inputs that can be negative: one pass for each sign, or unsigned with a zero point")
  static let options = [
    weightsOption.spec, inputsOption.spec, scaleOption.spec, schemeOption.spec, windowOption.spec,
    bitsOption.spec, fitOption.spec, signedOption.spec,
  ]

  private enum WeightScheme: String, OptionWord { case linear, sme }

  private enum SignedInputs: String, OptionWord {
    case twoPass = "two-pass"
    case zeroPoint = "zero-point"

    static let formerWords: [String: SignedInputs] = ["passes": .twoPass]
  }

  /// How weights become integers.
  let weights: WeightQuantization
  /// How inputs become integers.
  let inputs: InputQuantization
  /// Which weights have one scale.
  let weightScale: WeightScale

  /// The weights that share a scale.
  enum WeightScale: String, OptionWord {
    case tensor, group, output
  }

  init(_ options: PassOptions) {
    weights = WeightQuantization(
      levels: options[Self.schemeOption] == .sme
        ? .significantBits(window: options[Self.windowOption], bits: options[Self.bitsOption])
        : .linear(bits: options[Self.weightsOption]),
      fit: options[Self.fitOption])
    inputs = InputQuantization(
      bits: options[Self.inputsOption], usesZeroPoint: options[Self.signedOption] == .zeroPoint)
    weightScale = options[Self.scaleOption]
  }

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    guard !module.facts.contains(.quantized) else {
      throw Diagnostic("quantize.twice", "the module is quantized already", notes: ["run quantize once"])
    }
    var weights = weights
    weights.threads = context.threads
    var quantizer = Quantizer(module, inputs, LayerQuantization(weights: weights, scale: weightScale))
    try quantizer.run()
    module = quantizer.module
    dropUnusedConstants(&module)
    module = module.compacted()
    let layers = quantizer.layers
    context.weightErrors += layers.map { (layer: $0.name, error: $0.error) }
    context.count("layers-quantized", layers.count)
    let prequantized = layers.count(where: \.isPrequantized)
    if prequantized > 0 { context.count("prequantized-layers", prequantized) }
  }
}
