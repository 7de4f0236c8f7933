"""Fine-tunes a pruned model with its masks held.

    python finetune.py lenet5-pruned90 pruned.onnx masks.npz -o tuned.onnx --epochs 2

The model names the network's form and data (see train.py); weights come from the
pruned file, and weights whose mask is 0 stay 0.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from export import export
from train import CLASSES, apply_masks, fit, lenet5, training_data, weighted_layers


def load(path):
    model = lenet5(dropout=0.2)
    weights = onnx.load(path).graph.initializer
    model.load_state_dict({w.name: torch.from_numpy(numpy_helper.to_array(w).copy()) for w in weights})
    return model


def main():
    parser = argparse.ArgumentParser(description="Fine-tunes a pruned LeNet-5 with its masks held.")
    parser.add_argument("model", choices=["lenet5", "lenet5-pruned90", "lenet5-grouplasso"])
    parser.add_argument("pruned", help="the ONNX file that 'xbarc prune' wrote")
    parser.add_argument("masks", help="its masks, .npz")
    parser.add_argument("-o", "--output", required=True, help="where the tuned ONNX file goes")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--fashion-mnist", default="/usr/share/datasets/fashion-mnist",
                        help="folder with the four .gz files (default: %(default)s)")
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    data = training_data(args.model, args.fashion_mnist)
    model = load(args.pruned)
    with np.load(args.masks) as file:
        masks = {name: torch.from_numpy(file[f"{name}.weight"].astype(np.float32)) for name in weighted_layers(model)}
    apply_masks(model, masks)
    fit(model, data, epochs=args.epochs, rate=args.rate, shift=1, after_step=lambda *_: apply_masks(model, masks))
    model.eval()
    export(model, args.model, data[0].shape[1:], CLASSES, Path(args.output))


if __name__ == "__main__":
    main()
