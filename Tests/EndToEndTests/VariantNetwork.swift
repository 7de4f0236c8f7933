import ONNX
import Support
import TestSupport

/// A small network, written in many ways: a convolution of 8x8 images, a pool and two dense layers.
///
/// All numbers are few bits wide, so that every sum and product is exact in binary32, whatever its order.
struct VariantNetwork {
  let conv: [Float]
  let convBias: [Float]
  let dense1: [Float]
  let bias1: [Float]
  let dense2: [Float]
  let bias2: [Float]

  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    func quarters(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.inside(-4...4)) / 4 } }
    conv = quarters(4 * 9)
    convBias = quarters(4)
    dense1 = quarters(64 * 10)
    bias1 = quarters(10)
    dense2 = quarters(10 * 5)
    bias2 = quarters(5)
  }

  /// The network in plain words; every way changes something of it.
  func plain() throws -> ONNXModel {
    let graph = ONNXGraph(
      name: "ways",
      nodes: [
        graphNode("Conv", ["x", "w", "b"], ["c"], ["pads": .ints([1, 1, 1, 1])], name: "conv"),
        graphNode("Relu", ["c"], ["r"]),
        graphNode("MaxPool", ["r"], ["p"], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2])]),
        graphNode("Flatten", ["p"], ["f"]), graphNode("Gemm", ["f", "w1", "b1"], ["h"], name: "fc1"),
        graphNode("Relu", ["h"], ["g"]), graphNode("Gemm", ["g", "w2", "b2"], ["y"], name: "fc2"),
      ],
      initializers: [
        try floatTensor("w", [4, 1, 3, 3], conv), try floatTensor("b", [4], convBias),
        try floatTensor("w1", [64, 10], dense1), try floatTensor("b1", [10], bias1),
        try floatTensor("w2", [10, 5], dense2), try floatTensor("b2", [5], bias2),
      ], inputs: [floatInput("x", [1, 1, 8, 8])], outputs: [ONNXValueInfo(name: "y")])
    return ONNXModel(irVersion: 8, opsets: [ONNXOpset(domain: "", version: 17)], graph: graph)
  }

  /// An image of eighths.
  static func image(_ random: inout SeededGenerator) -> [Float] {
    (0..<64).map { _ in Float(random.inside(0...8)) / 8 }
  }
}

/// The columns of a matrix as rows.
func turned(_ values: [Float], _ rows: Int, _ columns: Int) -> [Float] {
  (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }
}

// Changes of a model, by the names of its values.
extension ONNXModel {
  /// Puts `nodes` in place of the node that computes `output`.
  mutating func replace(_ output: String, _ nodes: ONNXNode...) {
    guard let place = graph.nodes.firstIndex(where: { $0.outputs.contains(output) }) else { return }
    graph.nodes.replaceSubrange(place...place, with: nodes)
  }

  /// Puts `nodes` before all others.
  mutating func prepend(_ nodes: ONNXNode...) { graph.nodes = nodes + graph.nodes }

  /// Gives the initializer of this name another value, or adds it.
  mutating func set(_ tensor: ONNXTensor) {
    if let place = graph.initializers.firstIndex(where: { $0.name == tensor.name }) {
      graph.initializers[place] = tensor
    } else {
      graph.initializers.append(tensor)
    }
  }

  /// Takes an initializer away and returns it.
  mutating func take(_ name: String) throws -> ONNXTensor {
    guard let place = graph.initializers.firstIndex(where: { $0.name == name }) else {
      throw Diagnostic("test.initializer", "no initializer '\(name)'")
    }
    return graph.initializers.remove(at: place)
  }

  /// Changes the node that computes `output`.
  mutating func change(_ output: String, _ body: (inout ONNXNode) -> Void) {
    for place in graph.nodes.indices where graph.nodes[place].outputs.contains(output) {
      body(&graph.nodes[place])
    }
  }
}
