import Foundation
import ONNX
import Support
import Tensors

/// One of ONNX's own test cases: a model, its inputs and the outputs that it must give.
struct BackendCase {
  /// The name of its folder, such as `test_conv_with_strides_padding`.
  let name: String
  /// The operator that it is about; `several` where its graph has more than one node beside constants.
  let subject: String
  /// The operators of its graph.
  let operators: Set<String>
  /// The model, with weights and integers as initializers.
  let model: ONNXModel
  /// The inputs that are left.
  let inputs: [Tensor]
  /// What the model must give.
  let outputs: [Tensor]

  /// Reads the case in `folder`; throws what the reader says of it.
  init(folder: URL) throws(Diagnostic) {
    name = folder.lastPathComponent
    var model = try Self.model(folder.appending(path: "model.onnx").path())
    let nodes = model.graph.nodes
    operators = Set(nodes.map(\.op))
    subject = Self.subject(of: nodes)
    let data = folder.appending(path: "test_data_set_0")
    let constants = Set(model.graph.initializers.map(\.name))
    let given = model.graph.inputs.filter { !constants.contains($0.name) }
    let baked = Self.bakedInputs(nodes)
    var inputs: [Tensor] = []
    for (index, input) in given.enumerated() {
      // Sequences and optional values have files of another form; the importer refuses them by their type.
      guard input.otherType == nil else { continue }
      let tensor = try readTensor(path: data.appending(path: "input_\(index).pb").path())
      if !tensor.elementType.isFloat || baked.contains(input.name) {
        if let constant = try Self.renamed(tensor, input.name) {
          model.graph.initializers.append(constant)
          model.graph.inputs.removeAll { $0.name == input.name }
        }
      } else {
        inputs.append(Tensor(tensor.shape, try tensor.floats()))
      }
    }
    self.inputs = inputs
    var outputs: [Tensor] = []
    for (index, output) in model.graph.outputs.enumerated() where output.otherType == nil {
      let tensor = try readTensor(path: data.appending(path: "output_\(index).pb").path())
      let isNumber = tensor.elementType.isFloat || tensor.elementType.isInteger
      outputs.append(Tensor(isNumber ? tensor.shape : [0], isNumber ? try tensor.floats() : []))
    }
    self.outputs = outputs
    self.model = model
  }

  /// The model at `path`. Those of operator sets 1 and 6 are read as of set 7, in which their operators are the same:
  /// these files end with the version.
  private static func model(_ path: String) throws(Diagnostic) -> ONNXModel {
    var bytes = try InputFile(path: path).withBytes { Array($0) }
    if bytes.suffix(2) == [0x10, 1] || bytes.suffix(2) == [0x10, 6] { bytes[bytes.count - 1] = 7 }
    return try readModel(bytes: bytes, path: path)
  }

  /// The operator of the one node that is no constant.
  static func subject(of nodes: [ONNXNode]) -> String {
    let others = nodes.filter { $0.op != "Constant" }
    return others.count == 1 ? others[0].op : others.isEmpty ? "Constant" : "several"
  }

  /// Inputs that are weights or settings, by their places: graphs have them as constants, the tests as inputs.
  private static let places: [String: Set<Int>] = [
    "Conv": [1, 2], "ConvTranspose": [1, 2], "Gemm": [1, 2], "MatMul": [1], "LSTM": [1, 2, 3, 7],
    "GRU": [1, 2, 3],
    "RNN": [1, 2, 3], "BatchNormalization": [1, 2, 3, 4], "InstanceNormalization": [1, 2],
    "LayerNormalization": [1, 2], "Clip": [1, 2], "Dropout": [1, 2], "Pad": [1, 2, 3], "PRelu": [1],
    "Resize": [1, 2, 3], "Upsample": [1], "QuantizeLinear": [1, 2], "DequantizeLinear": [1, 2],
    "QLinearConv": [1, 2, 3, 4, 5, 6, 7, 8], "QLinearMatMul": [1, 2, 3, 4, 5, 6, 7],
    "MatMulInteger": [1, 2, 3],
    "ConvInteger": [1, 2, 3], "Range": [0, 1, 2],
  ]

  private static func bakedInputs(_ nodes: [ONNXNode]) -> Set<String> {
    var names: Set<String> = []
    for node in nodes {
      for place in places[node.op] ?? [] where place < node.inputs.count { names.insert(node.inputs[place]) }
    }
    return names
  }

  /// The same tensor under another name; nil for texts.
  private static func renamed(_ tensor: ONNXTensor, _ name: String) throws(Diagnostic) -> ONNXTensor? {
    if let bytes = tensor.withRawBytes({ Array($0) }) {
      return try ONNXTensor(name: name, shape: tensor.shape, elementType: tensor.elementType, bytes: bytes)
    }
    if tensor.elementType.isFloat {
      let bytes = try tensor.floats().flatMap { value in
        withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
      }
      return try ONNXTensor(name: name, shape: tensor.shape, elementType: .float, bytes: bytes)
    }
    guard tensor.elementType.isInteger else { return nil }
    let bytes = try tensor.int64s().flatMap { value in withUnsafeBytes(of: value.littleEndian, Array.init) }
    return try ONNXTensor(name: name, shape: tensor.shape, elementType: .int64, bytes: bytes)
  }
}
