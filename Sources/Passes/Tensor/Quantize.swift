import Hardware
import IR
import Support
import Tensors

/// Every convolution and every product with constant weights works on integers.
///
/// Weights become `weights`-bit integers, symmetric around 0; their inputs become `inputs`-bit integers by the
/// ranges that `calibrate` found. Products are exact sums; a fixed-point factor takes them to the next input.
/// ReLU, clip, max-pools and shape operations between two products stay in integers; all other operators work on
/// floats as before. Spec: ir-spec.md, `quantize`.
struct Quantize: Pass {
  typealias L = TensorLevel
  static let name = "quantize"
  static let summary = "every convolution and product with constant weights works on integers"
  static let requires: Set<Fact> = [.shaped, .calibrated]
  static let establishes: Set<Fact> = [.quantized]
  static let guarantee = Guarantee.bounded(
    "a weight moves by at most half a step; an input inside its calibrated range by half a step and one part in"
      + " 2^30; inputs outside are clamped to it")
  static let options = [
    PassOption("weights", .int(2...16), default: .int(8), "bits of a weight, sign included"),
    PassOption("inputs", .int(1...16), default: .int(8), "bits of an input"),
    PassOption(
      "scale", .word(["tensor", "output"]), default: .word("tensor"),
      "one weight scale for a layer, or one for each of its outputs"),
    PassOption(
      "signed", .word(["passes", "zero-point"]), default: .word("passes"),
      "inputs that can be negative: a pass for each sign, or unsigned with a zero point"),
  ]

  /// Bits of a weight, sign included.
  let weightBits: Int
  /// Bits of an input.
  let inputBits: Int
  /// Whether each output has a weight scale of its own.
  let scalePerOutput: Bool
  /// Whether inputs that can be negative get a zero point.
  let usesZeroPoint: Bool

  init(_ options: PassOptions) {
    weightBits = options.int("weights")
    inputBits = options.int("inputs")
    scalePerOutput = options.word("scale") == "output"
    usesZeroPoint = options.word("signed") == "zero-point"
  }

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    guard !module.facts.contains(.quantized) else {
      throw Diagnostic("quantize.twice", "the module is quantized already", notes: ["run quantize once"])
    }
    var quantizer = Quantizer(module, self)
    try quantizer.run()
    module = quantizer.builder.module
    dropUnusedConstants(&module)
    module = module.compacted()
    context.count("layers-quantized", quantizer.layerCount)
  }

  /// The integer type for values in `range`, or nil where there are too few bits for a sign.
  func inputType(for range: [Float]) -> (
    type: ElementType, quantization: Quantization, low: Int64, high: Int64
  )? {
    let low = Double(min(range[0], 0))
    let high = Double(max(range[1], 0))
    let top = Int64(1) << Int64(inputBits) - 1
    if low == 0 || usesZeroPoint {
      let scale = step((high - low) / Double(top))
      let zero = Int64(min((-low / Double(scale)).rounded(), Double(top)))
      return (.integer(bits: inputBits, signed: false), Quantization(scale: scale, zero: zero), 0, top)
    }
    guard inputBits >= 2 else { return nil }
    let limit = Int64(1) << Int64(inputBits - 1) - 1
    let scale = step(max(-low, high) / Double(limit))
    return (.integer(bits: inputBits, signed: true), Quantization(scale: scale, zero: 0), -limit, limit)
  }

  /// A step as a scale: positive, finite and far from where binary32 loses digits; 1 where all values are 0.
  private func step(_ size: Double) -> Float {
    size > 0 ? Float(min(max(size, 1e-30), Double(Float.greatestFiniteMagnitude))) : 1
  }

  /// Weights as integers with their scales: one, or one for each output. `output(k)` is the output of weight `k`.
  func quantizedWeights(_ weights: [Float], outputs: Int, output: (Int) -> Int) -> (
    values: [Int64], scales: [Float]
  ) {
    let limit = Float(Int64(1) << Int64(weightBits - 1) - 1)
    var largest = [Float](repeating: 0, count: scalePerOutput ? outputs : 1)
    for (k, weight) in weights.enumerated() {
      let slot = scalePerOutput ? output(k) : 0
      largest[slot] = max(largest[slot], Swift.abs(weight))
    }
    let scales = largest.map { step(Double($0 / limit)) }
    let values = weights.enumerated().map { k, weight in
      let level = (weight / scales[scalePerOutput ? output(k) : 0]).rounded(.toNearestOrAwayFromZero)
      return Int64(max(-limit, min(limit, level)))
    }
    return (values, scales)
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
