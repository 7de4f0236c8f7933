import Hardware
public import IR
public import Support

/// A pass with its options as a step that a layer takes by itself.
struct LayerStep: Sendable {
  /// Whether the pass says that it leaves maps and cells alone.
  let keepsCells: Bool
  let run: @Sendable (inout LayerView, LayerSetting) throws(Diagnostic) -> [PassCount]
  let segments: @Sendable (LayerSetting) throws(Diagnostic) -> [String: Int]
  let conclude: @Sendable (LayerSetting, inout PassContext) throws(Diagnostic) -> Void
}

/// The end of a pipeline, from matrices to placed and scheduled blocks, as steps that each layer takes by itself: one layer
/// is done before the next one begins, so that no more than one layer's cells are in memory.
///
/// What becomes of a layer, and what is reported, is what the passes make of the whole module.
public struct LayerPipeline: Sendable {
  /// A pass of the pipeline.
  private struct Stage: Sendable {
    let call: PassCall
    let entry: PassEntry
    let step: LayerStep
    /// What holds after it.
    let facts: Set<Fact>
  }

  private let stages: [Stage]
  private let machine: Machine?
  private var setting: LayerSetting
  private var counts: [[PassCount]]

  /// How many passes at the end of `calls`, the lowering to a program included, can be taken layer by layer; 0 where they
  /// cannot.
  ///
  /// The last ones must be one that schedules the layers and the one that gives a program.
  public static func length(of calls: [PassCall], in context: PassContext) throws(Diagnostic) -> Int {
    guard calls.last?.entry?.to == .program, calls.dropLast().last?.establishes(.scheduled) == true else {
      return 0
    }
    var length = 1
    for call in calls.dropLast().reversed() {
      guard try registeredPass(call.name).layerStep(call.options, context) != nil else { break }
      length += 1
    }
    return length
  }

  /// Prepares `calls`, without `lower-to-program`, for the layers of `module`.
  ///
  /// Throws `pass.requires` where a pass needs what does not hold then.
  public init(_ calls: [PassCall], for module: Module<CrossbarLevel>, in context: PassContext)
    throws(Diagnostic)
  {
    var facts = module.facts
    var stages: [Stage] = []
    for call in calls {
      let entry = try registeredPass(call.name)
      try entry.checkRequired(facts)
      facts = facts.after(invalidates: entry.invalidates, establishes: entry.establishes)
      guard let step = try entry.layerStep(call.options, context) else {
        throw Diagnostic("pass.layer", "\(call.name) needs all layers at once")
      }
      stages.append(Stage(call: call, entry: entry, step: step, facts: facts))
    }
    self.stages = stages
    try registeredPass(LowerToProgram.name).checkRequired(facts)
    machine = module.machine
    setting = LayerSetting(module, threads: context.threads)
    counts = stages.map { _ in [] }
  }

  /// The crossbars of the layers that are done.
  public var crossbars: Int { setting.crossbars }

  /// Takes `layer`, which stands at `location`, through all passes and verifies it after each of them. `before` sees it
  /// before each pass; `after` learns how long a pass took, the verification included.
  public mutating func run(
    on layer: inout LayerView, at location: Location, before: (PassCall, LayerView) -> Void,
    after: (PassCall, Duration) -> Void
  ) throws(Diagnostic) {
    setting.location = location
    for (number, stage) in stages.enumerated() {
      before(stage.call, layer)
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
  }

  /// The segments of the layers, by name, once the last one is done; those that are not named lie in segment 0.
  ///
  /// Throws `schedule.segment` where the machine has too few crossbars for layers that run together.
  public func segments() throws(Diagnostic) -> [String: Int] {
    var segments: [String: Int] = [:]
    for stage in stages { segments.merge(try stage.step.segments(setting)) { $1 } }
    return segments
  }

  /// Reports counts and warnings after the last layer.
  public func conclude(in context: inout PassContext) throws(Diagnostic) {
    for (stage, counts) in zip(stages, counts) {
      for count in counts { context.count(count.name, count.value) }
      try stage.step.conclude(setting, &context)
    }
  }
}

/// Whether blocks decode to the same matrix since they have the same cells and maps. Arrays that share their storage, as
/// those of a pass that leaves them alone do, are compared at once.
private func haveSameCells(_ a: [BlockView], _ b: [BlockView]) -> Bool {
  a.count == b.count
    && zip(a, b).allSatisfy { $0.rows == $1.rows && $0.columns == $1.columns && $0.cells == $1.cells }
}
