import ONNX
import Support

/// An attribute that a standard operator has, and in which operator sets.
struct NodeAttribute: ExpressibleByStringLiteral {
  let name: String
  /// The first operator set, of those that are read, in which the operator has it.
  private let first: Int
  /// The last one.
  private let last: Int
  /// Whether it may have no effect on what is imported: it is about training, about types that are refused, or about another
  /// mode of the operator.
  let mayBeIdle: Bool

  init(_ name: String, from first: Int = 0, upTo last: Int = Int.max, mayBeIdle: Bool = false) {
    (self.name, self.first, self.last, self.mayBeIdle) = (name, first, last, mayBeIdle)
  }

  init(stringLiteral name: String) { self.init(name) }

  func isIn(_ opset: Int) -> Bool { first <= opset && opset <= last }
}

/// The attributes of the standard operators that are read, as the operator sets from 7 on define them; those that are not
/// here have none.
private let nodeAttributes: [String: [NodeAttribute]] = [
  "ArgMax": ["axis", "keepdims", .init("select_last_index", from: 12)],
  "ArgMin": ["axis", "keepdims", .init("select_last_index", from: 12)],
  "AveragePool": [
    "auto_pad", "count_include_pad", "kernel_shape", "pads", "strides", .init("ceil_mode", from: 10),
    .init("dilations", from: 19),
  ],
  "BatchNormalization": [
    "epsilon", .init("momentum", mayBeIdle: true), .init("spatial", upTo: 8),
    .init("training_mode", from: 14),
  ],
  "Cast": [
    "to", .init("round_mode", from: 24, mayBeIdle: true), .init("saturate", from: 19, mayBeIdle: true),
  ],
  "CastLike": [.init("round_mode", from: 24, mayBeIdle: true), .init("saturate", from: 19, mayBeIdle: true)],
  "Celu": ["alpha"],
  "Clip": [.init("max", upTo: 10), .init("min", upTo: 10)],
  "Concat": ["axis"],
  "Constant": [
    "value", .init("sparse_value", from: 11), .init("value_float", from: 12), .init("value_floats", from: 12),
    .init("value_int", from: 12), .init("value_ints", from: 12), .init("value_string", from: 12),
    .init("value_strings", from: 12),
  ],
  "ConstantOfShape": ["value"],
  "Conv": ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"],
  "ConvInteger": ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"],
  "ConvTranspose": [
    "auto_pad", "dilations", "group", "kernel_shape", "output_padding", "output_shape", "pads", "strides",
  ],
  "DepthToSpace": ["blocksize", .init("mode", from: 11)],
  "DequantizeLinear": [
    .init("axis", from: 13, mayBeIdle: true), .init("block_size", from: 21),
    .init("output_dtype", from: 23, mayBeIdle: true),
  ],
  "Dropout": [.init("ratio", upTo: 11, mayBeIdle: true), .init("seed", from: 12, mayBeIdle: true)],
  "Einsum": ["equation"],
  "Elu": ["alpha"],
  "Flatten": ["axis"],
  "GRU": [
    "activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size",
    "linear_before_reset", .init("layout", from: 14),
  ],
  "Gather": ["axis"],
  "GatherElements": ["axis"],
  "GatherND": [.init("batch_dims", from: 12)],
  "Gelu": ["approximate"],
  "Gemm": ["alpha", "transA", "transB", "beta"],
  "GlobalLpPool": ["p"],
  "GroupNormalization": ["epsilon", "num_groups", .init("stash_type", from: 21, mayBeIdle: true)],
  "HardSigmoid": ["alpha", "beta"],
  "Hardmax": ["axis"],
  "InstanceNormalization": ["epsilon"],
  "IsInf": ["detect_negative", "detect_positive"],
  "LRN": ["alpha", "beta", "bias", "size"],
  "LSTM": [
    "activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "input_forget",
    .init("layout", from: 14),
  ],
  "LayerNormalization": ["axis", "epsilon", .init("stash_type", mayBeIdle: true)],
  "LeakyRelu": ["alpha"],
  "LogSoftmax": ["axis"],
  "LpNormalization": ["axis", "p"],
  "LpPool": [
    "auto_pad", "kernel_shape", "p", "pads", "strides", .init("ceil_mode", from: 18),
    .init("dilations", from: 18),
  ],
  "MaxPool": [
    "auto_pad", "kernel_shape", "pads", "strides", .init("ceil_mode", from: 10), .init("dilations", from: 10),
    .init("storage_order", from: 8, mayBeIdle: true),
  ],
  "MeanVarianceNormalization": ["axes"],
  "Mod": ["fmod"],
  "Pad": ["mode", .init("pads", upTo: 10), .init("value", upTo: 10, mayBeIdle: true)],
  "QLinearConv": ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"],
  "QuantizeLinear": [
    .init("axis", from: 13), .init("block_size", from: 21), .init("output_dtype", from: 21),
    .init("precision", from: 23), .init("saturate", from: 19, mayBeIdle: true),
  ],
  "RNN": [
    "activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size",
    .init("layout", from: 14),
  ],
  "ReduceL1": ["keepdims", .init("axes", upTo: 17), .init("noop_with_empty_axes", from: 18)],
  "ReduceL2": ["keepdims", .init("axes", upTo: 17), .init("noop_with_empty_axes", from: 18)],
  "ReduceLogSum": ["keepdims", .init("axes", upTo: 17), .init("noop_with_empty_axes", from: 18)],
  "ReduceLogSumExp": ["keepdims", .init("axes", upTo: 17), .init("noop_with_empty_axes", from: 18)],
  "ReduceMax": ["keepdims", .init("axes", upTo: 17), .init("noop_with_empty_axes", from: 18)],
  "ReduceMean": ["keepdims", .init("axes", upTo: 17), .init("noop_with_empty_axes", from: 18)],
  "ReduceMin": ["keepdims", .init("axes", upTo: 17), .init("noop_with_empty_axes", from: 18)],
  "ReduceProd": ["keepdims", .init("axes", upTo: 17), .init("noop_with_empty_axes", from: 18)],
  "ReduceSum": ["keepdims", .init("axes", upTo: 12), .init("noop_with_empty_axes", from: 13)],
  "ReduceSumSquare": ["keepdims", .init("axes", upTo: 17), .init("noop_with_empty_axes", from: 18)],
  "Reshape": [.init("allowzero", from: 14)],
  "Resize": [
    "mode", .init("antialias", from: 18), .init("axes", from: 18),
    .init("coordinate_transformation_mode", from: 11), .init("cubic_coeff_a", from: 11, mayBeIdle: true),
    .init("exclude_outside", from: 11, mayBeIdle: true),
    .init("extrapolation_value", from: 11, mayBeIdle: true), .init("keep_aspect_ratio_policy", from: 18),
    .init("nearest_mode", from: 11),
  ],
  "Scatter": ["axis"],
  "ScatterElements": ["axis", .init("reduction", from: 16)],
  "ScatterND": [.init("reduction", from: 16)],
  "Selu": ["alpha", "gamma"],
  "Shape": [.init("end", from: 15), .init("start", from: 15)],
  "Slice": [.init("axes", upTo: 9), .init("ends", upTo: 9), .init("starts", upTo: 9)],
  "Softmax": ["axis"],
  "SpaceToDepth": ["blocksize"],
  "Split": ["axis", .init("num_outputs", from: 18), .init("split", upTo: 12)],
  "Squeeze": [.init("axes", upTo: 12)],
  "ThresholdedRelu": ["alpha"],
  "TopK": [
    "axis", .init("k", upTo: 9), .init("largest", from: 11), .init("sorted", from: 11, mayBeIdle: true),
  ],
  "Transpose": ["perm"],
  "Trilu": ["upper"],
  "Unsqueeze": [.init("axes", upTo: 12)],
  "Upsample": ["mode", .init("scales", upTo: 8)],
  "If": [.init("else_branch", mayBeIdle: true), .init("then_branch", mayBeIdle: true)],
]

