"""Writes ONNX files with the published layer shapes of well-known networks and seeded weights of given sparsity.

    python shapes.py vgg16 -o vgg16.onnx
    python shapes.py caffenet -o caffenet.onnx --sparsity 0.6 --layer conv1=0.1 --layer fc6=0.9,0.2,0.1
    python shapes.py resnet50 -o resnet50.onnx --external
    python shapes.py --check

The weights are noise: such a file is for experiments on size, speed, mapping and events, never on accuracy. Needs
numpy and onnx; `--check` and `--samples` need onnxruntime too.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx

from shape_graph import Graph, Sparsity
from shape_networks import NETWORKS


def build(name, sparsities, seed=0, lrns=True):
    """The graph of a network; throws a ValueError where a sparsity names no layer."""
    make, shape, outputs, _ = NETWORKS[name]
    graph = Graph(name, sparsities, seed)
    x = graph.input("image" if len(shape) == 3 else "frames", ["N", *shape])
    last = make(graph, x, lrns)
    graph.output(last, ["N", outputs] if len(shape) == 3 else ["N", shape[0], outputs])
    known = {node.name for node in graph.nodes}
    unknown = sorted(set(sparsities) - known - {""})
    if unknown:
        raise ValueError(f"{name} has no layer {', '.join(unknown)}")
    return graph


def write(graph, path, is_external):
    path = Path(path)
    model = graph.model(path.name + ".data" if is_external else None, path.parent)
    path.write_bytes(model.SerializeToString())


def samples(name, count, seed):
    """Inputs of mean 0 and variance 1."""
    return np.random.default_rng([seed, 1]).standard_normal((count, *NETWORKS[name][1]), dtype=np.float32)


def run(path, inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]


def check(name, folder):
    """Writes a network sparse and in two files, and compares what is known of it. Returns a line; throws if wrong."""
    _, shape, outputs, published = NETWORKS[name]
    asked = Sparsity(weights=0.5, rows=0.25, columns=0.125)
    graph = build(name, {"": asked})
    path = Path(folder) / f"{name}.onnx"
    write(graph, path, is_external=True)
    onnx.checker.check_model(str(path))
    inferred = onnx.shape_inference.infer_shapes(onnx.load(path, load_external_data=False), strict_mode=True)
    length = inferred.graph.output[0].type.tensor_type.shape.dim[-1].dim_value
    weights, zeros = (sum(m[k] for m in graph.matrices) for k in (3, 4))
    for layer, rows, columns, count, zero in graph.matrices:
        lines = (rows - round(0.25 * rows)) * (columns - round(0.125 * columns))
        expect(layer, "zeros", zero, count - lines + round(0.5 * lines))
    expect(name, "outputs", length, outputs)
    expect(name, "weights", weights, published)
    logits = run(path, samples(name, 1, 0))
    size = float(np.sqrt(np.mean(logits.astype(np.float64) ** 2)))
    if not 0.02 < size < 50:
        raise ValueError(f"{name}: the logits have the size {size}")
    for file in Path(folder).iterdir():
        file.unlink()
    return f"{name}: {len(graph.matrices)} matrices, {weights:,} weights, {zeros / weights:.2%} zero, logits of size {size:.2f}"


def expect(name, what, found, expected):
    if found != expected:
        raise ValueError(f"{name}: {found} {what}, expected {expected}")


def parse_sparsity(text):
    """`0.9` or `0.9,0.2,0.1`: shares of weights, rows and columns."""
    shares = [float(part) for part in text.split(",")]
    if not 1 <= len(shares) <= 3 or not all(0 <= share <= 1 for share in shares):
        raise argparse.ArgumentTypeError("one to three shares from 0 to 1: weights,rows,columns")
    return Sparsity(*shares)


def parse_layer(text):
    name, _, shares = text.rpartition("=")
    if not name:
        raise argparse.ArgumentTypeError("LAYER=SHARES")
    return name, parse_sparsity(shares)


def main():
    parser = argparse.ArgumentParser(description="Writes ONNX files with published layer shapes and seeded weights.")
    parser.add_argument("network", nargs="?", choices=sorted(NETWORKS))
    parser.add_argument("-o", "--output", help="the file")
    parser.add_argument("--sparsity", type=parse_sparsity, default=Sparsity(), metavar="W[,R[,C]]",
                        help="zero shares of each layer: whole rows R (inputs), whole columns C (outputs), weights W of the rest")
    parser.add_argument("--layer", type=parse_layer, action="append", default=[], metavar="NAME=W[,R[,C]]",
                        help="those of one layer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--external", action="store_true", help="weights in OUTPUT.data")
    parser.add_argument("--no-lrn", action="store_true", help="leave out local response normalization")
    parser.add_argument("--samples", nargs=2, metavar=("COUNT", "FILE.npy"), help="also write seeded inputs")
    parser.add_argument("--check", action="store_true", help="check all networks instead, or the one named")
    args = parser.parse_args()
    if args.check:
        with tempfile.TemporaryDirectory() as folder:
            for name in [args.network] if args.network else NETWORKS:
                print(check(name, folder), flush=True)
        return 0
    if not args.network or not args.output:
        parser.error("a network and --output, or --check")
    try:
        graph = build(args.network, {"": args.sparsity, **dict(args.layer)}, args.seed, not args.no_lrn)
    except ValueError as error:
        parser.error(str(error))
    write(graph, args.output, args.external)
    if args.samples:
        np.save(args.samples[1], samples(args.network, int(args.samples[0]), args.seed))
    print("\n".join(f"{layer}: {rows} x {columns}, {zeros / count:.2%} zero" for layer, rows, columns, count, zeros in graph.matrices))
    return 0


if __name__ == "__main__":
    sys.exit(main())
