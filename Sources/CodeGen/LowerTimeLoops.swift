import IR
import Support
import Tensors

extension CodeLowering {
  /// A loop over time: states are buffers, set before the loop and at the end of each round.
  mutating func timeLoop(_ loop: Op) throws(Diagnostic) {
    let body = loop.body.map { source.ops[$0] }
    for state in body where state.opcode == .state {
      let first = try buffer(state.operands[0], state)
      copy(first, to: declare(state.results[0]), state)
    }
    let before = code
    code = []
    for op in body { try lower(op) }
    try update(body.filter { $0.opcode == .next })
    let rounds = Op(.repeat, attributes: loop.attributes, body: code, origin: loop.origin)
    code = before
    emit(rounds)
  }

  /// Gives all states their values at once: what is itself a state is kept aside before any state changes.
  private mutating func update(_ updates: [Op]) throws(Diagnostic) {
    let states = Set(updates.map { $0.operands[0] })
    var values: [ValueID] = []
    for update in updates {
      var value = try buffer(update.operands[1], update)
      if states.contains(update.operands[1]) {
        let kept = declare("\(builder.module.values[value].name).old", source.values[update.operands[1]].type)
        copy(value, to: kept, update)
        value = kept
      }
      values.append(value)
    }
    for (update, value) in zip(updates, values) {
      let state = try buffer(update.operands[0], update)
      copy(value, to: state, update)
      buffers[update.results[0]] = state
    }
  }

  private mutating func copy(_ from: ValueID, to target: ValueID, _ op: Op) {
    let shape = builder.type(target).shape ?? []
    emit(
      Op(
        .reshape, operands: [from], results: [target], attributes: [NamedAttribute(.shape, shape)],
        origin: op.origin))
  }
}
