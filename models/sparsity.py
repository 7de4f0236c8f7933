"""Accuracy against weight bits and sparsity: magnitude pruning of LeNet-5, fine-tuned, run on crossbars.

    python sparsity.py --log sparsity.md

For each sparsity the shipped LeNet-5 is pruned by magnitude over all layers, fine-tuned with
the masks held, and run by `xbar compare` (scheme dense) with 4, 8 and 16 bits a weight.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import torch

from common import DATA, ROOT
from export import export
from train import CLASSES, apply_masks, fit, lenet5, load_weights, magnitude_masks, training_data

BIN = ROOT.parent / ".build" / "release"
SPARSITIES = (0, 50, 70, 80, 90, 95)
BITS = (4, 8, 16)


def pruned(data, percent, epochs, path):
    torch.manual_seed(0)
    model = load_weights(lenet5(dropout=0.2), "lenet5")
    if percent:
        masks = magnitude_masks(model, percent / 100)
        apply_masks(model, masks)
        fit(model, data, epochs=epochs, rate=0.02, shift=1, after_step=lambda *_: apply_masks(model, masks))
    model.eval()
    export(model, "lenet5", data[0].shape[1:], CLASSES, path)


def accuracy(path, bits, report):
    subprocess.run(
        [BIN / "xbar", "compare", path, "--schemes", "dense", "--input", DATA / "fashion-mnist-test.npz",
         "--calibration", DATA / "fashion-mnist-calibration.npz", "--set", f"quantize(weights: {bits})",
         "--json", report, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    result = json.loads(report.read_text())
    return [100 * count / result["samples"] for count in (result["floatTop1"], result["schemes"][0]["top1"])]


def main():
    parser = argparse.ArgumentParser(description="Accuracy against weight bits and sparsity on LeNet-5.")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--log", required=True, help="the table, Markdown")
    parser.add_argument("--fashion-mnist", default="/usr/share/datasets/fashion-mnist",
                        help="folder with the four .gz files (default: %(default)s)")
    args = parser.parse_args()
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    data = training_data("lenet5", args.fashion_mnist)
    lines = ["| sparsity | floats | " + " | ".join(f"{bits} bits" for bits in BITS) + " |",
             "|---:|" + "---:|" * (len(BITS) + 1)]
    with tempfile.TemporaryDirectory() as folder:
        path, report = Path(folder) / "model.onnx", Path(folder) / "compare.json"
        for percent in SPARSITIES:
            pruned(data, percent, args.epochs, path)
            found = [accuracy(path, bits, report) for bits in BITS]
            lines.append(f"| {percent} % | {found[0][0]:.2f} % | " + " | ".join(f"{top1:.2f} %" for _, top1 in found) + " |")
            print(lines[-1], flush=True)
    Path(args.log).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
