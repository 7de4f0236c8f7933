import Hardware
public import IR
public import Mapping
public import Support

/// A pass with its options as a step that a layer takes by itself.
struct LayerStep: Sendable {
  /// Whether the pass says that it leaves maps and cells alone.
  let keepsCells: Bool
  let observe: @Sendable (Layer, Machine) -> LayerObservation?
  let run: @Sendable (inout Layer, LayerSetting) throws(Diagnostic) -> [PassCount]
}

/// A pass with its options as a step that sees all layers by their summaries.
struct PlanStep: Sendable {
  let run: @Sendable (NetworkSummary, inout NetworkPlan, inout PassContext) throws(Diagnostic) -> Void
}

/// The end of a pipeline, from matrices to placed and scheduled blocks, in two phases: each layer takes the local
/// passes by itself, one after the other, so that no more than one layer's cells are in memory; passes that look at the
/// whole network follow and see summaries.
///
/// What becomes of a layer, and what is reported, is what the passes make of the whole module.
public struct LayerPipeline: Sendable {
  /// A local pass.
  private struct Stage: Sendable {
    let call: PassCall
    let entry: PassEntry
    let step: LayerStep
    /// What holds after it.
    let facts: Set<Fact>
  }

  private let stages: [Stage]
  private let plans: [(call: PassCall, step: PlanStep)]
  private let machine: Machine?
  private var setting: LayerSetting
  private var counts: [[PassCount]]
  private var network: NetworkSummary

  /// How many passes at the end of `calls` can be taken so: local ones, then those that plan.
  public static func length(of calls: [PassCall], in registry: PassRegistry, _ context: PassContext)
    throws(Diagnostic) -> Int
  {
    var (length, isLocal) = (0, false)
    for call in calls.reversed() {
      let entry = try registry.entry(named: call.name)
      if try entry.layerStep(call.options, context) != nil {
        isLocal = true
      } else {
        let plans = try entry.planStep(call.options) != nil
        if isLocal || !plans { break }
      }
      length += 1
    }
    return length
  }

  /// Prepares `calls` for the layers of `module`.
  ///
  /// Throws `pass.requires` where a pass needs what does not hold then.
  public init(
    _ calls: [PassCall], in registry: PassRegistry, for module: Module<CrossbarLevel>,
    _ context: PassContext
  ) throws(Diagnostic) {
    var facts = module.facts
    var (stages, plans): ([Stage], [(call: PassCall, step: PlanStep)]) = ([], [])
    for call in calls {
      let entry = try registry.entry(named: call.name)
      try entry.checkRequired(facts)
      facts = entry.facts(after: facts)
      if let step = try entry.layerStep(call.options, context) {
        stages.append(Stage(call: call, entry: entry, step: step, facts: facts))
      } else if let step = try entry.planStep(call.options) {
        plans.append((call, step))
      } else {
        throw Diagnostic("pass.layer", "\(call.name) needs all layers at once")
      }
    }
    self.stages = stages
    self.plans = plans
    machine = module.machine
    setting = LayerSetting(machine: module.machine, threads: context.threads)
    counts = stages.map { _ in [] }
    network = NetworkSummary(module)
    self.facts = facts
  }

  /// What holds of a module after all passes.
  public let facts: Set<Fact>

  /// Takes `layer`, found at `location`, through the local passes and verifies it after each of them. `before`
  /// sees what a pass tells of it; `after` learns how long a pass took, the verification included.
  public mutating func run(
    on layer: inout Layer, at location: Location, before: (LayerObservation) -> Void,
    after: (PassCall, Duration) -> Void
  ) throws(Diagnostic) {
    setting.location = location
    for (number, stage) in stages.enumerated() {
      if let machine, let seen = stage.step.observe(layer, machine) { before(seen) }
      let clock = ContinuousClock.now
      let cells = stage.step.keepsCells ? layer.blocks : nil
      counts[number].add(try stage.step.run(&layer, setting))
      let isDecoded = cells.map { !haveSameCells($0, layer.blocks) } ?? true
      if let found = verify(layer, facts: stage.facts, machine: machine, decoded: isDecoded) {
        throw stage.entry.broken(found)
      }
      after(stage.call, ContinuousClock.now - clock)
    }
    setting.pass(layer)
    network.layers.append(LayerSummary(layer))
  }

  /// Reports the counts of the local passes and plans the network, after the last layer; `after` gets the time of each
  /// plan pass.
  public func plan(in context: inout PassContext, after: (PassCall, Duration) -> Void = { _, _ in })
    throws(Diagnostic)
    -> NetworkPlan
  {
    for counts in counts {
      for count in counts { context.count(count.name, count.value) }
    }
    var plan = NetworkPlan()
    for (call, step) in plans {
      let clock = ContinuousClock.now
      try step.run(network, &plan, &context)
      after(call, ContinuousClock.now - clock)
    }
    return plan
  }
}

/// Whether blocks decode to the same matrix since they have the same cells and maps. Arrays that share their storage,
/// as those of a pass that leaves them alone do, are compared at once.
private func haveSameCells(_ a: [Block], _ b: [Block]) -> Bool {
  a.count == b.count
    && zip(a, b).allSatisfy { $0.rows == $1.rows && $0.columns == $1.columns && $0.cells == $1.cells }
}
