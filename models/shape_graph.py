"""Builds ONNX graphs with seeded weights of given sparsity. Needs numpy and onnx."""

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

ALIGNMENT = 4096  # of each tensor in an external file
SMALL = 1024  # bytes: smaller tensors stay in the model


@dataclass(frozen=True)
class Sparsity:
    """Shares of zeros of a layer's matrix: rows are inputs, columns outputs, `weights` what else is zero.

    The shares of rows and columns are those of whole lines without a weight; `weights` is the share of zeros among
    the places in the lines that are left.
    """

    weights: float = 0.0
    rows: float = 0.0
    columns: float = 0.0


def pruned(matrix, sparsity, rng):
    """Zeros in `matrix[inputs, outputs]`, in place: whole lines at random, then the smallest magnitudes of the rest."""
    rows, columns = matrix.shape
    no_rows = rng.permutation(rows)[: round(sparsity.rows * rows)]
    no_columns = rng.permutation(columns)[: round(sparsity.columns * columns)]
    matrix[no_rows, :] = 0
    matrix[:, no_columns] = 0
    left = (rows - len(no_rows)) * (columns - len(no_columns))
    count = matrix.size - left + round(sparsity.weights * left)
    if 0 < count < matrix.size and sparsity.weights > 0:
        magnitudes = np.abs(matrix).reshape(-1)
        magnitudes.partition(count - 1)
        matrix[np.abs(matrix) <= magnitudes[count - 1]] = 0
    elif count >= matrix.size:
        matrix[:] = 0
    return matrix


class Graph:
    """A graph that grows node by node. Every weight depends on the seed and the name of its layer alone."""

    def __init__(self, name, sparsities, seed):
        self.name = name
        self.sparsities = sparsities  # layer name -> Sparsity; "" for all others
        self.seed = seed
        self.nodes, self.inputs, self.outputs = [], [], []
        self.initializers = []  # (name, array)
        self.matrices = []  # (layer, rows, columns, weights, zeros)
        self.channels = {}  # value -> channels

    def input(self, name, shape):
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        self.channels[name] = shape[1]
        return name

    def output(self, value, shape):
        self.outputs.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, shape))

    def node(self, kind, name, inputs, channels=None, output=None, **attributes):
        output = output or f"{name}.out"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=name, **attributes))
        self.channels[output] = self.channels.get(inputs[0]) if channels is None else channels
        return output

    def constant(self, name, array):
        self.initializers.append((name, array))
        return name

    def rng(self, name):
        return np.random.default_rng([self.seed, zlib.crc32(name.encode())])

    def matrix(self, layer, inputs, outputs, gain, sparsity_of=None):
        """Weights `[inputs, outputs]` whose mean square is gain / inputs, zeros included (He et al., ICCV 2015)."""
        rng = self.rng(layer)
        values = rng.standard_normal((inputs, outputs), dtype=np.float32)
        name = sparsity_of or layer
        pruned(values, self.sparsities.get(name, self.sparsities.get("", Sparsity())), rng)
        square = np.vdot(values, values) / values.size
        if square > 0:
            values *= np.float32(np.sqrt(gain / (inputs * square)))
        self.matrices.append((layer, inputs, outputs, values.size, values.size - np.count_nonzero(values)))
        return values

    def bias(self, layer, count):
        return (0.01 * self.rng(layer + ".bias").standard_normal(count)).astype(np.float32)

    def conv(self, x, name, outputs, kernel, stride=1, pad=0, groups=1, gain=2.0, biased=True):
        channels = self.channels[x] // groups
        parts = [
            self.matrix(name if groups == 1 else f"{name}.{group}", channels * kernel * kernel, outputs // groups,
                        gain, sparsity_of=name)
            for group in range(groups)
        ]
        weights = np.concatenate([np.ascontiguousarray(part.T) for part in parts]) if groups > 1 else parts[0].T
        inputs = [x, self.constant(f"{name}.weight", np.ascontiguousarray(weights).reshape(outputs, channels, kernel, kernel))]
        if biased:
            inputs.append(self.constant(f"{name}.bias", self.bias(name, outputs)))
        return self.node("Conv", name, inputs, outputs, kernel_shape=[kernel] * 2, strides=[stride] * 2,
                         pads=[pad] * 4, group=groups)

    def gemm(self, x, name, inputs, outputs, gain=2.0, output=None):
        weights = np.ascontiguousarray(self.matrix(name, inputs, outputs, gain).T)
        names = [x, self.constant(f"{name}.weight", weights), self.constant(f"{name}.bias", self.bias(name, outputs))]
        return self.node("Gemm", name, names, outputs, output, transB=1)

    def relu(self, x, name):
        return self.node("Relu", name, [x])

    def norm(self, x, name, scale=1.0):
        """Batch normalization of values with mean 0 and variance 1, which He's weights give."""
        count = self.channels[x]
        parameters = [("scale", scale), ("bias", 0.0), ("mean", 0.0), ("var", 1.0)]
        inputs = [x] + [self.constant(f"{name}.{key}", np.full(count, value, np.float32)) for key, value in parameters]
        return self.node("BatchNormalization", name, inputs)

    def max_pool(self, x, name, kernel, stride, pads=(0, 0, 0, 0)):
        return self.node("MaxPool", name, [x], kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=list(pads))

    def model(self, data_file=None, folder=None):
        """The model; with `data_file` its weights go to that file in `folder`."""
        if data_file:
            tensors = external(self.initializers, Path(folder) / data_file, data_file)
        else:
            tensors = [inside(name, array) for name, array in self.initializers]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, tensors)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                                 producer_name="xbar models/shapes.py")


def inside(name, array):
    return helper.make_tensor(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array.tobytes(), raw=True)


def external(initializers, path, location):
    """Writes the arrays that are not small to `path` and returns tensors that refer to it."""
    tensors = []
    with open(path, "wb") as file:
        for name, array in initializers:
            if array.nbytes < SMALL:
                tensors.append(inside(name, array))
                continue
            file.write(b"\0" * (-file.tell() % ALIGNMENT))
            tensor = TensorProto(name=name, dims=array.shape, data_type=helper.np_dtype_to_tensor_dtype(array.dtype),
                                 data_location=TensorProto.EXTERNAL)
            for key, value in (("location", location), ("offset", file.tell()), ("length", array.nbytes)):
                tensor.external_data.add(key=key, value=str(value))
            array.tofile(file)
            tensors.append(tensor)
    return tensors
