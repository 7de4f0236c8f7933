import IR
import Support
import Tensors

extension Interpreter {
  /// Runs a loop over time; afterwards the results of its `next` and `stack` operations are there.
  func run(
    _ loop: Op, _ values: inout ValueTable, _ saturations: inout [String: Int],
    _ observe: (ValueID, Tensor) -> Void
  ) throws(Diagnostic) {
    let body = loop.body.map { module.ops[$0] }
    let count = loop[.rounds]
    var states: [ValueID: Tensor] = [:]
    var stacks: [ValueID: [Tensor]] = [:]
    for round in 0..<count {
      var coming = states
      for op in body {
        let arguments = values[op.operands]
        guard arguments.count == op.operands.count, let result = op.results.first else {
          throw unreadable(op)
        }
        switch op.opcode.kind {
        case .state: values.set(result, states[result] ?? arguments[0], observe)
        case .step: values.set(result, try part(round, of: arguments[0], op), observe)
        case .next: coming[op.operands[0]] = arguments[1]
        case .stack: stacks[result, default: []].append(arguments[0])
        case .input, .output, .constant, .conv, .gemm, .batchNorm, .loop, .window, .mvm, .arrange, .layer,
          .block, .buffer, .crossbar, .load, .drive, .convert, .accumulate, .store, .repeat, .digital:
          values.set(result, try compute(op, arguments, &saturations), observe)
        }
      }
      states = coming
    }
    for op in body {
      guard let result = op.results.first else { continue }
      if op.opcode == .next, let state = states[op.operands[0]] { values.set(result, state, observe) }
      if op.opcode == .stack, let parts = stacks[result] {
        let ordered = op[.reverse] ? parts.reversed() : parts
        values.set(result, try DigitalOperator.concat(axis: op[.axis]).apply(to: ordered), observe)
      }
    }
  }

  /// The part of `tensor` that a `step` takes in a round.
  private func part(_ round: Int, of tensor: Tensor, _ op: Op) throws(Diagnostic) -> Tensor {
    let (axis, parts) = (op[.axis], op[.parts])
    guard tensor.shape.indices.contains(axis), round < parts else { throw unreadable(op) }
    let length = tensor.shape[axis] / parts
    let number = op[.reverse] ? parts - 1 - round : round
    var start = [Int](repeating: 0, count: tensor.shape.count)
    var end = tensor.shape
    (start[axis], end[axis]) = (number * length, (number + 1) * length)
    return try DigitalOperator.slice(start: start, end: end).apply(to: [tensor])
  }
}

/// The values of an evaluation so far.
struct ValueTable {
  private var values: [Tensor?]

  init(count: Int, _ constants: [ValueID: Tensor]) {
    values = Array(repeating: nil, count: count)
    for (id, tensor) in constants { values[id.index] = tensor }
  }

  subscript(id: ValueID) -> Tensor? { values[id.index] }

  subscript(ids: [ValueID]) -> [Tensor] { ids.compactMap { values[$0.index] } }

  mutating func set(_ id: ValueID, _ tensor: Tensor, _ observe: (ValueID, Tensor) -> Void) {
    values[id.index] = tensor
    observe(id, tensor)
  }
}
