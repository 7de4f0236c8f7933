"""Prints the float accuracy and the SHA-256 of every shipped model.

    python check.py            # accuracy and checksum
    python check.py --layers   # also the zero rows, columns and weights per layer (needs onnx)

Fails if a checksum is not the one in the README.md of the model.
"""

import argparse
import re
import sys

import numpy as np

from common import MODELS, QUANTIZED, ROOT, model_path, onnx_correct, sha256


def layer_table(name):
    """A Markdown table: each layer as a crossbar matrix, rows = inputs, columns = outputs."""
    import onnx
    from onnx import numpy_helper

    lines = ["| layer | matrix | zero rows | zero columns | weights | zero weights |",
             "|---|---|---|---|---|---|"]
    graph = onnx.load(model_path(name)).graph
    arrays = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    total = zeros = 0
    for node in graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        weight = arrays[node.input[1]]
        matrix = weight.reshape(len(weight), -1).T
        empty = matrix == 0
        lines.append(f"| {node.name} | {matrix.shape[0]} x {matrix.shape[1]} | {empty.all(axis=1).sum()} "
                     f"| {empty.all(axis=0).sum()} | {matrix.size} | {empty.mean():.2%} |")
        total += matrix.size
        zeros += int(np.count_nonzero(empty))
    lines.append(f"| all | | | | {total} | {zeros / total:.2%} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Checks the shipped models.")
    parser.add_argument("--layers", action="store_true", help="print the table of zeros per layer")
    args = parser.parse_args()
    failed = False
    for name in [*MODELS, *QUANTIZED]:
        correct, count = onnx_correct(name)
        digest = sha256(model_path(name))
        stated = re.findall(r"\b[0-9a-f]{64}\b", (ROOT / name / "README.md").read_text())
        matches = stated == [digest]
        failed |= not matches
        print(f"{name}: {correct}/{count} = {correct / count:.2%}, sha256 {digest}"
              f"{'' if matches else ' DIFFERS FROM README'}")
        if args.layers and name in MODELS:
            print(layer_table(name))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
