import CodeGen
import Report
import CommandLineTools
import Hardware
import IR
import Import
import Mapping
import ONNX
import Passes
import Support
import Tensors

/// `xbarc prune`: leaves out crossbar rows of a scheme's mapping and writes the model without the weights that they
/// held.
func pruneCommand(_ arguments: ParsedArguments) throws(DiagnosticList) {
  var request = CompileRequest(model: arguments.positional(0) ?? "")
  request.scheme = arguments.value("scheme") ?? "clustered"
  request.overrides = arguments.value("set") ?? ""
  request.target = arguments.value("target")
  do throws(Diagnostic) {
    request.shapes = arguments.values("shape")
    request.jobs = try threadCount(arguments, "jobs")
    request.pipeline = try prunePipeline(request, arguments)
  } catch {
    throw DiagnosticList(error)
  }
  var compilation = try Compilation(request, PipelineSettings())
  do throws(Diagnostic) {
    let changes = try compilation.pruneChanges()
    let result = try prunedModel(request.model, changes)
    var files = [(path: arguments.value("output") ?? "", bytes: result.bytes)]
    if let path = arguments.value("masks") { files.append((path, try npzBytes(result.masks))) }
    try writeFiles(files)
    if !arguments.has("quiet") && !arguments.takesStandardOutput { try printOut(pruneTable(changes).plain) }
  } catch {
    throw DiagnosticList(error.inFile(request.model))
  }
}

/// The scheme's passes up to its operation units, then the pruning.
private func prunePipeline(_ request: CompileRequest, _ arguments: ParsedArguments) throws(Diagnostic)
  -> String
{
  var warnings: [Diagnostic] = []
  let overrides = try PassRegistry.standard.pipeline(request.overrides, warnings: &warnings)
  show(warnings)
  let calls = try scheme(named: request.scheme).calls(overriding: overrides)
  let mapping = PassRegistry.standard.callsBeforePruning(calls)
  let ratio = arguments.value("ratio") ?? "0.1"
  guard let share = Double(ratio), 0...1 ~= share else {
    throw Diagnostic("usage.value", "--ratio takes a number from 0 to 1, found '\(ratio)'")
  }
  let until = arguments.has("freed") ? "freed" : "ratio"
  return (mapping.map(\.text) + ["prune-crossbar-rows(ratio: \(Float(share)), until: \(until))"])
    .joined(separator: ", ")
}

/// A layer before and after its crossbar rows were pruned.
struct PruneChange {
  let before: Layer
  let after: Layer
  /// The ONNX node that the layer comes from.
  let origin: NodeOrigin?
  let array: ArrayDescription

  /// Crossbars that blocks take when each is cut to crossbars of its own.
  static func crossbars(_ layer: Layer, _ array: ArrayDescription) -> Int {
    layer.blocks.reduce(0) {
      $0 + ceilDivide($1.rows.count, array.rows) * ceilDivide($1.columns.count, array.columns)
    }
  }

  /// The places of weights that became 0, row-major.
  var removed: [Int] {
    guard let old = before.weights?.integers, let new = after.weights?.integers else { return [] }
    return old.indices.filter { old[$0] != 0 && new[$0] == 0 }
  }
}

extension Compilation {
  /// Runs the passes; what the last one, the pruning, did to every layer.
  fileprivate mutating func pruneChanges() throws(Diagnostic) -> [PruneChange] {
    let array = machine.array
    try runner.run(calls.dropLast(), on: &module)
    guard case .crossbar(let mapped) = module else { return [] }
    let before = mapped.layers.map(\.layer)
    try runner.run(calls.suffix(1), on: &module)
    guard case .crossbar(let after) = module else { return [] }
    return zip(before, after.layers).map { old, new in
      PruneChange(before: old, after: new.layer, origin: after.ops[new.id].origin, array: array)
    }
  }
}

