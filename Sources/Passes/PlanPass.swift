public import Hardware
public import IR
public import Mapping
public import Support

/// What passes see that look at the whole network: its layers by their summaries, and what uses them.
public struct NetworkSummary: Sendable {
  /// The machine; nil where the module names none.
  public let machine: Machine?
  /// The layers in their order.
  public var layers: [LayerSummary]
  /// The layers that operations use, in the order in which they run (`Module.layerUses`).
  public let uses: [[String]]
  /// The step of the network that each layer is used in: layers are used one after the other in the order of their
  /// products, and the groups of one convolution together. Layers that no product uses are left out.
  public let stages: [String: Int]
  /// Where a message about each layer points.
  public let locations: [String: Location]

  /// Sums up `module`, whose `layers` are summed up apart.
  public init(_ module: Module<CrossbarLevel>, layers: [LayerSummary] = []) {
    machine = module.machine
    self.layers = layers
    uses = module.layerUses
    stages = module.stages
    var locations: [String: Location] = [:]
    for op in module.bodyOps where op.opcode == .layer { locations[op.symbol ?? ""] = op.location }
    self.locations = locations
  }

  /// The crossbars of all layers: one more than the highest number.
  public var crossbars: Int { layers.reduce(0) { max($0, ($1.crossbars.max() ?? -1) + 1) } }
}

/// What is decided of layers once all of them are made, by their names.
public struct NetworkPlan: Equatable, Sendable {
  /// When each layer runs.
  public var stages: [String: Int] = [:]
  /// The segment of each layer; those that are not named lie in segment 0.
  public var segments: [String: Int] = [:]

  /// Decides nothing.
  public init() {}
}

/// A pass that looks at the whole network, but at no cell: the second phase of a compilation, after all layers went to
/// the program.
protocol PlanPass: Pass where L == CrossbarLevel {
  /// Decides something of `network`.
  func plan(_ network: NetworkSummary, into plan: inout NetworkPlan, in context: inout PassContext)
    throws(Diagnostic)
}

extension PlanPass {
  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    let layers = module.layers
    let network = NetworkSummary(module, layers: layers.map { LayerSummary($0.layer) })
    var plan = NetworkPlan()
    try self.plan(network, into: &plan, in: &context)
    module.replaceLayers(
      layers.map { id, layer in
        var planned = layer
        planned.stage = plan.stages[layer.name]
        planned.segment = plan.segments[layer.name] ?? 0
        return (id, planned)
      })
  }
}

extension Module<CrossbarLevel> {
  /// When each layer runs: layers run one after the other in the order of their products, and the groups of one
  /// convolution together.
  var stages: [String: Int] {
    var producers: [ValueID: String] = [:]
    var stages: [String: Int] = [:]
    var next = 0
    for op in flatOps {
      if op.opcode == .mvm { producers[op.results[0]] = op[.layer] }
      if op.opcode == .col2im {
        for operand in op.operands {
          if let layer = producers[operand] { stages[layer] = stages[layer] ?? next }
        }
        next += 1
      }
    }
    return stages
  }
}
