import IR
import Support
import Tensors

/// The weakest filters, channels and filter-shape positions of every layer are 0, whole groups of weights at once
/// (structured sparsity as ReCom, DATE 2018, takes it from training; reference: section 5.1).
///
/// A group's strength is the L2 norm of its weights. Filters go first, then channels, then positions, each kind ranked
/// by what is left in the whole layer, all groups of a convolution together. A product has filters, its columns, and
/// positions, its rows, but no channels. Biases stay: a filter without weights still gives its bias. Spec: ir-spec.md,
/// `prune-groups`.
struct PruneGroups: Pass {
  typealias L = TensorLevel
  static let name = "prune-groups"
  static let summary =
    "the filters, channels and filter-shape positions of least norm of every layer have weights of 0"
  static let requires: Set<Fact> = [.shaped]
  // Calibration has seen the outputs of the weights before.
  static let invalidates: Set<Fact> = [.calibrated]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.bounded(
    "at most the given shares of a layer's filters, channels and positions become 0; all other weights and all biases "
      + "are unchanged; the shares alone do not bound the change of the outputs")
  static let options = GroupKind.allCases.map { option(of: $0).spec }

  private static func option(of kind: GroupKind) -> PassOption<Float> {
    switch kind {
    case .filters:
      return .float(
        kind.rawValue, default: 0,
        "the share of each layer's filters to set to 0, 0 to 1; layers that give a graph output keep theirs")
    case .channels:
      return .float(
        kind.rawValue, default: 0,
        "the share of each convolution's input channels to set to 0, 0 to 1; products have none")
    case .shapes:
      return .float(
        kind.rawValue, default: 0,
        "the share of each layer's filter-shape positions to set to 0, 0 to 1: one channel and tap in all filters, or a row"
      )
    }
  }

  private let shares: [(kind: GroupKind, share: Float)]

  init(_ options: PassOptions) throws(Diagnostic) {
    shares = GroupKind.allCases.map { ($0, options[Self.option(of: $0)]) }
    for (kind, share) in shares where !(0...1 ~= share) {
      throw Diagnostic(
        "prune-groups.share", "\(kind.rawValue) is \(share), expected a number from 0 to 1")
    }
  }

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    var weights = ConstantWeights(module)
    let outermost = layersBeforeOutputs(module, weights)
    var zeroed: [GroupKind: Int] = [:]
    for id in module.flatBody {
      guard let tensor = weights.tensor(of: id), let groups = WeightGroups(module.ops[id], tensor.shape)
      else {
        continue
      }
      var values = tensor.floats
      var changed = 0
      for (kind, share) in shares where kind != .filters || !outermost.contains(id) {
        let count = groups.zero(share, of: kind, in: &values)
        zeroed[kind, default: 0] += count
        changed += count
      }
      if changed > 0 { weights.replace(id, Tensor(tensor.shape, values)) }
    }
    module = weights.result
    for (kind, _) in shares { context.count("\(kind.rawValue)-zeroed", zeroed[kind] ?? 0) }
  }

  /// The layers with constant weights from which a way leads to a graph output past no other one: their filters are
  /// classes.
  private func layersBeforeOutputs(_ module: Module<TensorLevel>, _ weights: ConstantWeights) -> Set<OpID> {
    var reached: Set<ValueID> = []
    var layers: Set<OpID> = []
    var before = -1
    // A carry of a scan is reached through what is yielded to it, so the walk goes on until nothing is new.
    while reached.count != before {
      before = reached.count
      for id in module.flatBody.reversed() {
        let op = module.ops[id]
        let isState = op.opcode == .yield && reached.contains(op.operands[0])
        guard op.opcode == .output || isState || op.results.contains(where: reached.contains) else {
          continue
        }
        if weights.tensor(of: id) == nil {
          reached.formUnion(op.operands)
        } else {
          layers.insert(id)
        }
      }
    }
    return layers
  }
}

/// What weights can be grouped by; the raw value is the name of the option.
private enum GroupKind: String, CaseIterable {
  /// All weights of an output.
  case filters
  /// All weights of an input channel, in each group of a convolution for itself.
  case channels
  /// All weights of a filter-shape position, in each group of a convolution for itself.
  case shapes
}

/// How the weights of a layer form groups.
private struct WeightGroups {
  private let isProduct: Bool
  private let outputs: Int
  /// Weights of a filter.
  private let length: Int
  /// Taps of a channel.
  private let taps: Int
  /// Filters of a group of the convolution.
  private let filtersPerGroup: Int

