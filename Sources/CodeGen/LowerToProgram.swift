public import IR
public import Passes
public import Support

/// Instructions on buffers and physical crossbars: a convolution is a loop over positions.
///
/// The module is the text of the program that `LayerEmitter` makes: what users compile. Spec: ir-spec.md,
/// `lower-to-program`.
public struct LowerToProgram: Lowering {
  /// The level that it starts from.
  public typealias From = CrossbarLevel
  /// The level that it leads to.
  public typealias To = ProgramLevel
  /// `lower-to-program`.
  public static let name = "lower-to-program"
  /// What is true afterwards.
  public static let summary = "instructions on buffers and physical crossbars; a convolution is a loop"
  /// What must hold before.
  public static let requires: Set<Fact> = [.shaped, .sliced, .partitioned, .placed, .scheduled]
  /// Facts about layers before they become instructions.
  public static let invalidates: Set<Fact> = [.shaped, .sliced, .partitioned, .placed, .scheduled]
  /// No fact.
  public static let establishes: Set<Fact> = []
  /// No number changes.
  public static let guarantee = Guarantee.exact("")
  /// None.
  public static let options: [PassOptionSpec] = []

  /// Creates the lowering.
  public init(_ options: PassOptions) {}

  /// Builds the program and lifts it.
  public func run(on module: Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic)
    -> Module<ProgramLevel>
  {
    liftProgram(try program(of: module))
  }
}

extension PassRegistry {
  /// All passes, in the order in which pipelines use them.
  public static let standard = PassRegistry(
    PassRegistry.modulePasses.entries + [PassEntry(LowerToProgram.self)])
}
