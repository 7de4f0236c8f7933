import IR
import ONNX
import Support
import Tensors

/// The longest list of indices or known numbers that an importer makes: 2^24, what a program can hold.
let longestList = 1 << 24

/// Elements that an array may have which the importer makes itself: 2^26.
let largestConstant = 1 << 26

/// What one node stands for, built of several operations that are named after its first output.
extension ImportContext {
  /// The shape of a value of the module.
  func shape(of id: ValueID) -> [Int] { builder.type(id).shape ?? [] }

  /// Appends a digital operator and returns its result without naming it in the graph.
  mutating func apply(_ digital: DigitalOperator, _ operands: ValueID..., for node: ONNXNode)
    throws(Diagnostic)
    -> ValueID
  {
    let base = node.outputs.first { !$0.isEmpty } ?? node.op
    let (opcode, attributes) = builder.module.encoding(of: digital, name: "\(base).\(digital.name)")
    return try emitInner(opcode, operands, attributes, name: "\(base).\(digital.name)", for: node)
  }

  /// Appends a one-argument function.
  mutating func apply(_ function: UnaryFunction, _ x: ValueID, for node: ONNXNode) throws(Diagnostic)
    -> ValueID
  {
    try apply(.unary(function), x, for: node)
  }

  /// Appends a two-argument function.
  mutating func apply(_ function: BinaryFunction, _ a: ValueID, _ b: ValueID, for node: ONNXNode)
    throws(Diagnostic) -> ValueID
  {
    try apply(.binary(function), a, b, for: node)
  }

  /// Appends a function of a value and a number.
  mutating func apply(_ function: BinaryFunction, _ a: ValueID, _ number: Float, for node: ONNXNode)
    throws(Diagnostic) -> ValueID
  {
    try apply(.binary(function), a, self.number(number, for: node), for: node)
  }

  /// `a` where `condition` is not 0, else `b`; what is not chosen does not matter.
  mutating func select(_ condition: ValueID, _ a: ValueID, _ b: ValueID, for node: ONNXNode)
    throws(Diagnostic) -> ValueID
  {
    try apply(.select, condition, a, b, for: node)
  }

  /// A single number.
  mutating func number(_ value: Float, for node: ONNXNode) -> ValueID {
    constant(Tensor([], [value]), name: "\(node.outputs.first { !$0.isEmpty } ?? node.op).number")
  }

  /// The same elements under another shape.
  mutating func reshape(_ x: ValueID, _ shape: [Int], for node: ONNXNode) throws(Diagnostic) -> ValueID {
    self.shape(of: x) == shape ? x : try apply(.reshape(shape), x, for: node)
  }

  /// `x` to a fixed power: a product where the exponent is small and whole, roots where it is a multiple of 1/4, else
  /// by exponential and logarithm, which gives NaN for negative `x`.
  mutating func power(_ x: ValueID, _ exponent: Float, for node: ONNXNode) throws(Diagnostic) -> ValueID {
    if exponent < 0 {
      return try apply(.divide, number(1, for: node), power(x, -exponent, for: node), for: node)
    }
    if exponent == exponent.rounded(), exponent <= 64 {
      var result: ValueID?
      for _ in 0..<Int(exponent) {
        result = try result.map { (y) throws(Diagnostic) in try apply(.multiply, y, x, for: node) } ?? x
      }
      if let result { return result }
      // 1, also of infinities and of what is no number.
      return try apply(.power, x, 0, for: node)
    }
    if exponent == 0.5 { return try apply(.sqrt, x, for: node) }
    if exponent == 0.25 { return try apply(.sqrt, apply(.sqrt, x, for: node), for: node) }
    if exponent == 0.75 {
      let root = try apply(.sqrt, x, for: node)
      return try apply(.multiply, root, apply(.sqrt, root, for: node), for: node)
    }
    let logarithm = try apply(.log, x, for: node)
    return try apply(.exp, apply(.multiply, logarithm, exponent, for: node), for: node)
  }

  /// Input 0 of `node`, floats, levels or integers, moved by `moves` one after the other; bound to an output.
  mutating func bind(_ node: ONNXNode, moves: [DigitalOperator], to output: Int = 0) throws(Diagnostic) {
    guard output < node.outputs.count, !node.outputs[output].isEmpty else { return }
    if !isLevels(node, 0), let known = knownIntegers(node, 0) {
      var tensor = Tensor(known.shape, known.values)
      do throws(Diagnostic) {
        for move in moves {
          guard try move.resultShape(of: [tensor.shape]).reduce(1, *) <= longestList else {
            throw Diagnostic("import.integer", "more than \(longestList) known integers")
          }
          tensor = try move.apply(to: [tensor])
        }
      } catch {
        throw failure("integer", error.message, node, help: "check the model with onnx.checker")
      }
      return bind(node.outputs[output], .integers(values: tensor.integers, shape: tensor.shape))
    }
    var value = try movable(node, 0)
    for move in moves {
      let (opcode, attributes) = builder.module.encoding(of: move, name: node.outputs[output])
      value = try emitInner(opcode, [value], attributes, name: node.outputs[output], for: node)
    }
    if isWhole(node, 0) { return bind(node.outputs[output], whole: value) }
    bind(node.outputs[output], .value(value))
  }

  /// An axis counted from 0.
  func axis(_ node: ONNXNode, default fallback: Int, rank: Int) throws(Diagnostic) -> Int {
    try normalizedAxes([try node.int("axis") ?? fallback], rank: rank, self, node)[0]
  }

  /// Axes from input `index` or the attribute `axes`, counted from 0 and sorted; nil where none are given.
  func axes(_ node: ONNXNode, input index: Int, rank: Int) throws(Diagnostic) -> [Int]? {
    var given = try node.ints("axes")
    if hasInput(node, index) { given = try integers(node, index).values.map { Int(clamping: $0) } }
    guard let given else { return nil }
    return try normalizedAxes(given, rank: rank, self, node)
  }

  /// Integers from input `index` where there is one, else from the attribute `name`.
  func list(_ node: ONNXNode, input index: Int, attribute name: String) throws(Diagnostic) -> [Int]? {
    if hasInput(node, index) { return try integers(node, index).values.map { Int(clamping: $0) } }
    return try node.ints(name)
  }

  /// The floats of input `index`, which must be known at import.
  func floats(_ node: ONNXNode, _ index: Int) throws(Diagnostic) -> [Float] {
    if let tensor = try knownFloats(node, index) { return tensor.floats }
    throw failure(
      "dynamic", "input \(index) of \(node.op) must be numbers known at compile time", node,
      help: "give it as an initializer or a Constant node")
  }
}
