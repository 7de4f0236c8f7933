import IR
import Import
import ONNX
import Evaluator
import Support
import Tensors
import Testing

/// A float tensor of a file.
func floats(_ name: String, _ shape: [Int], _ values: [Float]) -> ONNXTensor {
  let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
  return stored(name, shape, .float, bytes)
}

/// A float tensor of a file with the numbers 1, 2, 3 ...
func counted(_ name: String, _ shape: [Int]) -> ONNXTensor {
  floats(name, shape, (0..<shape.reduce(1, *)).map { Float($0 + 1) })
}

/// A tensor of 64-bit integers of a file, a list unless a shape is given.
func integers(_ name: String, _ values: [Int64], shape: [Int]? = nil) -> ONNXTensor {
  let bytes = values.flatMap { value in withUnsafeBytes(of: value.littleEndian, Array.init) }
  return stored(name, shape ?? [values.count], .int64, bytes)
}

func stored(_ name: String, _ shape: [Int], _ type: ONNXElementType, _ bytes: [UInt8]) -> ONNXTensor {
  guard let tensor = try? ONNXTensor(name: name, shape: shape, elementType: type, bytes: bytes) else {
    preconditionFailure("the test's tensor '\(name)' has another number of elements")
  }
  return tensor
}

/// A node; its index is set by `model`.
func node(
  _ op: String, _ inputs: [String] = ["x"], _ outputs: [String] = ["y"],
  _ attributes: [String: ONNXAttribute.Value] = [:], name: String = ""
) -> ONNXNode {
  ONNXNode(
    index: 0, name: name, op: op, inputs: inputs, outputs: outputs,
    attributes: attributes.sorted { $0.key < $1.key }.map { ONNXAttribute(name: $0.key, value: $0.value) })
}

func port(_ name: String, _ shape: [Int]) -> ONNXValueInfo {
  ONNXValueInfo(name: name, elementType: .float, shape: shape.map { .fixed($0) })
}

/// A model whose inputs are called `x`, `x1`, `x2` ...
func model(
  _ nodes: [ONNXNode], inputs: [[Int]] = [[1, 2, 4, 4]], _ initializers: [ONNXTensor] = [],
  outputs: [String] = ["y"], opset: Int = 17
) -> ONNXModel {
  let graph = ONNXGraph(
    name: "net",
    nodes: nodes.enumerated().map { index, node in
      var copy = node
      copy.index = index
      return copy
    }, initializers: initializers,
    inputs: inputs.enumerated().map { port($0 == 0 ? "x" : "x\($0)", $1) },
    outputs: outputs.map { ONNXValueInfo(name: $0) })
  return ONNXModel(
    path: "net.onnx", irVersion: 8, opsets: [ONNXOpset(domain: "", version: opset)], graph: graph)
}

/// Imports and checks that the module verifies.
func imported(_ model: ONNXModel, _ place: SourceLocation = #_sourceLocation) throws -> Module<TensorLevel> {
  let module = try importModel(model)
  #expect(verify(module).isEmpty, "\(verify(module))", sourceLocation: place)
  #expect(module.facts == [.shaped], sourceLocation: place)
  return module
}

/// The outputs of a model whose inputs count 1, 2, 3 ... unless others are given.
func evaluated(_ model: ONNXModel, _ inputs: [Tensor]? = nil, _ place: SourceLocation = #_sourceLocation)
  throws
  -> [Tensor]
{
  let module = try imported(model, place)
  let shapes = module.bodyOps.filter { $0.opcode == .input }.map {
    module.values[$0.results[0]].type.shape ?? []
  }
  let counted = shapes.map { shape in Tensor(shape, (0..<shape.reduce(1, *)).map { Float($0 + 1) }) }
  return try Interpreter(module).evaluate(inputs ?? counted).outputs
}

/// The first output.
func result(_ model: ONNXModel, _ inputs: [Tensor]? = nil, _ place: SourceLocation = #_sourceLocation) throws
  -> Tensor
{
  try #require(evaluated(model, inputs, place).first, sourceLocation: place)
}

/// Expects that the import fails with these ids, in this order, each naming its place and what would help.
@discardableResult
func expectRefusal(_ ids: String..., of model: ONNXModel, _ place: SourceLocation = #_sourceLocation)
  -> [Diagnostic]
{
  do throws(DiagnosticList) {
    _ = try importModel(model)
    Issue.record("expected \(ids), nothing was thrown", sourceLocation: place)
    return []
  } catch {
    #expect(error.items.map(\.id) == ids, "\(error)", sourceLocation: place)
    for item in error.items {
      #expect(item.location.file == "net.onnx", "\(item)", sourceLocation: place)
      #expect(!item.message.isEmpty && item.message.last != ".", "\(item)", sourceLocation: place)
      #expect(!item.notes.isEmpty && item.notes.allSatisfy { !$0.isEmpty }, "\(item)", sourceLocation: place)
    }
    return error.items
  }
}

extension Module {
  /// The first operation of this kind.
  func first(_ opcode: Opcode) throws -> Op { try #require(bodyOps.first { $0.opcode == opcode }) }

  /// The opcodes of the body without constants.
  var opcodes: [Opcode] { bodyOps.map(\.opcode).filter { $0 != .constant } }
}
