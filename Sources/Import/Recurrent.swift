import IR
import ONNX
import Support
import Tensors

/// LSTM, GRU and RNN: the products with inputs of all steps at once, then a scan over time.
let recurrentOperators: [SupportedOperator] = [
  SupportedOperator(
    "LSTM", recurrent(.lstm), .libm,
    "every direction, layout, bias, sequence_lens, initial_h, initial_c, peepholes, activations with alpha and beta, clip, "
      + "input_forget", crossbars: "the products with W and R", digital: "gates and states",
    notes:
      "weights must follow from constants; sequence_lens must be known at import; clip does not bound "
      + "what goes into the activation of the cell state, as in onnxruntime"),
  SupportedOperator(
    "GRU", recurrent(.gru), .libm, "as `LSTM`, with linear_before_reset",
    crossbars: "the products with W and R; R is two layers without linear_before_reset",
    digital: "gates and states", notes: "as `LSTM`"),
  SupportedOperator(
    "RNN", recurrent(.rnn), .libm, "as `LSTM`", crossbars: "the products with W and R", digital: "the state",
    notes: "as `LSTM`"),
]

private func recurrent(_ kind: RecurrentKind) -> OperatorImporter {
  { (context, node) throws(Diagnostic) in try importRecurrent(&context, node, kind) }
}

private func importRecurrent(_ context: inout ImportContext, _ node: ONNXNode, _ kind: RecurrentKind)
  throws(Diagnostic)
{
  let form = try RecurrentForm(context, node, kind)
  var emitter = RecurrentEmitter(context, node, form)
  let rows = try emitter.inputRows()
  let edges = try emitter.edges()
  var results: [RecurrentResult] = []
  for (direction, isReversed) in form.isReversed.enumerated() {
    emitter.direction = isReversed ? "reverse" : "forward"
    let weights = try RecurrentWeights(&emitter, direction)
    results.append(try emitter.run(direction, rows, weights, edges))
  }
  emitter.direction = nil
  try emitter.bindOutputs(results)
  context = emitter.context
}

/// The weights of a direction.
struct RecurrentWeights {
  /// `[inputs, gates * hidden]`.
  let input: ValueID
  /// `[hidden, gates * hidden]`.
  let recurrent: ValueID
  /// What is added to the product of the inputs, and to that of the state.
  let inputBias: ValueID?
  let recurrentBias: ValueID?
  /// Peepholes of the input, output and forget gates.
  let peepholes: [ValueID]

  init(_ out: inout RecurrentEmitter, _ direction: Int) throws(Diagnostic) {
    let (node, hidden) = (out.node, out.form.hidden)
    func matrix(_ index: Int, _ name: String) throws(Diagnostic) -> ValueID {
      let one = try out.part(direction, of: out.context.value(node, index), name)
      return try out.emit(.transpose([1, 0]), [one], "\(name).matrix")
    }
    input = try matrix(1, "W")
    recurrent = try matrix(2, "R")
    var lists: [ValueID] = []
    if out.context.hasInput(node, 7), out.form.kind == .lstm {
      let all = try out.part(direction, of: out.context.value(node, 7), "P")
      for gate in 0..<3 { lists.append(try out.columns(all, from: gate * hidden, hidden, "P\(gate)")) }
    }
    peepholes = lists
    guard out.context.hasInput(node, 3) else {
      (inputBias, recurrentBias) = (nil, nil)
      return
    }
    let rows = out.form.kind.gates * hidden
    let biases = try out.part(direction, of: out.context.value(node, 3), "B")
    let ofInput = try out.columns(biases, from: 0, rows, "Wb")
    let ofState = try out.columns(biases, from: rows, rows, "Rb")
    guard out.form.kind == .gru, out.form.resetsProduct else {
      (inputBias, recurrentBias) = (try out.sum(ofInput, ofState, "bias"), nil)
      return
    }
    // The bias of the hidden gate is reset with its product.
    (inputBias, recurrentBias) = (ofInput, ofState)
  }
}

/// What is at the edges of the scans of all directions.
struct RecurrentEdges {
  /// First states, `[directions, batch, hidden]`; nil for zeros.
  let hidden: ValueID?
  let cell: ValueID?
  /// For each step and sample 1 where its sequence goes on, else 0, `[steps * batch, 1]`; nil where all go on.
  let mask: ValueID?
}

/// What a direction gives.
struct RecurrentResult {
  /// `[steps * batch, hidden]`; nil where nothing uses it.
  let all: ValueID?
  /// The last states, `[batch, hidden]`.
  let hidden: ValueID
  let cell: ValueID?
}

extension RecurrentEmitter {
  /// The inputs of all steps as rows, `[steps * batch, inputs]`.
  mutating func inputRows() throws(Diagnostic) -> ValueID {
    var x = try context.value(node, 0)
    if form.isBatchFirst { x = try emit(.transpose([1, 0, 2]), [x], "steps") }
    let rows = try checked(form.steps, form.batch)
    return try emit(.reshape([rows, form.inputs]), [x], "rows")
  }

