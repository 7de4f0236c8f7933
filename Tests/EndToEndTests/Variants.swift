import ONNX
import Support
import TestSupport
import Testing

/// One variant of the network.
struct Variant: Sendable, CustomTestStringConvertible {
  let name: String
  let write: @Sendable (VariantNetwork) throws -> ONNXModel

  var testDescription: String { name }

  init(_ name: String, _ write: @escaping @Sendable (VariantNetwork) throws -> ONNXModel) {
    self.name = name
    self.write = write
  }

  /// A change of the plain network.
  init(_ name: String, change: @escaping @Sendable (inout ONNXModel, VariantNetwork) throws -> Void) {
    self.init(name) { network in
      var model = try network.plain()
      try change(&model, network)
      return model
    }
  }
}

/// Variants of the matrices.
let matrixVariants: [Variant] = [
  Variant(
    "Gemm with transB",
    change: { model, network in
      model.set(try floatTensor("w1", [10, 64], turned(network.dense1, 64, 10)))
      model.change("h") { $0.attributes = [ONNXAttribute(name: "transB", value: .int(1))] }
    }),
  Variant(
    "transposed weights behind a Transpose",
    change: { model, network in
      model.set(try floatTensor("t1", [10, 64], turned(network.dense1, 64, 10)))
      _ = try model.take("w1")
      model.prepend(graphNode("Transpose", ["t1"], ["w1"], ["perm": .ints([1, 0])]))
    }),
  Variant(
    "Gemm as MatMul and Add",
    change: { model, _ in
      model.replace(
        "h", graphNode("MatMul", ["f", "w1"], ["m"], name: "fc1"), graphNode("Add", ["m", "b1"], ["h"]))
      model.replace(
        "y", graphNode("MatMul", ["g", "w2"], ["n"], name: "fc2"), graphNode("Add", ["b2", "n"], ["y"]))
    }),
  Variant(
    "Gemm with factors",
    change: { model, network in
      model.set(try floatTensor("w1", [64, 10], network.dense1.map { $0 / 2 }))
      model.set(try floatTensor("b1", [10], network.bias1.map { 4 * $0 }))
      model.change("h") {
        $0.attributes = [("alpha", 2), ("beta", 0.25)].map { ONNXAttribute(name: $0, value: .float($1)) }
      }
    }),
  Variant(
    "a batch normalization that is not folded",
    change: { model, network in
      // (2 w x + b' - 3) * 1/2 + 1/4, with 1/2 = 1 / sqrt(3.75 + 0.25).
      model.set(try floatTensor("w", [4, 1, 3, 3], network.conv.map { 2 * $0 }))
      model.set(try floatTensor("b", [4], network.convBias.map { 2 * ($0 - 0.25) + 3 }))
      for (name, value) in [("scale", 1), ("shift", 0.25), ("mean", 3), ("variance", 3.75)]
        as [(String, Float)]
      {
        model.set(try floatTensor(name, [4], [Float](repeating: value, count: 4)))
      }
      model.change("c") { $0.outputs = ["z"] }
      model.replace(
        "r",
        graphNode(
          "BatchNormalization", ["z", "scale", "shift", "mean", "variance"], ["c"], ["epsilon": .float(0.25)]),
        graphNode("Relu", ["c"], ["r"]))
    }),
  Variant(
    "auto_pad",
    change: { model, _ in
      model.change("c") { $0.attributes = [ONNXAttribute(name: "auto_pad", value: .string("SAME_UPPER"))] }
      model.change("p") { $0.attributes.append(ONNXAttribute(name: "auto_pad", value: .string("VALID"))) }
    }),
  Variant(
    "a Pad before the convolution",
    change: { model, _ in
      model.set(try integerTensor("amounts", [0, 0, 1, 1, 0, 0, 1, 1]))
      model.replace(
        "c", graphNode("Pad", ["x", "amounts"], ["padded"]),
        graphNode("Conv", ["padded", "w", "b"], ["c"], name: "conv"))
    }),
  Variant(
    "biases of convolutions as Add",
    change: { model, network in
      model.set(try floatTensor("b", [4, 1, 1], network.convBias))
      model.replace(
        "c", graphNode("Conv", ["x", "w"], ["z"], ["pads": .ints([1, 1, 1, 1])], name: "conv"),
        graphNode("Add", ["b", "z"], ["c"]))
    }),
  Variant(
    "dense layers as convolutions of 1x1",
    change: { model, network in
      model.set(try floatTensor("w1", [10, 64, 1, 1], turned(network.dense1, 64, 10)))
      model.set(try floatTensor("w2", [5, 10, 1, 1], turned(network.dense2, 10, 5)))
      model.set(try integerTensor("image", [1, 64, 1, 1]))
      model.replace("f", graphNode("Reshape", ["p", "image"], ["f"]))
      model.replace("h", graphNode("Conv", ["f", "w1", "b1"], ["h"], name: "fc1"))
      model.replace(
        "y", graphNode("Conv", ["g", "w2", "b2"], ["y4"], name: "fc2"), graphNode("Flatten", ["y4"], ["y"]))
    }),
  Variant(
    "a dense layer as a convolution of the whole image",
    change: { model, network in
      model.set(try floatTensor("w1", [10, 4, 4, 4], turned(network.dense1, 64, 10)))
      model.replace(
        "f", graphNode("Conv", ["p", "w1", "b1"], ["h4"], name: "fc1"), graphNode("Flatten", ["h4"], ["h"]))
      model.graph.nodes.removeAll { $0.op == "Gemm" && $0.outputs == ["h"] }
    }),
  Variant(
    "a dense layer with the matrix on the left",
    change: { model, network in
      model.set(try floatTensor("w1", [10, 64], turned(network.dense1, 64, 10)))
      model.set(try floatTensor("b1", [10, 1], network.bias1))
      model.replace(
        "h", graphNode("Transpose", ["f"], ["ft"]), graphNode("MatMul", ["w1", "ft"], ["m"], name: "fc1"),
        graphNode("Add", ["m", "b1"], ["ht"]), graphNode("Transpose", ["ht"], ["h"]))
    }),
]
