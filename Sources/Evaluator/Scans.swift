import IR
import Support
import Tensors

extension Interpreter {
  /// Runs a scan; afterwards the results of its `yield` and `scan-output` operations are there.
  func run(
    _ scan: Op, _ values: inout ValueTable, _ saturations: inout [String: Int],
    _ observe: (ValueID, Tensor) -> Void
  ) throws(Diagnostic) {
    let body = scan.body.map { module.ops[$0] }
    let count = scan[.rounds]
    var carries: [ValueID: Tensor] = [:]
    var outputs: [ValueID: [Tensor]] = [:]
    for round in 0..<count {
      var coming = carries
      for op in body {
        let arguments = values[op.operands]
        guard arguments.count == op.operands.count, let result = op.results.first else {
          throw unreadable(op)
        }
        switch op.opcode.kind {
        case .carry: values.set(result, carries[result] ?? arguments[0], observe)
        case .scanSlice: values.set(result, try part(round, of: arguments[0], op), observe)
        case .yield: coming[op.operands[0]] = arguments[1]
        case .scanOutput: outputs[result, default: []].append(arguments[0])
        case .input, .output, .constant, .conv, .gemm, .batchNorm, .scan, .window, .mvm, .col2im, .layer,
          .block, .buffer, .crossbar, .load, .drive, .convert, .accumulate, .store, .repeat, .digital:
          values.set(result, try compute(op, arguments, &saturations), observe)
        }
      }
      carries = coming
    }
    for op in body {
      guard let result = op.results.first else { continue }
      if op.opcode == .yield, let carry = carries[op.operands[0]] { values.set(result, carry, observe) }
      if op.opcode == .scanOutput, let parts = outputs[result] {
        let ordered = op[.reverse] ? parts.reversed() : parts
        values.set(result, try DigitalOperator.concat(axis: op[.axis]).apply(to: ordered), observe)
      }
    }
  }

  /// The slice of `tensor` that a `scan-slice` takes in an iteration.
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
