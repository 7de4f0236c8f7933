public import IR
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
  /// What holds afterwards.
  public let establishes: Set<Fact>
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
}

/// All passes, in the order in which pipelines use them: the only list of names.
public let passRegistry: [PassEntry] = [
  entry(InferShapes.self),
  entry(FoldConstants.self),
  entry(FoldBatchNorm.self),
  entry(PruneGroups.self),
  entry(Calibrate.self),
  entry(Quantize.self),
  entry(LowerToCrossbar.self),
  entry(FoldConstantInputs.self),
  entry(SliceBits.self),
  entry(SqueezeBits.self),
  entry(RemoveZeroLines.self),
  entry(CompressRows.self),
  entry(CompressColumns.self),
  entry(ClusterColumns.self),
  entry(PruneCrossbarRows.self),
  entry(EncodeIndices.self),
  entry(FormUnits.self),
  entry(ComposeAnalog.self),
  entry(PlanFetches.self),
  entry(PlaceBlocks.self),
  entry(Schedule.self),
  entry(LowerToProgram.self),
]

/// The entry called `name`; throws `pass.unknown`, naming the nearest one.
public func registeredPass(_ name: String) throws(Diagnostic) -> PassEntry {
  if let found = passRegistry.first(where: { $0.name == name }) { return found }
  let hint = nearest(name, in: passRegistry.map(\.name)).map { "did you mean '\($0)'?" }
  throw Diagnostic(
    "pass.unknown", "unknown pass '\(name)'", notes: [hint ?? "see 'xbarc passes' for the list"])
}

extension PassEntry {
  /// Checks the level and the required facts, runs the pass, adds what it establishes and verifies the result.
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
  func checkRequired(_ facts: Set<Fact>) throws(Diagnostic) {
    let missing = requires.subtracting(facts).sorted()
    guard missing.isEmpty else {
      let providers = passRegistry.filter { !$0.establishes.isDisjoint(with: missing) }.map(\.name)
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

private func entry<P: LayerPass>(_ type: P.Type) -> PassEntry {
  var entry = passEntry(type)
  entry.layerStep = { (given, context) throws(Diagnostic) in
    let pass = try P(try PassOptions(given, P.options, pass: P.name))
    guard pass.isLocal(context) else { return nil }
    return LayerStep(
      run: { (layer, setting) throws(Diagnostic) in try pass.run(on: &layer, in: setting) },
      segments: { (setting) throws(Diagnostic) in try pass.segments(setting) },
      conclude: { (setting, context) throws(Diagnostic) in try pass.conclude(setting, in: &context) })
  }
  return entry
}

private func entry<P: Pass>(_ type: P.Type) -> PassEntry { passEntry(type) }

private func passEntry<P: Pass>(_ type: P.Type) -> PassEntry {
  PassEntry(
    name: P.name, summary: P.summary, from: P.L.name, to: P.L.name, requires: P.requires,
    establishes: P.establishes, guarantee: P.guarantee, options: P.options
  ) { (module, given, context) throws(Diagnostic) in
    let pass = try P(try PassOptions(given, P.options, pass: P.name))
    guard var typed = module.module(at: P.L.self) else { return module }
    try pass.run(on: &typed, in: &context)
    typed.facts.formUnion(P.establishes)
    return AnyModule(typed)
  }
}

private func entry<P: Lowering>(_ type: P.Type) -> PassEntry {
  PassEntry(
    name: P.name, summary: P.summary, from: P.From.name, to: P.To.name, requires: P.requires,
    establishes: P.establishes, guarantee: P.guarantee, options: P.options
  ) { (module, given, context) throws(Diagnostic) in
    let pass = try P(try PassOptions(given, P.options, pass: P.name))
    guard let typed = module.module(at: P.From.self) else { return module }
    var lowered = try pass.run(on: typed, in: &context)
    lowered.facts.formUnion(P.establishes)
    return AnyModule(lowered)
  }
}
