"""Writes a network as an ONNX file.

A torch.nn.Sequential of named layers is built node by node: node names are the
layer names, weight names are the torch ones ("conv1.weight"). Any other network
goes through torch.onnx.export, with what that makes of it: batch normalization
inside the convolutions, LSTM and GRU operators, names such as "/stem/conv/Conv",
and the shape arithmetic of a free batch size. Nothing in a file depends on the
time or the machine, so equal weights give equal bytes.
"""

import warnings

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

INPUT, OUTPUT = "image", "logits"


def pair(value):
    return list(value) if isinstance(value, tuple) else [value, value]


def node_type(layer):
    """Returns the ONNX operator of a layer, its attributes and its weight names."""
    if isinstance(layer, nn.Conv2d):
        attributes = {"kernel_shape": pair(layer.kernel_size), "strides": pair(layer.stride),
                      "pads": pair(layer.padding) * 2}
        return "Conv", attributes, ["weight", "bias"]
    if isinstance(layer, nn.Linear):
        return "Gemm", {"transB": 1}, ["weight", "bias"]
    if isinstance(layer, nn.BatchNorm2d):
        return "BatchNormalization", {"epsilon": layer.eps}, ["weight", "bias", "running_mean", "running_var"]
    if isinstance(layer, nn.MaxPool2d):
        return "MaxPool", {"kernel_shape": pair(layer.kernel_size), "strides": pair(layer.stride)}, []
    if isinstance(layer, nn.ReLU):
        return "Relu", {}, []
    if isinstance(layer, nn.Flatten):
        return "Flatten", {"axis": 1}, []
    raise TypeError(f"no ONNX operator for {layer}")


def export(model, name, input_shape, classes, path):
    path.parent.mkdir(exist_ok=True)
    if isinstance(model, nn.Sequential):
        export_layers(model, name, input_shape, classes, path)
    else:
        export_traced(model, input_shape, path)


def export_traced(model, input_shape, path):
    """The exporter by tracing, which writes opset 17 by itself and needs no further package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(model.eval(), (torch.zeros(1, *input_shape),), str(path), dynamo=False, opset_version=17,
                          do_constant_folding=True, input_names=[INPUT], output_names=[OUTPUT],
                          dynamic_axes={INPUT: {0: "batch"}, OUTPUT: {0: "batch"}})
    onnx.checker.check_model(str(path), full_check=True)


def export_layers(model, name, input_shape, classes, path):
    layers = [(n, layer) for n, layer in model.named_children() if not isinstance(layer, nn.Dropout)]
    nodes, weights = [], []
    current = INPUT
    for layer_name, layer in layers:
        op, attributes, weight_names = node_type(layer)
        names = [f"{layer_name}.{w}" for w in weight_names]
        for weight_name in weight_names:
            array = getattr(layer, weight_name).detach().numpy() + 0.0  # a masked -0.0 becomes 0.0
            weights.append(numpy_helper.from_array(array, f"{layer_name}.{weight_name}"))
        output = OUTPUT if layer_name == layers[-1][0] else f"{layer_name}.out"
        nodes.append(helper.make_node(op, [current, *names], [output], name=layer_name, **attributes))
        current = output

    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", *input_shape])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", classes])],
        initializer=weights,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                              producer_name="xbar-models")
    onnx.checker.check_model(proto, full_check=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))
