import IR
import ONNX
import Support

/// Functions that call functions, at most this deep.
private let deepestCall = 32
/// Nodes of all bodies together, counted as often as they are called: a short file can call for 2^64.
private let mostExpandedNodes = 1 << 17

extension Importer {
  /// Imports the body of `function` in place of the call `node`.
  ///
  /// The body sees its own names alone, so that none of them can clash with one around it. An input that the call
  /// leaves out is left out of every node of the body. An attribute that refers to one of the call has its value, or
  /// the function's default, or is left out.
  mutating func importCall(_ node: ONNXNode, _ function: ONNXFunction) throws(Diagnostic) {
    try checkCall(node, function)
    let arguments = try arguments(of: node, function)
    let wanted = zip(function.outputs, node.outputs).filter { !$1.isEmpty }.map(\.0)
    let outerOpset = context.opset
    context.opset = function.opset() ?? 0
    callStack.append(function.key)
    context.names.enter(seesOuter: false)
    for (name, entry) in arguments { context.names.declare(name, entry) }
    let results = importBody(function.nodes(for: node), wanted)
    context.names.leave()
    callStack.removeLast()
    context.opset = outerOpset
    try bind(results, wanted, to: node, "function '\(function.key)'")
  }

  /// Imports the nodes of a graph or body on which its outputs depend; what these stand for then.
  mutating func importBody(_ nodes: [ONNXNode], _ outputs: [String]) -> [Entry?] {
    let before = found.count
    let outerNames = context.used
    let live = liveNodes(nodes, for: outputs) { context.entry($0) != nil }
    context.used.formUnion(usedNames(of: live))
    context.used.formUnion(outputs)
    importNodes(live)
    context.used = outerNames
    return outputs.map { context.entry($0) ?? (found.count > before ? .failed : nil) }
  }

  /// Makes the outputs of `node` stand for what a body computed.
  mutating func bind(
    _ results: [Entry?], _ names: [String], to node: ONNXNode, _ body: String
  ) throws(Diagnostic) {
    for (output, (result, name)) in zip(node.outputs.filter { !$0.isEmpty }, zip(results, names)) {
      guard let result else {
        throw context.failure(
          "body-output", "\(body) does not compute its output '\(name)'", node,
          help: "check the model with onnx.checker")
      }
      context.bind(output, result)
    }
  }

  private mutating func checkCall(_ node: ONNXNode, _ function: ONNXFunction) throws(Diagnostic) {
    guard !callStack.contains(function.key) else {
      throw context.failure(
        "recursion", "function '\(function.key)' calls itself", node,
        help: "ONNX has no recursive functions: export the model again")
    }
    guard callStack.count < deepestCall else {
      throw context.failure(
        "function-depth", "functions call each other more than \(deepestCall) deep", node,
        help: "inline them before, with onnx.inliner.inline_local_functions")
    }
    expandedNodes += function.nodes.reduce(1) { $0 + $1.nodeCount }
    guard expandedNodes <= mostExpandedNodes else {
      throw context.failure(
        "function-size", "the functions that are called have more than \(mostExpandedNodes) nodes together",
        node,
        help: "the file is made to exhaust memory, or its network is larger than any in use")
    }
    let known = function.attributes + function.defaults.map(\.name)
    if let other = node.attributes.first(where: { !known.contains($0.name) }) {
      throw context.failure(
        "attribute", "function '\(function.key)' has no attribute '\(other.name)'", node,
        help: known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))")
    }
    guard node.inputs.count <= function.inputs.count, node.outputs.count <= function.outputs.count else {
      throw context.failure(
        "function-call",
        "the call has \(node.inputs.count) inputs and \(node.outputs.count) outputs, function '\(function.key)' has "
          + "\(function.inputs.count) and \(function.outputs.count)", node,
        help: "check the model with onnx.checker")
    }
  }

  /// What the inputs of the body stand for; those that the call leaves out are not among them.
  private func arguments(of node: ONNXNode, _ function: ONNXFunction) throws(Diagnostic) -> [(String, Entry)]
  {
    var result: [(String, Entry)] = []
    for (name, actual) in zip(function.inputs, node.inputs) where !actual.isEmpty {
      guard let entry = context.entry(actual) else {
        throw context.failure(
          "undefined", "input '\(actual)' is not defined before this node", node,
          help: "check the model with onnx.checker")
      }
      result.append((name, entry))
    }
    return result
  }
}

extension ONNXFunction {
  /// The body for one call: with its attributes, without the inputs that it leaves out, and named after it.
  fileprivate func nodes(for call: ONNXNode) -> [ONNXNode] {
    var values: [String: ONNXAttribute.Value] = [:]
    for attribute in defaults { values[attribute.name] = attribute.value }
    let known = Set(attributes + defaults.map(\.name))
    for attribute in call.attributes where known.contains(attribute.name) {
      values[attribute.name] = attribute.value
    }
    let given = zip(inputs, call.inputs).filter { !$1.isEmpty }.map(\.0)
    let missing = Set(inputs).subtracting(given)
    return nodes.map { $0.resolved(values, without: missing).named(inside: call) }
  }
}

extension ONNXNode {
  /// The nodes that the node stands for in a file: itself and those of its branches.
  fileprivate var nodeCount: Int {
    attributes.reduce(1) { sum, attribute in
      guard case .graph(let graph) = attribute.value else { return sum }
      return graph.nodes.reduce(sum) { $0 + $1.nodeCount }
    }
  }

  /// The node with `values` in place of references, and without the inputs in `missing`; so in its branches.
  fileprivate func resolved(_ values: [String: ONNXAttribute.Value], without missing: Set<String>) -> ONNXNode
  {
    var copy = self
    copy.inputs = inputs.map { missing.contains($0) ? "" : $0 }
    copy.attributes = attributes.compactMap { attribute in
      switch attribute.value {
      case .reference(let name):
        return values[name].map { ONNXAttribute(name: attribute.name, value: $0) }
      case .graph(var graph):
        graph.nodes = graph.nodes.map { $0.resolved(values, without: missing) }
        return ONNXAttribute(name: attribute.name, value: .graph(graph))
      case .int, .float, .string, .bytes, .tensor, .ints, .floats, .strings, .unsupported: return attribute
      }
    }
    return copy
  }

  /// The node with a name that says what it is part of, such as `block1/conv`.
  func named(inside node: ONNXNode) -> ONNXNode {
    func word(_ node: ONNXNode) -> String { node.name.isEmpty ? "\(node.op)\(node.index)" : node.name }
    var copy = self
    copy.name = "\(word(node))/\(word(self))"
    return copy
  }
}
