internal import COnnx
internal import Support

/// Turns checked bytes into the values of this module.
struct ModelDecoder {
  /// The bytes of the file.
  let source: ByteSource
  /// The file's path as the user gave it.
  let path: String
  let limits: ONNXLimits
  var budget: UnpackBudget
  var externalFiles: [String: ByteSource] = [:]

  init(_ source: ByteSource, _ path: String, _ limits: ONNXLimits) {
    self.source = source
    self.path = path
    self.limits = limits
    budget = UnpackBudget(left: limits.unpackedBytes)
  }

  /// The model that the whole file holds.
  mutating func model() throws(Diagnostic) -> ONNXModel {
    let split = try split(source.all, small: [1, 2, 3, 8, 14], parts: [7, 20, 25])
    var model = try unpack(
      split.small, onnx_model_descriptor(), as: Onnx__ModelProto.self, from: source.all, modelHead)
    model.path = path
    try checkVersions(model)
    if split.parts.contains(where: { $0.number == 20 }) {
      throw Diagnostic(
        "onnx.training", "the model carries training information, which is not read",
        notes: ["export the model for inference"])
    }
    for part in split.parts where part.number == 25 { model.functions.append(try function(part.payload)) }
    model.graph = try graph(try onlyGraph(split))
    return model
  }

  private func onlyGraph(_ split: SplitMessage) throws(Diagnostic) -> ByteRange {
    let graphs = split.parts.filter { $0.number == 7 }
    guard let graph = graphs.first else {
      throw Diagnostic(
        "onnx.no-graph", "the file holds no graph",
        notes: ["check that the file is an ONNX model; tensors (.pb) and checkpoints (.pt) are not"])
    }
    try requireOne(graphs, "graph")
    return graph.payload
  }

  /// Refuses a field that protobuf would merge when it occurs twice; no writer does that.
  func requireOne(_ fields: [WireField], _ name: String) throws(Diagnostic) {
    guard fields.count > 1 else { return }
    throw damaged("onnx.duplicate-field", "field '\(name)' occurs \(fields.count) times", at: fields[1].start)
  }

  private mutating func function(_ range: ByteRange) throws(Diagnostic) -> ONNXFunction {
    let split = try split(range, small: [1, 10], parts: [])
    return try unpack(split.small, onnx_function_descriptor(), as: Onnx__FunctionProto.self, from: range) {
      raw in
      ONNXFunction(domain: plainDomain(text(raw.domain)), name: text(raw.name))
    }
  }
}

private func modelHead(_ raw: Onnx__ModelProto) throws(Diagnostic) -> ONNXModel {
  guard raw.has_ir_version != 0 else {
    throw Diagnostic(
      "onnx.ir-version", "the file does not state its IR version",
      notes: ["check that the file is an ONNX model, and export it again"])
  }
  let opsets = array(raw.opset_import, raw.n_opset_import).compactMap { entry in
    entry.map {
      ONNXOpset(domain: plainDomain(text($0.pointee.domain)), version: Int(clamping: $0.pointee.version))
    }
  }
  let metadata = array(raw.metadata_props, raw.n_metadata_props).compactMap { entry in
    entry.map { ONNXMetadata(key: text($0.pointee.key), value: text($0.pointee.value)) }
  }
  let producer = [text(raw.producer_name), text(raw.producer_version)].filter { !$0.isEmpty }
  return ONNXModel(
    irVersion: Int(clamping: raw.ir_version), opsets: opsets, producer: producer.joined(separator: " "),
    graph: ONNXGraph(nodes: []), metadata: metadata)
}

private func checkVersions(_ model: ONNXModel) throws(Diagnostic) {
  guard (3...10).contains(model.irVersion) else {
    throw Diagnostic(
      "onnx.ir-version", "IR version \(model.irVersion) is not read; 3 to 10 are",
      notes: [
        "export the model with another version of the exporter, or convert it with onnx.version_converter"
      ])
  }
  let advice = "export the model with an opset from 7 to 21, such as torch.onnx.export(..., opset_version=17)"
  guard let version = model.opset() else {
    throw Diagnostic("onnx.opset", "the model imports no standard operator set", notes: [advice])
  }
  guard (7...21).contains(version) else {
    throw Diagnostic("onnx.opset", "operator set \(version) is not read; 7 to 21 are", notes: [advice])
  }
  var seen: [String: Int] = [:]
  for opset in model.opsets {
    if let other = seen.updateValue(opset.version, forKey: opset.domain), other != opset.version {
      let name = opset.domain.isEmpty ? "the standard domain" : "domain '\(opset.domain)'"
      throw Diagnostic(
        "onnx.opset", "\(name) is imported in versions \(other) and \(opset.version)", notes: [advice])
    }
  }
}

/// The standard domain has two spellings; the shorter one is used.
func plainDomain(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
