import Hardware
import IR
import Support

/// Every layer has a stage: layers run one after the other in the order of their products, and the groups of one
/// convolution together. The machine has room for all crossbars, or the network is refused with what is missing.
///
/// Spec: ir-spec.md, `schedule`.
struct Schedule: LayerPass {
  typealias L = CrossbarLevel
  static let name = "schedule"
  static let summary = "every layer has a stage; the groups of one convolution share theirs"
  static let requires: Set<Fact> = [.placed]
  static let establishes: Set<Fact> = [.scheduled]
  static let guarantee = Guarantee.exact("")
  static let options = [
    PassOption(
      "capacity", .word(["refuse", "warn"]), default: .word("refuse"),
      "a network that needs more crossbars than the machine has is refused, or a warning says so")
  ]

  private let refuses: Bool

  init(_ options: PassOptions) { refuses = options.word("capacity") == "refuse" }

  func run(on layer: inout LayerView, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    guard let stage = setting.stages[layer.name] else {
      throw Diagnostic(
        "schedule.unused", "@\(layer.name) is used by no product", at: setting.location)
    }
    layer.stage = stage
    return []
  }

  func conclude(_ setting: LayerSetting, in context: inout PassContext) throws(Diagnostic) {
    let machine = try setting.requiredMachine()
    let hierarchy = machine.hierarchy
    let room =
      checkedProduct([hierarchy.tiles, hierarchy.computeUnitsPerTile, hierarchy.crossbarsPerComputeUnit])
      ?? .max
    let needed = setting.crossbars
    guard room > 0, needed > room else { return }
    let shortage = Diagnostic(
      "schedule.capacity",
      "the network needs \(needed) crossbars, the machine \(machine.name) has \(room)",
      severity: refuses ? .error : .warning,
      notes: refuses
        ? [
          "take a scheme that leaves out more cells, fewer bits for weights, or a target with more tiles",
          "with schedule(capacity: warn) the program runs as if the machine had enough of them",
        ] : ["the program runs as if the machine had enough of them"])
    if refuses { throw shortage }
    context.warnings.append(shortage)
  }
}
