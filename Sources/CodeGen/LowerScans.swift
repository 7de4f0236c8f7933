import IR
import Support
import Tensors

extension CodeLowering {
  /// A scan: carries are buffers, set before the loop and at the end of each iteration.
  mutating func scan(_ scan: Op) throws(Diagnostic) {
    let body = scan.body.map { source.ops[$0] }
    for carry in body where carry.opcode == .carry {
      let first = try buffer(carry.operands[0], carry)
      copy(first, to: declare(carry.results[0]), carry)
    }
    let before = code
    code = []
    for op in body { try lower(op) }
    try update(body.filter { $0.opcode == .yield })
    let rounds = Op(.repeat, attributes: scan.attributes, body: code, origin: scan.origin)
    code = before
    emit(rounds)
  }

  /// Gives all carries their values at once: a value that is itself a carry is copied before any carry changes.
  private mutating func update(_ updates: [Op]) throws(Diagnostic) {
    let carries = Set(updates.map { $0.operands[0] })
    var values: [ValueID] = []
    for update in updates {
      var value = try buffer(update.operands[1], update)
      if carries.contains(update.operands[1]) {
        let kept = declare("\(builder.module.values[value].name).old", source.values[update.operands[1]].type)
        copy(value, to: kept, update)
        value = kept
      }
      values.append(value)
    }
    for (update, value) in zip(updates, values) {
      let carry = try buffer(update.operands[0], update)
      copy(value, to: carry, update)
      buffers[update.results[0]] = carry
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