extension ImportContext {
  /// Throws `import.attribute` where `node`, a standard operator, has an attribute that its operator set does not define.
  func checkNames(ofAttributesOf node: ONNXNode) throws(Diagnostic) {
    let defined = nodeAttributes[node.op] ?? []
    for attribute in node.attributes
    where !defined.contains(where: { $0.name == attribute.name && $0.isIn(opset) }) {
      let names = defined.filter { $0.isIn(opset) }.map(\.name)
      let hint = nearest(attribute.name, in: names).map { "did you mean '\($0)'? " } ?? ""
      let all = names.isEmpty ? "it has none" : "it has \(names.joined(separator: ", "))"
      throw failure(
        "attribute", "\(node.op) has no attribute '\(attribute.name)' in operator set \(opset)", node,
        help: hint + all)
    }
  }

  /// Throws `import.attribute` where `node` has an attribute that `reads` do not contain, though it would mean something.
  func checkUse(ofAttributesOf node: ONNXNode, isStandard: Bool, _ reads: AttributeReads) throws(Diagnostic) {
    let defined = isStandard ? nodeAttributes[node.op] ?? [] : []
    let idle = defined.filter(\.mayBeIdle).map(\.name)
    for attribute in node.attributes where !reads.contains(attribute.name) && !idle.contains(attribute.name) {
      throw failure(
        "attribute", "the attribute '\(attribute.name)' of \(node.op) is not supported", node,
        help: "remove it if it says what holds without it; docs/operators.md lists what is read")
    }
  }
}
