import IR
import Mapping
import Support
import Tensors

/// No layer has weights for an input that is the same number in every position of every sample: what such an input adds
/// to the sums is part of the bias after the layer.
///
/// The channel of a filter without weights is such an input, since its bias alone makes its activation; so is a tap
/// that only ever sees padding. Spec: ir-spec.md, `fold-constant-inputs`.
struct FoldConstantInputs: Pass {
  typealias L = CrossbarLevel
  static let name = "fold-constant-inputs"
  static let summary = "constant inputs of layers have no weights; their contribution is part of the bias"
  static let requires: Set<Fact> = [.shaped]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.exact("")
  static let options: [PassOptionSpec] = []

  init(_ options: PassOptions) {}

  func run(on module: inout Module<CrossbarLevel>, in context: inout PassContext) throws(Diagnostic) {
    for (id, layer) in module.layers where layer.isLaidOut {
      throw Diagnostic(
        "fold-constant-inputs.sliced", "the cells of @\(layer.name) are laid out already",
        at: module.ops[id].location, notes: ["run fold-constant-inputs before slice-bits"])
    }
    var folding = InputFolding(module)
    for (id, layer) in module.layers { folding.fold(id, layer) }
    module = folding.result
    context.count("inputs-folded", folding.count)
  }
}

extension Layer {
  /// Whether what stands for the weights is more than the matrix.
  fileprivate var isLaidOut: Bool {
    !blocks.isEmpty || coding.signs != nil || readout != nil
  }
}

/// The work of `fold-constant-inputs`.
private struct InputFolding {
  /// Inputs that lost weights.
  private(set) var count = 0
  private let module: Module<CrossbarLevel>
  private let constants: [OpID: [Int64?]]
  private let uses: Uses
  /// The products of each layer.
  private var products: [String: [OpID]] = [:]
  /// Where the columns of a product go.
  private var places: [OpID: Place] = [:]
  private var layers: [(id: OpID, layer: Layer)] = []
  /// What is added after a `col2im`, by channel.
  private var sums: [OpID: [Int64]] = [:]

  /// A `col2im` operation, and the channel that the first column of a product becomes.
  private struct Place {
    let col2im: OpID
    let channel: Int
  }

  init(_ module: Module<CrossbarLevel>) {
    self.module = module
    constants = ConstantInputs(of: module).ofProducts
    uses = Uses(of: module)
    var producer: [ValueID: OpID] = [:]
    for id in module.flatBody {
      let op = module.ops[id]
      if op.opcode == .mvm {
        products[op[.layer], default: []].append(id)
        producer[op.results[0]] = id
      }
      guard op.opcode == .col2im else { continue }
      var channel = 0
      for operand in op.operands {
        // A product that is used elsewhere as well must keep its sums.
        if let product = producer[operand], uses[operand].count == 1 {
          places[product] = Place(col2im: id, channel: channel)
        }
        channel += module.values[operand].type.shape?.last ?? 0
      }
    }
  }

  /// Takes the inputs out of `layer` that all its products agree on.
  mutating func fold(_ id: OpID, _ layer: Layer) {
    guard let users = products[layer.name], var weights = layer.weights?.integers,
      layer.weightsStayInAccumulators
    else { return }
    let targets = users.compactMap { places[$0] }
    let rows = agreedInputs(users, layer).filter { row in
      weights[row.input * layer.columns..<(row.input + 1) * layer.columns].contains { $0 != 0 }
    }
    guard targets.count == users.count, !rows.isEmpty else { return }
    var offsets = [Int64](repeating: 0, count: layer.columns)
    for (row, value) in rows {
      for column in 0..<layer.columns {
        offsets[column] += value * weights[row * layer.columns + column]
        weights[row * layer.columns + column] = 0
      }
    }
    guard add(offsets, at: targets) else { return }
    var rest = layer
    rest.weights = Tensor(
      [layer.rows, layer.columns], weights, as: .integer(bits: layer.weightBits, signed: true))
    layers.append((id, rest))
    count += rows.count
  }

