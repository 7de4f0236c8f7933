public import Mapping
public import Support
import Tensors

// The two forms of a layer: an operation with its blocks, and the value `Layer`. Fields are declared in `Layer.fields`
// and `Block.fields`; this file goes through them.

extension Attribute {
  /// The attribute that writes a field's value.
  init(_ value: FieldValue) {
    switch value {
    case .int(let number): self = .int(number)
    case .word(let word): self = .word(word)
    case .flag(let flag): self = .bool(flag)
    case .element(let element): self = .element(element)
    case .ints(let numbers): self = .ints(numbers)
    case .rows(let rows): self = .rows(rows)
    case .columns(let columns): self = .columns(columns)
    case .index(let index): self = .index(index)
    case .units(let units): self = .units(units)
    }
  }

  /// The field's value that this attribute writes, if it is of kind `kind`; its range is not looked at.
  func value(of kind: FieldKind) -> FieldValue? {
    switch (kind, self) {
    case (.int, .int(let number)): return .int(number)
    case (.word, .word(let word)): return .word(word)
    case (.flag, .word("true")): return .flag(true)
    case (.flag, .word("false")): return .flag(false)
    case (.inputs, .word(let word)): return ElementType(text: word).map { .element($0) }
    case (.ints, .list): return asInts.map { .ints($0) }
    case (.rows, .rows(let rows)): return .rows(rows)
    case (.columns, .columns(let columns)): return .columns(columns)
    case (.index, .index(let index)): return .index(index)
    case (.units, .units(let units)): return .units(units)
    case (.int, _), (.word, _), (.flag, _), (.inputs, _), (.ints, _), (.rows, _), (.columns, _), (.index, _),
      (.units, _), (.tensor, _):
      return nil
    }
  }
}

extension AttributeKind {
  /// The kind of attribute that writes a field.
  init(_ kind: FieldKind) {
    switch kind {
    case .int(let range): self = .int(range)
    case .word(let choices): self = .word(choices)
    case .flag: self = .word(["true", "false"])
    case .inputs: self = .element
    case .ints: self = .ints
    case .rows: self = .rows
    case .columns: self = .columns
    case .index: self = .index
    case .units: self = .units
    case .tensor: self = .tensor
    }
  }
}

extension AttributeSpec {
  /// The attributes that write `fields`, for the table of operations.
  static func of<Owner>(_ fields: [LayerField<Owner>]) -> [AttributeSpec] {
    fields.map { AttributeSpec($0.name, AttributeKind($0.kind), required: $0.isRequired) }
  }
}

extension Module {
  /// The layer that `id` describes; nil where an attribute does not fit.
  public func layer(_ id: OpID) -> Layer? { try? readLayer(id).get() }

  /// The layer that `id` describes, or what is wrong with its attributes.
  func readLayer(_ id: OpID) -> Result<Layer, LayerProblem> {
    let op = ops[id]
    var layer = Layer(name: op.symbol ?? "", rows: 0, columns: 0, inputs: .unsigned(bits: 1))
    do throws(LayerProblem) {
      try read(op, Layer.fields, into: &layer)
      if let attribute = op["weights"] {
        guard layer.weightBits > 0 else {
          throw LayerProblem(.layer, "is missing, but there are weights", field: "weight-bits")
        }
        let element = ElementType.integer(bits: layer.weightBits, signed: true)
        layer.weights = try numbers(attribute, "weights", element, [layer.rows, layer.columns])
      }
      layer.blocks.reserveCapacity(op.body.count)
      for (place, inner) in op.body.enumerated() {
        do throws(LayerProblem) {
          layer.blocks.append(try block(inner, cellBits: layer.coding.cellBits ?? 8))
        } catch {
          throw LayerProblem(error.fault, error.message, field: error.field, block: place)
        }
      }
      return .success(layer)
    } catch {
      return .failure(error)
    }
  }

  private func read<Owner>(_ op: Op, _ fields: [LayerField<Owner>], into owner: inout Owner)
    throws(LayerProblem)
  {
    for field in fields {
      guard let attribute = op[field.name] else {
        if field.isRequired { throw LayerProblem(.layer, "is missing", field: field.name) }
        continue
      }
      if case .tensor = field.kind { continue }
      guard let value = attribute.value(of: field.kind), field.kind.admits(value) else {
        throw LayerProblem(.layer, "\(attribute.short), expected \(field.kind.name)", field: field.name)
      }
      field.set(&owner, value)
    }
  }

