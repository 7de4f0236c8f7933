import IR
import Reference
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
    "batch normalizations are part of the weights before them, or a product and a sum"
  static let requires: Set<Fact> = [.shaped]
  static let establishes: Set<Fact> = []
  static let guarantee = Guarantee.bounded(
    "weights and biases are rounded to binary32 once; outputs change by float rounding only")
  static let options: [PassOption] = []

  init(_ options: PassOptions) {}

  func run(on module: inout Module<TensorLevel>, in context: inout PassContext) throws(Diagnostic) {
    var body: [OpID] = []
    let uses = Uses(of: module)
    var producer: [ValueID: OpID] = [:]
    for id in module.body {
      let op = module.ops[id]
      if op.opcode == .batchNorm {
        let affine = try parameters(of: op, in: module, producer)
        if let source = producer[op.operands[0]], uses[op.operands[0]].count == 1,
          let position = body.firstIndex(of: source),
          let folded = fold(source, affine, result: op.results[0], &module, producer)
        {
          body.replaceSubrange(position...position, with: folded)
          producer[op.results[0]] = source
          context.count("batch-norms-folded", 1)
          continue
        }
        body += spellOut(op, affine, &module)
        continue
      }
      for result in op.results { producer[result] = id }
      body.append(id)
    }
    module.body = body
    dropUnusedConstants(&module)
    module = module.compacted()
  }

  private typealias Affine = (factor: [Float], offset: [Float])

  private func parameters(of op: Op, in module: Module<TensorLevel>, _ producer: [ValueID: OpID])
    throws(Diagnostic) -> Affine
  {
    var lists: [[Float]] = []
    for operand in op.operands.dropFirst() {
      guard let tensor = constant(operand, module, producer) else {
        throw Diagnostic(
          "fold-batchnorm.parameters", "the parameters of a batch normalization must be constant",
          at: op.location,
          notes: ["run fold-constants first, or export the model in inference mode"])
      }
      lists.append(tensor.floats)
    }
    let channels = module.values[op.operands[0]].type.shape?.dropFirst().first ?? 0
    guard lists.allSatisfy({ $0.count == channels }) else {
      throw Diagnostic(
        "fold-batchnorm.parameters", "expected \(channels) parameters of each kind", at: op.location)
    }
    return batchNormAffine(lists, epsilon: op.float("epsilon"))
  }

  private func constant(_ value: ValueID, _ module: Module<TensorLevel>, _ producer: [ValueID: OpID])
    -> Tensor?
  {
    guard let id = producer[value], module.ops[id].opcode == .constant else { return nil }
    let type = module.values[value].type
    return module.tensor(module.ops[id]["value"], element: type.element, shape: type.shape ?? [])
  }

  /// The constants and the operation that replace `source`, or nil where it cannot be folded.
  private func fold(
    _ source: OpID, _ affine: Affine, result: ValueID, _ module: inout Module<TensorLevel>,
    _ producer: [ValueID: OpID]
  ) -> [OpID]? {
    var op = module.ops[source]
    guard op.opcode == .conv || op.opcode == .gemm, let weights = constant(op.operands[1], module, producer)
    else {
      return nil
    }
    let channels = affine.factor.count
    var bias = [Float](repeating: 0, count: channels)
    if op.operands.count > 2 {
      guard let old = constant(op.operands[2], module, producer) else { return nil }
      bias = old.floats
    }
    // A filter is a run of a convolution's weights and a column of a product's.
    let run = weights.count / channels
    let scaled = weights.floats.enumerated().map { index, weight in
      weight * affine.factor[op.opcode == .conv ? index / run : index % channels]
    }
    let moved = (0..<channels).map {
      Float(Double(bias[$0]) * Double(affine.factor[$0]) + Double(affine.offset[$0]))
    }
    let name = module.values[op.operands[1]].name
    let (w, wOp) = add(Tensor(weights.shape, scaled), name: "\(name).folded", op, &module)
    let (b, bOp) = add(Tensor([channels], moved), name: "\(name).folded-bias", op, &module)
    op.operands = [op.operands[0], w, b]
    op.results = [result]
    module.ops[source] = op
    return [wOp, bOp, source]
  }

  private func spellOut(_ op: Op, _ affine: Affine, _ module: inout Module<TensorLevel>) -> [OpID] {
    let type = module.values[op.results[0]].type
    let name = module.values[op.results[0]].name
    let shape = [affine.factor.count] + [Int](repeating: 1, count: max(0, (type.shape?.count ?? 2) - 2))
    let (factor, factorOp) = add(Tensor(shape, affine.factor), name: "\(name).factor", op, &module)
    let (offset, offsetOp) = add(Tensor(shape, affine.offset), name: "\(name).offset", op, &module)
    let scaled = module.values.add(Value(name: "\(name).scaled", type: type))
    return [
      factorOp, offsetOp,
      module.add(Op(.multiply, operands: [op.operands[0], factor], results: [scaled], origin: op.origin)),
      module.add(Op(.add, operands: [scaled, offset], results: op.results, origin: op.origin)),
    ]
  }

  private func add(_ tensor: Tensor, name: String, _ op: Op, _ module: inout Module<TensorLevel>) -> (
    ValueID, OpID
  ) {
    let attribute = module.constant(tensor, element: .float32, name: name)
    let value = module.values.add(Value(name: name, type: ValueType(.float32, tensor.shape)))
    let id = module.add(
      Op(.constant, results: [value], attributes: [NamedAttribute("value", attribute)], origin: op.origin))
    return (value, id)
  }
}
