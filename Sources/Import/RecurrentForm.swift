import IR
import ONNX
import Support
import Tensors

/// The recurrent operators of ONNX.
enum RecurrentKind: String, CaseIterable {
  case lstm = "LSTM"
  case gru = "GRU"
  case rnn = "RNN"

  /// Gates, in the order of the weights: input, output, forget, cell; update, reset, hidden; one.
  var gates: Int {
    switch self {
    case .lstm: return 4
    case .gru: return 3
    case .rnn: return 1
    }
  }

  /// The activations of a direction.
  var activations: [String] {
    switch self {
    case .lstm: return ["Sigmoid", "Tanh", "Tanh"]
    case .gru: return ["Sigmoid", "Tanh"]
    case .rnn: return ["Tanh"]
    }
  }
}

/// What a recurrent node is made of: its lengths and attributes, checked against each other.
struct RecurrentForm {
  let kind: RecurrentKind
  /// Steps of time.
  let steps: Int
  let batch: Int
  let inputs: Int
  let hidden: Int
  /// For each direction whether time runs backwards in it.
  let isReversed: [Bool]
  /// The activations of each direction.
  let activations: [[RecurrentActivation]]
  /// The largest magnitude of what goes into an activation.
  let clip: Float?
  /// Whether the batch is the first axis of inputs, states and outputs.
  let isBatchFirst: Bool
  /// Whether the forget gate of an LSTM is 1 less its input gate.
  let couplesForget: Bool
  /// Whether the reset gate of a GRU works on the product of the state instead of the state.
  let resetsProduct: Bool
  /// How long the sequence of each sample is; nil where all are as long as `steps`.
  let lengths: [Int]?

  init(_ context: ImportContext, _ node: ONNXNode, _ kind: RecurrentKind) throws(Diagnostic) {
    self.kind = kind
    let direction = try node.string("direction") ?? "forward"
    switch direction {
    case "forward": isReversed = [false]
    case "reverse": isReversed = [true]
    case "bidirectional": isReversed = [false, true]
    default:
      throw context.failure(
        "recurrent-form", "unknown direction '\(direction)'", node,
        help: "use forward, reverse or bidirectional")
    }
    isBatchFirst = try node.int("layout") ?? 0 != 0
    couplesForget = try node.int("input_forget") ?? 0 != 0
    resetsProduct = try node.int("linear_before_reset") ?? 0 != 0
    clip = try node.float("clip")
    if let clip, !(clip >= 0) {
      throw context.failure("recurrent-form", "clip is \(clip)", node, help: "it must be a number from 0 up")
    }
    let (x, w) = (try context.shape(node, 0), try context.shape(node, 1))
    guard x.count == 3, w.count == 3, try context.shape(node, 2).count == 3 else {
      throw context.failure(
        "recurrent-form", "inputs and weights must have three axes", node,
        help: "check the model with onnx.checker")
    }
    (steps, batch) = isBatchFirst ? (x[1], x[0]) : (x[0], x[1])
    inputs = x[2]
    hidden = try context.shape(node, 2)[2]
    guard 1...1 << 20 ~= steps, batch >= 1, inputs >= 1, 1...1 << 24 ~= hidden else {
      throw context.failure(
        "recurrent-form", "\(steps) steps of \(batch) x \(inputs) into \(hidden)", node,
        help: "lengths are from 1 up, and at most 2^20 steps")
    }
    let all = try RecurrentActivation.all(
      of: node, defaults: kind.activations, directions: isReversed.count, context)
    let each = kind.activations.count
    activations = isReversed.indices.map { Array(all[$0 * each..<($0 + 1) * each]) }
    lengths = try Self.lengths(context, node, steps: steps, batch: batch)
    try checkShapes(context, node)
  }

  private static func lengths(
    _ context: ImportContext, _ node: ONNXNode, steps: Int, batch: Int
  ) throws(Diagnostic) -> [Int]? {
    guard context.hasInput(node, 4) else { return nil }
    let found = try context.integers(node, 4).values
    guard found.count == batch, found.allSatisfy({ 1...Int64(steps) ~= $0 }) else {
      throw context.failure(
        "recurrent-form", "sequence_lens must be \(batch) numbers from 1 to \(steps)", node,
        help: "check the model with onnx.checker")
    }
    return found.allSatisfy { $0 == steps } ? nil : found.map { Int($0) }
  }

  /// The shape of a state at the edge of the graph.
  var stateShape: [Int] {
    isBatchFirst ? [batch, isReversed.count, hidden] : [isReversed.count, batch, hidden]
  }

  private func checkShapes(_ context: ImportContext, _ node: ONNXNode) throws(Diagnostic) {
    let directions = isReversed.count
    let rows = kind.gates * hidden
    var expected = [
      1: [directions, rows, inputs], 2: [directions, rows, hidden], 3: [directions, 2 * rows], 5: stateShape,
    ]
    if kind == .lstm { (expected[6], expected[7]) = (stateShape, [directions, 3 * hidden]) }
    for (index, shape) in expected.sorted(by: { $0.key < $1.key }) where context.hasInput(node, index) {
      let found = try context.shape(node, index)
      guard found == shape else {
        throw context.failure(
          "recurrent-form", "input '\(node.inputs[index])' has the shape \(found), expected \(shape)", node,
          help: "check the model with onnx.checker")
      }
    }
    guard try node.int("hidden_size") ?? hidden == hidden else {
      throw context.failure(
        "recurrent-form", "hidden_size differs from the weights' \(hidden)", node,
        help: "check the model with onnx.checker")
    }
    for index in [1, 2, 3, 7] where context.hasInput(node, index) && !isConstant(context, node, index) {
      throw context.failure(
        "recurrent-weights", "the weights '\(node.inputs[index])' are not known at compile time", node,
        help: "weights, biases and peepholes must follow from initializers")
    }
  }
}
