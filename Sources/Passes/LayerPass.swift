public import Hardware
import IR
public import Mapping
public import Support
public import Tensors

/// What a pass sees of the surroundings of one layer.
public struct LayerSetting: Sendable {
  /// The machine; nil where the module names none.
  public let machine: Machine?
  /// Threads that a pass may use; results never depend on it.
  public let threads: Int
  /// Where a message about the layer points.
  public var location = Location.none
  /// The crossbars that the layers before take.
  public private(set) var crossbars = 0

  /// The surroundings of the first layer of a module.
  public init(machine: Machine?, threads: Int) {
    self.machine = machine
    self.threads = threads
  }

  /// Notes the crossbars of a layer that is done.
  public mutating func pass(_ layer: Layer) {
    for block in layer.blocks { crossbars = max(crossbars, (block.placement?.crossbar ?? -1) + 1) }
  }

  /// The machine, or the error that there is none.
  func requiredMachine() throws(Diagnostic) -> Machine {
    guard let machine else { throw noMachine }
    return machine
  }
}

/// A count that a pass reports, such as `blocks`.
public typealias PassCount = (name: String, value: Int)

/// What a pass tells of a layer before it changes it, for the report.
public enum LayerObservation: Sendable {
  /// How full the bit planes are that are about to be squeezed, and the weights.
  case planes(PlaneStatistics?, weights: Tensor?)
  /// What the index tables would need that are about to be encoded.
  case indexStorage([IndexStorage])
}

/// A pass that makes something of every layer by itself, so that a network can go through all such passes layer by
/// layer: the first phase of a compilation.
protocol LayerPass: Pass where L == CrossbarLevel {
  /// Whether the pass leaves maps and cells of blocks alone, so that keeping the old ones takes no memory; false unless
  /// stated. It is not trusted: they are compared.
  static var keepsCells: Bool { get }
  /// Whether what becomes of a layer depends on the layer and its setting alone. Where it is not so, `run(on:in:)` of a
  /// module does the work.
  func isLocal(_ context: PassContext) -> Bool
  /// What is to be told of a layer before the pass runs on it.
  func observation(of layer: Layer, on machine: Machine) -> LayerObservation?
  /// Changes `layer` and returns the counts to add up over all layers.
  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount]
}

extension LayerPass {
  static var keepsCells: Bool { false }

  func isLocal(_ context: PassContext) -> Bool { true }

  func observation(of layer: Layer, on machine: Machine) -> LayerObservation? { nil }

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    var setting = LayerSetting(machine: module.machine, threads: context.threads)
    var layers: [(OpID, Layer)] = []
    var counts: [PassCount] = []
    for (id, layer) in module.layers {
      var result = layer
      setting.location = module.ops[id].location
      counts.add(try run(on: &result, in: setting))
      setting.pass(result)
      layers.append((id, result))
    }
    module.replaceLayers(layers)
    for count in counts { context.count(count.name, count.value) }
  }
}

extension [PassCount] {
  /// Adds the counts of another layer.
  mutating func add(_ more: [PassCount]) {
    for count in more {
      if let at = firstIndex(where: { $0.name == count.name }) {
        self[at].value += count.value
      } else {
        append(count)
      }
    }
  }
}
