import Support

extension Opcode {
  /// Whether it is valid only inside a scan; scan slices and outputs of a program use the round of any `repeat`.
  var needsScan: Bool { [.carry, .scanSlice, .yield, .scanOutput].contains(self) }

  /// Whether its result exists after its scan, and nowhere before.
  var outlivesScan: Bool { self == .yield || self == .scanOutput }
}

extension Verifier {
  /// S12: scan slices and outputs have as many parts as their scan has iterations. Each carry starts with a value from
  /// outside and has one `yield`, and each `yield` gives a value to a carry of its scan.
  mutating func checkScan(_ scan: Op, _ outside: [Bool]) {
    let body = scan.body.map { module.ops[$0] }
    let carries = Set(body.filter { $0.opcode == .carry }.flatMap(\.results))
    var updated: Set<ValueID> = []
    for op in body {
      switch op.opcode.kind {
      case .scanSlice, .scanOutput:
        if op[.parts] != scan[.rounds] {
          fail("scan", "\(op[.parts]) parts in a scan of \(scan[.rounds]) iterations", op)
        }
      case .carry:
        if let first = op.operands.first, !outside[first.index] {
          fail("scan", "a carry starts with a value from outside of its scan", op)
        }
      case .yield:
        guard let carry = op.operands.first else { continue }
        if !carries.contains(carry) {
          fail("scan", "%\(module.values[carry].name) is no carry of this scan", op)
        } else if !updated.insert(carry).inserted {
          fail("scan", "%\(module.values[carry].name) gets two values", op)
        }
      case .input, .output, .constant, .conv, .gemm, .batchNorm, .digital, .scan, .window, .mvm, .col2im,
        .layer, .block, .buffer, .crossbar, .load, .drive, .convert, .accumulate, .store, .repeat:
        continue
      }
    }
    for op in body where op.opcode == .carry {
      for carry in op.results where !updated.contains(carry) {
        fail("scan", "%\(module.values[carry].name) gets no value for the next iteration", op)
      }
    }
  }
}
