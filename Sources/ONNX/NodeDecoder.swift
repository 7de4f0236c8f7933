internal import COnnx
internal import CProtobufC
internal import Support

extension ModelDecoder {
  /// The node in `range`.
  mutating func node(_ range: ByteRange, index: Int) throws(Diagnostic) -> ONNXNode {
    let split = try split(range, small: NodeFields.small, parts: NodeFields.parts)
    var node = try unpack(split.small, onnx_node_descriptor(), as: Onnx__NodeProto.self, from: range) { raw in
      ONNXNode(
        index: index, name: text(raw.name), op: text(raw.op_type), domain: plainDomain(text(raw.domain)),
        inputs: array(raw.input, raw.n_input).map { text($0) },
        outputs: array(raw.output, raw.n_output).map { text($0) }, overload: text(raw.overload))
    }
    guard !node.op.isEmpty else {
      throw Diagnostic(
        "onnx.node", "the node names no operator", at: Location(.node(node.origin)),
        notes: ["the file is damaged or its exporter is broken: export the model again"])
    }
    var names: Set<String> = []
    for part in split.parts {
      let attribute = try attribute(part.payload, of: node.origin)
      guard !attribute.name.isEmpty, names.insert(attribute.name).inserted else {
        throw badAttribute(
          node.origin, attribute.name.isEmpty ? "has no name" : "occurs twice", attribute.name)
      }
      node.attributes.append(attribute)
    }
    return node
  }

  /// The attribute in `range`; messages name `node`.
  mutating func attribute(_ range: ByteRange, of node: NodeOrigin) throws(Diagnostic) -> ONNXAttribute {
    let split = try split(range, small: AttributeFields.small, parts: AttributeFields.parts)
    let head = try unpack(
      split.small, onnx_attribute_descriptor(), as: Onnx__AttributeProto.self, from: range, attributeHead)
    let kind = try attributeKind(head, split.parts, node)
    if !head.reference.isEmpty { return ONNXAttribute(name: head.name, value: .reference(head.reference)) }
    guard let kind else {
      return ONNXAttribute(name: head.name, value: .unsupported("an attribute without a type"))
    }
    if let value = head.values.first?.value ?? kind.defaultValue {
      return ONNXAttribute(name: head.name, value: value)
    }
    let parts = split.parts.filter { $0.number == kind.field }
    if kind == .tensor || kind == .graph {
      guard let part = parts.first else { throw badAttribute(node, "holds no \(kind)", head.name) }
      try requireOne(parts, "\(kind)")
      if kind == .graph { return ONNXAttribute(name: head.name, value: .graph(try graph(part.payload))) }
      return ONNXAttribute(
        name: head.name, value: .tensor(try tensor(part.payload, .attribute(node, head.name))))
    }
    return ONNXAttribute(name: head.name, value: .unsupported(kind.words))
  }
}

/// Field numbers of `NodeProto`: all but texts and device configurations that are not read.
private enum NodeFields {
  static let small: FieldSet = [1, 2, 3, 4, 7, 8]
  static let parts: FieldSet = [5]
}

/// Field numbers of `AttributeProto`.
private enum AttributeFields {
  static let small: FieldSet = [1, 2, 3, 4, 7, 8, 9, 20, 21]
  static let parts: FieldSet = [5, 6, 10, 11, 14, 15, 22, 23]
}

/// The part of an attribute that protobuf-c unpacks.
private struct AttributeHead {
  var name = ""
  var reference = ""
  var declared: Int?
  var values: [(kind: AttributeKind, value: ONNXAttribute.Value)] = []
}

/// The declared types of attributes; the raw value is the code of the format.
private enum AttributeKind: Int, CaseIterable {
  case float = 1
  case int, string, tensor, graph, floats, ints, strings, tensors, graphs
  case sparseTensor, sparseTensors, type, types

