"""Writes the programs of this folder with the tools of version 0.1.0: make.py TOOLS TARGETS

TOOLS holds xbarc and xbarrun of version 0.1.0, TARGETS the target files of that version (Sources/Hardware/Targets).
"""

import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy

# The wire format of protocol buffers, as far as ONNX models of a few nodes need it.


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def integer(field, number):
    return varint(field << 3) + varint(number & (1 << 64) - 1)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(name, array):
    array = numpy.asarray(array)
    kind, kept = (7, array.astype("<i8")) if array.dtype.kind == "i" else (1, array.astype("<f4"))
    dims = b"".join(integer(1, n) for n in array.shape)
    return dims + integer(2, kind) + block(8, name) + block(9, kept.tobytes())


def attribute(name, value):
    out = block(1, name)
    if isinstance(value, str):
        return out + block(4, value) + integer(20, 3)
    if isinstance(value, list):
        return out + b"".join(integer(8, n) for n in value) + integer(20, 7)
    return out + integer(3, value) + integer(20, 2)


def node(op, inputs, outputs, **attributes):
    out = b"".join(block(1, name) for name in inputs) + b"".join(block(2, name) for name in outputs)
    out += block(3, outputs[0]) + block(4, op)
    return out + b"".join(block(5, attribute(name, value)) for name, value in attributes.items())


def port(name, shape):
    dims = b"".join(block(1, integer(1, n)) for n in shape)
    return block(1, name) + block(2, block(1, integer(1, 1) + block(2, dims)))


def model(nodes, constants, shape, output, result):
    graph = b"".join(block(1, n) for n in nodes) + block(2, "net")
    graph += b"".join(block(5, tensor(name, array)) for name, array in constants.items())
    graph += block(11, port("x", shape)) + block(12, port(output, result))
    return integer(1, 8) + block(8, integer(2, 17)) + block(7, graph)


# Networks.

rng = numpy.random.default_rng(1)


def weights(*shape):
    values = rng.normal(0, 0.5, shape)
    values[rng.random(shape) < 0.4] = 0
    return values


