import ONNX
import Support
import TestSupport
import Testing

@Suite("Functions in files")
struct FunctionTests {
  private func function(
    _ name: String = "F", inputs: [String] = ["a"], outputs: [String] = ["b"], attributes: [String] = [],
    defaults: [ONNXAttribute] = [], overload: String = "", opset: Int = 17
  ) -> ONNXFunction {
    ONNXFunction(
      ONNXFunction.Key(domain: "d", name: name, overload: overload), inputs: inputs, outputs: outputs,
      attributes: attributes, defaults: defaults,
      nodes: numbered([
        graphNode("Elu", inputs, ["t"], ["alpha": .reference("alpha")], name: "elu"),
        graphNode("Relu", ["t"], outputs),
      ]), opsets: [ONNXOpset(domain: "", version: opset), ONNXOpset(domain: "other", version: 3)])
  }

  private func file(_ functions: [ONNXFunction], opsets: [ONNXOpset]? = nil, nodes: [ONNXNode] = []) throws
    -> [UInt8]
  {
    var writer = ModelWriter()
    return try writer.bytes(
      of: ONNXModel(
        irVersion: 10, opsets: opsets ?? [ONNXOpset(domain: "", version: 17)],
        graph: ONNXGraph(name: "g", nodes: numbered(nodes)), functions: functions))
  }

  @Test func readsEverything() throws {
    let written = function(
      attributes: ["free"], defaults: [ONNXAttribute(name: "alpha", value: .float(2))], overload: "o")
    let found = try #require(try readModel(bytes: file([written])).functions.first)
    #expect(found.key == written.key && found.key.description == "d.F:o")
    #expect(found.inputs == ["a"] && found.outputs == ["b"] && found.attributes == ["free"])
    #expect(
      found.defaults.map(\.name) == ["alpha"] && found.opset() == 17 && found.opset(domain: "other") == 3)
    guard case .float(2) = found.defaults[0].value else { throw Unexpected() }
    #expect(found.nodes.map(\.op) == ["Elu", "Relu"] && found.nodes.map(\.index) == [0, 1])
    guard case .reference("alpha") = found.nodes[0].attribute("alpha")?.value else { throw Unexpected() }
  }

  @Test func readsOverloadsOfCalls() throws {
    var call = graphNode("F", ["x"], ["y"], domain: "d")
    call.overload = "two"
    let model = try readModel(
      bytes: file([function(overload: "one"), function(overload: "two")], nodes: [call]))
    #expect(model.functions.map(\.key.overload) == ["one", "two"])
    #expect(model.graph.nodes.first?.functionKey == model.functions[1].key)
  }

  @Test func refusesFunctionsThatCannotBeToldApart() throws {
    expectRefused(
      try file([function(), function()]), "onnx.function", at: .item("function 1 'd.F'"), saying: "twice")
    expectRefused(try file([function("")]), "onnx.function", saying: "no name")
    expectRefused(try file([function(inputs: ["a", "a"])]), "onnx.function", saying: "input")
    expectRefused(try file([function(outputs: ["b", ""])]), "onnx.function", saying: "output")
    let value = ONNXAttribute(name: "k", value: .int(1))
    expectRefused(
      try file([function(attributes: ["k"], defaults: [value])]), "onnx.function", saying: "attribute")
  }

  @Test func refusesUnknownOperatorSetsOfBodies() throws {
    expectRefused(
      try file([function(opset: 26)]), "onnx.opset", saying: "function 'd.F' asks for operator set 26")
  }

  /// A graph of calls needs no version of the standard operators; a graph with one of them does.
  @Test func theStandardSetIsNeededWhereItIsUsed() throws {
    let local = [ONNXOpset(domain: "d", version: 1)]
    let call = graphNode("F", ["x"], ["y"], domain: "d")
    #expect(try readModel(bytes: file([function()], opsets: local, nodes: [call])).opset() == nil)
    let mixed = [call, graphNode("Relu", ["y"], ["z"])]
    expectRefused(
      try file([function()], opsets: local, nodes: mixed), "onnx.opset", saying: "no standard operator set")
  }

  /// Nodes of bodies count like all others.
  @Test func limitsHoldForBodies() throws {
    var limits = ONNXLimits.standard
    limits.nodes = 3
    expectRefused(try file([function(), function("G")]), "onnx.limit", saying: "nodes", limits: limits)
  }

  private struct Unexpected: Error {}
}
