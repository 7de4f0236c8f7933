import Mapping
import ONNX
import Support
import TestSupport
import Testing

/// The two bytes of a number in binary16, which holds it.
private func half(_ value: Float) -> [UInt8] {
  guard value != 0 else { return [0, 0] }
  let sign: UInt16 = value < 0 ? 0x8000 : 0
  let exponent = UInt16(Int(value.exponent) + 15)
  let fraction = UInt16(value.bitPattern >> 13 & 0x3ff)
  let bits = sign | exponent << 10 | fraction
  return [UInt8(truncatingIfNeeded: bits), UInt8(bits >> 8)]
}

/// Ways to store the weights.
let storageVariants: [Variant] = [
  Variant(
    "Constant nodes",
    change: { model, network in
      for tensor in model.graph.initializers where tensor.shape.count > 1 {
        model.prepend(graphNode("Constant", [], [tensor.name], ["value": .tensor(tensor)]))
      }
      for tensor in model.graph.initializers where tensor.shape.count == 1 {
        model.prepend(
          graphNode("Constant", [], [tensor.name], ["value_floats": .floats(try tensor.floats())]))
      }
      model.graph.initializers = []
    }),
  Variant(
    "float16 behind a Cast",
    change: { model, _ in
      for tensor in model.graph.initializers {
        let name = "\(tensor.name).half"
        let bytes = try tensor.floats().flatMap(half)
        _ = try model.take(tensor.name)
        model.set(try ONNXTensor(name: name, shape: tensor.shape, elementType: .float16, bytes: bytes))
        model.prepend(graphNode("Cast", [name], [tensor.name], ["to": .int(1)]))
      }
    }),
  Variant(
    "initializers that are graph inputs, in IR version 3",
    change: { model, _ in
      model.irVersion = 3
      model.opsets = [ONNXOpset(domain: "", version: 8)]
      for tensor in model.graph.initializers {
        model.graph.inputs.append(floatInput(tensor.name, tensor.shape))
      }
    }),
  Variant("initializers in another order", change: { model, _ in model.graph.initializers.reverse() }),
  Variant(
    "weights behind Reshape, Unsqueeze and Squeeze",
    change: { model, network in
      model.set(try floatTensor("flat", [36], network.conv))
      model.set(try integerTensor("s", [4, 1, 3, 3]))
      model.set(try floatTensor("b1", [10, 1], network.bias1))
      model.set(try integerTensor("last", [-1]))
      model.set(try integerTensor("first", [0]))
      _ = try model.take("w")
      let dense = try model.take("w1")
      model.set(try floatTensor("wide", [1, 64, 10], try dense.floats()))
      model.prepend(
        graphNode("Reshape", ["flat", "s"], ["w"]), graphNode("Squeeze", ["wide", "first"], ["w1"]),
        graphNode("Squeeze", ["b1", "last"], ["s1"]), graphNode("Unsqueeze", ["s1", "first"], ["bias1"]))
      model.change("h") { $0.inputs[2] = "bias1" }
    }),
  Variant(
    "weights as products and sums of constants",
    change: { model, network in
      model.set(try floatTensor("half", [], [0.5]))
      model.set(try floatTensor("twice", [64, 10], network.dense1.map { 2 * ($0 + 1) }))
      model.set(try floatTensor("one", [1], [1]))
      _ = try model.take("w1")
      model.prepend(
        graphNode("Mul", ["twice", "half"], ["above"]), graphNode("Sub", ["above", "one"], ["below"]),
        graphNode("Sqrt", ["one"], ["root"]), graphNode("Div", ["below", "root"], ["w1"]))
    }),
]

/// Ways to write the graph around the matrices.
let graphVariants: [Variant] = [
  Variant(
    "nodes without names",
    change: { model, _ in
      model.graph.name = ""
      for index in model.graph.nodes.indices { model.graph.nodes[index].name = "" }
    }),
  Variant(
    "chains of Identity and Dropout",
    change: { model, _ in
      model.change("r") { $0.inputs = ["c2"] }
      model.graph.nodes.insert(
        contentsOf: [
          graphNode("Identity", ["c"], ["c1"]), graphNode("Identity", ["c1"], ["c2"]),
        ], at: 1)
      model.replace(
        "f", graphNode("Dropout", ["p"], ["p1", "mask"]), graphNode("Identity", ["p1"], ["p2"]),
        graphNode("Dropout", ["p2"], ["p3"]), graphNode("Flatten", ["p3"], ["f"]))
      model.change("y") { $0.outputs = ["y0"] }
      model.graph.nodes.append(graphNode("Identity", ["y0"], ["y"]))
    }),
  Variant(
    "Reshape to a shape that the graph computes",
    change: { model, _ in
      model.set(try integerTensor("zero", [0], shape: []))
      model.set(try integerTensor("axes", [0]))
      model.set(try integerTensor("rest", [-1]))
      model.replace(
        "f", graphNode("Shape", ["p"], ["all"]), graphNode("Gather", ["all", "zero"], ["n"]),
        graphNode("Unsqueeze", ["n", "axes"], ["n1"]), graphNode("Cast", ["n1"], ["n2"], ["to": .int(7)]),
        graphNode("Concat", ["n2", "rest"], ["shape"], ["axis": .int(0)]),
        graphNode("Reshape", ["p", "shape"], ["f"]))
    }),
  Variant(
    "detours over Squeeze, Unsqueeze and Transpose",
    change: { model, _ in
      model.set(try integerTensor("two", [2]))
      model.set(try integerTensor("first", [0]))
      model.replace(
        "f", graphNode("Flatten", ["p"], ["f0"]), graphNode("Unsqueeze", ["f0", "two"], ["f1"]),
        graphNode("Transpose", ["f1"], ["f2"], ["perm": .ints([2, 0, 1])]),
        graphNode("Transpose", ["f2"], ["f3"], ["perm": .ints([1, 0, 2])]),
        graphNode("Squeeze", ["f3", "first"], ["f"]))
    }),
  Variant(
    "nodes and inputs that nothing needs",
    change: { model, _ in
      model.graph.nodes.insert(
        contentsOf: [
          graphNode("Unheard", ["x"], ["u"], domain: "com.example"), graphNode("Loop", ["u"], ["v"]),
          graphNode("Relu", ["v"], ["unused"]),
        ], at: 2)
      model.set(try floatTensor("large", [10, 10], [Float](repeating: 7, count: 100)))
    }),
  Variant(
    "an open batch and open lengths",
    change: { model, _ in
      model.graph.inputs[0].shape = [.named("N"), .fixed(1), .named("height"), .unknown]
    }),
  Variant(
    "operator set 7", change: { model, _ in model.opsets = [ONNXOpset(domain: "ai.onnx", version: 7)] }),
  Variant(
    "operator set 25",
    change: { model, _ in
      model.irVersion = 13
      model.opsets = [ONNXOpset(domain: "", version: 25)]
    }),
]