def convolution():
    kernel = weights(4, 2, 3, 3)
    kernel[2] = 0
    kernel[:, 1, 1:] = 0
    nodes = [
        node("Conv", ["x", "k", "kb"], ["conv"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        node("Relu", ["conv"], ["relu"]),
        node("MaxPool", ["relu"], ["pool"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", ["pool"], ["flat"]),
        node("Gemm", ["flat", "w", "wb"], ["y"], transB=1),
    ]
    constants = {"k": kernel, "kb": weights(4), "w": weights(3, 16), "wb": weights(3)}
    return model(nodes, constants, [1, 2, 4, 4], "y", [1, 3])


def constant_buffer():
    nodes = [
        node("MatMul", ["x", "w"], ["product"]),
        node("Mul", ["product", "c"], ["scaled"]),
        node("Tanh", ["scaled"], ["bent"]),
        node("MatMul", ["bent", "v"], ["y"]),
    ]
    constants = {"w": weights(6, 5), "c": weights(5) + 2, "v": weights(5, 2)}
    return model(nodes, constants, [1, 6], "y", [1, 2])


def recurrent(op, gates):
    size, inputs = 3, 4
    nodes = [
        node(op, ["x", "w", "r", "b"], ["all", "last"], hidden_size=size, direction="bidirectional"),
        node("Identity", ["all"], ["y"]),
    ]
    constants = {
        "w": weights(2, gates * size, inputs), "r": weights(2, gates * size, size), "b": weights(2, 2 * gates * size),
    }
    return model(nodes, constants, [5, 1, inputs], "y", [5, 2, 1, size])


NETWORKS = {
    "convolution": (convolution(), [2, 4, 4]),
    "constant": (constant_buffer(), [6]),
    "lstm": (recurrent("LSTM", 4), [5, 1, 4]),
    "gru": (recurrent("GRU", 3), [5, 1, 4]),
}

# What is compiled: a name, a network, a target, options, samples with negative numbers, changes of the target.

FRONT = "infer-shapes, fold-constants, fold-batchnorm, calibrate, quantize({}), lower-to-crossbar, "
BACK = ", place-blocks, schedule, lower-to-program"
SMALL = {"array": {"rows": 32, "columns": 32, "unitHeight": 16, "unitWidth": 16}}
TINY = {"array": {"rows": 16, "columns": 16, "unitHeight": 8, "unitWidth": 8}}


def scheme(name, *more):
    return ["--scheme", name, *more]


def pipeline(middle, numbers="weights: 4, inputs: 5"):
    return ["--pipeline", FRONT.format(numbers) + middle + BACK]


NO_MEMORY = {"memory": None, "writing": None}
ONLY_WRITING = {"memory": None, "writing": {"wordlineNanoseconds": 50.88, "cellPicojoules": 18.32}}
FEW = {"hierarchy": {"crossbarsPerComputeUnit": 1, "computeUnitsPerTile": 1, "tiles": 2}}

CASES = [
    *[
        (name, "convolution", target, scheme(name), False, SMALL)
        for name, target in [
            ("dense", "sre"), ("isaac", "isaac"), ("naive-w", "sre"), ("naive-a", "sre"), ("occ", "sre"),
            ("orc", "sre"), ("dof", "sre"), ("sre", "sre"), ("sme", "sme"), ("prime", "prime"),
            ("clustered", "clustered"), ("recom-base", "recom"), ("recom-swof", "recom"), ("recom", "recom"),
        ]
    ],
    ("absolute", "convolution", "sre", pipeline("slice-bits, compress-rows, form-units"), False, TINY),
    (
        "absolute-columns", "convolution", "sre", pipeline("slice-bits, compress-columns, form-units"), False, TINY,
    ),
    (
        "delta", "convolution", "sre", pipeline("slice-bits, compress-rows, encode-indices(bits: 2), form-units"),
        False, TINY,
    ),
    ("offset", "convolution", "sre", pipeline("slice-bits(signs: offset), form-units(lossless: true)"), True, TINY),
    ("twos-complement", "convolution", "sre", pipeline("slice-bits(signs: twos-complement), form-units"), False, TINY),
    ("signed", "convolution", "sre", pipeline("slice-bits, form-units"), True, TINY),
    ("wide-dac", "convolution", "sre", pipeline("slice-bits, form-units(dac: 3, lossless: true)"), True, TINY),
    (
        "composed", "convolution", "sre",
        pipeline("slice-bits(cell: 1), form-units(lossless: true), compose-analog(adc: 4)"), False,
        {"array": {"rows": 16, "columns": 24, "unitHeight": 8, "unitWidth": 12}},
    ),
    ("full-scale", "convolution", "sre", pipeline("slice-bits, form-units(adc: 3, full-scale: 40)"), False, TINY),
    (
        "shifted-table", "convolution", "sme",
        pipeline(
            "slice-bits(cell: 1, placement: inter), squeeze-bits, compress-rows, form-units(whole: true)",
            "scheme: sme, fit: squares, scale: output"),
        False, TINY,
    ),
    (
        "serial", "convolution", "recom",
        pipeline("slice-bits, form-units(whole: true), plan-fetches(order: serial)"), False, TINY,
    ),
    ("no-memory", "convolution", "recom", pipeline("slice-bits, form-units"), False, {**TINY, **NO_MEMORY}),
    ("only-writing", "convolution", "recom", pipeline("slice-bits, form-units"), False, {**TINY, **ONLY_WRITING}),
    (
        "segments", "convolution", "sre", pipeline("slice-bits, form-units") + ["--segments"], False,
        {**TINY, **FEW},
    ),
    (
        "segments-memory", "convolution", "recom",
        pipeline("slice-bits, form-units(whole: true), plan-fetches(order: serial)") + ["--segments"], True,
        {**TINY, **FEW},
    ),
    ("constant", "constant", "sre", pipeline("slice-bits, form-units"), True, TINY),
    ("lstm", "lstm", "sre", pipeline("slice-bits, form-units"), True, TINY),
    ("gru", "gru", "sre", pipeline("slice-bits, compress-rows, form-units"), True, TINY),
]


def target(folder, name, changes):
    figures = json.loads((folder / f"{name}.json").read_text())
    for section, values in changes.items():
        if values is None:
            figures.pop(section, None)
            continue
        for key, value in values.items():
            figures.setdefault(section, {})[key] = {"value": value, "source": "made up"}
    figures["summary"] = f"{name}, with small crossbars"
    return json.dumps(figures)


def main():
    tools, targets = (pathlib.Path(argument) for argument in sys.argv[1:])
    here = pathlib.Path(__file__).parent
    work = pathlib.Path(tempfile.mkdtemp())
    for name, (file, shape) in NETWORKS.items():
        (work / f"{name}.onnx").write_bytes(file)
        for isSigned in [False, True]:
            x = numpy.random.default_rng(2).random((3, *shape)).astype("<f4")
            x = x * 2 - 1 if isSigned else x
            x[rng.random(x.shape) < 0.3] = 0
            numpy.save(work / f"{name}-{'signed' if isSigned else 'unsigned'}.npy", x)
    for name, network, base, options, isSigned, changes in CASES:
        (work / "target.json").write_text(target(targets, base, changes))
        inputs = work / f"{network}-{'signed' if isSigned else 'unsigned'}.npy"
        program = here / f"{name}.xbar"
        subprocess.run(
            [tools / "xbarc", "compile", work / f"{network}.onnx", "-o", program, "--target", work / "target.json",
             "--calibration", inputs, "--quiet", *options], check=True)
        (here / f"{name}.in.npy").write_bytes(inputs.read_bytes())
        subprocess.run(
            [tools / "xbarrun", program, "--input", here / f"{name}.in.npy", "-o", here / f"{name}.out.npy",
             "--metrics", here / f"{name}.json", "--quiet"], check=True)


main()
