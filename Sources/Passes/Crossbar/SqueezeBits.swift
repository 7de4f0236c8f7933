import Hardware
import IR
import Evaluator
import Mapping
import Support
import Tensors

/// The highest bit planes of every layer are free: the codes of a wordline move down until they are zero there, its
/// lowest bits drop out, and its input is shifted up by as much (SME, ICCD 2021; reference: section 3.4).
///
/// A weight loses less than `2^k` for a wordline shifted by k. The layer's matrix becomes the squeezed one, so that the
/// decode invariant holds. With `auto` each layer frees as many planes as keep the error of its weights, and of the
/// network's outputs on the calibration samples, within `loss`. Spec: ir-spec.md, `squeeze-bits`.
struct SqueezeBits: LayerPass {
  typealias L = CrossbarLevel
  static let name = "squeeze-bits"
  static let summary = "the highest bit planes of every layer are freed by shifting wordlines"
  static let requires: Set<Fact> = [.shaped, .sliced]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.bounded(
    "a weight of a wordline that is shifted by k loses its k lowest bits, less than 2^k; none where no plane is freed or"
      + " the lost bits are 0")

  private static let planesOption = PassOption.number(
    "planes", 0...15, orDefault: Auto.auto, "planes to free; auto frees as many as loss allows")
  private static let lossOption = PassOption.float(
    "loss", default: 0.05,
    "for auto: the relative error, root mean square, of a layer's weights and of the calibration outputs")
  private static let scopeOption = PassOption.choice(
    "scope", default: Scope.crossbar,
    "whether a wordline is shifted for the whole matrix, or in each crossbar's share of it")
  static let options = [planesOption.spec, lossOption.spec, scopeOption.spec]

  /// Nil chooses by the loss.
  private let freed: Int?
  private let loss: Double
  private let scope: Scope
  /// Calibration samples that outputs are compared on.
  private static let samples = 8

  init(_ options: PassOptions) throws(Diagnostic) {
    freed = options[Self.planesOption].number
    loss = Double(options[Self.lossOption])
    scope = options[Self.scopeOption]
    guard loss >= 0, loss.isFinite else {
      throw Diagnostic("squeeze-bits.loss", "loss is \(loss), expected a number from 0 up")
    }
  }

  /// The choice by outputs needs the whole network.
  func isLocal(_ context: PassContext) -> Bool { freed != nil || context.calibration.isEmpty }

  func observation(of layer: Layer, on machine: Machine) -> LayerObservation? {
    .planes(PlaneStatistics(of: layer, machine: machine), weights: layer.weights)
  }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let tiles = try tiles(of: layer, in: setting)
    let count = freed ?? mostByWeights(tiles)
    try checkCount(count, tiles, at: setting.location)
    squeeze(&layer, tiles, count)
    return [("planes-freed", count)]
  }

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    var setting = LayerSetting(machine: module.machine, threads: context.threads)
    var planes: [(id: OpID, tiles: [BitPlanes])] = []
    for (id, layer) in module.layers {
      setting.location = module.ops[id].location
      planes.append((id, try tiles(of: layer, in: setting)))
    }
    let chosen: [Int]
    if let freed {
      chosen = planes.map { _ in freed }
    } else {
      chosen = try choose(planes, module, context)
    }
    for ((id, tiles), freed) in zip(planes, chosen) {
      try checkCount(freed, tiles, at: module.ops[id].location)
      squeeze(id, tiles, freed, &module)
    }
    context.count("planes-freed", chosen.reduce(0, +))
  }

  private func tiles(of layer: Layer, in setting: LayerSetting) throws(Diagnostic) -> [BitPlanes] {
    try layer.requireOpenLines(SqueezeBits.name, at: setting.location)
    guard let tiles = layer.bitPlanes(scope, try setting.requiredMachine().array) else {
      throw Diagnostic(
        "squeeze-bits.planes", "the blocks of @\(layer.name) are no bit planes", at: setting.location,
        notes: ["run slice-bits(placement: inter) with differential signs before"])
    }
    return tiles
  }

  private func checkCount(_ freed: Int, _ tiles: [BitPlanes], at location: Location) throws(Diagnostic) {
    let count = tiles.first?.blocks.count ?? 0
    guard freed < max(1, count) else {
      throw Diagnostic(
        "squeeze-bits.count", "\(freed) planes cannot be freed, the layer has \(count)", at: location)
    }
  }

  private func squeeze(
    _ id: OpID, _ tiles: [BitPlanes], _ freed: Int, _ module: inout Module<CrossbarLevel>
  ) {
    guard var layer = module.layer(id) else { return }
    squeeze(&layer, tiles, freed)
    module.replaceLayers([(id, layer)])
  }

  private func squeeze(_ layer: inout Layer, _ tiles: [BitPlanes], _ freed: Int) {
    guard let weights = layer.weights else { return }
    var matrix = weights.integers
    layer.blocks = tiles.flatMap { tile in
      let shifts = tile.shifts(freeing: freed)
      tile.subtract(tile.losses(shifts), from: &matrix, columns: layer.columns)
      return tile.squeezed(shifts, freeing: freed)
    }
    layer.weights = Tensor(
      weights.shape, matrix, as: .integer(bits: layer.weightBits, signed: true))
  }

  // MARK: The choice

  /// For each layer, the most planes that keep within the loss, the layers before it already squeezed.
  private func choose(
    _ planes: [(id: OpID, tiles: [BitPlanes])], _ module: Module<CrossbarLevel>, _ context: PassContext
  ) throws(Diagnostic) -> [Int] {
    let samples = Array(context.calibration.prefix(SqueezeBits.samples))
    let exact = try outputs(of: module, samples)
    var squeezed = module
    var chosen: [Int] = []
    for (id, tiles) in planes {
      var (low, high) = (0, mostByWeights(tiles))
      // The error grows with the planes, so halving finds the largest number that stays within the loss.
      while low < high {
        let middle = (low + high + 1) / 2
        var candidate = squeezed
        squeeze(id, tiles, middle, &candidate)
        if outputError(try outputs(of: candidate, samples), exact) <= loss {
          low = middle
        } else {
          high = middle - 1
        }
      }
      squeeze(id, tiles, low, &squeezed)
      chosen.append(low)
    }
    return chosen
  }

  private func mostByWeights(_ tiles: [BitPlanes]) -> Int {
    (0..<(tiles.first?.blocks.count ?? 1)).last { relativeLoss(tiles, freeing: $0) <= loss } ?? 0
  }

  private func outputs(of module: Module<CrossbarLevel>, _ samples: [[Tensor]]) throws(Diagnostic) -> [Float]
  {
    if samples.isEmpty { return [] }
    let interpreter = try Interpreter(module)
    var values: [Float] = []
    for sample in samples { values += try interpreter.evaluate(sample).outputs.flatMap(\.floats) }
    return values
  }

  private func outputError(_ found: [Float], _ exact: [Float]) -> Double {
    let (lost, size) = zip(found, exact).reduce((0.0, 0.0)) { sum, pair in
      let difference = Double(pair.0) - Double(pair.1)
      return (sum.0 + difference * difference, sum.1 + Double(pair.1) * Double(pair.1))
    }
    return relativeError(lost: lost, size: size)
  }
}
