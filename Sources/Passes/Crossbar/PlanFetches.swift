import Hardware
import IR
import Mapping
import Support
import Tensors

/// Every layer says when its inputs come from memory into input buffers: before they are computed, or meanwhile (ReCom,
/// DATE 2018; reference: section 5.3). Spec: ir-spec.md, `plan-fetches`.
struct PlanFetches: LayerPass {
  typealias L = CrossbarLevel
  static let name = "plan-fetches"
  static let summary =
    "every layer has an order in which its inputs are fetched from memory into input buffers"
  static let requires: Set<Fact> = [.shaped, .sliced, .partitioned]
  static let establishes: Set<Fact> = []
  static let keepsCells = true
  static let guarantee = Guarantee.exact("only events and time change")
  private static let orderOption = PassOption.choice(
    "order", default: FetchOrder.doubleBuffered,
    "a buffer is filled and then computed; or it is filled while the one before is computed, and skipped if it delivers "
      + "nothing")
  static let options = [orderOption.spec]

  private let order: FetchOrder

  init(_ options: PassOptions) { order = options[Self.orderOption] }

  func run(on layer: inout Layer, in setting: LayerSetting) throws(Diagnostic) -> [PassCount] {
    let machine = try setting.requiredMachine()
    guard let memory = machine.memory else {
      throw Diagnostic(
        "plan-fetches.memory", "the machine '\(machine.name)' has no memories to fetch from",
        notes: ["take the target recom, or give the target a section 'memory'"])
    }
    let needed = inputBytes(of: layer)
    guard needed <= memory.bufferBytes else {
      throw Diagnostic(
        "plan-fetches.buffer",
        "the wordlines of a crossbar of @\(layer.name) need an input buffer of \(needed) bytes, the machine has "
          + "\(memory.bufferBytes)", at: setting.location)
    }
    guard layer.blocks.allSatisfy({ $0.units?.isFixed ?? false }) else {
      throw Diagnostic(
        "plan-fetches.units",
        "the units of @\(layer.name) are not fixed: what a buffer computes is known at run time only",
        at: setting.location, notes: ["form fixed units, such as form-units(whole: true)"])
    }
    layer.fetch = order
    return []
  }

  /// Bytes of the inputs of the tallest block.
  private func inputBytes(of layer: Layer) -> Int {
    ceilDivide((layer.blocks.map(\.rows.count).max() ?? 0) * layer.inputs.bits, 8)
  }
}

extension FetchOrder: OptionWord {
  static let formerWords: [String: FetchOrder] = ["overlapped": .doubleBuffered]
}
