import IR
import ONNX
import Support

/// The nodes on which `outputs` depend, in the order of the file, without the names of further outputs that nothing
/// takes.
///
/// What no output depends on is not read, whatever it is. Where an output comes from nowhere, the graph is broken and
/// all nodes are kept, so that each of their faults is reported.
func liveNodes(_ nodes: [ONNXNode], for outputs: [String], isKnown: (String) -> Bool) -> [ONNXNode] {
  var producers: [String: [Int]] = [:]
  for (index, node) in nodes.enumerated() {
    for output in node.outputs where !output.isEmpty { producers[output, default: []].append(index) }
  }
  guard !outputs.isEmpty, outputs.allSatisfy({ producers[$0] != nil || isKnown($0) }) else { return nodes }
  var isLive = [Bool](repeating: false, count: nodes.count)
  var used = Set(outputs)
  var open = outputs
  while let name = open.popLast() {
    for index in producers[name] ?? [] where !isLive[index] {
      isLive[index] = true
      nodes[index].forEachUsedName { if used.insert($0).inserted { open.append($0) } }
    }
  }
  return nodes.indices.filter { isLive[$0] }.map { index in
    var node = nodes[index]
    for place in node.outputs.indices.dropFirst() where !used.contains(node.outputs[place]) {
      node.outputs[place] = ""
    }
    return node
  }
}

/// Every name that one of `nodes` may take a value of.
func usedNames(of nodes: [ONNXNode]) -> Set<String> {
  var names: Set<String> = []
  for node in nodes { node.forEachUsedName { names.insert($0) } }
  return names
}

extension ONNXNode {
  /// Calls `body` with every name that the node may take a value of: its inputs, and what its branches name.
  fileprivate func forEachUsedName(_ body: (String) -> Void) {
    for input in inputs where !input.isEmpty { body(input) }
    for attribute in attributes {
      guard case .graph(let graph) = attribute.value else { continue }
      for node in graph.nodes { node.forEachUsedName(body) }
      for output in graph.outputs { body(output.name) }
    }
  }
}

extension Module {
  /// The same module without operations whose results nothing takes, such as those that only the branch not taken did.
  func withoutUnusedOperations() -> Module {
    var isUsed = [Bool](repeating: false, count: values.count)
    func use(_ op: Op) {
      for operand in op.operands { isUsed[operand.index] = true }
      for inner in op.body { use(ops[inner]) }
    }
    var kept: [OpID] = []
    for id in body.reversed() {
      let op = ops[id]
      let isNeeded =
        op.opcode == .input || op.results.isEmpty || op.results.contains { isUsed[$0.index] }
      guard isNeeded else { continue }
      use(op)
      kept.append(id)
    }
    guard kept.count < body.count else { return self }
    var result = self
    result.body = kept.reversed()
    return result.compacted()
  }
}
