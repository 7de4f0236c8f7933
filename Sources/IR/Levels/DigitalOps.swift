public import Tensors

/// The two spellings of a digital operator: an operation of the IR, and the value that computes it.
extension Module {
  /// The operator that `op` stands for; nil where `op` is no digital operation or an attribute does not fit.
  public func digitalOperator(of op: Op) -> DigitalOperator? {
    if let function = unaryFunction(of: op) { return .unary(function) }
    if let function = BinaryFunction(rawValue: op.opcode.rawValue) { return .binary(function) }
    switch op.opcode {
    case .softmax: return .softmax(axis: op.int("axis"))
    case .matmul: return .matmul
    case .maxPool: return op.window.map { .maxPool($0) }
    case .averagePool:
      return op.window.map {
        .averagePool($0, countPadding: op.word("count-padding") == "true")
      }
    case .mean: return .mean(axes: op.ints("axes"))
    case .argMax: return .argMax(axis: op.int("axis"), last: op.word("last") == "true")
    case .reshape: return .reshape(op.ints("shape"))
    case .transpose: return .transpose(op.ints("order"))
    case .concat: return .concat(axis: op.int("axis"))
    case .pad: return .pad(before: op.ints("before"), after: op.ints("after"), value: op.float("value"))
    case .slice: return .slice(start: op.ints("start"), end: op.ints("end"))
    case .take: return integers(op["indices"]).map { .take(indices: $0, axis: op.int("axis")) }
    default: return integerOperator(of: op)
    }
  }

  private func integerOperator(of op: Op) -> DigitalOperator? {
    switch op.opcode {
    case .quantize:
      return .quantize(
        scale: op.float("scale"), zero: Int64(op.int("zero")), low: Int64(op.int("low")),
        high: Int64(op.int("high")))
    case .dequantize: return .dequantize(scale: op.float("scale"), zero: Int64(op.int("zero")))
    case .requantize:
      guard let multipliers = integers(op["multipliers"]), let shifts = integers(op["shifts"]) else {
        return nil
      }
      return .requantize(
        Requantization(
          multipliers: multipliers, shifts: shifts, zero: Int64(op.int("zero")), low: Int64(op.int("low")),
          high: Int64(op.int("high")), axis: op.int("axis")))
    case .addBias: return integers(op["values"]).map { .addBias(values: $0, axis: op.int("axis")) }
    case .lookup: return integers(op["table"]).map { .lookup(table: $0, first: Int64(op.int("first"))) }
    default: return nil
    }
  }

  /// The whole numbers of a one-dimensional tensor attribute.
  public func integers(_ attribute: Attribute?) -> [Int64]? {
    if case .resource(let name)? = attribute {
      guard let found = resource(name), !found.element.isFloat else { return nil }
      return found.tensor.integers
    }
    return attribute?.asInts
  }

  private func unaryFunction(of op: Op) -> UnaryFunction? {
    switch op.opcode {
    case .relu: return .relu
    case .leakyRelu: return .leakyRelu(slope: op.float("alpha"))
    case .clip: return .clip(low: op.float("low"), high: op.float("high"))
    case .sigmoid: return .sigmoid
    case .tanh: return .tanh
    case .hardSigmoid: return .hardSigmoid(slope: op.float("alpha"), shift: op.float("beta"))
    case .hardSwish: return .hardSwish
    case .elu: return .elu(alpha: op.float("alpha"))
    case .softplus: return .softplus
    case .exp: return .exp
    case .log: return .log
    case .sqrt: return .sqrt
    case .abs: return .abs
    case .negate: return .negate
    case .erf: return .erf
    case .floor: return .floor
    case .round: return .round
    case .sign: return .sign
    default: return nil
    }
  }

