import IR
import ONNX
import Support
import Tensors

/// Appends the operations of a recurrent node.
struct RecurrentEmitter {
  var context: ImportContext
  let node: ONNXNode
  let form: RecurrentForm
  /// The direction that operations belong to, as names of values and layers say it.
  var direction: String?
  private let base: String

  init(_ context: ImportContext, _ node: ONNXNode, _ form: RecurrentForm) {
    self.context = context
    self.node = node
    self.form = form
    base = node.name.isEmpty ? node.outputs.first { !$0.isEmpty } ?? node.op : node.name
  }

  /// What names of values begin with.
  var prefix: String { direction.map { "\(base).\($0)" } ?? base }

  mutating func emit(_ digital: DigitalOperator, _ operands: [ValueID], _ name: String) throws(Diagnostic)
    -> ValueID
  {
    try context.emitInner(digital, operands, name: "\(prefix).\(name)", for: node)
  }

  mutating func emit(
    _ opcode: Opcode, _ operands: [ValueID], _ attributes: [NamedAttribute] = [], _ name: String
  ) throws(Diagnostic) -> ValueID {
    try context.emitInner(opcode, operands, attributes, name: "\(prefix).\(name)", for: node)
  }

  /// A constant that stands for one number.
  mutating func number(_ value: Float) -> ValueID {
    context.constant(Tensor([1], [value]), name: "\(prefix).\(value == 1 ? "one" : "number")")
  }

  /// The product with the constant matrix `weights`; its direction and `name` tell it from the others of the node.
  mutating func product(_ x: ValueID, _ weights: ValueID, _ bias: ValueID?, _ name: String) throws(Diagnostic)
    -> ValueID
  {
    let part = direction.map { "\($0).\(name)" } ?? name
    return try emit(
      .gemm, [x, weights] + (bias.map { [$0] } ?? []), [NamedAttribute(.part, part)], name)
  }

  /// Columns `start ..< start + length` of a matrix, or of a list.
  mutating func columns(_ x: ValueID, from start: Int, _ length: Int, _ name: String) throws(Diagnostic)
    -> ValueID
  {
    let shape = context.builder.type(x).shape ?? []
    if shape.last == length { return x }
    var begin = [Int](repeating: 0, count: shape.count)
    var end = shape
    if let last = shape.indices.last { (begin[last], end[last]) = (start, start + length) }
    return try emit(.slice(start: begin, end: end), [x], name)
  }

  /// The part of direction `direction` of an array with the directions as its first axis, which goes.
  mutating func part(_ direction: Int, of x: ValueID, _ name: String) throws(Diagnostic) -> ValueID {
    let shape = context.builder.type(x).shape ?? []
    var one = x
    if form.isReversed.count > 1 {
      var begin = [Int](repeating: 0, count: shape.count)
      var end = shape
      (begin[0], end[0]) = (direction, direction + 1)
      one = try emit(.slice(start: begin, end: end), [x], "\(name).slice")
    }
    return try emit(.reshape(Array(shape.dropFirst())), [one], name)
  }

  // MARK: Rounds

  /// The rows of this round, of the rows of all rounds.
  mutating func scanSlice(_ x: ValueID, _ reversed: Bool, _ name: String) throws(Diagnostic) -> ValueID {
    try emit(.scanSlice, [x], parts(reversed), name)
  }

  /// The rows of all rounds.
  mutating func scanOutput(_ x: ValueID, _ reversed: Bool, _ name: String) throws(Diagnostic) -> ValueID {
    try emit(.scanOutput, [x], parts(reversed), name)
  }

  private func parts(_ reversed: Bool) -> [NamedAttribute] {
    [
      NamedAttribute(.axis, 0), NamedAttribute(.parts, form.steps),
      NamedAttribute(.reverse, reversed),
    ]
  }

  /// What goes into a gate or a candidate, clipped, through its activation.
  mutating func activate(_ x: ValueID, _ direction: Int, _ function: Int, _ name: String) throws(Diagnostic)
    -> ValueID
  {
    var value = x
    if let clip = form.clip {
      value = try emit(.unary(.clip(low: -clip, high: clip)), [x], "\(name).clipped")
    }
    return try form.activations[direction][function].apply(to: value, &self, name)
  }

  mutating func sum(_ a: ValueID, _ b: ValueID, _ name: String) throws(Diagnostic) -> ValueID {
    try emit(.binary(.add), [a, b], name)
  }

  mutating func multiply(_ a: ValueID, _ b: ValueID, _ name: String) throws(Diagnostic) -> ValueID {
    try emit(.binary(.multiply), [a, b], name)
  }
}
