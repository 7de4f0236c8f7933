public import IR
public import ONNX
public import Support
import Tensors

/// Brings an ONNX model to the tensor level. Values are named as in the file; shapes are known throughout.
///
/// `shapes` fixes lengths that the file leaves open. The first axis of an input is the batch: where nobody says how
/// long it is, it is 1, one sample at a time. Functions of the model and branches of `If` become part of the module;
/// nodes on which no output depends do not. All values together may take `maxMemory` bytes. Throws everything that could not be imported, node by node, each with the
/// reason and with what would help.
public func importModel(
  _ model: ONNXModel, shapes: InputShapes = InputShapes(), maxMemory: Int = WorkLimits.modelMemory
) throws(DiagnosticList) -> Module<TensorLevel> {
  var importer = Importer(model, shapes, maxMemory: maxMemory)
  importer.run()
  if !importer.found.isEmpty { throw DiagnosticList(importer.found) }
  return importer.module
}

/// An import on its way.
struct Importer {
  private static let mostErrors = 20

  let model: ONNXModel
  private let shapes: InputShapes
  private let functions: [ONNXFunction.Key: ONNXFunction]
  var context: ImportContext
  /// The functions inside which the import is, the outermost first.
  var callStack: [ONNXFunction.Key] = []
  /// Nodes of the functions that were called.
  var expandedNodes = 0
  /// What could not be imported.
  var found: [Diagnostic] = []

  init(_ model: ONNXModel, _ shapes: InputShapes, maxMemory: Int) {
    self.model = model
    self.shapes = shapes
    functions = Dictionary(model.functions.map { ($0.key, $0) }) { first, _ in first }
    let name = model.graph.name.isEmpty ? "net" : model.graph.name
    context = ImportContext(name: name, opset: model.opset() ?? 0, file: model.path)
    context.work.limit = maxMemory
  }

  var module: Module<TensorLevel> {
    var module = context.builder.module.withoutUnusedOperations()
    module.facts = [.shaped]
    return module
  }

  mutating func run() {
    for tensor in model.graph.initializers { context.bind(tensor.name, .initializer(tensor)) }
    inputs()
    _ = importBody(model.graph.nodes, model.graph.outputs.map(\.name))
    guard found.isEmpty else { return }
    attempt { (importer) throws(Diagnostic) in try importer.outputs() }
    context.fuseBiases()
  }

  /// Imports nodes one after the other; outputs of those that fail stand for a failure.
  mutating func importNodes(_ nodes: [ONNXNode]) {
    for node in nodes where found.count < Self.mostErrors {
      if context.dependsOnFailure(node) {
        fail(node)
        continue
      }
      let before = found.count
      attempt { (importer) throws(Diagnostic) in try importer.importNode(node) }
      if found.count > before { fail(node) }
      if context.work.bytes > context.work.limit { return refuseWork(node) }
    }
  }

  private mutating func refuseWork(_ node: ONNXNode) {
    guard !context.work.isRefused else { return }
    context.work.isRefused = true
    found.append(
      Diagnostic(
        "import.memory",
        "up to here values take \(context.work.bytes) bytes of memory, the limit is \(context.work.limit)",
        at: Location(file: model.path, .node(node.origin)),
        notes: ["--max-memory raises the limit; other lengths of inputs take less"]))
  }

  private mutating func attempt(_ body: (inout Importer) throws(Diagnostic) -> Void) {
    do throws(Diagnostic) {
      try body(&self)
    } catch {
      found.append(error.inFile(model.path))
    }
  }

  private mutating func fail(_ node: ONNXNode) {
    for output in node.outputs { context.bind(output, .failed) }
  }

  private mutating func inputs() {
    let constants = Set(model.graph.initializers.map(\.name))
    let open = model.graph.inputs.filter { !constants.contains($0.name) }
    let resolved: ResolvedShapes
    do throws(Diagnostic) {
      resolved = try ResolvedShapes(shapes, open)
    } catch {
      found.append(error.inFile(model.path))
      for input in open { context.bind(input.name, .failed) }
      return
    }
    for input in open {
      let before = found.count
      attempt { (importer) throws(Diagnostic) in try importer.importInput(input, resolved) }
      if found.count > before { context.bind(input.name, .failed) }
    }
  }

  private mutating func importInput(_ input: ONNXValueInfo, _ shapes: ResolvedShapes) throws(Diagnostic) {
    let place = Location(file: model.path, .item("input '\(input.name)'"))
    guard context.entry(input.name) == nil else {
      throw Diagnostic(
        "import.name-twice", "two inputs are called '\(input.name)'", at: place,
        notes: ["check the model with onnx.checker"])
    }
    if let kind = input.otherType {
      throw Diagnostic(
        "import.input-type", "the input is of type \(kind), which is not supported", at: place,
        notes: ["export the model so that its inputs are tensors"])
    }
    guard let element = input.elementType, element.isFloat else {
      throw Diagnostic(
        "import.input-type", "the input is not a float tensor", at: place,
        notes: ["networks with integer inputs are not supported yet"])
    }
    let shape = try shapes.shape(of: input)
    context.work.add(shape.reduce(1, *), 4)
    let id = context.builder.emit(
      .input, [], [NamedAttribute(.portName, input.name)], type: ValueType(.float32, shape),
      name: input.name, origin: nil)
    context.bind(input.name, .value(id))
  }

  private mutating func importNode(_ node: ONNXNode) throws(Diagnostic) {
    for output in node.outputs where context.entry(output) != nil {
      throw context.failure(
        "name-twice", "'\(output)' is defined already", node, help: "check the model with onnx.checker")
    }
    if let function = functions[node.functionKey] { return try importCall(node, function) }
    let isStandard = node.domain.isEmpty || node.domain == "ai.onnx"
    guard isStandard || node.domain == microsoftDomain && microsoftImporters[node.op] != nil else {
      throw context.failure(
        "domain", "the operator \(node.op) of the domain '\(node.domain)' is not supported", node,
        help: domainAdvice(node.domain))
    }
    guard context.opset > 0 else {
      throw context.failure(
        "opset", "the operator \(node.op) needs a version of the standard operator set, but none is imported",
        node,
        help: "check the model with onnx.checker")
    }
    if isStandard && node.op == "If" { return try importConditional(node) }
    if isStandard, let refusal = refusal(of: node) { throw refusal }
    let table = isStandard ? operatorImporters : microsoftImporters
    guard let operatorImporter = table[node.op] else {
      let hint = nearest(node.op, in: operatorImporters.keys.sorted())
      throw context.failure(
        "operator", "the operator \(node.op) is not supported", node,
        help: (hint.map { "did you mean \($0)? " } ?? "")
          + "docs/operators.md lists the supported operators; rewrite the model with those, or fold the node away"
      )
    }
    if isStandard { try context.checkNames(ofAttributesOf: node) }
    var watched = node
    let reads = AttributeReads()
    watched.reads = reads
    try operatorImporter(&context, watched)
    try context.checkUse(ofAttributesOf: node, isStandard: isStandard, reads)
  }
}
