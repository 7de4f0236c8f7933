import Support

extension Opcode {
  /// Whether it stands in a loop over time only; steps and stacks of a program use the round of any `repeat`.
  var needsLoop: Bool { [.state, .step, .next, .stack].contains(self) }

  /// Whether its result exists behind the loop that it stands in, and nowhere before.
  var outlivesLoop: Bool { self == .next || self == .stack }
}

extension Verifier {
  /// S12: steps and stacks of a loop have as many parts as it has rounds. Each state begins with a value of outside and has
  /// one `next`, and each `next` gives a value to a state of its loop.
  mutating func checkLoop(_ loop: Op, _ outside: [Bool]) {
    let body = loop.body.map { module.ops[$0] }
    let states = Set(body.filter { $0.opcode == .state }.flatMap(\.results))
    var updated: Set<ValueID> = []
    for op in body {
      switch op.opcode.kind {
      case .step, .stack:
        if op[.parts] != loop[.rounds] {
          fail("loop", "\(op[.parts]) parts in a loop of \(loop[.rounds]) rounds", op)
        }
      case .state:
        if let first = op.operands.first, !outside[first.index] {
          fail("loop", "a state begins with a value from outside of its loop", op)
        }
      case .next:
        guard let state = op.operands.first else { continue }
        if !states.contains(state) {
          fail("loop", "%\(module.values[state].name) is no state of this loop", op)
        } else if !updated.insert(state).inserted {
          fail("loop", "%\(module.values[state].name) gets two values", op)
        }
      case .input, .output, .constant, .conv, .gemm, .batchNorm, .digital, .loop, .window, .mvm, .arrange,
        .layer, .block, .buffer, .crossbar, .load, .drive, .convert, .accumulate, .store, .repeat:
        continue
      }
    }
    for op in body where op.opcode == .state {
      for state in op.results where !updated.contains(state) {
        fail("loop", "%\(module.values[state].name) gets no value for the next round", op)
      }
    }
  }
}
