import IR
import ONNX
import Support

extension Importer {
  /// Imports the branch that a condition known at import takes, in place of the `If`. The branch sees all names around
  /// it.
  mutating func importConditional(_ node: ONNXNode) throws(Diagnostic) {
    guard let condition = context.knownIntegers(node, 0), condition.values.count == 1 else {
      throw context.failure(
        "condition", "the condition of If must be one truth value known at compile time", node,
        help: "export the model with fixed shapes and without branches on data; --shape fixes open lengths")
    }
    try context.checkNames(ofAttributesOf: node)
    let name = condition.values[0] != 0 ? "then_branch" : "else_branch"
    guard let branch = try node.graph(name), branch.inputs.isEmpty,
      branch.outputs.count == node.outputs.count
    else {
      throw context.failure(
        "branch", "\(name) is missing, has inputs, or has another number of outputs than the node", node,
        help: "check the model with onnx.checker")
    }
    let wanted = zip(branch.outputs, node.outputs).filter { !$1.isEmpty }.map(\.0.name)
    context.names.enter(seesOuter: true)
    for tensor in branch.initializers { context.names.declare(tensor.name, .initializer(tensor)) }
    let results = importBody(branch.nodes.map { $0.named(inside: node) }, wanted)
    context.names.leave()
    try bind(results, wanted, to: node, name)
  }
}

extension Importer {
  /// Why operators like that of `node` are refused, whatever their attributes; nil for all others.
  func refusal(of node: ONNXNode) -> Diagnostic? {
    let op = node.op
    if op == "Loop" || op == "Scan" {
      return context.failure(
        "control-flow", "\(op) is control flow, and a crossbar program has none that depends on data", node,
        help: "unroll it when the model is exported; recurrent layers stay whole as LSTM, GRU or RNN")
    }
    if op.hasPrefix("Sequence") || op == "SplitToSequence" || op == "ConcatFromSequence" {
      return context.failure(
        "sequence", "\(op) works on sequences of tensors, which are not supported", node,
        help:
          "export the model so that it works on tensors; Split, Concat and Gather stand for most sequences")
    }
    if op.hasPrefix("Optional") {
      return context.failure(
        "optional", "\(op) works on optional values, which are not supported", node,
        help: "export the model with all of its inputs given")
    }
    return nil
  }
}

/// What would help where a model uses operators of `domain`.
func domainAdvice(_ domain: String) -> String {
  switch domain {
  case "com.microsoft", "com.microsoft.nchwc":
    "onnxruntime writes these when it optimizes: give the model from before, or optimize it at level basic"
  case "ai.onnx.ml": "classical machine learning is not supported, only networks"
  case "org.pytorch.aten", "aten":
    "PyTorch fell back to its own operators: export without that, with a newer opset or torch.onnx.export(dynamo=True)"
  default:
    "export the model with standard operators only, or with the operator's body as a function of the model"
  }
}