/// The model with pruned weights 0, and for each changed initializer a mask: 1 for weights that are not 0.
private func prunedModel(_ path: String, _ changes: [PruneChange]) throws(Diagnostic) -> (
  bytes: [UInt8], masks: [NamedTensor]
) {
  let model = try readModel(path: path)
  var weights: [String: [Float]] = [:]
  var names: [String] = []
  var firstOutput: [String: Int] = [:]
  var users: [String: Int] = [:]
  for change in changes {
    let source = try weightSource(of: change, in: model)
    // Layers of one node are the groups of a convolution; another node with the same weights would prune them twice.
    if let node = change.origin?.index, users.updateValue(node, forKey: source.tensor.name) ?? node != node {
      throw Diagnostic(
        "prune.shared", "two nodes share the weights '\(source.tensor.name)'",
        notes: ["export the model with weights of its own for each node"])
    }
    if weights[source.tensor.name] == nil {
      weights[source.tensor.name] = try source.tensor.floats()
      names.append(source.tensor.name)
    }
    let first = firstOutput[source.tensor.name, default: 0]
    guard source.tensor.count >= (first + change.after.columns) * change.after.rows else {
      throw Diagnostic(
        "prune.weights", "the weights '\(source.tensor.name)' have not the size of @\(change.after.name)")
    }
    for place in change.removed {
      let (input, output) = (place / change.after.columns, place % change.after.columns)
      weights[source.tensor.name]?[source.place(input, first + output, rows: change.after.rows)] = 0
    }
    firstOutput[source.tensor.name] = first + change.after.columns
  }
  let masks = names.compactMap { name -> NamedTensor? in
    guard let values = weights[name],
      let shape = model.graph.initializers.first(where: { $0.name == name })?.shape
    else { return nil }
    return NamedTensor(name: name, tensor: Tensor(shape, .u8(values.map { $0 == 0 ? 0 : 1 })))
  }
  return (try replacingInitializers(path: path, with: weights), masks)
}

/// Where the weights of a layer are in the model.
private struct WeightSource {
  let tensor: ONNXTensor
  /// Whether outputs are the first axis, as in Conv and in Gemm with transB.
  let outputsFirst: Bool

  /// The place of the weight from `input` to `output` of a matrix with `rows` inputs.
  func place(_ input: Int, _ output: Int, rows: Int) -> Int {
    outputsFirst ? output * rows + input : input * (tensor.count / max(1, rows)) + output
  }
}

private func weightSource(of change: PruneChange, in model: ONNXModel) throws(Diagnostic) -> WeightSource {
  guard let origin = change.origin, model.graph.nodes.indices.contains(origin.index) else {
    throw Diagnostic("prune.origin", "@\(change.after.name) comes from no node of the model")
  }
  let node = model.graph.nodes[origin.index]
  guard node.origin == origin else {
    throw Diagnostic(
      "prune.origin", "the weights are inside a function or a branch of the model",
      at: Location(.node(origin)),
      notes: ["inline it before, with onnx.inliner.inline_local_functions"])
  }
  guard ["Conv", "Gemm", "MatMul"].contains(node.op) else {
    throw Diagnostic(
      "prune.weights", "the weights of \(node.op) cannot be written back", at: Location(.node(origin)))
  }
  guard node.inputs.count > 1,
    let tensor = model.graph.initializers.first(where: { $0.name == node.inputs[1] }),
    tensor.elementType == .float
  else {
    throw Diagnostic(
      "prune.weights", "the weights are no initializer of type float32", at: Location(.node(origin)),
      notes: ["export the model with its weights as initializers"])
  }
  let isTransposed = node.op == "Gemm" ? try node.int("transB") == 1 : node.op == "Conv"
  return WeightSource(tensor: tensor, outputsFirst: isTransposed)
}

private func pruneTable(_ changes: [PruneChange]) -> TextTable {
  var table = TextTable([
    .init("layer", .left), .init("crossbars"), .init("left"), .init("weights"), .init("non-zero"),
    .init("removed"),
  ])
  var sum = [0, 0, 0, 0, 0]
  for change in changes {
    let weights = change.before.weights?.integers ?? []
    let numbers = [
      PruneChange.crossbars(change.before, change.array), PruneChange.crossbars(change.after, change.array),
      weights.count, weights.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }, change.removed.count,
    ]
    table.add([change.after.name] + numbers.map { grouped($0) })
    for (place, number) in numbers.enumerated() { sum[place] += number }
  }
  table.add(total: ["total"] + sum.map { grouped($0) })
  return table
}
