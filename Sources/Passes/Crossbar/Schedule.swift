import Hardware
import IR
import Support

/// Every layer has a stage: layers run one after the other in the order of their products, and the groups of one
/// convolution together. The machine has room for all crossbars, or a warning says how many are missing.
///
/// Spec: ir-spec.md, `schedule`.
struct Schedule: Pass {
  typealias L = CrossbarLevel
  static let name = "schedule"
  static let summary = "every layer has a stage; the groups of one convolution share theirs"
  static let requires: Set<Fact> = [.placed]
  static let establishes: Set<Fact> = [.scheduled]
  static let guarantee = Guarantee.exact("")
  static let options: [PassOption] = []

  init(_ options: PassOptions) {}

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    let stages = stages(of: module)
    var layers: [(OpID, LayerView)] = []
    for (id, layer) in module.layers {
      guard let stage = stages[layer.name] else {
        throw Diagnostic(
          "schedule.unused", "@\(layer.name) is used by no product", at: module.ops[id].location)
      }
      var scheduled = layer
      scheduled.stage = stage
      layers.append((id, scheduled))
    }
    module.replaceLayers(layers)
    try checkCapacity(module, &context)
  }

  private func stages(of module: Module<CrossbarLevel>) -> [String: Int] {
    var producers: [ValueID: String] = [:]
    var stages: [String: Int] = [:]
    var next = 0
    for op in module.flatOps {
      if op.opcode == .mvm { producers[op.results[0]] = op.symbol("layer") }
      if op.opcode == .arrange {
        for operand in op.operands {
          if let layer = producers[operand] { stages[layer] = stages[layer] ?? next }
        }
        next += 1
      }
    }
    return stages
  }

  private func checkCapacity(_ module: Module<CrossbarLevel>, _ context: inout PassContext) throws(Diagnostic)
  {
    let machine = try module.requiredMachine()
    let hierarchy = machine.hierarchy
    let room =
      checkedProduct([hierarchy.tiles, hierarchy.computeUnitsPerTile, hierarchy.crossbarsPerComputeUnit])
      ?? .max
    let needed = Set(module.layers.flatMap { $0.layer.blocks.compactMap(\.crossbar) }).count
    if room > 0 && needed > room {
      context.warnings.append(
        Diagnostic(
          "schedule.capacity",
          "the network needs \(needed) crossbars, the machine \(machine.name) has \(room)",
          severity: .warning, notes: ["the program runs as if the machine had enough of them"]))
    }
  }
}