  private func block(_ id: OpID, cellBits: Int) throws(LayerProblem) -> Block {
    let op = ops[id]
    var block = Block(rows: [], columns: [])
    try read(op, Block.fields, into: &block)
    guard let attribute = op["cells"] else { return block }
    let element = ElementType.integer(bits: cellBits, signed: false)
    let found = try numbers(attribute, "cells", element, [block.rows.count, block.columns.count])
    guard case .u8(let levels) = found.data else {
      throw LayerProblem(.layer, "expected levels of \(element)", field: "cells")
    }
    block.cells = levels
    return block
  }

  /// The tensor that an attribute contains; what is wrong with it is its shape, or a number that `element` does not
  /// have.
  private func numbers(_ attribute: Attribute, _ field: String, _ element: ElementType, _ shape: [Int])
    throws(LayerProblem) -> Tensor
  {
    if let found = tensor(attribute, element: element, shape: shape) { return found }
    let size = shape.map { "\($0)" }.joined(separator: "x")
    var found = ""
    if case .resource(let name) = attribute, let resource = resource(name) {
      let lengths = resource.tensor.shape.map { "\($0)" }.joined(separator: "x")
      found = ", found \(lengths) of \(resource.element)"
    } else if tensor(attribute, element: .accumulator, shape: shape) != nil {
      found = ", found a number that is none"
    } else {
      found = ", found other lengths"
    }
    throw LayerProblem(.layer, "expected \(size) numbers of \(element)\(found)", field: field)
  }

  /// Spells `layer` as an operation with its blocks; weights and cells become constants of the module.
  public mutating func encode(_ layer: Layer, origin: NodeOrigin?) -> Op {
    var op = Op(.layer, symbol: layer.name, origin: origin)
    let weights = layer.weights.flatMap { weights in
      layer.weightBits > 0 ? (weights, layer.weightBits) : nil
    }
    for field in Layer.fields {
      if case .tensor = field.kind {
        guard let (weights, bits) = weights else { continue }
        let value = constant(
          weights, element: .integer(bits: bits, signed: true), name: "\(layer.name).\(field.name)")
        op.attributes.append(NamedAttribute(field.name, value))
      } else if let value = field.get(layer) {
        op.attributes.append(NamedAttribute(field.name, Attribute(value)))
      }
    }
    op.body = layer.blocks.enumerated().map { number, block in
      add(encode(block, name: "\(layer.name).cells\(number)", cellBits: layer.coding.cellBits ?? 8))
    }
    return op
  }

  private mutating func encode(_ block: Block, name: String, cellBits: Int) -> Op {
    var op = Op(.block)
    for field in Block.fields {
      if case .tensor = field.kind {
        guard !block.cells.isEmpty else { continue }
        let cells = Tensor([block.rows.count, block.columns.count], .u8(block.cells))
        let value = constant(cells, element: .integer(bits: cellBits, signed: false), name: name)
        op.attributes.append(NamedAttribute(field.name, value))
      } else if let value = field.get(block) {
        op.attributes.append(NamedAttribute(field.name, Attribute(value)))
      }
    }
    return op
  }

  /// The layers in order, with the operations that describe them; layers that cannot be read are left out.
  public var layers: [(id: OpID, layer: Layer)] {
    body.compactMap { id in
      ops[id].opcode == .layer ? layer(id).map { (id, $0) } : nil
    }
  }

  /// Replaces the operation `id` by `layer`, keeping its origin, and drops the constants that nothing uses now.
  public mutating func replaceLayers(_ layers: [(id: OpID, layer: Layer)]) {
    // Old cells go first, so that the new ones can have their names.
    for (id, _) in layers { ops[id].body = [] }
    dropUnusedResources()
    for (id, layer) in layers { ops[id] = encode(layer, origin: ops[id].origin) }
    dropUnusedResources()
  }

  /// Removes the resources that no operation of the module names.
  public mutating func dropUnusedResources() {
    var used: Set<String> = []
    func collect(_ ids: [OpID]) {
      for id in ids {
        for attribute in ops[id].attributes {
          if case .resource(let name) = attribute.value { used.insert(name) }
        }
        collect(ops[id].body)
      }
    }
    collect(body)
    keepResources(used)
  }
}
