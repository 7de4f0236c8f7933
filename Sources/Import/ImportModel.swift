public import IR
public import ONNX
public import Support
import Tensors

/// Brings an ONNX model to the tensor level. Values are named as in the file; shapes are known throughout.
///
/// The first axis of an input is the batch: where the file leaves its length open, it is 1, one sample at a time.
/// Throws everything that could not be imported, node by node, each with the reason and with what would help.
public func importModel(_ model: ONNXModel) throws(DiagnosticList) -> Module<TensorLevel> {
  var importer = Importer(model)
  importer.run()
  if !importer.found.isEmpty { throw DiagnosticList(importer.found) }
  return importer.module
}

private struct Importer {
  private static let mostErrors = 20

  private let model: ONNXModel
  private var context: ImportContext
  var found: [Diagnostic] = []

  init(_ model: ONNXModel) {
    self.model = model
    let name = model.graph.name.isEmpty ? "net" : model.graph.name
    context = ImportContext(name: name, opset: model.opset() ?? 0, file: model.path)
  }

  var module: Module<TensorLevel> {
    var module = context.builder.module
    module.facts = [.shaped]
    return module
  }

  mutating func run() {
    for tensor in model.graph.initializers { context.bind(tensor.name, .initializer(tensor)) }
    context.used = Set(model.graph.nodes.flatMap(\.inputs) + model.graph.outputs.map(\.name))
    inputs()
    for node in model.graph.nodes where found.count < Self.mostErrors {
      if context.dependsOnFailure(node) {
        fail(node)
        continue
      }
      let before = found.count
      attempt { (importer) throws(Diagnostic) in try importer.importNode(node) }
      if found.count > before { fail(node) }
    }
    guard found.isEmpty else { return }
    attempt { (importer) throws(Diagnostic) in try importer.outputs() }
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
    for input in model.graph.inputs where !constants.contains(input.name) {
      let before = found.count
      attempt { (importer) throws(Diagnostic) in try importer.importInput(input) }
      if found.count > before { context.bind(input.name, .failed) }
    }
  }

  private mutating func importInput(_ input: ONNXValueInfo) throws(Diagnostic) {
    let place = Location(file: model.path, .item("input '\(input.name)'"))
    guard context.entry(input.name) == nil else {
      throw Diagnostic(
        "import.name-twice", "two inputs are called '\(input.name)'", at: place,
        notes: ["check the model with onnx.checker"])
    }
    guard let element = input.elementType, element.isFloat else {
      throw Diagnostic(
        "import.input-type", "the input is not a float tensor", at: place,
        notes: ["networks with integer inputs are not supported yet"])
    }
    guard let dimensions = input.shape else {
      throw Diagnostic(
        "import.dynamic-shape", "the input has no shape", at: place,
        notes: ["export the model with fixed shapes"])
    }
    let shape = try inputShape(dimensions, place)
    let id = context.builder.emit(
      .input, [], [NamedAttribute("name", .string(input.name))], type: ValueType(.float32, shape),
      name: input.name, origin: nil)
    context.bind(input.name, .value(id))
  }

  private func inputShape(_ dimensions: [ONNXDimension], _ place: Location) throws(Diagnostic) -> [Int] {
    var shape: [Int] = []
    for (axis, dimension) in dimensions.enumerated() {
      switch dimension {
      case .fixed(let length) where length > 0: shape.append(length)
      case .fixed, .named, .unknown:
        guard axis == 0 else {
          throw Diagnostic(
            "import.dynamic-shape", "axis \(axis) of the input has no fixed length", at: place,
            notes: ["export the model with a fixed length; only the first axis, the batch, may stay open"])
        }
        shape.append(1)
      }
    }
    guard isComputable(shape) else {
      throw Diagnostic(
        "import.input-size", "the input has too many elements", at: place,
        notes: ["at most \(maximumElements) are supported"])
    }
    return shape
  }

  private mutating func outputs() throws(Diagnostic) {
    var names: Set<String> = []
    for output in model.graph.outputs {
      let place = Location(file: model.path, .item("output '\(output.name)'"))
      guard names.insert(output.name).inserted else {
        throw Diagnostic(
          "import.name-twice", "two outputs are called '\(output.name)'", at: place,
          notes: ["check the model with onnx.checker"])
      }
      guard case .value(let id)? = context.entry(output.name), context.builder.type(id).element.isFloat else {
        throw Diagnostic(
          "import.output", "the output is not computed by the graph as floats", at: place,
          notes: ["remove outputs that are constants or integers"])
      }
      context.builder.module.append(
        Op(.output, operands: [id], attributes: [NamedAttribute("name", .string(output.name))]))
    }
    guard !names.isEmpty else {
      throw Diagnostic(
        "import.output", "the graph has no output", at: Location(file: model.path),
        notes: ["name the outputs when the model is exported"])
    }
  }

  private mutating func importNode(_ node: ONNXNode) throws(Diagnostic) {
    let isStandard = node.domain.isEmpty || node.domain == "ai.onnx"
    guard isStandard || node.domain == microsoftDomain && microsoftImporters[node.op] != nil else {
      throw context.failure(
        "domain", "operator \(node.op) of the domain '\(node.domain)' is not supported", node,
        help: "export the model with standard operators only; docs/operators.md lists the others")
    }
    for output in node.outputs where context.entry(output) != nil {
      throw context.failure(
        "name-twice", "'\(output)' is defined already", node, help: "check the model with onnx.checker")
    }
    let table = isStandard ? operatorImporters : microsoftImporters
    guard let operatorImporter = table[node.op] else {
      let hint = nearest(node.op, in: operatorImporters.keys.sorted())
      throw context.failure(
        "operator", "the operator \(node.op) is not supported", node,
        help: (hint.map { "did you mean \($0)? " } ?? "")
          + "docs/operators.md lists the supported operators; rewrite the model with those, or fold the node away"
      )
    }
    try operatorImporter(&context, node)
  }
}

/// Imports one node.
typealias OperatorImporter = @Sendable (inout ImportContext, ONNXNode) throws(Diagnostic) -> Void

/// All supported operators by name.
let operatorImporters: [String: OperatorImporter] =
  matrixImporters.merging(activationImporters) { first, _ in first }
  .merging(arithmeticImporters) { first, _ in first }
  .merging(poolImporters) { first, _ in first }
  .merging(composedActivationImporters) { first, _ in first }
  .merging(reductionImporters) { first, _ in first }
  .merging(normalisationImporters) { first, _ in first }
  .merging(selectionImporters) { first, _ in first }
  .merging(resizeImporters) { first, _ in first }
  .merging(comparisonImporters) { first, _ in first }
  .merging(shapeImporters) { first, _ in first }
  .merging(recurrentImporters) { first, _ in first }
  .merging(quantizationImporters) { first, _ in first }

/// The names of the supported operators, sorted.
public var supportedOperators: [String] { operatorImporters.keys.sorted() }

/// The names of the supported operators of the domain `com.microsoft`, sorted.
public var supportedMicrosoftOperators: [String] { microsoftImporters.keys.sorted() }
