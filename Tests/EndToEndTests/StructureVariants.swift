import Mapping
import ONNX
import Support
import TestSupport

/// Ways to wrap parts of the graph in functions and branches, and weights in files.
let structureVariants: [Variant] = [
  Variant(
    "functions of the model",
    change: { model, _ in
      let domain = "local"
      // `kernel` and `window` come from the call, `strides` from the function's default; `bias` may be left out.
      let block = ONNXFunction(
        ONNXFunction.Key(domain: domain, name: "Block"), inputs: ["x", "w", "bias"], outputs: ["y"],
        attributes: ["edges", "unused"], defaults: [ONNXAttribute(name: "window", value: .ints([2, 2]))],
        nodes: numbered([
          ONNXNode(
            index: 0, name: "conv", op: "Conv", inputs: ["x", "w", "bias"], outputs: ["c"],
            attributes: [
              ONNXAttribute(name: "pads", value: .reference("edges")),
              ONNXAttribute(name: "dilations", value: .reference("unused")),
            ]),
          graphNode("Rectify", ["c"], ["r"], domain: domain),
          ONNXNode(
            index: 0, op: "MaxPool", inputs: ["r"], outputs: ["y"],
            attributes: ["kernel_shape", "strides"].map {
              ONNXAttribute(name: $0, value: .reference("window"))
            }),
        ]), opsets: [ONNXOpset(domain: "", version: 13), ONNXOpset(domain: domain, version: 1)])
      let rectify = ONNXFunction(
        ONNXFunction.Key(domain: domain, name: "Rectify"), inputs: ["x"], outputs: ["y"],
        nodes: numbered([graphNode("Relu", ["x"], ["y"])]), opsets: [ONNXOpset(domain: "", version: 14)])
      let dense = ONNXFunction(
        ONNXFunction.Key(domain: domain, name: "Dense"), inputs: ["x", "w", "b"], outputs: ["y"],
        nodes: numbered([
          graphNode("MatMul", ["x", "w"], ["c"], name: "product"), graphNode("Add", ["c", "b"], ["y"]),
        ]), opsets: [ONNXOpset(domain: "", version: 17)])
      model.functions = [dense, block, rectify]
      model.opsets.append(ONNXOpset(domain: domain, version: 1))
      model.graph.nodes = [
        graphNode(
          "Block", ["x", "w", "b"], ["p"], ["edges": .ints([1, 1, 1, 1])], name: "block", domain: domain),
        graphNode("Flatten", ["p"], ["f"]),
        graphNode("Dense", ["f", "w1", "b1"], ["h"], name: "fc1", domain: domain),
        graphNode("Rectify", ["h"], ["g"], domain: domain),
        graphNode("Dense", ["g", "w2", "b2"], ["y"], name: "fc2", domain: domain),
      ]
    }),
  Variant(
    "nothing but a call, without a standard operator set",
    change: { model, _ in
      let body = ONNXFunction(
        ONNXFunction.Key(domain: "local", name: "Network", overload: "a"),
        inputs: ["x"] + model.graph.initializers.map(\.name), outputs: ["y"],
        nodes: numbered(model.graph.nodes),
        opsets: model.opsets)
      var call = graphNode(
        "Network", ["x"] + model.graph.initializers.map(\.name), ["y"], name: "net", domain: "local")
      call.overload = "a"
      model.functions = [body]
      model.opsets = [ONNXOpset(domain: "local", version: 1)]
      model.graph.nodes = [call]
    }),
  Variant(
    "branches of If with constant conditions",
    change: { model, _ in
      func branch(_ nodes: [ONNXNode], _ output: String, _ tensors: [ONNXTensor] = []) -> ONNXAttribute.Value
      {
        .graph(
          ONNXGraph(
            name: "branch", nodes: numbered(nodes), initializers: tensors,
            outputs: [ONNXValueInfo(name: output)]))
      }
      let weights = [try model.take("w2"), try model.take("b2")]
      model.set(try truthTensor("yes", true))
      model.set(try integerTensor("one", [1]))
      let never = branch([graphNode("Unheard", ["x"], ["bad"], domain: "com.example")], "bad")
      model.replace(
        "c",
        graphNode(
          "If", ["yes"], ["c"],
          [
            "then_branch": branch(
              [graphNode("Conv", ["x", "w", "b"], ["cc"], ["pads": .ints([1, 1, 1, 1])], name: "conv")], "cc"),
            "else_branch": never,
          ]))
      // As PyTorch writes `squeeze`: by the length of an axis.
      model.set(try integerTensor("zero", [0], shape: []))
      model.replace(
        "f", graphNode("Shape", ["p"], ["s"]), graphNode("Gather", ["s", "zero"], ["n"]),
        graphNode("Equal", ["n", "one"], ["isOne"]), graphNode("Not", ["isOne"], ["isMore"]),
        graphNode(
          "If", ["isMore"], ["f"],
          ["then_branch": never, "else_branch": branch([graphNode("Flatten", ["p"], ["f0"])], "f0")]))
      let inner = branch([graphNode("Gemm", ["g", "w2", "b2"], ["y1"], name: "fc2")], "y1", weights)
      model.replace(
        "y",
        graphNode(
          "If", ["yes"], ["y"],
          [
            "then_branch": branch(
              [graphNode("If", ["yes"], ["y0"], ["then_branch": inner, "else_branch": never])], "y0"),
            "else_branch": never,
          ]))
    }),
]

/// Every way but those that differ in the file alone.
let modelVariants =
  [Variant("plain", change: { _, _ in })] + matrixVariants + storageVariants + graphVariants
  + structureVariants
