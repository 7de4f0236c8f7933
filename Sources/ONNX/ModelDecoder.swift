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
    try checkIRVersion(model.irVersion)
    try checkOpsets(model.opsets, of: "the model")
    if split.parts.contains(where: { $0.number == 20 }) {
      throw Diagnostic(
        "onnx.training", "the model carries training information, which is not read",
        notes: ["export the model for inference"])
    }
    for part in split.parts where part.number == 25 {
      model.functions.append(try function(part.payload, index: model.functions.count))
    }
    try checkFunctions(model.functions)
    for function in model.functions { try checkOpsets(function.opsets, of: "function '\(function.key)'") }
    model.graph = try graph(try onlyGraph(split))
    try checkStandardOpset(model)
    let beside = externalFiles.sorted { $0.key < $1.key }.map(\.value)
    model.inputs = ([source] + beside).compactMap(\.file)
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
}

private func modelHead(_ raw: Onnx__ModelProto) throws(Diagnostic) -> ONNXModel {
  guard raw.has_ir_version != 0 else {
    throw Diagnostic(
      "onnx.ir-version", "the file does not state its IR version",
      notes: ["check that the file is an ONNX model, and export it again"])
  }
  let metadata = array(raw.metadata_props, raw.n_metadata_props).compactMap { entry in
    entry.map { ONNXMetadata(key: text($0.pointee.key), value: text($0.pointee.value)) }
  }
  let producer = [text(raw.producer_name), text(raw.producer_version)].filter { !$0.isEmpty }
  return ONNXModel(
    irVersion: Int(clamping: raw.ir_version), opsets: opsetList(raw.opset_import, raw.n_opset_import),
    producer: producer.joined(separator: " "),
    graph: ONNXGraph(nodes: []), metadata: metadata)
}

/// The standard domain has two spellings; the shorter one is used.
func plainDomain(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