  /// The opcode and attributes that stand for `digital`; large numbers become resources named after `name`.
  public mutating func spelling(of digital: DigitalOperator, name: String) -> (Opcode, [NamedAttribute]) {
    switch digital {
    case .unary(let function): return spelling(of: function)
    case .binary(let function): return (Opcode(rawValue: function.rawValue) ?? .add, [])
    case .softmax(let axis): return (.softmax, [NamedAttribute("axis", .int(Int64(axis)))])
    case .matmul: return (.matmul, [])
    case .maxPool(let window): return (.maxPool, [NamedAttribute("window", .window(window))])
    case .averagePool(let window, let countPadding):
      return (
        .averagePool,
        [
          NamedAttribute("window", .window(window)),
          NamedAttribute("count-padding", .bool(countPadding)),
        ]
      )
    case .mean(let axes): return (.mean, [NamedAttribute("axes", .ints(axes))])
    case .argMax(let axis, let last):
      return (.argMax, [NamedAttribute("axis", .int(Int64(axis))), NamedAttribute("last", .bool(last))])
    case .reshape(let shape): return (.reshape, [NamedAttribute("shape", .ints(shape))])
    case .transpose(let order): return (.transpose, [NamedAttribute("order", .ints(order))])
    case .concat(let axis): return (.concat, [NamedAttribute("axis", .int(Int64(axis)))])
    case .pad(let before, let after, let value):
      return (
        .pad,
        [
          NamedAttribute("before", .ints(before)), NamedAttribute("after", .ints(after)),
          NamedAttribute("value", .float(value)),
        ]
      )
    case .slice(let start, let end):
      return (.slice, [NamedAttribute("start", .ints(start)), NamedAttribute("end", .ints(end))])
    default: return integerSpelling(of: digital, name: name)
    }
  }

  private mutating func integerSpelling(
    of digital: DigitalOperator, name: String
  ) -> (Opcode, [NamedAttribute]) {
    switch digital {
    case .quantize(let scale, let zero, let low, let high):
      return (
        .quantize,
        [
          NamedAttribute("scale", .float(scale)), NamedAttribute("zero", .int(zero)),
          NamedAttribute("low", .int(low)), NamedAttribute("high", .int(high)),
        ]
      )
    case .dequantize(let scale, let zero):
      return (.dequantize, [NamedAttribute("scale", .float(scale)), NamedAttribute("zero", .int(zero))])
    case .requantize(let rule):
      return (
        .requantize,
        [
          NamedAttribute("multipliers", integerConstant(rule.multipliers, "\(name).multipliers")),
          NamedAttribute("shifts", integerConstant(rule.shifts, "\(name).shifts")),
          NamedAttribute("zero", .int(rule.zero)), NamedAttribute("low", .int(rule.low)),
          NamedAttribute("high", .int(rule.high)), NamedAttribute("axis", .int(Int64(rule.axis))),
        ]
      )
    case .addBias(let values, let axis):
      return (
        .addBias,
        [
          NamedAttribute("values", integerConstant(values, "\(name).bias")),
          NamedAttribute("axis", .int(Int64(axis))),
        ]
      )
    case .lookup(let table, let first):
      return (
        .lookup,
        [
          NamedAttribute("table", integerConstant(table, "\(name).table")),
          NamedAttribute("first", .int(first)),
        ]
      )
    case .take(let indices, let axis):
      return (
        .take,
        [
          NamedAttribute("indices", integerConstant(indices, "\(name).indices")),
          NamedAttribute("axis", .int(Int64(axis))),
        ]
      )
    default: return (.relu, [])
    }
  }

  /// An attribute for a list of 64-bit integers.
  public mutating func integerConstant(_ values: [Int64], _ name: String) -> Attribute {
    constant(Tensor([values.count], values), element: .accumulator, name: name)
  }

  private func spelling(of function: UnaryFunction) -> (Opcode, [NamedAttribute]) {
    switch function {
    case .relu: return (.relu, [])
    case .leakyRelu(let slope): return (.leakyRelu, [NamedAttribute("alpha", .float(slope))])
    case .clip(let low, let high):
      return (.clip, [NamedAttribute("low", .float(low)), NamedAttribute("high", .float(high))])
    case .sigmoid: return (.sigmoid, [])
    case .tanh: return (.tanh, [])
    case .hardSigmoid(let slope, let shift):
      return (.hardSigmoid, [NamedAttribute("alpha", .float(slope)), NamedAttribute("beta", .float(shift))])
    case .hardSwish: return (.hardSwish, [])
    case .elu(let alpha): return (.elu, [NamedAttribute("alpha", .float(alpha))])
    case .softplus: return (.softplus, [])
    case .exp: return (.exp, [])
    case .log: return (.log, [])
    case .sqrt: return (.sqrt, [])
    case .abs: return (.abs, [])
    case .negate: return (.negate, [])
    case .erf: return (.erf, [])
    case .floor: return (.floor, [])
    case .round: return (.round, [])
    case .sign: return (.sign, [])
    }
  }
}
