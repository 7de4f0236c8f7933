"""Prunes crossbar rows, fine-tunes, and maps again, round by round, until the accuracy leaves its budget.

    python prune_finetune.py lenet5-pruned90 --rounds 6 --ratio 0.15 --budget 1.0 --log rounds.md

Each round: `xbarc prune` leaves out a share of every layer's crossbar rows, finetune.py
trains what is left with the masks held, `xbar compare` maps and runs the result. The
best model within the budget is kept beside the log.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from common import DATA, MODELS, ROOT, model_path

BIN = ROOT.parent / ".build" / "release"


def measure(path, model, scheme, options, folder):
    """Crossbars, top-1 on crossbars and in floats, and weights that are not 0."""
    data = MODELS[model]
    report = Path(folder) / "compare.json"
    subprocess.run(
        [BIN / "xbar", "compare", path, "--schemes", scheme, "--input", DATA / f"{data}-test.npz",
         "--calibration", DATA / f"{data}-calibration.npz", "--set", options, "--json", report, "--quiet"],
        check=True, stdout=subprocess.DEVNULL)
    result = json.loads(report.read_text())
    weights = sum(int((numpy_helper.to_array(w) != 0).sum())
                  for w in onnx.load(path).graph.initializer if len(w.dims) > 1)
    samples = result["samples"]
    entry = result["schemes"][0]
    return entry["crossbars"], 100 * entry["top1"] / samples, 100 * result["floatTop1"] / samples, weights


def main():
    parser = argparse.ArgumentParser(description="Repeats pruning of crossbar rows, fine-tuning and mapping.")
    parser.add_argument("model", choices=["lenet5", "lenet5-pruned90", "lenet5-grouplasso"])
    parser.add_argument("--scheme", default="clustered")
    parser.add_argument("--set", default="", help="options of the scheme's passes")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ratio", type=float, default=0.15, help="share of the crossbar rows in a round")
    parser.add_argument("--budget", type=float, default=1.0, help="points of accuracy that may be lost")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--log", required=True, help="the table of rounds, Markdown; the best model goes beside it")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        current = model_path(args.model)
        crossbars, top1, floats, weights = measure(current, args.model, args.scheme, args.set, folder)
        first = (crossbars, top1, weights)
        lines = ["| round | crossbars | saved | weights | removed | top-1 in floats | top-1 on crossbars |",
                 "|---:|---:|---:|---:|---:|---:|---:|",
                 f"| 0 | {crossbars:,} | - | {weights:,} | - | {floats:.2f} % | {top1:.2f} % |"]
        for number in range(1, args.rounds + 1):
            pruned, masks, tuned = (Path(folder) / f"{number}{suffix}" for suffix in ("p.onnx", "m.npz", "t.onnx"))
            command = [BIN / "xbarc", "prune", current, "-o", pruned, "--masks", masks, "--scheme", args.scheme,
                       "--ratio", str(args.ratio), "--quiet"]
            subprocess.run(command + (["--set", args.set] if args.set else []), check=True)
            subprocess.run([sys.executable, ROOT / "finetune.py", args.model, pruned, masks, "-o", tuned,
                            "--epochs", str(args.epochs)], check=True)
            crossbars, top1, floats, weights = measure(tuned, args.model, args.scheme, args.set, folder)
            lines.append(f"| {number} | {crossbars:,} | {100 * (1 - crossbars / first[0]):.1f} % | {weights:,} | "
                         f"{100 * (1 - weights / first[2]):.1f} % | {floats:.2f} % | {top1:.2f} % |")
            print(lines[-1], flush=True)
            if top1 < first[1] - args.budget:
                break
            current = tuned
        Path(args.log).write_text("\n".join(lines) + "\n")
        if current != model_path(args.model):
            shutil.copy(current, Path(args.log).with_suffix(".onnx"))


if __name__ == "__main__":
    main()
