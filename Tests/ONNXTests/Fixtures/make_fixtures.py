"""Writes the model files of this folder and expected.json, which holds what Python reads back from them.

Run with Python 3 and the PyPI packages onnx and numpy:  python3 make_fixtures.py
The files are committed; running the script again writes the same bytes (onnx 1.23.2, numpy 2).
"""

import json
import os

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
expected = {}


def path(name):
    return os.path.join(HERE, name)


def finish(graph, opset=17, ir=8, **more):
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], producer_name="fixtures", **more)
    model.ir_version = ir
    model.producer_version = "1"
    return model


def write(name, model):
    with open(path(name), "wb") as file:
        file.write(model.SerializeToString(deterministic=True))


def value(name, shape=(1, 4), kind=T.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def identity_graph(initializers, name="g"):
    nodes = [helper.make_node("Identity", ["x"], ["y"], name="copy")]
    return helper.make_graph(nodes, name, [value("x")], [value("y")], initializers)


def typed(name, kind, shape, field, data):
    tensor = T(name=name, data_type=kind, dims=shape)
    getattr(tensor, field).extend(data)
    return tensor


def numbers(tensor, base=""):
    """What Python reads: exact integers, or floats rounded to binary32."""
    array = numpy_helper.to_array(tensor, base)
    if array.dtype.kind in "iub":
        return {"ints": [int(v) for v in array.flatten()]}
    return {"floats": [float(np.float32(v)) for v in array.astype(np.float64).flatten()]}


def remember(file, tensors, base=""):
    expected[file] = [
        {"name": t.name, "shape": list(t.dims), "type": t.data_type, **numbers(t, base)} for t in tensors]


def storage():
    rng = np.random.default_rng(7)
    weights = rng.standard_normal((3, 4)).astype(np.float32)
    half = np.array([0, -0.0, 1, -2.5, 65504, 6e-8, 0.333, 1024.5], np.float16)
    brain = np.array([0x0000, 0x3F80, 0xC020, 0x7F7F, 0x0001], np.uint16)
    tensors = [
        numpy_helper.from_array(weights, "float_raw"),
        typed("float_typed", T.FLOAT, [12], "float_data", weights.flatten().tolist()),
        numpy_helper.from_array(weights.astype(np.float64) / 3, "double_raw"),
        typed("double_typed", T.DOUBLE, [3], "double_data", [0.1, -1e30, 2.0**-140]),
        numpy_helper.from_array(half, "float16_raw"),
        typed("float16_typed", T.FLOAT16, [2, 4], "int32_data", half.view(np.uint16).tolist()),
        T(name="bfloat16_raw", data_type=T.BFLOAT16, dims=[5], raw_data=brain.tobytes()),
        typed("bfloat16_typed", T.BFLOAT16, [5], "int32_data", brain.tolist()),
        numpy_helper.from_array(np.array(2.5, np.float32), "scalar"),
        numpy_helper.from_array(np.zeros((0, 3), np.float32), "nothing"),
    ]
    for kind, dtype in [(T.INT8, np.int8), (T.UINT8, np.uint8), (T.INT16, np.int16), (T.UINT16, np.uint16),
                        (T.INT32, np.int32), (T.INT64, np.int64), (T.UINT32, np.uint32)]:
        info = np.iinfo(dtype)
        data = np.array([info.min, info.max, 0, 1, info.max // 3], dtype)
        name = np.dtype(dtype).name
        field = {T.INT64: "int64_data", T.UINT32: "uint64_data"}.get(kind, "int32_data")
        tensors.append(numpy_helper.from_array(data, name + "_raw"))
        tensors.append(typed(name + "_typed", kind, [5], field, data.tolist()))
    large = [0, 1, 2**63 - 1]
    tensors.append(numpy_helper.from_array(np.array(large, np.uint64), "uint64_raw"))
    tensors.append(typed("uint64_typed", T.UINT64, [3], "uint64_data", large))
    tensors.append(numpy_helper.from_array(np.array([True, False, True]), "bool_raw"))
    tensors.append(typed("bool_typed", T.BOOL, [3], "int32_data", [1, 0, 1]))
    write("storage.onnx", finish(identity_graph(tensors)))
    remember("storage.onnx", tensors)


def unreadable():
    tensors = [
        helper.make_tensor("texts", T.STRING, [2], [b"one", b"two"]),
        T(name="nibbles_raw", data_type=T.INT4, dims=[3], raw_data=b"\x21\x03"),
        T(name="nibbles_typed", data_type=T.UINT4, dims=[3], int32_data=[0x21, 0x03]),
        T(name="complex_raw", data_type=T.COMPLEX64, dims=[1], raw_data=bytes(8)),
        T(name="complex_typed", data_type=T.COMPLEX128, dims=[1], double_data=[1, 2]),
        T(name="eight_bit_float", data_type=T.FLOAT8E4M3FN, dims=[2], raw_data=b"\x01\x02"),
    ]
    write("unreadable.onnx", finish(identity_graph(tensors), opset=21, ir=10))


def external():
    rng = np.random.default_rng(11)
    arrays = {
        "w": rng.standard_normal((8, 4)).astype(np.float32),
        "b": rng.standard_normal(8).astype(np.float32),
        "h": rng.standard_normal((2, 3)).astype(np.float16),
        "i": np.array([[-5, 7]], np.int64),
    }
    tensors = [numpy_helper.from_array(a, n) for n, a in arrays.items()]
    remember("external.onnx", tensors)
    expected["many/model.onnx"] = expected["external.onnx"]
    os.makedirs(path("many"), exist_ok=True)
    for leftover in ["external.onnx.data"] + [f"many/{name}" for name in arrays]:
        if os.path.exists(path(leftover)):
            os.remove(path(leftover))
    for name, options in [("external.onnx", {"location": "external.onnx.data"}),
                          ("many/model.onnx", {"all_tensors_to_one_file": False})]:
        model = finish(identity_graph([numpy_helper.from_array(a, n) for n, a in arrays.items()]))
        onnx.save_model(model, path(name), save_as_external_data=True, size_threshold=0, **options)


def constants():
    tensor = numpy_helper.from_array(np.array([[1, 2], [3, 4]], np.float32), "inner")
    forms = {
        "value": tensor, "value_float": 1.5, "value_floats": [1.5, -2.0], "value_int": -3,
        "value_ints": [4, -5, 6], "value_string": "text", "value_strings": ["one", "two"],
    }
    nodes = [helper.make_node("Constant", [], [f"c{k}"], name=key, **{key: held})
             for k, (key, held) in enumerate(forms.items())]
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.array([9], np.float32)), numpy_helper.from_array(np.array([2], np.int64)), [5])
    nodes.append(helper.make_node("Constant", [], ["c7"], name="sparse_value", sparse_value=sparse))
    write("constants.onnx", finish(helper.make_graph(nodes, "g", [], [value("c0", (2, 2))])))
    remember("constants.onnx", [tensor])


def network():
    rng = np.random.default_rng(3)
    arrays = {
        "conv.weight": rng.standard_normal((2, 1, 3, 3)).astype(np.float32),
        "conv.bias": rng.standard_normal(2).astype(np.float32),
        "fc.weight": rng.standard_normal((10, 8)).astype(np.float32),
        "fc.bias": rng.standard_normal(10).astype(np.float32),
    }
    tensors = [numpy_helper.from_array(a, n) for n, a in arrays.items()]
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight", "conv.bias"], ["a"], name="conv", kernel_shape=[3, 3],
                         pads=[1, 1, 1, 1], strides=[2, 2], auto_pad="NOTSET", group=1),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Flatten", ["b"], ["c"], axis=1),
        helper.make_node("Gemm", ["c", "fc.weight", "fc.bias"], ["y"], name="fc", alpha=1.0, transB=1),
        helper.make_node("Clip", ["y", "", ""], ["z"], domain="ai.onnx"),
    ]
    inputs = [value("x", ("batch", 1, 4, 4)), value("fc.bias", (10,))]
    inputs.append(helper.make_tensor_value_info("anything", T.FLOAT, ["", None, 3]))
    inputs.append(helper.make_tensor_value_info("rankless", T.FLOAT16, None))
    inputs.append(helper.make_tensor_sequence_value_info("list", T.FLOAT, None))
    graph = helper.make_graph(nodes, "network", inputs, [value("z", ("batch", 10))], tensors,
                              value_info=[value("a", ("batch", 2, 2, 2))], doc_string="a small network")
    model = finish(graph, opset=13, ir=7)
    model.opset_import.append(helper.make_opsetid("com.example", 2))
    helper.set_model_props(model, {"author": "nobody", "epochs": "3"})
    write("network.onnx", model)
    remember("network.onnx", tensors)


