import IR
import Support
import Tensors

// Values as floats, and operations on either form.
extension Quantizer {
  func constant(_ id: ValueID) -> Tensor? {
    guard let op = forms[id.index].constant else { return nil }
    let type = source.values[id].type
    return source.tensor(op.find(.value), element: type.element, shape: type.shape ?? [])
  }

  /// The value as floats.
  mutating func float(_ id: ValueID, for op: Op) throws(Diagnostic) -> ValueID {
    if let found = forms[id.index].float { return found }
    let result: ValueID
    if let tensor = constant(id) {
      result = builder.constant(
        tensor, element: .float32, name: name(id), origin: forms[id.index].constant?.origin)
    } else if let given = forms[id.index].given {
      result = builder.constant(try given.reals(), element: .float32, name: name(id), origin: op.origin)
    } else if let sums = forms[id.index].sums {
      result = try form(of: id) { (quantizer) throws(Diagnostic) in quantizer.scaled(sums, id, op) }
    } else if let joined = forms[id.index].joined {
      result = try form(of: id) { (quantizer) throws(Diagnostic) in try quantizer.joined(joined, id, op) }
    } else if let levels = forms[id.index].quantized, let grid = forms[id.index].grid?.grid {
      result = try form(of: id) { (quantizer) throws(Diagnostic) in quantizer.real(levels, grid, id, op) }
    } else {
      throw Diagnostic("quantize.value", "%\(name(id)) has no form", at: op.location)
    }
    forms[id.index].float = result
    return result
  }

  /// What levels stand for.
  private mutating func real(_ levels: ValueID, _ grid: Grid, _ id: ValueID, _ op: Op) -> ValueID {
    let result = builder.emit(
      .dequantize(scale: grid.quantization.scale, zero: grid.quantization.zero), [levels],
      type: ValueType(.float32, builder.type(levels).shape), name: name(id), origin: op.origin)
    setRange(id)
    return result
  }

  /// Sums times their scale, clamped where a ReLU stood behind them, and moved.
  private mutating func scaled(_ sums: Sums, _ id: ValueID, _ op: Op) -> ValueID {
    let type = ValueType(.float32, builder.type(sums.value).shape)
    let single = sums.scales.count == 1
    var result = builder.emit(
      .dequantize(scale: single ? Float(sums.scales[0]) : 1, zero: 0), [sums.value], type: type,
      name: name(id), origin: op.origin)
    setRange(id)
    if !single {
      var factorShape = [Int](repeating: 1, count: type.shape?.count ?? 0)
      factorShape[sums.axis] = sums.scales.count
      let factors = builder.constant(
        Tensor(factorShape, sums.scales.map { Float($0) }), element: .float32, name: "\(name(id)).scales",
        origin: op.origin)
      result = builder.emit(
        .binary(.multiply), [result, factors], type: type, name: name(id), origin: op.origin)
      setRange(id)
    }
    return moved(result, sums.behind, type, id, op)
  }

  /// Floats of all parts joined, clamped and moved.
  private mutating func joined(_ joined: Joined, _ id: ValueID, _ op: Op) throws(Diagnostic) -> ValueID {
    var parts: [ValueID] = []
    for part in joined.concat.operands { parts.append(try float(part, for: joined.concat)) }
    let type = ValueType(.float32, shape(joined.concat.results[0]))
    let whole = builder.emit(
      .concat, parts, joined.concat.attributes.without(.range), type: type, name: name(id),
      origin: joined.concat.origin)
    setRange(id)
    return moved(whole, joined.behind, type, id, op)
  }

  /// Floats clamped and moved as `behind` says.
  private mutating func moved(
    _ value: ValueID, _ behind: Behind, _ type: ValueType, _ id: ValueID, _ op: Op
  ) -> ValueID {
    var (result, type) = (value, type)
    if behind.low > -.infinity || behind.high < .infinity {
      result = builder.emit(
        .unary(.clip(low: behind.low, high: behind.high)), [result], type: type, name: name(id),
        origin: op.origin)
      setRange(id)
    }
    for move in behind.moves {
      type.shape = shape(move.results[0])
      result = emit(move, result, type)
      setRange(id)
    }
    return result
  }

  /// The operation on another form of its operand; what a pad adds is of that form too.
  mutating func emit(_ move: Op, _ operand: ValueID, _ type: ValueType, on grid: Grid? = nil)
    -> ValueID
  {
    var move = move
    if let grid, move.opcode == .pad { move[.padValue] = Float(grid.level(move[.padValue])) }
    let attributes = builder.module.adopt(move.attributes.without(.range), from: source)
    return builder.emit(
      move.opcode, [operand], attributes, type: type, name: name(move.results[0]), origin: move.origin)
  }

  /// Puts the calibrated range on the operation that was emitted last.
  mutating func setRange(_ id: ValueID) {
    guard let last = builder.last, let range = forms[id.index].range else { return }
    builder.module.ops[last][.range] = range
  }
}

extension Module {
  /// `attributes` of an operation of `source`, with the resources that they name copied to this module, under other
  /// names where theirs are taken.
  mutating func adopt<Source: Level>(_ attributes: [NamedAttribute], from source: Module<Source>)
    -> [NamedAttribute]
  {
    attributes.map { attribute in
      guard case .resource(let name) = attribute.value, let resource = source.resource(name) else {
        return attribute
      }
      return NamedAttribute(attribute.name, constant(resource.tensor, element: resource.element, name: name))
    }
  }
}