  /// Nil for weights without elements.
  init?(_ op: Op, _ shape: [Int]) {
    guard shape.count >= 2, !shape.contains(0) else { return nil }
    isProduct = op.opcode == .gemm
    outputs = isProduct ? shape[1] : shape[0]
    length = isProduct ? shape[0] : shape.dropFirst().reduce(1, *)
    taps = isProduct ? 1 : shape.dropFirst(2).reduce(1, *)
    filtersPerGroup = isProduct ? outputs : max(1, outputs / max(1, op[.groups]))
  }

  /// How many groups there are.
  func count(of kind: GroupKind) -> Int {
    switch kind {
    case .filters: return outputs
    case .channels: return isProduct ? 0 : outputs / filtersPerGroup * (length / taps)
    case .shapes: return outputs / filtersPerGroup * length
    }
  }

  /// The group that weight number `k` is in.
  private func group(of k: Int, _ kind: GroupKind) -> Int {
    let (filter, place) = isProduct ? (k % outputs, k / outputs) : (k / length, k % length)
    let part = filter / filtersPerGroup
    switch kind {
    case .filters: return filter
    case .channels: return (part * length + place) / taps
    case .shapes: return part * length + place
    }
  }

  /// Sets the share of all groups that is weakest to 0, of equal ones the first, and returns how many were not 0
  /// before.
  ///
  /// The share is a binary32 number, and so is its product with the count: 0.7 of 10 groups are 7.
  func zero(_ share: Float, of kind: GroupKind, in values: inout [Float]) -> Int {
    let count = count(of: kind)
    let quota = min(count, Int(share * Float(count)))
    guard quota > 0 else { return 0 }
    var squares = [Double](repeating: 0, count: count)
    for k in values.indices { squares[group(of: k, kind)] += Double(values[k]) * Double(values[k]) }
    // What is not a number is for quantize to refuse, not for this pass to hide.
    let strength = squares.map { $0.isNaN ? .infinity : $0 }
    let weakest = (0..<count).sorted { (strength[$0], $0) < (strength[$1], $1) }.prefix(quota)
    var isGone = [Bool](repeating: false, count: count)
    for group in weakest { isGone[group] = true }
    for k in values.indices where isGone[group(of: k, kind)] { values[k] = 0 }
    return weakest.count { strength[$0] > 0 }
  }
}

/// The constant float weights of a module's layers. What has other uses keeps its value for them.
private struct ConstantWeights {
  private var module: Module<TensorLevel>
  private let uses: Uses
  private var constants: [ValueID: OpID] = [:]
  private var names: Set<String>
  /// New constants, by the operation that they precede.
  private var added: [OpID: OpID] = [:]

  init(_ module: Module<TensorLevel>) {
    self.module = module
    uses = Uses(of: module)
    names = Set(module.values.elements.map(\.name))
    for id in module.body where module.ops[id].opcode == .constant {
      for result in module.ops[id].results { constants[result] = id }
    }
  }

  /// The weights of operation `id`; nil where it is no convolution or product, or they are no constant floats.
  func tensor(of id: OpID) -> Tensor? {
    let op = module.ops[id]
    guard op.opcode == .conv || op.opcode == .gemm, let constant = constants[op.operands[1]] else {
      return nil
    }
    let type = module.values[op.operands[1]].type
    guard type.element.isFloat else { return nil }
    return module.tensor(module.ops[constant].find(.value), element: type.element, shape: type.shape ?? [])
  }

  /// Gives operation `id` other weights: in the constant that it has, or in one of its own where that has other uses.
  mutating func replace(_ id: OpID, _ tensor: Tensor) {
    let old = module.ops[id].operands[1]
    let attribute = module.constant(
      tensor, element: .float32, name: "\(module.values[old].name).pruned")
    if uses[old].count == 1, let constant = constants[old] {
      module.ops[constant][.value] = attribute
      return
    }
    let name = names.unique("\(module.values[old].name).pruned")
    let new = module.values.add(Value(name: name, type: module.values[old].type))
    added[id] = module.add(
      Op(
        .constant, results: [new], attributes: [NamedAttribute(.value, attribute)],
        origin: module.ops[id].origin))
    module.ops[id].operands[1] = new
  }

  /// The module with the new weights, without constants that nothing uses.
  var result: Module<TensorLevel> {
    var result = module
    result.body = module.body.flatMap { id in
      // Constants of a scan precede it.
      ([id] + (module.ops[id].opcode == .scan ? module.ops[id].body : [])).compactMap { added[$0] } + [id]
    }
    if !added.isEmpty { dropUnusedConstants(&result) }
    return result.compacted()
  }
}