  /// The field that holds it.
  var field: Int {
    switch self {
    case .float: 2
    case .int: 3
    case .string: 4
    case .tensor: 5
    case .graph: 6
    case .floats: 7
    case .ints: 8
    case .strings: 9
    case .tensors: 10
    case .graphs: 11
    case .type: 14
    case .types: 15
    case .sparseTensor: 22
    case .sparseTensors: 23
    }
  }

  init?(field: Int) {
    guard let kind = AttributeKind.allCases.first(where: { $0.field == field }) else { return nil }
    self = kind
  }

  /// What an absent field means: some writers leave zeros and empty lists out.
  var defaultValue: ONNXAttribute.Value? {
    switch self {
    case .float: .float(0)
    case .int: .int(0)
    case .string: .string("")
    case .floats: .floats([])
    case .ints: .ints([])
    case .strings: .strings([])
    case .tensor, .graph, .sparseTensor, .type, .tensors, .graphs, .sparseTensors, .types: nil
    }
  }

  var words: String {
    switch self {
    case .tensors: "a list of tensors"
    case .graphs: "a list of graphs"
    case .sparseTensor: "a sparse tensor"
    case .sparseTensors: "a list of sparse tensors"
    case .type: "a type"
    case .types: "a list of types"
    case .float, .int, .string, .tensor, .graph, .floats, .ints, .strings: "\(self)"
    }
  }
}

private func attributeHead(_ raw: Onnx__AttributeProto) -> AttributeHead {
  var head = AttributeHead(name: text(raw.name), reference: text(raw.ref_attr_name))
  if raw.has_type != 0, raw.type.rawValue != 0 { head.declared = Int(raw.type.rawValue) }
  if raw.has_f != 0 { head.values.append((.float, .float(raw.f))) }
  if raw.has_i != 0 { head.values.append((.int, .int(raw.i))) }
  if raw.has_s != 0 {
    let bytes = array(raw.s.data, raw.s.len)
    let string = String(validating: bytes, as: UTF8.self)
    head.values.append((.string, string.map { .string($0) } ?? .bytes(Array(bytes))))
  }
  if raw.n_floats > 0 { head.values.append((.floats, .floats(Array(array(raw.floats, raw.n_floats))))) }
  if raw.n_ints > 0 { head.values.append((.ints, .ints(Array(array(raw.ints, raw.n_ints))))) }
  if raw.n_strings > 0 {
    let texts = array(raw.strings, raw.n_strings).map {
      String(validating: array($0.data, $0.len), as: UTF8.self)
    }
    let known = texts.compactMap { $0 }
    let isText = known.count == texts.count
    head.values.append(
      (.strings, isText ? .strings(known) : .unsupported("a list of strings that are not UTF-8")))
  }
  return head
}

/// The declared type or, where a file declares none, the only one present; nil where nothing tells.
private func attributeKind(
  _ head: AttributeHead, _ parts: [WireField], _ node: NodeOrigin
) throws(Diagnostic) -> AttributeKind? {
  var present = head.values.map(\.kind)
  for part in parts {
    if let kind = AttributeKind(field: part.number), !present.contains(kind) { present.append(kind) }
  }
  guard let code = head.declared else {
    guard present.count <= 1 else { throw badAttribute(node, "has no type and several values", head.name) }
    return present.first
  }
  guard let kind = AttributeKind(rawValue: code) else {
    throw badAttribute(node, "has the unknown type \(code)", head.name)
  }
  guard present.allSatisfy({ $0 == kind }) else {
    throw badAttribute(node, "is declared as \(kind) but holds \(present.map { "\($0)" })", head.name)
  }
  return kind
}

private func badAttribute(_ node: NodeOrigin, _ reason: String, _ name: String) -> Diagnostic {
  Diagnostic(
    "onnx.attribute", "attribute '\(name)' \(reason)", at: Location(.node(node)),
    notes: ["the exporter wrote a node that is not valid ONNX: export the model again"])
}