  private func checked(_ a: Int, _ b: Int) throws(Diagnostic) -> Int {
    guard let product = checkedProduct([a, b]), product <= largestConstant else {
      throw context.failure("size", "\(a) x \(b) rows are too many", node, help: "export shorter sequences")
    }
    return product
  }

  mutating func edges() throws(Diagnostic) -> RecurrentEdges {
    func first(_ index: Int, _ name: String) throws(Diagnostic) -> ValueID? {
      guard context.hasInput(node, index) else { return nil }
      let state = try context.value(node, index)
      return form.isBatchFirst ? try emit(.transpose([1, 0, 2]), [state], name) : state
    }
    let hidden = try first(5, "first-hidden")
    let cell = form.kind == .lstm ? try first(6, "first-cell") : nil
    guard let lengths = form.lengths else { return RecurrentEdges(hidden: hidden, cell: cell, mask: nil) }
    let on = (0..<form.steps).flatMap { step in lengths.map { step < $0 ? Float(1) : 0 } }
    return RecurrentEdges(
      hidden: hidden, cell: cell, mask: context.constant(Tensor([on.count, 1], on), name: "\(prefix).on"))
  }

  /// The first state of a direction, `[batch, hidden]`.
  private mutating func first(_ direction: Int, _ state: ValueID?, _ name: String) throws(Diagnostic)
    -> ValueID
  {
    if let state { return try part(direction, of: state, name) }
    let zeros = [Float](repeating: 0, count: try checked(form.batch, form.hidden))
    return context.constant(Tensor([form.batch, form.hidden], zeros), name: "\(prefix).\(name)")
  }

  /// The products of the inputs and the scan of a direction.
  mutating func run(
    _ direction: Int, _ rows: ValueID, _ weights: RecurrentWeights, _ edges: RecurrentEdges
  ) throws(Diagnostic) -> RecurrentResult {
    let isReversed = form.isReversed[direction]
    let inputs = try product(rows, weights.input, weights.inputBias, "input")
    let firstHidden = try first(direction, edges.hidden, "h0")
    let firstCell = form.kind == .lstm ? try first(direction, edges.cell, "c0") : nil
    let cell = try RecurrentCell(&self, direction, weights)
    context.builder.openScan(count: form.steps, origin: node.origin)
    let h = try emit(.carry, [firstHidden], [], "h")
    let c = try firstCell.map { (first) throws(Diagnostic) in try emit(.carry, [first], [], "c") }
    let x = try scanSlice(inputs, isReversed, "x")
    var (newHidden, newCell) = try cell.next(&self, x, h, c)
    var given = newHidden
    if let mask = edges.mask {
      let on = try scanSlice(mask, isReversed, "on")
      given = try emit(.select, [on, newHidden, number(0)], "y")
      newHidden = try emit(.select, [on, newHidden, h], "h.masked")
      if let c, let cell = newCell { newCell = try emit(.select, [on, cell, c], "c.masked") }
    }
    let isUsed = node.outputs.first.map { !$0.isEmpty && context.used.contains($0) } ?? false
    let all = isUsed ? try scanOutput(given, isReversed, "Y") : nil
    let lastHidden = try emit(.yield, [h, newHidden], [], "Yh")
    var lastCell: ValueID?
    if let c, let newCell { lastCell = try emit(.yield, [c, newCell], [], "Yc") }
    context.builder.closeScan()
    return RecurrentResult(all: all, hidden: lastHidden, cell: lastCell)
  }

  /// Joins what the directions give under the names of the node's outputs.
  mutating func bindOutputs(_ results: [RecurrentResult]) throws(Diagnostic) {
    let (steps, batch, hidden) = (form.steps, form.batch, form.hidden)
    try bind(0, results.compactMap(\.all), [steps, 1, batch, hidden], axis: 1, batchFirst: [2, 0, 1, 3])
    try bind(1, results.map(\.hidden), [1, batch, hidden], axis: 0, batchFirst: [1, 0, 2])
    try bind(2, results.compactMap(\.cell), [1, batch, hidden], axis: 0, batchFirst: [1, 0, 2])
  }

  private mutating func bind(
    _ index: Int, _ values: [ValueID], _ shape: [Int], axis: Int, batchFirst order: [Int]
  ) throws(Diagnostic) {
    guard node.outputs.indices.contains(index), context.used.contains(node.outputs[index]), !values.isEmpty
    else { return }
    let name = node.outputs[index]
    var parts: [ValueID] = []
    for value in values {
      let isLast = values.count == 1 && !form.isBatchFirst
      parts.append(
        try context.emitInner(.reshape(shape), [value], name: isLast ? name : "\(name).part", for: node))
    }
    var result = parts[0]
    if parts.count > 1 {
      result = try context.emitInner(
        .concat(axis: axis), parts, name: form.isBatchFirst ? "\(name).joined" : name, for: node)
    }
    if form.isBatchFirst {
      result = try context.emitInner(.transpose(order), [result], name: name, for: node)
    }
    context.bind(name, .value(result))
  }
}
