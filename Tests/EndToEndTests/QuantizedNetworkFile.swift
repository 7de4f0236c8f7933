import Mapping
import ONNX
import Support
import Tensors

/// Writes a quantized network as an ONNX model, as pairs of QuantizeLinear and DequantizeLinear or as QLinear
/// operators.
struct QuantizedNetworkFile {
  private var nodes: [ONNXNode] = []
  private var initializers: [ONNXTensor] = []
  private let notation: QuantizedNetwork.Notation

  static func model(_ network: QuantizedNetwork, _ notation: QuantizedNetwork.Notation) throws -> ONNXModel {
    var file = QuantizedNetworkFile(notation: notation)
    return try file.model(network)
  }

  private init(notation: QuantizedNetwork.Notation) { self.notation = notation }

  private mutating func model(_ network: QuantizedNetwork) throws -> ONNXModel {
    try grid("x", network.input)
    node("QuantizeLinear", ["x", "x.scale", "x.zero"], "x.q")
    var name = "x"
    for (k, layer) in network.layers.enumerated() {
      if !layer.isConv { node("Flatten", ["\(name).q"], "flat.q", ["axis": .int(1)]) }
      let source = layer.isConv ? "\(name).q" : "flat.q"
      try self.layer(layer, "l\(k)", source, grid: name)
      name = "l\(k)"
    }
    node("DequantizeLinear", ["\(name).q", "\(name).scale", "\(name).zero"], "y")
    let input = ONNXValueInfo(name: "x", elementType: .float, shape: network.inputShape.map { .fixed($0) })
    let graph = ONNXGraph(
      name: "net", nodes: nodes, initializers: initializers, inputs: [input],
      outputs: [ONNXValueInfo(name: "y")])
    return ONNXModel(
      path: "net.onnx", irVersion: 8, opsets: [ONNXOpset(domain: "", version: 21)], graph: graph)
  }

  private mutating func node(
    _ op: String, _ inputs: [String], _ output: String, _ attributes: [String: ONNXAttribute.Value] = [:],
    name: String = "", domain: String = ""
  ) {
    nodes.append(
      ONNXNode(
        index: nodes.count, name: name, op: op, domain: domain, inputs: inputs, outputs: [output],
        attributes: attributes.sorted { $0.key < $1.key }.map { ONNXAttribute(name: $0.key, value: $0.value) }
      ))
  }

  private mutating func grid(_ name: String, _ grid: ActivationGrid) throws {
    try floats("\(name).scale", [], [grid.scale])
    initializers.append(try grid.type.tensor("\(name).zero", [], [grid.zero]))
  }

  private mutating func floats(_ name: String, _ shape: [Int], _ values: [Float]) throws {
    let bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init) }
    initializers.append(try ONNXTensor(name: name, shape: shape, elementType: .float, bytes: bytes))
  }

  private mutating func layer(_ layer: IntegerLayer, _ name: String, _ source: String, grid input: String)
    throws
  {
    try grid(name, layer.output)
    let list = layer.scales.count > 1 ? [layer.scales.count] : []
    try floats("\(name).w.scale", list, layer.scales)
    // A file may give one zero point for many scales; there are as many here, as onnxruntime asks for.
    let zeros = layer.zeros.count == 1 ? layer.scales.map { _ in layer.zeros[0] } : layer.zeros
    initializers.append(try layer.type.tensor("\(name).w.zero", zeros.count > 1 ? [zeros.count] : [], zeros))
    initializers.append(try layer.type.tensor("\(name).w", layer.shape, layer.weights))
    let bytes = layer.bias.flatMap { value in withUnsafeBytes(of: Int32(value).littleEndian, Array.init) }
    initializers.append(
      try ONNXTensor(name: "\(name).b", shape: [layer.outputs], elementType: .int32, bytes: bytes))
    switch notation {
    case .pairs: try pairs(layer, name, source, input)
    case .linear: linear(layer, name, source, input)
    }
    if layer.hasPool {
      node(
        "MaxPool", ["\(name).full"], "\(name).q", ["kernel_shape": .ints([2, 2]), "strides": .ints([1, 1])])
    }
  }

  private func attributes(_ layer: IntegerLayer) -> [String: ONNXAttribute.Value] {
    layer.isConv
      ? [
        "pads": .ints([Int64](repeating: Int64(layer.pad), count: 4)),
        "strides": .ints([Int64](repeating: Int64(layer.stride), count: 2)),
        "group": .int(Int64(layer.groups)),
      ] : ["transB": .int(1)]
  }

  private mutating func pairs(_ layer: IntegerLayer, _ name: String, _ source: String, _ input: String) throws
  {
    node("DequantizeLinear", [source, "\(input).scale", "\(input).zero"], "\(name).x")
    node(
      "DequantizeLinear", ["\(name).w", "\(name).w.scale", "\(name).w.zero"], "\(name).w.real",
      ["axis": .int(0)])
    let scales = layer.scales.map { inputScale(input) * $0 }
    try floats("\(name).b.scale", scales.count > 1 ? [scales.count] : [], scales)
    node("DequantizeLinear", ["\(name).b", "\(name).b.scale"], "\(name).b.real", ["axis": .int(0)])
    node(
      layer.isConv ? "Conv" : "Gemm", ["\(name).x", "\(name).w.real", "\(name).b.real"], "\(name).sum",
      attributes(layer), name: name)
    if layer.hasRelu { node("Relu", ["\(name).sum"], "\(name).relu") }
    node(
      "QuantizeLinear", [layer.hasRelu ? "\(name).relu" : "\(name).sum", "\(name).scale", "\(name).zero"],
      layer.hasPool ? "\(name).full" : "\(name).q")
  }

  private func inputScale(_ name: String) -> Float {
    (try? initializers.first { $0.name == "\(name).scale" }?.floats().first) ?? 1
  }

  /// The operators have no ReLU: the caller leaves it out.
  private mutating func linear(_ layer: IntegerLayer, _ name: String, _ source: String, _ input: String) {
    let operands = [
      source, "\(input).scale", "\(input).zero", "\(name).w", "\(name).w.scale", "\(name).w.zero",
    ]
    let output = ["\(name).scale", "\(name).zero"]
    if layer.isConv {
      node(
        "QLinearConv", operands + output + ["\(name).b"], layer.hasPool ? "\(name).full" : "\(name).q",
        attributes(layer), name: name)
    } else {
      node(
        "QGemm", operands + ["\(name).b"] + output, "\(name).q", attributes(layer), name: name,
        domain: "com.microsoft")
    }
  }
}
