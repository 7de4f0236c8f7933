import IR
import Support
import Tensors

/// No batch normalization is left: it is part of the weights before it, or a product and a sum per channel.
///
/// A batch normalization is folded where its input is used once and comes from a convolution or product with
/// constant weights. Spec: ir-spec.md, `fold-batchnorm`.
struct FoldBatchNorm: Pass {
  typealias L = TensorLevel
  static let name = "fold-batchnorm"
  static let summary =
    "batch normalizations are folded into the weights before them, or are a product and a sum"
  static let requires: Set<Fact> = [.shaped]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.bounded(
    "factors, weights and biases are rounded to binary32; outputs change by float rounding only")
  static let options: [PassOptionSpec] = []

  init(_ options: PassOptions) {}

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    var folding = BatchNormFolding(module)
    try folding.run()
    module = folding.module
    dropUnusedConstants(&module)
    module = module.compacted()
    if folding.count > 0 { context.count("batch-norms-folded", folding.count) }
  }
}

/// The work of `fold-batchnorm`.
private struct BatchNormFolding {
  var module: Module<TensorLevel>
  var count = 0
  private let uses: Uses
  private var body: [OpID] = []
  private var producer: [ValueID: OpID] = [:]
  private var names: Set<String>

  private typealias Affine = (factor: [Float], offset: [Float])

  init(_ module: Module<TensorLevel>) {
    self.module = module
    uses = Uses(of: module)
    names = Set(module.values.elements.map(\.name))
  }

  mutating func run() throws(Diagnostic) {
    for id in module.body {
      let op = module.ops[id]
      guard op.opcode == .batchNorm else {
        append(id)
        continue
      }
      let affine = try parameters(of: op)
      if !fold(op, affine) { expand(op, affine) }
    }
    module.body = body
  }

  private mutating func append(_ id: OpID) {
    for result in module.ops[id].results { producer[result] = id }
    body.append(id)
  }

  private func parameters(of op: Op) throws(Diagnostic) -> Affine {
    var lists: [[Float]] = []
    for operand in op.operands.dropFirst() {
      guard let tensor = constant(operand) else {
        throw Diagnostic(
          "fold-batchnorm.parameters", "the parameters of a batch normalization must be constant",
          at: op.location,
          notes: ["run fold-constants first, or export the model in inference mode"])
      }
      lists.append(tensor.floats)
    }
    let channels = module.values[op.operands[0]].type.shape?.dropFirst().first ?? 0
    guard channels > 0, lists.allSatisfy({ $0.count == channels }) else {
      throw Diagnostic(
        "fold-batchnorm.parameters", "expected \(channels) parameters of each kind", at: op.location)
    }
    return batchNormAffine(lists, epsilon: op[.epsilon])
  }

  private func constant(_ value: ValueID) -> Tensor? {
    guard let id = producer[value], module.ops[id].opcode == .constant else { return nil }
    let type = module.values[value].type
    return module.tensor(module.ops[id].find(.value), element: type.element, shape: type.shape ?? [])
  }

  /// Moves `norm` into the operation before it; false where that cannot be.
  private mutating func fold(_ norm: Op, _ affine: Affine) -> Bool {
    let channels = affine.factor.count
    guard uses[norm.operands[0]].count == 1, let source = producer[norm.operands[0]],
      let position = body.lastIndex(of: source)
    else { return false }
    var op = module.ops[source]
    // The channels of a product are its columns; they lie on the axis of the normalization only in a matrix.
    let isMatrix = op.opcode == .gemm && module.values[norm.operands[0]].type.shape?.count == 2
    guard op.opcode == .conv || isMatrix, let weights = constant(op.operands[1]) else { return false }
    var bias = [Float](repeating: 0, count: channels)
    if op.operands.count > 2 {
      guard let old = constant(op.operands[2]) else { return false }
      bias = old.floats
    }
    // A filter is a run of a convolution's weights and a column of a product's.
    let run = weights.count / channels
    let scaled = weights.floats.enumerated().map { index, weight in
      weight * affine.factor[isMatrix ? index % channels : index / run]
    }
    let moved = (0..<channels).map {
      Float(Double(bias[$0]) * Double(affine.factor[$0]) + Double(affine.offset[$0]))
    }
    let name = module.values[op.operands[1]].name
    body.remove(at: position)
    let w = add(Tensor(weights.shape, scaled), name: "\(name).folded", op)
    let b = add(Tensor([channels], moved), name: "\(name).folded-bias", op)
    op.operands = [op.operands[0], w, b]
    op.results = norm.results
    if op.find(.range) != nil {
      if let range = norm.find(.range) { op[.range] = range } else { op.remove(.range) }
    }
    module.ops[source] = op
    append(source)
    count += 1
    return true
  }

  /// A product and a sum; calibration has not seen the product.
  private mutating func expand(_ norm: Op, _ affine: Affine) {
    module.facts.remove(.calibrated)
    let type = module.values[norm.results[0]].type
    let name = module.values[norm.results[0]].name
    let shape = [affine.factor.count] + [Int](repeating: 1, count: max(0, (type.shape?.count ?? 2) - 2))
    let factor = add(Tensor(shape, affine.factor), name: "\(name).factor", norm)
    let offset = add(Tensor(shape, affine.offset), name: "\(name).offset", norm)
    let scaled = value("\(name).scaled", type)
    append(
      module.add(Op(.multiply, operands: [norm.operands[0], factor], results: [scaled], origin: norm.origin)))
    append(module.add(Op(.add, operands: [scaled, offset], results: norm.results, origin: norm.origin)))
  }

  private mutating func value(_ desired: String, _ type: ValueType) -> ValueID {
    module.values.add(Value(name: names.unique(desired), type: type))
  }

  private mutating func add(_ tensor: Tensor, name: String, _ op: Op) -> ValueID {
    let result = value(name, ValueType(.float32, tensor.shape))
    let attribute = module.constant(tensor, element: .float32, name: module.values[result].name)
    append(
      module.add(
        Op(.constant, results: [result], attributes: [NamedAttribute(.value, attribute)], origin: op.origin))
    )
    return result
  }
}
