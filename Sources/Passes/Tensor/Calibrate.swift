import IR
import Evaluator
import Support
import Tensors

/// Every computed float value carries the range that it took on the calibration samples.
///
/// Without samples, seeded random inputs in 0 ..< 1 are used, and a warning says so; where the file gives the levels of
/// every product's input, no range is needed, and without samples none is there.
/// Spec: ir-spec.md, `calibrate`.
struct Calibrate: Pass {
  typealias L = TensorLevel
  static let name = "calibrate"
  static let summary =
    "every computed float value has the range that the calibration samples gave it"
  static let requires: Set<Fact> = [.shaped]
  static let establishes: Set<Fact> = [.calibrated]
  static let guarantee = Guarantee.exact("only attributes are added")

  private static let samplesOption = PassOption.int(
    "samples", 1...1 << 20, default: 64, "the largest number of samples used")
  private static let seedOption = PassOption.int(
    "seed", 0...Int.max, default: 1, "seed of the random inputs where no samples are given")
  static let options = [samplesOption.spec, seedOption.spec]

  private let samples: Int
  private let seed: Int

  init(_ options: PassOptions) {
    samples = options[Self.samplesOption]
    seed = options[Self.seedOption]
  }

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    if context.calibration.isEmpty, module.hasPrequantizedInputs {
      return context.count("calibration-samples", 0)
    }
    let constants = module.constantValues
    let inputs = calibrationInputs(module, &context)
    let interpreter = try Interpreter(module)
    let count = module.values.count
    let ranges = try parallelMap(inputs.count, threads: context.threads) { index throws(Diagnostic) in
      var ranges = [Range?](repeating: nil, count: count)
      _ = try interpreter.evaluate(inputs[index]) { id, tensor in
        // A value in a scan is seen once in each iteration.
        guard case .f32(let values) = tensor.data else { return }
        let range = Range(values)
        ranges[id.index] = ranges[id.index].map { $0.joined(range) } ?? range
      }
      return ranges
    }
    // Only what becomes integers must be finite: masks of attention are infinite, and choices leave out what is no number.
    let products = Set(
      module.flatBody.map { module.ops[$0] }.filter { $0.opcode == .conv || $0.opcode == .gemm }
        .compactMap(\.operands.first))
    for id in module.flatBody {
      guard let result = module.ops[id].results.first, !constants.contains(result),
        module.values[result].type.element.isFloat
      else { continue }
      let merged = ranges.compactMap { $0[result.index] }.reduce(Range(low: 0, high: 0)) { $0.joined($1) }
      guard merged.isFinite || !products.contains(result) else {
        throw Diagnostic(
          "calibrate.infinite", "%\(module.values[result].name) takes values that are not finite",
          at: module.ops[id].location, notes: ["check the model and the calibration samples"])
      }
      let most = Float.greatestFiniteMagnitude
      module.ops[id][.range] = [max(merged.low, -most), min(merged.high, most)]
    }
    context.count("calibration-samples", inputs.count)
  }

  /// A range that always holds 0.
  private struct Range: Sendable {
    var low: Float
    var high: Float
    /// Whether no value was NaN.
    var isNumber = true

    var isFinite: Bool { isNumber && low.isFinite && high.isFinite }

    init(low: Float, high: Float) {
      self.low = low
      self.high = high
    }

    init(_ values: [Float]) {
      var (low, high): (Float, Float) = (0, 0)
      var isNumber = true
      for value in values {
        if value < low { low = value }
        if value > high { high = value }
        if value.isNaN { isNumber = false }
      }
      self.init(low: low, high: high)
      self.isNumber = isNumber
    }

    func joined(_ other: Range) -> Range {
      var result = Range(low: min(low, other.low), high: max(high, other.high))
      result.isNumber = isNumber && other.isNumber
      return result
    }
  }

  private func calibrationInputs(_ module: Module<TensorLevel>, _ context: inout PassContext) -> [[Tensor]] {
    if !context.calibration.isEmpty { return Array(context.calibration.prefix(samples)) }
    context.warnings.append(
      Diagnostic(
        "calibrate.no-samples", "no calibration samples: ranges come from 16 random inputs in 0 ..< 1",
        severity: .warning, notes: ["pass --calibration X.npy with inputs of the kind the network will see"]))
    var generator = SeededGenerator(seed: UInt64(seed))
    return (0..<16).map { _ in
      module.bodyOps.filter { $0.opcode == .input }.map { op in
        let shape = module.values[op.results[0]].type.shape ?? []
        return Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(generator.unit()) })
      }
    }
  }
}
