public import Hardware
public import IR
public import Mapping
public import Support

/// A pass or lowering as the registry lists it, without its type.
public struct PassEntry: Sendable {
  /// The kebab-case name.
  public let name: String
  /// One sentence: what is true afterwards.
  public let summary: String
  /// The level it takes.
  public let from: LevelName
  /// The level it gives.
  public let to: LevelName
  /// What must hold before.
  public let requires: Set<Fact>
  /// What does not hold afterwards any more, unless the pass establishes it anew.
  public let invalidates: Set<Fact>
  /// What holds afterwards.
  public let establishes: Set<Fact>
  /// Whether blocks have index tables afterwards.
  let writesIndexTables: Bool
  /// What happens to the numbers.
  public let guarantee: Guarantee
  /// The options.
  public let options: [PassOptionSpec]
  /// Runs the pass with the given options.
  let run: @Sendable (AnyModule, [NamedAttribute], inout PassContext) throws(Diagnostic) -> AnyModule
  /// The pass with the given options as a step that a layer takes by itself; nil where it needs the whole module.
  var layerStep: @Sendable ([NamedAttribute], PassContext) throws(Diagnostic) -> LayerStep? = {
    (_, _) throws(Diagnostic) in nil
  }
  /// The pass with the given options as a step that sees all layers by their summaries; nil for other passes.
  var planStep: @Sendable ([NamedAttribute]) throws(Diagnostic) -> PlanStep? = {
    (_) throws(Diagnostic) in nil
  }

  /// What tells of a layer before the pass with the given options runs on it, for the report; nil where nothing is
  /// told.
  public internal(set) var observer:
    @Sendable ([NamedAttribute]) throws(Diagnostic) -> (@Sendable (Layer, Machine) -> LayerObservation?)? = {
      (_) throws(Diagnostic) in nil
    }

  /// What holds after the pass of a module of which `facts` held.
  func facts(after facts: Set<Fact>) -> Set<Fact> {
    facts.after(invalidates: invalidates, establishes: establishes)
  }
}

/// A list of passes with names of their own.
public struct PassRegistry: Sendable {
  /// The passes, in the order in which pipelines use them.
  public let entries: [PassEntry]

  /// Creates a list; of several passes with one name the first one is meant.
  public init(_ entries: [PassEntry]) { self.entries = entries }

  /// The entry called `name`; throws `pass.unknown`, naming the nearest one.
  public func entry(named name: String) throws(Diagnostic) -> PassEntry {
    if let found = entries.first(where: { $0.name == name }) { return found }
    let hint = nearest(name, in: entries.map(\.name)).map { "did you mean '\($0)'?" }
    throw Diagnostic(
      "pass.unknown", "unknown pass '\(name)'", notes: [hint ?? "see 'xbarc passes' for the list"])
  }

  /// The calls of `pipeline` that come before rows of crossbars can be pruned: those before blocks have index tables or
  /// fit the crossbars.
  public func callsBeforePruning(_ pipeline: [PassCall]) -> [PassCall] {
    Array(
      pipeline.prefix { call in
        guard let entry = entries.first(where: { $0.name == call.name }) else { return true }
        return !entry.writesIndexTables && !entry.establishes.contains(.partitioned)
      })
  }

  /// Whether the pass that `call` names establishes `fact`; false where no pass has its name.
  public func establishes(_ fact: Fact, by call: PassCall) -> Bool {
    entries.first { $0.name == call.name }?.establishes.contains(fact) ?? false
  }

  /// The passes that work on modules of the upper two levels: all but the lowering to a program.
  public static let modulePasses = PassRegistry([
    PassEntry(InferShapes.self),
    PassEntry(FoldConstants.self),
    PassEntry(FoldBatchNorm.self),
    PassEntry(PruneGroups.self),
    PassEntry(Calibrate.self),
    PassEntry(Quantize.self),
    PassEntry(LowerToCrossbar.self),
    PassEntry(FoldConstantInputs.self),
    PassEntry(SliceBits.self),
    PassEntry(SqueezeBits.self),
    PassEntry(RemoveZeroLines.self),
    PassEntry(CompressRows.self),
    PassEntry(CompressColumns.self),
    PassEntry(ClusterColumns.self),
    PassEntry(PruneCrossbarRows.self),
    PassEntry(EncodeIndices.self),
    PassEntry(FormUnits.self),
    PassEntry(ComposeAnalog.self),
    PassEntry(PlanFetches.self),
    PassEntry(PlaceBlocks.self),
    PassEntry(Schedule.self),
  ])
}

