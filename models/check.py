"""Prints the float accuracy and the SHA-256 of every shipped model.

    python check.py            # accuracy and checksum
    python check.py --layers   # also the zero rows, columns and weights per layer (needs onnx)
    python check.py --crossbars   # also the accuracy on crossbars (needs .build/release/xbar)

Fails if a checksum is not the one in the README.md of the model, or if the accuracy on
crossbars is further from that in floats than BOUNDS says.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from common import DATA, MODELS, QUANTIZED, ROOT, model_path, onnx_correct, sha256

# Bits of weights and inputs -> how many points the accuracy on ideal crossbars may be from that in floats.
BOUNDS = {8: 0.5, 16: 0.1}

# Further options of `quantize`; the filters of a depthwise layer differ too much for one scale.
OPTIONS = {"dscnn": ", scale: output"}


def matrices(node, arrays):
    """Yields (label, weights [count, inputs, outputs]) of a node: one matrix for each group or direction."""
    if node.op_type == "Conv":
        weight = arrays[node.input[1]]
        groups = next((a.i for a in node.attribute if a.name == "group"), 1)
        yield node.name, weight.reshape(groups, len(weight) // groups, -1).transpose(0, 2, 1)
    elif node.op_type == "Gemm":
        yield node.name, arrays[node.input[1]].T[None]
    elif node.op_type in ("LSTM", "GRU"):
        for role, weight in zip(("input", "state"), node.input[1:3]):
            yield f"{node.name} {role}", arrays[weight].transpose(0, 2, 1)


def layer_table(name):
    """A Markdown table: each layer as crossbar matrices, rows = inputs, columns = outputs."""
    import onnx
    from onnx import numpy_helper

    lines = ["| layer | matrix | zero rows | zero columns | weights | zero weights |",
             "|---|---|---|---|---|---|"]
    graph = onnx.load(model_path(name)).graph
    arrays = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    total = zeros = 0
    for node in graph.node:
        for label, weights in matrices(node, arrays):
            count, rows, columns = weights.shape
            empty = weights == 0
            lines.append(f"| {label} | {f'{count} of ' if count > 1 else ''}{rows} x {columns} "
                         f"| {empty.all(axis=2).sum()} | {empty.all(axis=1).sum()} | {weights.size} "
                         f"| {empty.mean():.2%} |")
            total += weights.size
            zeros += int(np.count_nonzero(empty))
    lines.append(f"| all | | | | {total} | {zeros / total:.2%} |")
    return "\n".join(lines)


def crossbar_correct(name, bits, xbar):
    """Returns (right answers on crossbars, in floats, of images) with the dense scheme, or None if it does not run."""
    data = MODELS[name]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "compare.json"
        status = subprocess.run(
            [xbar, "compare", model_path(name), "--schemes", "dense", "--input", DATA / f"{data}-test.npz",
             "--calibration", DATA / f"{data}-calibration.npz", "--set",
             f"quantize(weights: {bits}, inputs: {bits}{OPTIONS.get(name, '')})",
             "--json", report, "--quiet"], stdout=subprocess.DEVNULL)
        if status.returncode:
            return None
        result = json.loads(report.read_text())
    return result["schemes"][0]["top1"], result["floatTop1"], result["samples"]


def crossbars_hold(name, xbar):
    """Prints the accuracy on crossbars and whether it is inside its bound."""
    inside = True
    for bits, bound in BOUNDS.items():
        found = crossbar_correct(name, bits, xbar)
        if not found:
            print(f"  {bits} bits: DOES NOT RUN")
            inside = False
            continue
        crossbars, floats, count = found
        difference = (crossbars - floats) / count * 100
        inside &= abs(difference) <= bound
        print(f"  {bits} bits: {crossbars}/{count} = {crossbars / count:.2%}, {difference:+.2f} points of floats"
              f"{'' if abs(difference) <= bound else f' OUTSIDE {bound}'}")
    return inside


def main():
    parser = argparse.ArgumentParser(description="Checks the shipped models.")
    parser.add_argument("--layers", action="store_true", help="print the table of zeros per layer")
    parser.add_argument("--crossbars", action="store_true", help="run every test set on ideal crossbars too")
    parser.add_argument("--xbar", default=ROOT.parent / ".build" / "release" / "xbar",
                        help="the program that --crossbars runs (default: %(default)s)")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="which models (default: all)")
    args = parser.parse_args()
    unknown = [name for name in args.models if name not in MODELS | QUANTIZED]
    if unknown:
        parser.error(f"no model {unknown[0]}; there are {', '.join(MODELS | QUANTIZED)}")
    failed = False
    for name in args.models or MODELS | QUANTIZED:
        correct, count = onnx_correct(name)
        digest = sha256(model_path(name))
        stated = re.findall(r"\b[0-9a-f]{64}\b", (ROOT / name / "README.md").read_text())
        matches = stated == [digest]
        failed |= not matches
        print(f"{name}: {correct}/{count} = {correct / count:.2%}, {model_path(name).stat().st_size} bytes, "
              f"sha256 {digest}{'' if matches else ' DIFFERS FROM README'}")
        if args.layers and name in MODELS:
            print(layer_table(name))
        if args.crossbars and name in MODELS:
            failed |= not crossbars_hold(name, args.xbar)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
