public import Hardware
public import IR
public import Support

/// What a pass sees of the surroundings of one layer.
public struct LayerSetting: Sendable {
  /// The machine; nil where the module names none.
  public var machine: Machine?
  /// Threads that a pass may use; results never depend on it.
  public var threads: Int
  /// When each layer runs, by its symbol; layers that no product uses are left out.
  public let stages: [String: Int]
  /// Where a message about the layer points.
  public var location = Location.none
  /// The crossbars that the layers before take.
  public private(set) var crossbars = 0
  /// The layers that operations use, in the order in which they run.
  let uses: [[String]]
  /// The crossbars of each of the layers before.
  private(set) var places: [String: Set<Int>] = [:]

  /// The surroundings of the first layer of `module`.
  public init(_ module: Module<CrossbarLevel>, threads: Int) {
    machine = module.machine
    self.threads = threads
    stages = module.stages
    uses = module.layerUses
  }

  /// Notes the crossbars of a layer that is done.
  public mutating func pass(_ layer: LayerView) {
    let taken = Set(layer.blocks.lazy.compactMap(\.crossbar))
    crossbars = max(crossbars, (taken.max() ?? -1) + 1)
    places[layer.name] = taken
  }

  /// The machine, or the error that there is none.
  func requiredMachine() throws(Diagnostic) -> Machine {
    guard let machine else { throw noMachine }
    return machine
  }
}

/// A count that a pass reports, such as `blocks`.
public typealias PassCount = (name: String, value: Int)

/// A pass that makes something of every layer by itself, so that a network can go through all such passes layer by layer.
protocol LayerPass: Pass where L == CrossbarLevel {
  /// Whether what becomes of a layer depends on the layer and its setting alone. Where it is not so, `run(on:in:)` of a
  /// module does the work.
  func isLocal(_ context: PassContext) -> Bool
  /// Changes `layer` and returns the counts to add up over all layers.
  func run(on layer: inout LayerView, in setting: LayerSetting) throws(Diagnostic) -> [PassCount]
  /// The segments of layers, by name, which are known after the last layer; none from a pass that leaves them alone.
  func segments(_ setting: LayerSetting) throws(Diagnostic) -> [String: Int]
  /// What is to be said after the last layer.
  func conclude(_ setting: LayerSetting, in context: inout PassContext) throws(Diagnostic)
}

extension LayerPass {
  func isLocal(_ context: PassContext) -> Bool { true }

  func segments(_ setting: LayerSetting) throws(Diagnostic) -> [String: Int] { [:] }

  func conclude(_ setting: LayerSetting, in context: inout PassContext) throws(Diagnostic) {}

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    var setting = LayerSetting(module, threads: context.threads)
    var layers: [(OpID, LayerView)] = []
    var counts: [PassCount] = []
    for (id, layer) in module.layers {
      var result = layer
      setting.location = module.ops[id].location
      counts.add(try run(on: &result, in: setting))
      setting.pass(result)
      layers.append((id, result))
    }
    let segments = try segments(setting)
    for place in layers.indices {
      if let segment = segments[layers[place].1.name] { layers[place].1.segment = segment }
    }
    module.replaceLayers(layers)
    for count in counts { context.count(count.name, count.value) }
    try conclude(setting, in: &context)
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

extension Module<CrossbarLevel> {
  /// When each layer runs: layers run one after the other in the order of their products, and the groups of one convolution
  /// together.
  var stages: [String: Int] {
    var producers: [ValueID: String] = [:]
    var stages: [String: Int] = [:]
    var next = 0
    for op in flatOps {
      if op.opcode == .mvm { producers[op.results[0]] = op[.layer] }
      if op.opcode == .arrange {
        for operand in op.operands {
          if let layer = producers[operand] { stages[layer] = stages[layer] ?? next }
        }
        next += 1
      }
    }
    return stages
  }
}
