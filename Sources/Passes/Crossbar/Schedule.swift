import Hardware
import IR
import Mapping
import Support

/// Every layer has a stage: layers run one after the other in the order of their products, and the groups of one
/// convolution together. The machine has room for all crossbars, or for those of each segment; or the network is
/// refused with what is missing.
///
/// Spec: ir-spec.md, `schedule`.
struct Schedule: PlanPass {
  typealias L = CrossbarLevel
  static let name = "schedule"
  static let summary = "every layer has a stage; the groups of one convolution share theirs"
  static let requires: Set<Fact> = [.placed]
  static let establishes: Set<Fact> = [.scheduled]
  static let keepsCells = true
  static let guarantee = Guarantee.exact("")
  private static let capacityOption = PassOption.choice(
    "capacity", default: Capacity.refuse,
    "a network that needs more crossbars than the machine has is refused, accepted with a warning, or divided into segments that are written and executed one after the other"
  )
  static let options = [capacityOption.spec]

  /// What becomes of a network that the machine has no room for.
  private enum Capacity: String, OptionWord {
    case refuse, warn, segments
  }

  private let capacity: Capacity

  init(_ options: PassOptions) { capacity = options[Self.capacityOption] }

  func plan(_ network: NetworkSummary, into plan: inout NetworkPlan, in context: inout PassContext)
    throws(Diagnostic)
  {
    for layer in network.layers where network.stages[layer.name] == nil {
      throw Diagnostic(
        "schedule.unused", "@\(layer.name) is used by no product", at: network.locations[layer.name] ?? .none)
    }
    guard let machine = network.machine else { throw noMachine }
    plan.stages = network.stages
    guard let room = machine.hierarchy.crossbars else { return }
    if capacity == .segments {
      let crossbars = Dictionary(
        network.layers.map { ($0.name, $0.crossbars) }, uniquingKeysWith: { first, _ in first })
      plan.segments = try SegmentDemand(uses: network.uses, crossbars: crossbars, room: room)
        .segments(machine: machine.name)
    } else if network.crossbars > room {
      try tell(shortage(network.crossbars, machine, room), in: &context)
    }
  }

  private func tell(_ shortage: Diagnostic, in context: inout PassContext) throws(Diagnostic) {
    if capacity == .refuse { throw shortage }
    context.warnings.append(shortage)
  }

  private func shortage(_ needed: Int, _ machine: Machine, _ room: Int) -> Diagnostic {
    Diagnostic(
      "schedule.capacity",
      "the network needs \(needed) crossbars, the machine \(machine.name) has \(room)",
      severity: capacity == .refuse ? .error : .warning,
      notes: capacity == .refuse
        ? [
          "take a scheme that leaves out more cells, fewer bits for weights, or a target with more tiles",
          "with --segments, which is schedule(capacity: segments), parts of the network are written and executed in turn",
          "with schedule(capacity: warn) the program runs as if the machine had enough of them",
        ] : ["the program runs as if the machine had enough of them"])
  }
}
