import IR
import Support
import Tensors

extension Builder<TensorLevel> {
  /// Sums of a convolution or product with constants per channel become its bias, as exporters write it that know no
  /// bias: MatMul and Add. Floats stay the same to the bit, because a bias is added last.
  ///
  /// `constants` are the values that depend on no input of the graph.
  mutating func fuseBiases(_ constants: Set<ValueID>) {
    let uses = Uses(of: module)
    var producers: [ValueID: OpID] = [:]
    var moved: Set<OpID> = []
    let old = module.body
    module.body = []
    for id in old {
      let op = module.ops[id]
      for result in op.results { producers[result] = id }
      guard let sum = biasedSum(op, producers, constants, uses) else {
        module.body.append(id)
        continue
      }
      // The operation moves to the place of the sum, where the constant is defined.
      moved.insert(sum.source)
      var source = module.ops[sum.source]
      source.operands.append(list(sum.bias, source))
      source.results = op.results
      for result in op.results { producers[result] = module.append(source) }
    }
    module.body.removeAll(where: moved.contains)
  }

  /// `bias` as a list.
  private mutating func list(_ bias: ValueID, _ source: Op) -> ValueID {
    let shape = type(bias).shape ?? []
    guard shape.count != 1 else { return bias }
    let count = shape.reduce(1, *)
    return emit(
      .reshape, [bias], [NamedAttribute(.shape, [count])], type: ValueType(.float32, [count]),
      name: module.values[bias].name, origin: source.origin)
  }

  private struct BiasedSum {
    let source: OpID
    let bias: ValueID
  }

  /// The convolution or product, without a bias yet, of which `op` is the only use, and the constant that it adds.
  private func biasedSum(
    _ op: Op, _ producers: [ValueID: OpID], _ constants: Set<ValueID>, _ uses: Uses
  ) -> BiasedSum? {
    guard op.opcode == .add, op.operands.count == 2 else { return nil }
    for (x, bias) in [(op.operands[0], op.operands[1]), (op.operands[1], op.operands[0])] {
      guard let id = producers[x], constants.contains(bias), !constants.contains(x), uses[x].count == 1 else {
        continue
      }
      let source = module.ops[id]
      let (shape, added) = (type(x).shape ?? [], type(bias).shape ?? [])
      guard source.opcode == .conv || source.opcode == .gemm, source.operands.count == 2,
        type(op.results[0]).shape == shape
      else { continue }
      let axis = source.opcode == .conv ? 1 : shape.count - 1
      let aligned = [Int](repeating: 1, count: max(0, shape.count - added.count)) + added
      let isPerChannel = aligned.indices.allSatisfy { aligned[$0] == ($0 == axis ? shape[axis] : 1) }
      if aligned.count == shape.count, isPerChannel { return BiasedSum(source: id, bias: bias) }
    }
    return nil
  }
}