extension PassEntry {
  /// Checks the level and the required facts, runs the pass, removes the facts that it invalidates, adds what it
  /// establishes and verifies the result.
  ///
  /// Throws what the pass throws, `pass.level`, `pass.requires`, and `pass.broken` where the result does not verify.
  public func apply(to module: AnyModule, _ given: [NamedAttribute] = [], in context: inout PassContext)
    throws(Diagnostic) -> AnyModule
  {
    guard module.level == from else {
      throw Diagnostic(
        "pass.level", "\(name) works at level \(from.rawValue), the module is at \(module.level.rawValue)")
    }
    try checkRequired(module.facts)
    let result = try run(module, given, &context)
    if let broken = verify(result).first { throw self.broken(broken) }
    return result
  }

  /// Throws `pass.requires` where a module of which `facts` hold cannot take the pass.
  public func checkRequired(_ facts: Set<Fact>) throws(Diagnostic) {
    let missing = requires.subtracting(facts).sorted()
    guard missing.isEmpty else {
      let providers = PassRegistry.modulePasses.entries.filter { !$0.establishes.isDisjoint(with: missing) }
        .map(\.name)
      throw Diagnostic(
        "pass.requires", "\(name) needs a module that is \(missing.map(\.rawValue).joined(separator: ", "))",
        notes: ["run \(providers.joined(separator: ", ")) first"])
    }
  }

  /// The error that the result of the pass does not verify.
  func broken(_ found: Diagnostic) -> Diagnostic {
    Diagnostic(
      "pass.broken", "\(name) gave a module that does not verify: \(found.message)", at: found.location,
      notes: ["this is a defect of \(name), not of the model"])
  }
}

extension PassEntry {
  /// Lists a pass that a layer takes by itself.
  init<P: LayerPass>(_ type: P.Type) {
    self.init(pass: type)
    layerStep = { (given, context) throws(Diagnostic) in
      let pass = try P(try PassOptions(given, P.options, pass: P.name))
      guard pass.isLocal(context) else { return nil }
      return LayerStep(keepsCells: P.keepsCells) {
        pass.observation(of: $0, on: $1)
      } run: {
        (layer, setting) throws(Diagnostic) in
        try pass.run(on: &layer, in: setting)
      }
    }
    observer = { (given) throws(Diagnostic) in
      let pass = try P(try PassOptions(given, P.options, pass: P.name))
      return { pass.observation(of: $0, on: $1) }
    }
  }

  /// Lists a pass that sees all layers by their summaries.
  init<P: PlanPass>(_ type: P.Type) {
    self.init(pass: type)
    planStep = { (given) throws(Diagnostic) in
      let pass = try P(try PassOptions(given, P.options, pass: P.name))
      return PlanStep { (network, plan, context) throws(Diagnostic) in
        try pass.plan(network, into: &plan, in: &context)
      }
    }
  }

  /// Lists a pass on modules.
  public init<P: Pass>(_ type: P.Type) { self.init(pass: type) }

  private init<P: Pass>(pass: P.Type) {
    self.init(
      name: P.name, summary: P.summary, from: P.L.name, to: P.L.name, requires: P.requires,
      invalidates: P.invalidates, establishes: P.establishes, writesIndexTables: P.writesIndexTables,
      guarantee: P.guarantee, options: P.options
    ) { (module, given, context) throws(Diagnostic) in
      let pass = try P(try PassOptions(given, P.options, pass: P.name))
      guard var typed = module.module(at: P.L.self) else { return module }
      try pass.run(on: &typed, in: &context)
      typed.facts = typed.facts.after(invalidates: P.invalidates, establishes: P.establishes)
      return AnyModule(typed)
    }
  }

  /// Lists a lowering.
  public init<P: Lowering>(_ type: P.Type) {
    self.init(
      name: P.name, summary: P.summary, from: P.From.name, to: P.To.name, requires: P.requires,
      invalidates: P.invalidates, establishes: P.establishes, writesIndexTables: P.writesIndexTables,
      guarantee: P.guarantee, options: P.options
    ) { (module, given, context) throws(Diagnostic) in
      let pass = try P(try PassOptions(given, P.options, pass: P.name))
      guard let typed = module.module(at: P.From.self) else { return module }
      var lowered = try pass.run(on: typed, in: &context)
      lowered.facts = typed.facts.after(invalidates: P.invalidates, establishes: P.establishes)
      return AnyModule(lowered)
    }
  }
}