  /// The inputs that are the same number in all of the products.
  private func agreedInputs(_ users: [OpID], _ layer: Layer) -> [(input: Int, value: Int64)] {
    let known = users.compactMap { constants[$0] }
    guard known.count == users.count, let first = known.first else { return [] }
    return (0..<layer.rows).compactMap { row in
      guard let value = first[row], known.allSatisfy({ $0[row] == value }) else { return nil }
      return (row, value)
    }
  }

  /// Adds `offsets` to the channels of `targets`; false, and nothing is added, where one would reach 2^62.
  private mutating func add(_ offsets: [Int64], at targets: [Place]) -> Bool {
    var changed = sums
    for place in targets {
      var values = changed[place.col2im] ?? biasAfter(place.col2im)
      guard place.channel + offsets.count <= values.count else { return false }
      for (column, offset) in offsets.enumerated() where offset != 0 {
        let (sum, overflow) = values[place.channel + column].addingReportingOverflow(offset)
        guard !overflow, sum.magnitude < 1 << 62 else { return false }
        values[place.channel + column] = sum
      }
      changed[place.col2im] = values
    }
    sums = changed
    return true
  }

  /// The only user of what `col2im` gives, if it adds a number to each channel.
  private func addition(after col2im: OpID) -> OpID? {
    let users = uses[module.ops[col2im].results[0]]
    guard users.count == 1, module.ops[users[0]].opcode == .addBias, module.ops[users[0]][.axis] == 1
    else { return nil }
    return users[0]
  }

  private func biasAfter(_ col2im: OpID) -> [Int64] {
    let channels = module.values[module.ops[col2im].results[0]].type.shape?.dropFirst().first ?? 0
    let bias = addition(after: col2im).flatMap { module.integers(module.ops[$0].find(.values)) }
    return bias ?? [Int64](repeating: 0, count: channels)
  }

  /// The module with the layers and the sums after them.
  var result: Module<CrossbarLevel> {
    var result = module
    // Old weights go first, so that the new ones can have their names.
    for (id, _) in layers { result.ops[id].remove(.weights) }
    result.replaceLayers(layers)
    var names = Set(module.values.elements.map(\.name))
    result.body = addBiases(to: module.body, &result, &names)
    return result.compacted()
  }

  /// `body` with what is added after its `col2im` operations and those of its scans.
  private func addBiases(
    to body: [OpID], _ result: inout Module<CrossbarLevel>, _ names: inout Set<String>
  ) -> [OpID] {
    var ids: [OpID] = []
    for id in body {
      ids.append(id)
      if module.ops[id].opcode == .scan {
        result.ops[id].body = addBiases(to: module.ops[id].body, &result, &names)
      }
      guard let values = sums[id], values != biasAfter(id) else { continue }
      if let addition = addition(after: id) {
        result.setBias(addition, values)
      } else {
        ids.append(result.appendBias(to: id, values, &names))
      }
    }
    return ids
  }
}

extension Module<CrossbarLevel> {
  /// Gives an addition other numbers.
  fileprivate mutating func setBias(_ id: OpID, _ values: [Int64]) {
    var name = "\(self.values[ops[id].results[0]].name).bias"
    if case .resource(let old) = ops[id][.values] { name = old }
    // The old numbers go first, so that the new ones can have their name.
    ops[id][.values] = .list([])
    dropUnusedResources()
    ops[id][.values] = integerConstant(values, name)
  }

  /// An addition that takes the sums of `col2im` and gives the value that represented them.
  fileprivate mutating func appendBias(to col2im: OpID, _ bias: [Int64], _ names: inout Set<String>)
    -> OpID
  {
    let old = ops[col2im].results[0]
    let name = names.unique("\(values[old].name).varying")
    let rest = values.add(Value(name: name, type: values[old].type))
    ops[col2im].results = [rest]
    let (opcode, attributes) = encoding(of: .addBias(values: bias, axis: 1), name: values[old].name)
    return add(
      Op(
        opcode, operands: [rest], results: [old], attributes: attributes, origin: ops[col2im].origin))
  }
}
