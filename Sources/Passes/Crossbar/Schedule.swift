import Hardware
import IR
import Support

/// Every layer has a stage: layers run one after the other in the order of their products, and the groups of one
/// convolution together. The machine has room for all crossbars, or for those of each segment; or the network is refused
/// with what is missing.
///
/// Spec: ir-spec.md, `schedule`.
struct Schedule: LayerPass {
  typealias L = CrossbarLevel
  static let name = "schedule"
  static let summary = "every layer has a stage; the groups of one convolution share theirs"
  static let requires: Set<Fact> = [.placed]
  static let establishes: Set<Fact> = [.scheduled]
  static let guarantee = Guarantee.exact("")
  private static let capacityOption = PassOption.choice(
    "capacity", default: Capacity.refuse,
    "a network that needs more crossbars than the machine has is refused, a warning says so, or it is cut into segments that are written and executed in turn"
  )
  static let options = [capacityOption.spec]

  /// What becomes of a network that the machine has no room for.
  private enum Capacity: String, OptionWord {
    case refuse, warn, segments
  }

  private let capacity: Capacity

  init(_ options: PassOptions) { capacity = options[Self.capacityOption] }

  func run(on layer: inout LayerView, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    guard let stage = setting.stages[layer.name] else {
      throw Diagnostic(
        "schedule.unused", "@\(layer.name) is used by no product", at: setting.location)
    }
    layer.stage = stage
    layer.segment = 0
    return []
  }

  func segments(_ setting: LayerSetting) throws(Diagnostic) -> [String: Int] {
    let machine = try setting.requiredMachine()
    guard capacity == .segments, let room = machine.hierarchy.crossbars else { return [:] }
    return try SegmentDemand(uses: setting.uses, crossbars: setting.places, room: room)
      .segments(machine: machine.name)
  }

  func conclude(_ setting: LayerSetting, in context: inout PassContext) throws(Diagnostic) {
    let machine = try setting.requiredMachine()
    let needed = setting.crossbars
    guard capacity != .segments, let room = machine.hierarchy.crossbars, needed > room else { return }
    let shortage = Diagnostic(
      "schedule.capacity",
      "the network needs \(needed) crossbars, the machine \(machine.name) has \(room)",
      severity: capacity == .refuse ? .error : .warning,
      notes: capacity == .refuse
        ? [
          "take a scheme that leaves out more cells, fewer bits for weights, or a target with more tiles",
          "with --segments, which is schedule(capacity: segments), parts of the network are written and executed in turn",
          "with schedule(capacity: warn) the program runs as if the machine had enough of them",
        ] : ["the program runs as if the machine had enough of them"])
    if capacity == .refuse { throw shortage }
    context.warnings.append(shortage)
  }
}