def subgraphs():
    def branch(name, factor):
        held = numpy_helper.from_array(np.array([factor], np.float32), "factor")
        return helper.make_graph(
            [helper.make_node("Mul", ["x", "factor"], [name], name=name)], name, [], [value(name)], [held])

    node = helper.make_node("If", ["c"], ["y"], name="choose", then_branch=branch("yes", 2),
                            else_branch=branch("no", 3))
    graph = helper.make_graph([node], "g", [value("x"), value("c", (), T.BOOL)], [value("y")])
    function = helper.make_function("com.example", "Twice", ["a"], ["b"],
                                    [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 17)])
    write("subgraphs.onnx", finish(graph, functions=[function]))


def refused():
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.array([9], np.float32), "s"),
        numpy_helper.from_array(np.array([2], np.int64), "s_at"), [5])
    graph = identity_graph([])
    graph.sparse_initializer.append(sparse)
    write("sparse.onnx", finish(graph))
    model = finish(identity_graph([]))
    model.training_info.add().algorithm.CopyFrom(identity_graph([], "step"))
    write("training.onnx", model)


def tensor_file():
    tensor = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3) / 4, "input_0")
    with open(path("tensor.pb"), "wb") as file:
        file.write(tensor.SerializeToString(deterministic=True))
    remember("tensor.pb", [tensor])


for make in [storage, unreadable, external, constants, network, subgraphs, refused, tensor_file]:
    make()
with open(path("expected.json"), "w") as file:
    json.dump(expected, file, indent=0, sort_keys=True)
    file.write("\n")
