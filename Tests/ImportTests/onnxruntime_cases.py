"""Writes small models with random inputs and the outputs that onnxruntime computes for them.

    python3 onnxruntime_cases.py FOLDER

Each case is FOLDER/NAME.onnx with NAME.inK.pb and NAME.outK.pb (TensorProto). The last line printed is the number of cases.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(7)
folder = sys.argv[1]
written = 0


def random(*shape, low=-1.0, high=1.0):
    return rng.uniform(low, high, shape).astype(np.float32)


def case(name, nodes, inputs, constants=None, outputs=("y",), opset=17, functions=(), types=None):
    """Writes one model. `nodes` are (op, inputs, outputs, attributes); `inputs` and `constants` map names to arrays, `types`
    maps outputs that are no floats to their types."""
    graph = helper.make_graph(
        [helper.make_node(op, i, o, name=f"n{k}", **a) for k, (op, i, o, a) in enumerate(nodes)], name,
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, v.shape) for n, v in inputs.items()],
        [helper.make_tensor_value_info(n, (types or {}).get(n, TensorProto.FLOAT), None) for n in outputs],
        [v if isinstance(v, TensorProto) else numpy_helper.from_array(np.asarray(v), n)
         for n, v in (constants or {}).items()])
    write(graph, name, inputs, outputs, opset, functions)


def write(graph, name, inputs, outputs, opset=17, functions=()):
    """Writes the model of `graph` with its inputs and outputs."""
    global written
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)] + ([helper.make_opsetid("local", 1)] if functions else [])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10 if opset > 20 else 8, functions=functions)
    # Beyond basic optimization, products with weights of 4 bits are computed on inputs rounded to 8.
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = session.run(list(outputs), inputs)
    onnx.save(model, f"{folder}/{name}.onnx")
    for kind, arrays in (("in", inputs.values()), ("out", results)):
        for k, array in enumerate(arrays):
            with open(f"{folder}/{name}.{kind}{k}.pb", "wb") as file:
                file.write(numpy_helper.from_array(np.asarray(array, order="C")).SerializeToString())
    written += 1


def single(name, op, inputs, constants=None, opset=17, **attributes):
    names = list(inputs) + list(constants or {})
    case(name, [(op, names, ["y"], attributes)], inputs, constants, opset=opset)


def convolutions():
    x2, x1 = random(1, 4, 9, 8), random(1, 4, 11)
    w2, w1, b = random(6, 4, 3, 2), random(6, 4, 3), random(6)
    single("conv2d", "Conv", {"x": x2}, {"w": w2, "b": b})
    single("conv2d-batch", "Conv", {"x": random(3, 4, 5, 5)}, {"w": w2, "b": b})
    single("conv2d-stride-pad", "Conv", {"x": x2}, {"w": w2}, strides=[2, 3], pads=[1, 0, 2, 1])
    single("conv2d-dilation", "Conv", {"x": x2}, {"w": w2}, dilations=[2, 3])
    single("conv2d-group", "Conv", {"x": x2}, {"w": random(6, 2, 3, 3), "b": b}, group=2)
    single("conv2d-depthwise", "Conv", {"x": x2}, {"w": random(4, 1, 3, 3)}, group=4, pads=[1, 1, 1, 1])
    for mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        single(f"conv2d-{mode.lower()}", "Conv", {"x": x2}, {"w": w2}, auto_pad=mode, strides=[2, 2])
        single(f"conv1d-{mode.lower()}", "Conv", {"x": x1}, {"w": w1}, auto_pad=mode)
    single("conv1d", "Conv", {"x": x1}, {"w": w1, "b": b}, strides=[2], pads=[2, 1], dilations=[2])
    single("conv1d-group", "Conv", {"x": x1}, {"w": random(8, 1, 4)}, group=4)


def products():
    a, b = random(3, 5), random(5, 4)
    single("gemm", "Gemm", {"x": a}, {"w": b, "c": random(4)})
    single("gemm-trans", "Gemm", {"x": a.T.copy()}, {"w": b.T.copy(), "c": random(3, 1)}, transA=1, transB=1)
    single("gemm-factors", "Gemm", {"x": a}, {"w": b, "c": random(3, 4)}, alpha=0.3, beta=-1.7)
    single("gemm-scalar", "Gemm", {"x": a}, {"w": b, "c": random()}, opset=11)
    single("gemm-computed", "Gemm", {"x": a, "z": b, "c": random(1, 4)}, alpha=2.0)
    single("matmul", "MatMul", {"x": random(2, 3, 5)}, {"w": b})
    case("matmul-turned", [("MatMul", ["w", "x"], ["y"], {})], {"x": b}, {"w": a})
    single("matmul-vector", "MatMul", {"x": random(5)}, {"w": b})
    single("matmul-batched", "MatMul", {"x": random(2, 1, 3, 5), "z": random(4, 5, 2)})
    single("batchnorm", "BatchNormalization", {"x": random(2, 3, 4, 4)},
           {"s": random(3), "b": random(3), "m": random(3), "v": random(3, low=0.1, high=2)}, epsilon=1e-3)


def pools():
    x = random(2, 3, 8, 7)
    for op in ("MaxPool", "AveragePool"):
        name = op.lower()
        single(name, op, {"x": x}, kernel_shape=[2, 3])
        single(f"{name}-stride-pad", op, {"x": x}, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 2])
        single(f"{name}-same", op, {"x": x}, kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_LOWER")
        single(f"{name}-1d", op, {"x": random(1, 2, 9)}, kernel_shape=[3], strides=[2])
        single(f"global-{name}", "Global" + op, {"x": x})
    single("maxpool-dilation", "MaxPool", {"x": x}, kernel_shape=[2, 2], dilations=[3, 2])
    single("maxpool-negative", "MaxPool", {"x": x - 5}, kernel_shape=[2, 2], pads=[1, 1, 1, 1])
    single("averagepool-include", "AveragePool", {"x": x}, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    single("reducemean", "ReduceMean", {"x": x}, axes=[-1, 1], keepdims=0, opset=13)
    single("reducemean-18", "ReduceMean", {"x": x}, {"a": np.array([2], np.int64)}, opset=18)


def activations():
    x = random(3, 17, low=-4, high=4)
    for op in ("Relu", "Sigmoid", "Tanh", "Softplus", "Exp", "Abs", "Neg", "Erf", "LeakyRelu", "Elu", "HardSigmoid",
               "HardSwish", "Softmax"):
        single(op.lower(), op, {"x": x})
    single("log", "Log", {"x": random(9, low=0.1, high=5)})
    single("sqrt", "Sqrt", {"x": random(9, low=0, high=5)})
    single("leakyrelu-alpha", "LeakyRelu", {"x": x}, alpha=0.3)
    single("elu-alpha", "Elu", {"x": x}, alpha=2.5)
    single("hardsigmoid-both", "HardSigmoid", {"x": x}, alpha=0.5, beta=0.1)
    single("clip-attributes", "Clip", {"x": x}, min=-1.0, max=2.0, opset=10)
    single("clip-inputs", "Clip", {"x": x}, {"l": np.float32(-1), "h": np.float32(2)})
    single("clip-order", "Clip", {"x": x}, {"l": np.float32(1), "h": np.float32(-1)})
    single("softmax-axis", "Softmax", {"x": random(2, 3, 4)}, axis=1)
    single("softmax-old", "Softmax", {"x": random(2, 3, 4)}, opset=11)
    single("softmax-old-0", "Softmax", {"x": random(2, 3, 4)}, opset=9, axis=0)


def arithmetic():
    for op in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        single(op.lower(), op, {"x": random(2, 3, 4), "z": random(3, 1, low=0.5, high=2)})
    single("sum", "Sum", {"x": random(3, 4), "z": random(4), "v": random(3, 1)})


def structures():
    """Functions with attributes and functions in them, and branches with known conditions."""
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    slope = helper.make_node("LeakyRelu", ["c"], ["d"])
    slope.attribute.add(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    call = helper.make_node("Bend", ["m"], ["y"], domain="local")
    call.attribute.add(name="slope", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    bend = helper.make_function("local", "Bend", ["c"], ["d"], [slope], opset, ["slope"])
    dense = helper.make_function("local", "Dense", ["x", "w", "b"], ["y"], [
        helper.make_node("MatMul", ["x", "w"], ["c"]), helper.make_node("Add", ["c", "b"], ["m"]), call,
    ], opset, ["slope"])
    case("functions", [
        ("Dense", ["x", "w", "b"], ["c"], {"domain": "local", "slope": 0.25}),
        ("Dense", ["c", "v", "b"], ["y"], {"domain": "local", "slope": 0.5}),
    ], {"x": random(2, 5)}, {"w": random(5, 4), "v": random(4, 4), "b": random(4)}, functions=[bend, dense])

    def branch(op, inputs):
        node = helper.make_node(op, inputs, ["z"])
        return helper.make_graph([node], op, [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)])

    for name, length in (("taken", 3), ("not-taken", 4)):
        case(f"if-{name}", [
            ("Shape", ["x"], ["s"], {}), ("Gather", ["s", "i"], ["n"], {}), ("Equal", ["n", "k"], ["c"], {}),
            ("If", ["c"], ["r"], {"then_branch": branch("Relu", ["x"]), "else_branch": branch("Mul", ["x", "w"])}),
            ("Add", ["r", "w"], ["y"], {}),
        ], {"x": random(1, length)}, {"i": np.int64(1), "k": np.int64(3), "w": random(length)})


def shapes():
    x = random(2, 3, 4)
    single("reshape", "Reshape", {"x": x}, {"s": np.array([0, -1], np.int64)})
    single("flatten", "Flatten", {"x": x}, axis=-1)
    single("squeeze", "Squeeze", {"x": random(1, 3, 1)}, {"a": np.array([-1], np.int64)})
    single("unsqueeze", "Unsqueeze", {"x": x}, {"a": np.array([0, -1], np.int64)})
    single("transpose", "Transpose", {"x": x}, perm=[2, 0, 1])
    single("concat", "Concat", {"x": x, "z": random(2, 1, 4)}, axis=-2)
    single("pad", "Pad", {"x": x}, {"p": np.array([0, 1, 2, 1, 0, 0], np.int64), "v": np.float32(0.5)})
    single("pad-old", "Pad", {"x": x}, pads=[0, 0, 1, 0, 0, 1], value=-1.0, opset=9)
    constants = {"zero": np.array(0, np.int64), "axes": np.array([0], np.int64), "rest": np.array([-1], np.int64)}
    case("shape-chain", [
        ("Shape", ["x"], ["s"], {}), ("Gather", ["s", "zero"], ["g"], {"axis": 0}),
        ("Unsqueeze", ["g", "axes"], ["u"], {}), ("Concat", ["u", "rest"], ["t"], {"axis": 0}),
        ("Reshape", ["x", "t"], ["y"], {})], {"x": x}, constants)


def transposed_convolutions():
    x2, x1 = random(1, 4, 5, 4), random(2, 4, 7)
    w2, w1, b = random(4, 3, 3, 2), random(4, 3, 4), random(3)
    single("deconv2d", "ConvTranspose", {"x": x2}, {"w": w2, "b": b})
    single("deconv2d-stride", "ConvTranspose", {"x": x2}, {"w": w2}, strides=[2, 3])
    single("deconv2d-pads", "ConvTranspose", {"x": x2}, {"w": w2, "b": b}, strides=[2, 2], pads=[1, 0, 2, 1])
    single("deconv2d-output-padding", "ConvTranspose", {"x": x2}, {"w": w2}, strides=[2, 3], output_padding=[1, 2])
    single("deconv2d-output-shape", "ConvTranspose", {"x": x2}, {"w": w2, "b": b}, strides=[3, 2], output_shape=[14, 7])
    single("deconv2d-dilation", "ConvTranspose", {"x": x2}, {"w": w2}, strides=[2, 1], dilations=[2, 3])
    single("deconv2d-group", "ConvTranspose", {"x": x2}, {"w": random(4, 2, 3, 3), "b": random(4)}, group=2, strides=[2, 2])
    single("deconv2d-depthwise", "ConvTranspose", {"x": x2}, {"w": random(4, 1, 2, 2)}, group=4, strides=[2, 2])
    single("deconv2d-cut", "ConvTranspose", {"x": x2}, {"w": random(4, 2, 1, 1)}, strides=[2, 2], pads=[1, 1, 2, 0])
    for mode in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        single(f"deconv2d-{mode.lower()}", "ConvTranspose", {"x": x2}, {"w": w2}, auto_pad=mode, strides=[2, 2])
    single("deconv1d", "ConvTranspose", {"x": x1}, {"w": w1, "b": b}, strides=[3], pads=[1, 2], output_padding=[1])


def more_pools():
    x = random(1, 3, 8, 7)
    for op in ("MaxPool", "AveragePool"):
        name = op.lower()
        single(f"{name}-ceil", op, {"x": x}, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        single(f"{name}-ceil-pads", op, {"x": x}, kernel_shape=[3, 2], strides=[3, 2], pads=[1, 0, 1, 1], ceil_mode=1, opset=19)
        single(f"{name}-ceil-1d", op, {"x": random(1, 2, 10)}, kernel_shape=[3], strides=[4], ceil_mode=1)
    single("averagepool-ceil-include", "AveragePool", {"x": x}, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1],
           ceil_mode=1, count_include_pad=1, opset=19)
    single("averagepool-dilation", "AveragePool", {"x": x}, kernel_shape=[2, 3], dilations=[2, 2], opset=19)
    single("lppool", "LpPool", {"x": x}, kernel_shape=[2, 3], strides=[2, 1], pads=[1, 1, 0, 1])
    single("lppool-1", "LpPool", {"x": x}, kernel_shape=[2, 2], p=1)
    single("global-lppool", "GlobalLpPool", {"x": x}, p=3)
    single("lrn", "LRN", {"x": random(1, 7, 3, 3, high=9)}, size=5)
    single("lrn-half", "LRN", {"x": random(2, 6, 3, 2, high=9)}, size=3, alpha=0.2, beta=0.5, bias=2.0)
    single("lrn-power", "LRN", {"x": random(1, 6, 3, 2, high=9)}, size=3, alpha=0.1, beta=0.6)


def reductions():
    x = random(2, 3, 4, low=0.5, high=2)
    for op in ("ReduceSum", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
               "ReduceMin", "ReduceProd"):
        single(f"{op.lower()}-all", op, {"x": x}, opset=13)
        axes = {"a": np.array([-1, 0], np.int64)}
        single(f"{op.lower()}-18", op, {"x": x}, axes, opset=18, keepdims=0)
    single("reducemax-negative", "ReduceMax", {"x": -x}, axes=[1], opset=13)
    single("reduceprod-middle", "ReduceProd", {"x": random(2, 5, 3)}, axes=[1], opset=13)
    single("logsoftmax", "LogSoftmax", {"x": random(2, 3, 4, low=-50, high=50)})
    single("logsoftmax-old", "LogSoftmax", {"x": random(2, 3, 4)}, opset=11)


def normalizations():
    x = random(2, 6, 5, low=-3, high=5)
    s, b = random(6, low=0.5, high=2), random(6)
    single("layernorm", "LayerNormalization", {"x": x}, {"s": random(5), "b": random(5)})
    single("layernorm-axis", "LayerNormalization", {"x": x}, {"s": random(6, 5)}, axis=1, epsilon=0.1)
    single("instancenorm", "InstanceNormalization", {"x": random(2, 6, 3, 4)}, {"s": s, "b": b}, epsilon=0.01)
    single("instancenorm-1d", "InstanceNormalization", {"x": x}, {"s": s, "b": b})
    single("groupnorm-18", "GroupNormalization", {"x": x}, {"s": random(3), "b": random(3)}, num_groups=3, opset=18)
    single("groupnorm-21", "GroupNormalization", {"x": random(2, 6, 3, 2)}, {"s": s, "b": b}, num_groups=2, opset=21)
    single("meanvariance", "MeanVarianceNormalization", {"x": random(2, 6, 3, 2)}, axes=[0, 2, 3])
    single("lpnorm-1", "LpNormalization", {"x": x}, p=1, axis=1)
    single("lpnorm-2", "LpNormalization", {"x": x})
    single("batchnorm-alone", "BatchNormalization", {"x": x}, {"s": s, "b": b, "m": b, "v": s})
    case("batchnorm-computed", [
        ("Abs", ["m"], ["v"], {}), ("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"], {})],
        {"x": x, "m": random(6)}, {"s": s, "b": b})


def more_activations():
    x = random(3, 17, low=-4, high=4)
    for op in ("Floor", "Ceil", "Round", "Sign", "Reciprocal", "Softsign", "Selu", "Celu", "ThresholdedRelu"):
        single(op.lower(), op, {"x": x})
    halves = np.array([-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 0.49999997], np.float32)
    for op in ("Floor", "Ceil", "Round", "Sign"):
        single(f"{op.lower()}-halves", op, {"x": halves})
    single("mish", "Mish", {"x": x}, opset=18)
    single("selu-both", "Selu", {"x": x}, alpha=2.0, gamma=0.5)
    single("celu-alpha", "Celu", {"x": x}, alpha=0.4)
    single("thresholdedrelu-alpha", "ThresholdedRelu", {"x": x}, alpha=-0.5)
    single("prelu-one", "PRelu", {"x": x}, {"s": np.array([0.3], np.float32)})
    single("prelu-channels", "PRelu", {"x": random(2, 3, 4, 5)}, {"s": random(3, 1, 1)})
    single("gelu", "Gelu", {"x": x}, opset=20)
    single("gelu-tanh", "Gelu", {"x": x}, opset=20, approximate="tanh")
    positive = random(3, 5, low=0.1, high=3)
    for exponent in (0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 3.0, -1.0, -0.5, 1.7):
        single(f"pow-{exponent}", "Pow", {"x": positive}, {"e": np.array(exponent, np.float32)})
    single("pow-negative-base", "Pow", {"x": x}, {"e": np.array([3.0], np.float32)})
    single("pow-integer", "Pow", {"x": x}, {"e": np.array(2, np.int64)})
    single("mean", "Mean", {"x": random(2, 3), "z": random(3), "v": random(2, 1)})


def selections():
    x = random(2, 6, 5)
    def ints(*values): return np.array(values, np.int64)
    single("slice", "Slice", {"x": x}, {"s": ints(1, -4), "e": ints(9, -1), "a": ints(1, 2)})
    single("slice-steps", "Slice", {"x": x}, {"s": ints(0, -1), "e": ints(6, -99), "a": ints(1, -1), "t": ints(2, -2)})
    single("slice-reverse", "Slice", {"x": x}, {"s": ints(-1), "e": ints(-2**63), "a": ints(1), "t": ints(-1)})
    single("slice-old", "Slice", {"x": x}, starts=[0, 1], ends=[1, 2**63 - 1], opset=9)
    case("split", [("Split", ["x", "l"], ["y", "z"], {"axis": 1})], {"x": x}, {"l": ints(2, 4)}, outputs=("y", "z"))
    case("split-even", [("Split", ["x"], ["y", "z"], {"axis": -2})], {"x": x}, outputs=("y", "z"), opset=11)
    case("split-count", [("Split", ["x"], ["y", "z"], {"axis": 2, "num_outputs": 2})], {"x": x}, outputs=("y", "z"), opset=18)
    single("gather", "Gather", {"x": x}, {"i": np.array([[0, -1], [3, 3]], np.int64)}, axis=1)
    single("gather-scalar", "Gather", {"x": x}, {"i": np.array(2, np.int64)}, axis=-1)
    single("tile", "Tile", {"x": x}, {"r": ints(2, 1, 3)})
    single("expand", "Expand", {"x": random(3, 1)}, {"s": ints(2, 1, 4)})
    case("where", [("Where", ["c", "x", "z"], ["y"], {})], {"x": random(2, 3), "z": random(3)},
         {"c": np.array([[True, False, True], [False, True, True]])})
    single("depthtospace", "DepthToSpace", {"x": random(1, 12, 2, 3)}, blocksize=2)
    single("depthtospace-crd", "DepthToSpace", {"x": random(2, 8, 3, 2)}, blocksize=2, mode="CRD")
    single("spacetodepth", "SpaceToDepth", {"x": random(1, 3, 4, 6)}, blocksize=2)
    single("triu", "Trilu", {"x": random(2, 4, 5)}, {"k": np.array(1, np.int64)})
    single("tril", "Trilu", {"x": random(4, 3)}, {"k": np.array(-1, np.int64)}, upper=0)
    for mode in ("reflect", "edge", "wrap"):
        single(f"pad-{mode}", "Pad", {"x": x}, {"p": ints(0, 2, 1, 0, 1, 4)}, mode=mode, opset=19)
    single("pad-cut", "Pad", {"x": x}, {"p": ints(0, -2, 1, 0, -1, -3), "v": np.float32(2)})
    single("pad-axes", "Pad", {"x": x}, {"p": ints(1, 2), "v": np.float32(0), "a": ints(-1)}, opset=18)


def resizes():
    x = random(1, 2, 5, 7)
    none = np.array([], np.float32)
    modes = ("asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners")
    for coordinates in modes + ("half_pixel_symmetric",):
        opset = 19 if coordinates == "half_pixel_symmetric" else 13
        for scales in ((2.0, 3.0), (0.6, 0.5), (1.0, 1.7)):
            constants = {"r": none, "s": np.array([1, 1, *scales], np.float32)}
            name = f"{coordinates}-{scales[0]}-{scales[1]}"
            single(f"resize-linear-{name}", "Resize", {"x": x}, constants, mode="linear",
                   coordinate_transformation_mode=coordinates, opset=opset)
            # The center of a symmetric resize lies on an element: floor and ceil would ask how its place is rounded.
            isSymmetric = coordinates == "half_pixel_symmetric"
            for nearest in ("round_prefer_floor", "round_prefer_ceil") + (() if isSymmetric else ("floor", "ceil")):
                single(f"resize-{nearest}-{name}", "Resize", {"x": x}, constants, nearest_mode=nearest,
                       coordinate_transformation_mode=coordinates, opset=opset)
    sizes = {"r": none, "s": none, "z": np.array([1, 2, 8, 4], np.int64)}
    single("resize-sizes", "Resize", {"x": x}, sizes, mode="linear")
    single("resize-sizes-nearest", "Resize", {"x": x}, sizes)
    single("resize-axes", "Resize", {"x": x}, {"r": none, "s": np.array([2, 1.5], np.float32)}, axes=[3, 2], opset=18)
    single("resize-10", "Resize", {"x": x}, {"s": np.array([1, 1, 2, 0.6], np.float32)}, opset=10)
    single("resize-10-linear", "Resize", {"x": x}, {"s": np.array([1, 1, 2, 2], np.float32)}, mode="linear", opset=10)
    single("upsample-7", "Upsample", {"x": x}, scales=[1.0, 1.0, 2.0, 3.0], opset=7)
    single("upsample-9", "Upsample", {"x": x}, {"s": np.array([1, 1, 2, 2], np.float32)}, mode="linear", opset=9)


def einsums():
    single("einsum-product", "Einsum", {"x": random(3, 4), "z": random(4, 5)}, equation="ij,jk->ik")
    single("einsum-constant", "Einsum", {"x": random(3, 4)}, {"w": random(5, 4)}, equation="ij, kj -> ik")
    single("einsum-heads", "Einsum", {"x": random(2, 3, 4, 5), "z": random(2, 6, 4, 5)}, equation="bihd,bjhd->bhij")
    single("einsum-outer", "Einsum", {"x": random(3), "z": random(4)}, equation="i,j->ji")
    single("einsum-inner", "Einsum", {"x": random(3, 4)}, {"w": random(3, 4)}, equation="ij,ij->")
    single("einsum-transpose", "Einsum", {"x": random(2, 3, 4)}, equation="abc->cab")
    single("matmul-vector-right", "MatMul", {"x": random(2, 3, 5)}, {"w": random(5)})
    case("matmul-turned-stack", [("MatMul", ["w", "x"], ["y"], {})], {"x": random(2, 5, 4)}, {"w": random(3, 5)})


def attention_nodes():
    """A block of a transformer: two heads of four, LayerNormalization before each half, GELU from Erf."""
    def heads(name, order): return [
        ("MatMul", ["n", f"w{name}"], [f"m{name}"], {}), ("Add", [f"m{name}", f"b{name}"], [f"a{name}"], {}),
        ("Reshape", [f"a{name}", "split"], [f"r{name}"], {}), ("Transpose", [f"r{name}"], [name], {"perm": order})]
    return [
        ("LayerNormalization", ["x", "g1", "h1"], ["n"], {}), *heads("q", [0, 2, 1, 3]), *heads("k", [0, 2, 3, 1]),
        *heads("v", [0, 2, 1, 3]), ("MatMul", ["q", "k"], ["s"], {}), ("Div", ["s", "root"], ["d"], {}),
        ("Softmax", ["d"], ["p"], {}), ("MatMul", ["p", "v"], ["c"], {}), ("Transpose", ["c"], ["t"], {"perm": [0, 2, 1, 3]}),
        ("Reshape", ["t", "join"], ["j"], {}), ("MatMul", ["j", "wo"], ["o"], {}), ("Add", ["o", "x"], ["z"], {}),
        ("LayerNormalization", ["z", "g2", "h2"], ["l"], {}), ("MatMul", ["l", "w1"], ["u"], {}),
        ("Mul", ["u", "r2"], ["e0"], {}), ("Erf", ["e0"], ["e1"], {}), ("Add", ["e1", "one"], ["e2"], {}),
        ("Mul", ["u", "e2"], ["e3"], {}), ("Mul", ["e3", "half"], ["e4"], {}), ("MatMul", ["e4", "w2"], ["f"], {}),
        ("Add", ["f", "z"], ["y"], {})]


def attention_constants():
    numbers = {name: random(8, 8) for name in ("wq", "wk", "wv", "wo")}
    numbers |= {name: random(8) for name in ("bq", "bk", "bv", "g1", "h1", "g2", "h2")}
    return numbers | {
        "w1": random(8, 16), "w2": random(16, 8), "root": np.float32(2), "r2": np.float32(0.5**0.5), "one": np.float32(1),
        "half": np.float32(0.5), "split": np.array([0, 0, 2, 4], np.int64), "join": np.array([0, 0, 8], np.int64)}


def networks():
    case("residual", [
        ("Conv", ["x", "w", "b"], ["c"], {"pads": [1, 1, 1, 1]}),
        ("BatchNormalization", ["c", "s", "b", "b", "v"], ["n"], {}), ("Add", ["n", "x"], ["a"], {}),
        ("Relu", ["a"], ["r"], {}), ("GlobalAveragePool", ["r"], ["p"], {}), ("Flatten", ["p"], ["f"], {}),
        ("Gemm", ["f", "g"], ["z"], {"transB": 1}), ("Softmax", ["z"], ["y"], {})],
        {"x": random(1, 4, 6, 6)},
        {"w": random(4, 4, 3, 3), "b": random(4), "s": random(4), "v": random(4, low=0.5), "g": random(3, 4)})
    case("attention", attention_nodes(), {"x": random(2, 5, 8)}, attention_constants())
    w, r = random(2, 6, 5), random(2, 5, 4)
    case("two-outputs", [
        ("MatMul", ["x", "w"], ["h"], {}), ("Tanh", ["h"], ["t"], {}), ("MatMul", ["t", "r"], ["y"], {}),
        ("Identity", ["t"], ["i"], {}), ("Sigmoid", ["i"], ["z"], {})],
        {"x": random(2, 3, 6)}, {"w": w, "r": r}, outputs=("y", "z"))


def recurrent(name, op, inputs, direction="forward", steps=4, batch=2, first=False, peepholes=False, lengths=None, bias=True,
              used=("y",), **attributes):
    size, hidden = inputs, 3
    gates, sides = {"LSTM": 4, "GRU": 3, "RNN": 1}[op], 2 if direction == "bidirectional" else 1
    states = {"h": random(sides, batch, hidden)} if first else {}
    if first and op == "LSTM":
        states["c"] = random(sides, batch, hidden)
    constants = {"w": random(sides, gates * hidden, size), "r": random(sides, gates * hidden, hidden)}
    if bias:
        constants["b"] = random(sides, 2 * gates * hidden)
    if lengths:
        constants["l"] = np.array(lengths, np.int32)
    if peepholes:
        constants["p"] = random(sides, 3 * hidden)
    names = ["x"] + [n if n in constants or n in states else "" for n in ("w", "r", "b", "l", "h", "c", "p")]
    outputs = [n if n in used else "" for n in ("y", "yh", "yc")[:3 if op == "LSTM" else 2]]
    case(name, [(op, names[:8 if op == "LSTM" else 6], outputs,
                 {"hidden_size": hidden, "direction": direction, **attributes})],
         {"x": random(steps, batch, size), **states}, constants, outputs=used)


def recurrents():
    for op in ("LSTM", "GRU", "RNN"):
        everything = ("y", "yh", "yc") if op == "LSTM" else ("y", "yh")
        for direction in ("forward", "reverse", "bidirectional"):
            recurrent(f"{op}-{direction}".lower(), op, 5, direction, used=everything)
        recurrent(f"{op}-state".lower(), op, 2, "bidirectional", first=True, used=everything)
        recurrent(f"{op}-lengths".lower(), op, 2, "bidirectional", lengths=[2, 4], used=everything)
        recurrent(f"{op}-plain".lower(), op, 2, bias=False)
        recurrent(f"{op}-clip".lower(), op, 4, clip=0.25, used=everything)
        recurrent(f"{op}-last".lower(), op, 2, used=("yh",), steps=1, batch=1)
    recurrent("lstm-peepholes", "LSTM", 3, "bidirectional", peepholes=True, first=True)
    recurrent("lstm-coupled", "LSTM", 3, input_forget=1)
    recurrent("gru-linear", "GRU", 3, "bidirectional", linear_before_reset=1, first=True)
    recurrent("gru-linear-lengths", "GRU", 3, linear_before_reset=1, lengths=[3, 1], steps=3)
    for name, alpha, beta in (("Relu", [], []), ("LeakyRelu", [0.3], []), ("Elu", [0.5], []), ("HardSigmoid", [0.3], [0.4]),
                              ("Affine", [0.6], [0.2]), ("ScaledTanh", [0.7], [0.9]), ("Softsign", [], []),
                              ("Softplus", [], []), ("ThresholdedRelu", [0.2], [])):
        numbers = {k: v for k, v in (("activation_alpha", alpha), ("activation_beta", beta)) if v}
        recurrent(f"rnn-{name}".lower(), "RNN", 3, activations=[name], **numbers)
    recurrent("lstm-activations", "LSTM", 3, "bidirectional",
              activations=["HardSigmoid", "Tanh", "Relu", "Sigmoid", "LeakyRelu", "Softsign"],
              activation_alpha=[0.3, 0.1], activation_beta=[0.6])


def outputs_of_every_kind():
    x = random(2, 3, 4, low=-2, high=2)
    whole = {"types": {"y": TensorProto.INT64}}
    truth = {"types": {"y": TensorProto.BOOL}}
    ties = np.round(x)
    for op in ("ArgMax", "ArgMin"):
        for axis, keep, last in ((0, 1, 0), (1, 0, 1), (-1, 1, 1), (2, 0, 0)):
            case(f"{op}-{axis}-{keep}-{last}".lower(), [
                (op, ["x"], ["y"], {"axis": axis, "keepdims": keep, "select_last_index": last})], {"x": ties}, **whole)
    case("classifier", [
        ("MatMul", ["x", "w"], ["s"], {}), ("Softmax", ["s"], ["p"], {"axis": -1}),
        ("ArgMax", ["p"], ["y"], {"axis": -1, "keepdims": 0})], {"x": x}, {"w": random(4, 10)}, **whole)
    case("top-1", [("TopK", ["x", "k"], ["y", "i"], {"axis": 1})], {"x": x}, {"k": np.array([1], np.int64)},
         ("y", "i"), types={"i": TensorProto.INT64})
    case("hardmax", [("Hardmax", ["x"], ["y"], {"axis": 1})], {"x": ties})
    other = np.round(random(3, 1, low=-2, high=2))
    for op in ("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"):
        case(f"computed-{op.lower()}", [(op, ["x", "o"], ["y"], {})], {"x": ties, "o": other}, **truth)
    flags = [("Greater", ["x", "o"], ["p"], {}), ("Less", ["x", "h"], ["q"], {})]
    half = {"h": np.float32(0.5)}
    for op in ("And", "Or", "Xor"):
        case(f"computed-{op.lower()}", flags + [(op, ["p", "q"], ["y"], {})], {"x": ties, "o": other}, half, **truth)
    case("computed-not", flags + [("Not", ["q"], ["y"], {})], {"x": ties, "o": other}, half, **truth)
    case("computed-where", flags + [("Where", ["p", "x", "o"], ["y"], {})], {"x": x, "o": other}, half)
    case("masked", flags + [("Cast", ["p"], ["f"], {"to": TensorProto.FLOAT}), ("Mul", ["x", "f"], ["y"], {})],
         {"x": x, "o": other}, half)
    for kind in (TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL):
        case(f"cast-{kind}", [("Cast", ["x"], ["y"], {"to": kind})], {"x": 3 * x}, types={"y": kind})
    case("levels", [("QuantizeLinear", ["x", "s", "z"], ["y"], {})], {"x": x},
         {"s": np.float32(0.013), "z": np.int8(5)}, types={"y": TensorProto.INT8})
    case("levels-axis", [("QuantizeLinear", ["x", "s", "z"], ["y"], {"axis": 1})], {"x": x},
         {"s": random(3, low=0.01, high=0.03), "z": np.array([3, 100, 0], np.uint8)}, types={"y": TensorProto.UINT8})
    case("sums", [("QuantizeLinear", ["x", "s", "z"], ["q"], {}), ("MatMulInteger", ["q", "w", "z"], ["y"], {})],
         {"x": x}, {"s": np.float32(0.013), "z": np.uint8(120), "w": integers(4, 5)}, types={"y": TensorProto.INT32})
    case("shape", [("Shape", ["x"], ["y"], {}), ("Relu", ["x"], ["r"], {})], {"x": x}, None, ("y", "r"), **whole)
    case("power", [("Pow", ["x", "e"], ["y"], {})], {"x": abs(x), "e": random(4, low=-2, high=3)})
    places = rng.integers(-3, 3, (2, 2, 4))
    case("gather-elements", [("GatherElements", ["x", "i"], ["y"], {"axis": 1})], {"x": x}, {"i": places})
    pairs = np.array([[0, -1], [1, 2]], np.int64)
    case("gather-nd", [("GatherND", ["x", "i"], ["y"], {})], {"x": x}, {"i": pairs})
    case("gather-nd-batch", [("GatherND", ["x", "i"], ["y"], {"batch_dims": 1})], {"x": x}, {"i": pairs})
    case("scatter-nd", [("ScatterND", ["x", "i", "u"], ["y"], {})], {"x": x, "u": random(2, 4)}, {"i": pairs})
    case("scatter-elements", [("ScatterElements", ["x", "i", "u"], ["y"], {"axis": 2})],
         {"x": x, "u": random(2, 3, 1)}, {"i": rng.integers(-4, 4, (2, 3, 1))})
    case("layernorm-outputs", [("LayerNormalization", ["x", "w"], ["y", "m", "d"], {"axis": 1})], {"x": x},
         {"w": random(3, 4)}, ("y", "m", "d"))


def blocked_weights():
    x, w = random(3, 20, low=-2, high=2), helper.make_tensor("w", TensorProto.INT4, [20, 6], list(rng.integers(-8, 8, 120)))
    scales = random(2, 6, low=0.01, high=0.1)
    case("blocks", [
        ("DequantizeLinear", ["w", "s"], ["v"], {"axis": 0, "block_size": 16}), ("MatMul", ["x", "v"], ["y"], {})],
        {"x": x}, {"w": w, "s": scales}, opset=21)
    case("blocks-zeros", [
        ("DequantizeLinear", ["w", "s", "z"], ["v"], {"axis": 1, "block_size": 16}),
        ("Gemm", ["x", "v", "b"], ["y"], {"transB": 1, "alpha": 0.5})],
        {"x": x}, {"w": integers(6, 20, dtype=np.uint8), "s": scales.T.copy(), "z": integers(6, 2, dtype=np.uint8),
                   "b": random(6)}, opset=21)


def cubic_resizes():
    x = random(1, 2, 5, 7)
    for coordinates in ("asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"):
        for scales in ((2.0, 3.0), (0.8, 0.5), (1.0, 1.7)):
            single(f"cubic-{coordinates}-{scales[0]}-{scales[1]}", "Resize", {"x": x},
                   {"r": np.array([], np.float32), "s": np.array([1, 1, *scales], np.float32)}, mode="cubic",
                   coordinate_transformation_mode=coordinates, opset=13)
    single("cubic-excluded", "Resize", {"x": x},
           {"r": np.array([], np.float32), "s": np.array([1, 1, 2, 2], np.float32)}, mode="cubic", cubic_coeff_a=-0.5,
           exclude_outside=1, opset=13)


def moved_levels():
    """Levels behind operators that move them, and then in a product: the bits that onnxruntime gives."""
    x = random(1, 4, 6, 5, low=-2, high=2)
    grid = {"xs": np.float32(0.03), "xz": np.uint8(121)}
    pair = [("QuantizeLinear", ["x", "xs", "xz"], ["q"], {}), ("DequantizeLinear", ["q", "xs", "xz"], ["r"], {})]
    ints = {"zero": np.array([0, 0], np.int64), "two": np.array([3, 4], np.int64), "last": np.array([2, 3], np.int64),
            "take": np.array([3, 0, 0, 2], np.int64), "pads": np.array([0, 0, 1, 2, 0, 0, 0, 1], np.int64),
            "parts": np.array([1, 3], np.int64)}
    kernel = {"w": integers(3, 4, 2, 2), "ws": np.float32(0.02), "wz": np.int8(0)}
    weights = [("DequantizeLinear", ["w", "ws", "wz"], ["v"], {})]
    for name, nodes in (
            ("gather", [("Gather", ["r", "take"], ["m"], {"axis": 1})]),
            ("slice", [("Slice", ["r", "zero", "two", "last"], ["m"], {})]),
            ("pad", [("Pad", ["r", "pads"], ["m"], {})]),
            ("pool", [("Relu", ["r"], ["p"], {}), ("MaxPool", ["p"], ["m"], {"kernel_shape": [2, 2]})]),
            ("concat", [("Split", ["r", "parts"], ["a", "b"], {"axis": 1}), ("Concat", ["b", "a"], ["m"], {"axis": 1})])):
        case(f"moved-{name}", pair + nodes + weights + [("Conv", ["m", "v"], ["y"], {})], {"x": x},
             {**grid, **ints, **kernel})


def integers(*shape, dtype=np.int8):
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def levels(x, scale, zero):
    """Nodes and constants that make levels `q` of the input `x`, and floats `y` of the levels `z`."""
    constants = {"xs": np.float32(scale), "xz": zero}
    return ("QuantizeLinear", ["x", "xs", "xz"], ["q"], {}), constants


def pairs():
    x = random(1, 4, 5, 5, low=-2, high=2)
    for dtype, opset in ((np.uint8, 17), (np.int8, 13), (np.uint16, 21), (np.int16, 21)):
        zero = dtype(37)
        case(f"pair-{np.dtype(dtype).name}", [
            ("QuantizeLinear", ["x", "s", "z"], ["q"], {}), ("DequantizeLinear", ["q", "s", "z"], ["y"], {})],
            {"x": x}, {"s": np.float32(0.013), "z": zero}, opset=opset)
    case("pair-default", [
        ("QuantizeLinear", ["x", "s"], ["q"], {}), ("DequantizeLinear", ["q", "s"], ["y"], {})],
        {"x": x}, {"s": np.float32(0.013)})
    scales = random(4, low=0.01, high=0.1)
    case("pair-axis", [
        ("QuantizeLinear", ["x", "s", "z"], ["q"], {"axis": 1}),
        ("DequantizeLinear", ["q", "s", "z"], ["y"], {"axis": -3})],
        {"x": x}, {"s": scales, "z": np.full(4, 5, np.int8)})
    case("dequantize-zeros", [
        ("DequantizeLinear", ["w", "s", "z"], ["v"], {"axis": 0}), ("Add", ["x", "v"], ["y"], {})],
        {"x": random(4, 3)}, {"w": integers(4, 3), "s": scales, "z": integers(4)})
    four = helper.make_tensor("w", TensorProto.INT4, [3, 5], list(rng.integers(-8, 8, 15)))
    case("dequantize-int4", [
        ("DequantizeLinear", ["w", "s"], ["v"], {"axis": 1}), ("MatMul", ["x", "v"], ["y"], {})],
        {"x": random(2, 3)}, {"w": four, "s": random(5, low=0.01, high=0.1)}, opset=21)
    case("weight-only", [
        ("Cast", ["w"], ["f"], {"to": TensorProto.FLOAT}), ("Mul", ["f", "s"], ["v"], {}),
        ("MatMul", ["x", "v"], ["y"], {})],
        {"x": random(2, 3)}, {"w": integers(3, 5), "s": random(5, low=0.01, high=0.1)})
    case("pool-of-levels", [
        ("QuantizeLinear", ["x", "s", "z"], ["q"], {}), ("MaxPool", ["q"], ["p"], {"kernel_shape": [2, 2]}),
        ("Transpose", ["p"], ["t"], {"perm": [0, 2, 3, 1]}), ("Flatten", ["t"], ["f"], {}),
        ("DequantizeLinear", ["f", "s", "z"], ["y"], {})],
        {"x": x}, {"s": np.float32(0.02), "z": np.int8(-7)})


def integer_products():
    x, w = random(1, 4, 6, 5, low=-2, high=2), integers(6, 2, 3, 3)
    quantize, grid = levels("x", 0.03, np.uint8(121))
    scales = random(6, low=0.001, high=0.02)
    result = {"ys": np.float32(0.4), "yz": np.uint8(100)}
    bias = {"b": integers(6, dtype=np.int16).astype(np.int32)}
    for name, extra in (("tensor", {"ws": np.float32(0.01), "wz": np.int8(0)}),
                        ("channel", {"ws": scales, "wz": np.zeros(6, np.int8)})):
        case(f"qlinear-conv-{name}", [
            quantize,
            ("QLinearConv", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["r"],
             {"group": 2, "pads": [1, 0, 1, 2], "strides": [2, 1]}),
            ("DequantizeLinear", ["r", "ys", "yz"], ["y"], {})], {"x": x},
            {"w": w, **extra, **bias, **grid, **result})
    case("conv-integer", [
        quantize, ("ConvInteger", ["q", "w", "xz", "wz"], ["i"], {"group": 2}),
        ("Cast", ["i"], ["f"], {"to": TensorProto.FLOAT}), ("Mul", ["f", "s"], ["y"], {})],
        {"x": x}, {"w": integers(6, 2, 3, 3, dtype=np.uint8), "wz": np.uint8(131), "s": np.float32(0.002), **grid})
    x, w = random(2, 3, 7, low=-2, high=2), integers(7, 5, dtype=np.uint8)
    case("matmul-integer", [
        quantize, ("MatMulInteger", ["q", "w", "xz", "wz"], ["i"], {}),
        ("Cast", ["i"], ["f"], {"to": TensorProto.FLOAT}), ("Mul", ["s", "f"], ["y"], {})],
        {"x": x}, {"w": w, "wz": integers(5, dtype=np.uint8), "s": random(5, low=0.001, high=0.1), **grid})
    product = ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"]
    case("qlinear-matmul", [
        quantize, ("QLinearMatMul", product, ["r"], {}), ("DequantizeLinear", ["r", "ys", "yz"], ["y"], {})],
        {"x": x}, {"w": w, "ws": np.float32(0.01), "wz": np.uint8(130), **grid, **result})
    case("qlinear-matmul-computed", [
        quantize, ("Transpose", ["q"], ["t"], {"perm": [0, 2, 1]}),
        ("QLinearMatMul", ["q", "xs", "xz", "t", "xs", "xz", "ys", "yz"], ["r"], {}),
        ("DequantizeLinear", ["r", "ys", "yz"], ["y"], {})], {"x": x}, {**grid, **result})


def quantized_operators():
    microsoft = {"domain": "com.microsoft"}
    x = random(1, 4, 6, 5, low=-2, high=2)
    quantize, grid = levels("x", 0.03, np.uint8(121))
    result = {"ys": np.float32(0.05), "yz": np.uint8(90)}
    dequantize = ("DequantizeLinear", ["r", "ys", "yz"], ["y"], {})
    unary = ["q", "xs", "xz", "ys", "yz"]
    for op, attributes in (("LeakyRelu", {"alpha": 0.1}), ("Sigmoid", {}), ("GlobalAveragePool", {}),
                           ("AveragePool", {"kernel_shape": [2, 3]}), ("Softmax", {"axis": 1, "opset": 13})):
        scale = {"ys": np.float32(1 / 256), "yz": np.uint8(0)} if op in ("Sigmoid", "Softmax") else result
        if op == "AveragePool":
            # No mean of six levels lies halfway between two of these.
            scale = {"ys": np.float32(0.047), "yz": np.uint8(90)}
        case(f"qlinear-{op.lower()}", [
            quantize, (f"QLinear{op}", unary, ["r"], {**attributes, **microsoft}), dequantize],
            {"x": x}, {**grid, **scale})
    binary = ["q", "xs", "xz", "c", "cs", "cz", "ys", "yz"]
    other = {"c": integers(4, 1, 1, dtype=np.uint8), "cs": np.float32(0.02), "cz": np.uint8(140)}
    for op in ("Add", "Mul"):
        case(f"qlinear-{op.lower()}", [quantize, (f"QLinear{op}", binary, ["r"], microsoft), dequantize],
             {"x": x}, {**grid, **result, **other})
    case("qlinear-concat", [
        quantize, ("QLinearConcat", ["ys", "yz", "q", "xs", "xz", "q", "xs", "xz"], ["r"], {"axis": 1, **microsoft}),
        dequantize], {"x": x}, {**grid, **result})
    gemm = {"w": integers(3, 7), "ws": random(3, low=0.001, high=0.02), "wz": np.zeros(3, np.int8),
            "b": integers(3, dtype=np.int16).astype(np.int32)}
    x = random(2, 7, low=-2, high=2)
    case("qgemm", [
        quantize, ("QGemm", ["q", "xs", "xz", "w", "ws", "wz", "b", "ys", "yz"], ["r"], {"transB": 1, **microsoft}),
        dequantize], {"x": x}, {**grid, **result, **gemm})
    case("qgemm-floats", [
        quantize, ("QGemm", ["q", "xs", "xz", "w", "ws", "wz", "b"], ["y"], {"transB": 1, **microsoft})],
        {"x": x}, {**grid, **gemm})


def special_numbers():
    """Infinities and NaN in every operand, also in the one that is not taken, as inputs and as constants."""
    numbers = np.array([np.inf, -np.inf, np.nan, 0, 1, -1, 2.5, -3, 1e-3], np.float32)
    a, b = (grid.ravel().copy() for grid in np.meshgrid(numbers, numbers))
    shuffled = np.roll(numbers, 4)
    for op, attributes in (
            ("Reciprocal", {}), ("ThresholdedRelu", {}), ("ThresholdedRelu", {"alpha": -2.0}), ("Selu", {}),
            ("Celu", {}), ("Celu", {"alpha": 0.5}), ("Softsign", {}), ("Mish", {}), ("Gelu", {}),
            ("Gelu", {"approximate": "tanh"}), ("Elu", {}), ("HardSwish", {}), ("Clip", {})):
        name = "-".join([op.lower(), *(str(value) for value in attributes.values())])
        single(f"special-{name}", op, {"x": numbers}, opset=20, **attributes)
    single("special-prelu", "PRelu", {"x": a, "s": b}, opset=17)
    single("special-prelu-constant", "PRelu", {"x": numbers}, {"s": shuffled}, opset=17)
    for op in ("Max", "Min", "Mean", "Sum", "Add", "Mul", "Div"):
        single(f"special-{op.lower()}", op, {"x": a, "z": b})
    for exponent in (0, 0.25, 0.5, 0.75, -0.5, 1, 2, 3, -1):
        single(f"special-pow{exponent}", "Pow", {"x": numbers}, {"e": np.float32(exponent)})
    for condition in (True, False):
        single(f"special-where-{condition}", "Where", {}, {"c": np.array([condition]), "x": a, "z": b})
        nodes = [("Greater", ["p", "zero"], ["c"], {}), ("Where", ["c", "x", "z"], ["y"], {})]
        case(f"special-where-computed-{condition}", nodes,
             {"x": a, "z": b, "p": np.array([1 if condition else -1], np.float32)}, {"zero": np.float32(0)})
    case("special-replaced", [("IsNaN", ["x"], ["c"], {}), ("Where", ["c", "zero", "x"], ["y"], {})],
         {"x": numbers}, {"zero": np.float32(0)})
    for value in (np.inf, -np.inf, np.nan):
        for upper, k in ((1, 1), (0, -1), (0, 0)):
            full = np.full((4, 4), value, np.float32)
            single(f"special-trilu-{value}-{upper}-{k}", "Trilu", {"x": full}, {"k": np.int64(k)}, upper=upper)
        mask = [("Trilu", ["full", "one"], ["m"], {}), ("Add", ["x", "m"], ["s"], {}), ("Softmax", ["s"], ["y"], {})]
        case(f"special-mask-{value}", mask, {"x": random(1, 4, 4)}, {"full": full, "one": np.int64(1)})
    lines = np.array([[-np.inf] * 3, [np.inf, 0, 1], [-np.inf, 0, 1], [np.nan, 1, 2], [np.inf, -np.inf, 1], [0, 0, 0]],
                     np.float32)
    for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare",
               "ReduceLogSum", "ReduceLogSumExp", "ReduceProd"):
        single(f"special-{op.lower()}", op, {"x": lines}, {"axes": np.array([1])}, opset=18)
    for op in ("Softmax", "LogSoftmax"):
        single(f"special-{op.lower()}", op, {"x": lines})
    single("special-gemm", "Gemm", {"x": random(2, 3)}, {"w": random(3, 2), "c": np.full(2, np.inf, np.float32)}, beta=0.0)
    ended = random(3, 2, 1)
    ended[1:, 0] = np.nan
    case("special-rnn", [("RNN", ["x", "w", "r", "", "lengths"], ["y"], {"hidden_size": 2})], {"x": ended},
         {"w": random(1, 2, 1), "r": random(1, 2, 2), "lengths": np.array([1, 3], np.int32)})


for family in (convolutions, transposed_convolutions, products, einsums, pools, more_pools, reductions, normalizations,
               activations, more_activations, arithmetic, structures, shapes, selections, resizes, networks,
               recurrents, pairs, integer_products, quantized_operators, outputs_of_every_kind, moved_levels,
               blocked_weights, cubic_resizes, special_numbers):
    family()
print(written)
