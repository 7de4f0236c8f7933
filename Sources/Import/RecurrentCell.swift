import IR
import Support
import Tensors

/// What a direction computes in a round, as the ONNX operators LSTM, GRU and RNN state it. All values are
/// `[batch, hidden]`.
struct RecurrentCell {
  private let direction: Int
  private let weights: RecurrentWeights
  /// Constants that the iterations need, made before the scan.
  private let one: ValueID?
  /// The matrix of the state: that of all gates, or of a GRU's first two gates where the third one works on another
  /// value.
  private let gates: ValueID
  /// The matrix of that third gate.
  private let last: ValueID?

  init(_ out: inout RecurrentEmitter, _ direction: Int, _ weights: RecurrentWeights) throws(Diagnostic) {
    self.direction = direction
    self.weights = weights
    let form = out.form
    one = form.kind == .gru || form.kind == .lstm && form.couplesForget ? out.number(1) : nil
    guard form.kind == .gru, !form.resetsProduct else {
      (gates, last) = (weights.recurrent, nil)
      return
    }
    gates = try out.columns(weights.recurrent, from: 0, 2 * form.hidden, "R.gates")
    last = try out.columns(weights.recurrent, from: 2 * form.hidden, form.hidden, "R.hidden")
  }

  /// The state after a round: `x` is the product of the inputs, with the biases; `h` and `c` are the state before.
  func next(_ out: inout RecurrentEmitter, _ x: ValueID, _ h: ValueID, _ c: ValueID?) throws(Diagnostic)
    -> (hidden: ValueID, cell: ValueID?)
  {
    switch out.form.kind {
    case .rnn:
      let product = try out.product(h, gates, weights.recurrentBias, "recurrent")
      return (try out.activate(out.sum(x, product, "sum"), direction, 0, "h.new"), nil)
    case .gru: return (try gru(&out, x, h), nil)
    case .lstm:
      guard let c else { return (h, nil) }
      return try lstm(&out, x, h, c)
    }
  }

  /// it = f(x + h R + Pi c), ft = f(x + h R + Pf c), ct = g(x + h R), C = ft c + it ct, ot = f(x + h R + Po C), H = ot
  /// h(C).
  ///
  /// As in onnxruntime, a clip bounds what goes into gates and the candidate, and not C on its way into h.
  private func lstm(_ out: inout RecurrentEmitter, _ x: ValueID, _ h: ValueID, _ c: ValueID)
    throws(Diagnostic)
    -> (hidden: ValueID, cell: ValueID?)
  {
    let hidden = out.form.hidden
    let product = try out.product(h, gates, weights.recurrentBias, "recurrent")
    let sums = try out.sum(x, product, "sum")
    /// Gate number `number`, with what its peephole sees of `cell`.
    func gate(_ number: Int, _ name: String, _ function: Int, _ cell: ValueID?) throws(Diagnostic) -> ValueID
    {
      var sum = try out.columns(sums, from: number * hidden, hidden, "\(name).sum")
      if let cell, number < weights.peepholes.count {
        let seen = try out.multiply(cell, weights.peepholes[number], "\(name).seen")
        sum = try out.sum(sum, seen, "\(name).all")
      }
      return try out.activate(sum, direction, function, name)
    }
    let input = try gate(0, "i", 0, c)
    let forget: ValueID
    if let one {
      forget = try out.emit(.binary(.subtract), [one, input], "f")
    } else {
      forget = try gate(2, "f", 0, c)
    }
    let candidate = try gate(3, "g", 1, nil)
    let kept = try out.multiply(forget, c, "c.forget")
    let new = try out.sum(kept, out.multiply(input, candidate, "c.input"), "c.new")
    let output = try gate(1, "o", 0, new)
    let bent = try out.form.activations[direction][2].apply(to: new, &out, "c.bent")
    return (try out.multiply(output, bent, "h.new"), new)
  }

  /// zt = f(x + h R), rt = f(x + h R), ht = g(x + (rt h) R) or g(x + rt (h R + b)), H = (1 - zt) ht + zt h.
  private func gru(_ out: inout RecurrentEmitter, _ x: ValueID, _ h: ValueID) throws(Diagnostic) -> ValueID {
    let hidden = out.form.hidden
    let product = try out.product(h, gates, weights.recurrentBias, "recurrent")
    /// Gate number `number` of the first two.
    func gate(_ number: Int, _ name: String) throws(Diagnostic) -> ValueID {
      let input = try out.columns(x, from: number * hidden, hidden, "\(name).x")
      let state = try out.columns(product, from: number * hidden, hidden, "\(name).h")
      return try out.activate(out.sum(input, state, "\(name).sum"), direction, 0, name)
    }
    let update = try gate(0, "z")
    let reset = try gate(1, "r")
    let candidate: ValueID
    if let last {
      candidate = try out.product(out.multiply(reset, h, "h.reset"), last, nil, "hidden")
    } else {
      candidate = try out.multiply(reset, out.columns(product, from: 2 * hidden, hidden, "g.h"), "g.reset")
    }
    let input = try out.columns(x, from: 2 * hidden, hidden, "g.x")
    let bent = try out.activate(out.sum(input, candidate, "g.sum"), direction, 1, "g")
    guard let one else { return bent }
    let rest = try out.emit(.binary(.subtract), [one, update], "z.rest")
    return try out.sum(out.multiply(rest, bent, "h.add"), out.multiply(update, h, "h.keep"), "h.new")
  }
}
