internal import COnnx
internal import Support

extension ModelDecoder {
  /// The graph in `range`.
  mutating func graph(_ range: ByteRange) throws(Diagnostic) -> ONNXGraph {
    let split = try split(range, small: [2, 11, 12, 13], parts: [1, 5, 15])
    var graph = try unpack(
      split.small, onnx_graph_descriptor(), as: Onnx__GraphProto.self, from: range, graphHead)
    var names: Set<String> = []
    for part in split.parts {
      switch part.number {
      case 1: graph.nodes.append(try node(part.payload, index: graph.nodes.count))
      case 5:
        let tensor = try tensor(part.payload, .initializer(graph.initializers.count))
        try checkName(tensor, isNew: names.insert(tensor.name).inserted)
        graph.initializers.append(tensor)
      default:
        throw Diagnostic(
          "onnx.sparse", "the graph has a sparse initializer, which is not read",
          at: Location(.bytes(section: "file", offset: part.start)),
          notes: ["store the weights as dense tensors; zeros are found again by the compiler"])
      }
    }
    return graph
  }

  private func checkName(_ tensor: ONNXTensor, isNew: Bool) throws(Diagnostic) {
    guard !tensor.name.isEmpty else {
      throw Diagnostic(
        "onnx.initializer-name", "the initializer has no name", at: tensor.location,
        notes: ["no node can refer to it: export the model again"])
    }
    guard isNew else {
      throw Diagnostic(
        "onnx.duplicate-initializer", "another initializer has the same name", at: tensor.location,
        notes: ["rename or remove one of them"])
    }
  }
}

private func graphHead(_ raw: Onnx__GraphProto) throws(Diagnostic) -> ONNXGraph {
  var graph = ONNXGraph(name: text(raw.name), nodes: [])
  graph.inputs = try valueInfos(raw.input, raw.n_input)
  graph.outputs = try valueInfos(raw.output, raw.n_output)
  graph.valueInfo = try valueInfos(raw.value_info, raw.n_value_info)
  return graph
}

private typealias ValueInfoList = UnsafeMutablePointer<UnsafeMutablePointer<Onnx__ValueInfoProto>?>

private func valueInfos(_ list: ValueInfoList?, _ count: Int) throws(Diagnostic) -> [ONNXValueInfo] {
  var result: [ONNXValueInfo] = []
  for entry in array(list, count) {
    if let entry { result.append(try valueInfo(entry.pointee)) }
  }
  return result
}

private func valueInfo(_ raw: Onnx__ValueInfoProto) throws(Diagnostic) -> ONNXValueInfo {
  var info = ONNXValueInfo(name: text(raw.name))
  guard let type = raw.type?.pointee else { return info }
  guard type.value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE, let tensor = type.tensor_type?.pointee else {
    info.otherType = otherType(type.value_case)
    return info
  }
  if tensor.has_elem_type != 0, tensor.elem_type != 0 {
    guard let known = ONNXElementType(rawValue: Int(tensor.elem_type)) else {
      throw Diagnostic(
        "onnx.tensor-type", "element type \(tensor.elem_type) is unknown",
        at: Location(.item("value '\(info.name)'")), notes: [floatAdvice])
    }
    info.elementType = known
  }
  if let shape = tensor.shape?.pointee {
    var dimensions: [ONNXDimension] = []
    for entry in array(shape.dim, shape.n_dim) {
      if let entry { dimensions.append(try dimension(entry.pointee, of: info.name)) }
    }
    info.shape = dimensions
  }
  return info
}

private func otherType(_ kind: Onnx__TypeProto__ValueCase) -> String? {
  switch kind {
  case ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE: "sequence"
  case ONNX__TYPE_PROTO__VALUE_MAP_TYPE: "map"
  case ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE: "optional"
  case ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE: "sparse tensor"
  case ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE: "opaque"
  default: nil
  }
}

private func dimension(
  _ raw: Onnx__TensorShapeProto__Dimension, of name: String
) throws(Diagnostic) -> ONNXDimension {
  switch raw.value_case {
  case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE:
    guard raw.dim_value != -1 else { return .unknown }
    guard let size = Int(exactly: raw.dim_value), size >= 0 else {
      throw Diagnostic(
        "onnx.value-shape", "dimension \(raw.dim_value) is negative", at: Location(.item("value '\(name)'")),
        notes: ["write an open dimension as a name, or leave it out"])
    }
    return .fixed(size)
  case ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM:
    let symbol = text(raw.dim_param)
    return symbol.isEmpty ? .unknown : .named(symbol)
  default: return .unknown
  }
}
