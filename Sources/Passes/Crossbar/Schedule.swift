import Hardware
import IR
import Support

/// Every layer has a stage: layers run one after the other in the order of their products, and the groups of one
/// convolution together. The machine has room for all crossbars, or a warning says how many are missing.
///
/// Spec: ir-spec.md, `schedule`.
struct Schedule: LayerPass {
  typealias L = CrossbarLevel
  static let name = "schedule"
  static let summary = "every layer has a stage; the groups of one convolution share theirs"
  static let requires: Set<Fact> = [.placed]
  static let establishes: Set<Fact> = [.scheduled]
  static let guarantee = Guarantee.exact("")
  static let options: [PassOption] = []

  init(_ options: PassOptions) {}

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
    if room > 0 && needed > room {
      context.warnings.append(
        Diagnostic(
          "schedule.capacity",
          "the network needs \(needed) crossbars, the machine \(machine.name) has \(room)",
          severity: .warning, notes: ["the program runs as if the machine had enough of them"]))
    }
  }
}
