"""Trains one model and writes <model>/model.onnx.

    python train.py lenet5

Every run is seeded and uses a fixed number of CPU threads, so a second run on
the same machine gives the same bytes. The weights of the last epoch are kept; the test
set is only measured at the end.
"""

import argparse
import time
from collections import OrderedDict

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional

import sources
from check import layer_table
from common import MODELS, load_split, model_path, onnx_logits, right_answers, sha256
from export import export
from networks import DSCNN, ResNet8, RowBiGRU, RowLSTM

CLASSES = 10


def lenet5(dropout=0.3):
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 20, 5), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(20, 50, 5), relu2=nn.ReLU(), pool2=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        fc1=nn.Linear(800, 500), relu3=nn.ReLU(), dropout=nn.Dropout(dropout),
        fc2=nn.Linear(500, CLASSES),
    ))


def mlp():
    return nn.Sequential(OrderedDict(
        flatten=nn.Flatten(),
        fc1=nn.Linear(784, 300), relu1=nn.ReLU(), dropout1=nn.Dropout(0.2),
        fc2=nn.Linear(300, 100), relu2=nn.ReLU(), dropout2=nn.Dropout(0.2),
        fc3=nn.Linear(100, CLASSES),
    ))


def digits_cnn():
    return nn.Sequential(OrderedDict(
        conv1=nn.Conv2d(1, 8, 3, padding=1), bn1=nn.BatchNorm2d(8), relu1=nn.ReLU(), pool1=nn.MaxPool2d(2),
        conv2=nn.Conv2d(8, 16, 3, padding=1), relu2=nn.ReLU(), pool2=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        fc1=nn.Linear(64, CLASSES),
    ))


def weighted_layers(model):
    return {name: layer for name, layer in model.named_children() if isinstance(layer, (nn.Conv2d, nn.Linear))}


def augment(batch, shift):
    """Mirrors each image with probability 1/2 and moves the batch by up to `shift` pixels."""
    mirrored = torch.rand(len(batch)) < 0.5
    batch = torch.where(mirrored[:, None, None, None], batch.flip(3), batch)
    dy, dx = torch.randint(0, 2 * shift + 1, (2,)).tolist()
    height, width = batch.shape[2:]
    return functional.pad(batch, [shift] * 4)[:, :, dy:dy + height, dx:dx + width]


def sgd(model, rate, decay):
    return torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)


def adamw(model, rate, decay):
    return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)


def fit(model, data, epochs, rate, batch_size=128, shift=0, decay=5e-4, after_step=None, method=sgd):
    """SGD with momentum, or another method, and a one-cycle rate. after_step(progress, rate) may change the weights."""
    inputs, labels = data
    steps = epochs * (len(labels) // batch_size)
    optimizer = method(model, rate, decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.1,
                                                   cycle_momentum=False)
    model.train()
    step = 0
    for epoch in range(epochs):
        order = torch.randperm(len(labels))
        total = 0.0
        for start in range(0, len(labels) - batch_size + 1, batch_size):
            chosen = order[start:start + batch_size]
            batch = inputs[chosen]
            if shift:
                batch = augment(batch, shift)
            loss = functional.cross_entropy(model(batch), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if after_step:
                after_step(step / steps, schedule.get_last_lr()[0])
            schedule.step()
            total += loss.item() * batch_size
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / len(labels):.4f}", flush=True)


def load_weights(model, name):
    """Starts from the weights of a shipped model."""
    weights = onnx.load(model_path(name)).graph.initializer
    model.load_state_dict({w.name: torch.from_numpy(numpy_helper.to_array(w).copy()) for w in weights})
    return model


@torch.no_grad()
def apply_masks(model, masks):
    for name, layer in weighted_layers(model).items():
        layer.weight.mul_(masks[name])


@torch.no_grad()
def magnitude_masks(model, sparsity):
    """Masks that are 0 for the given part of all weights, those of the smallest magnitude."""
    layers = weighted_layers(model)
    magnitudes = torch.cat([layer.weight.abs().flatten() for layer in layers.values()])
    removed = torch.topk(magnitudes, round(sparsity * len(magnitudes)), largest=False, sorted=False).indices
    flat = torch.ones(len(magnitudes)).index_fill_(0, removed, 0.0)
    parts = flat.split([layer.weight.numel() for layer in layers.values()])
    return {name: part.view_as(layer.weight) for (name, layer), part in zip(layers.items(), parts)}


@torch.no_grad()
def shrink_groups(model, strengths, rate):
    """One proximal step of the group lasso, for the outputs and then the inputs of every layer.

    strengths gives an output and an input strength for each layer. A group of n weights
    loses rate * strength * sqrt(n) of its norm, and becomes zero if its norm was smaller.
    """
    for name, layer in weighted_layers(model).items():
        matrix = layer.weight.view(len(layer.weight), -1)
        for axis, strength in zip((1, 0), strengths[name]):
            norm = matrix.norm(dim=axis, keepdim=True).clamp_min(1e-12)
            matrix.mul_((1 - rate * strength * matrix.shape[axis] ** 0.5 / norm).clamp_min(0))


@torch.no_grad()
def group_masks(model, threshold):
    """Masks that are 0 for the groups with a root mean square below threshold * that of the layer."""
    masks = {}
    for name, layer in weighted_layers(model).items():
        matrix = layer.weight.view(len(layer.weight), -1)
        square = matrix.square()
        limit = threshold ** 2 * square.mean()
        kept = (square.mean(1, keepdim=True) > limit) & (square.mean(0, keepdim=True) > limit)
        masks[name] = kept.float().view_as(layer.weight)
    return masks


def train_lenet5(data):
    model = lenet5()
    fit(model, data, epochs=30, rate=0.1, batch_size=64, shift=1)
    return model


def train_mlp(data):
    model = mlp()
    fit(model, data, epochs=30, rate=0.1)
    return model


def train_pruned90(data):
    model = load_weights(lenet5(dropout=0.2), "lenet5")

    def prune(progress, _):
        apply_masks(model, magnitude_masks(model, 0.9 * (1 - (1 - progress) ** 3)))

    print(" gradual pruning")
    fit(model, data, epochs=12, rate=0.02, shift=1, after_step=prune)
    masks = magnitude_masks(model, 0.9)
    print(" fine-tuning")
    fit(model, data, epochs=12, rate=0.02, shift=1, after_step=lambda *_: apply_masks(model, masks))
    return model


# Group lasso strengths of each layer: (outputs, inputs).
STRENGTHS = {"conv1": (5e-4, 1e-3), "conv2": (3e-4, 5e-3), "fc1": (5e-4, 1.2e-3), "fc2": (0, 1e-3)}


def train_grouplasso(data):
    model = load_weights(lenet5(dropout=0.2), "lenet5")
    print(" group lasso")
    fit(model, data, epochs=14, rate=0.02, shift=1, decay=0,
        after_step=lambda _, rate: shrink_groups(model, STRENGTHS, rate))
    masks = group_masks(model, threshold=0.1)
    print(" fine-tuning")
    apply_masks(model, masks)
    fit(model, data, epochs=14, rate=0.03, batch_size=64, shift=1,
        after_step=lambda *_: apply_masks(model, masks))
    return model


def train_digits(data):
    model = digits_cnn()
    fit(model, data, epochs=60, rate=0.1, batch_size=32)
    return model


def train_lstm(data):
    model = RowLSTM(CLASSES)
    fit(model, data, epochs=24, rate=3e-3, shift=1, decay=1e-2, method=adamw)
    return model


def train_bigru(data):
    model = RowBiGRU(CLASSES)
    fit(model, data, epochs=12, rate=3e-3, shift=1, decay=1e-2, method=adamw)
    return model


def fit_channels_last(model, data, **settings):
    """As `fit`, with the memory order in which a CPU computes these convolutions fastest."""
    fit(model.to(memory_format=torch.channels_last), data, **settings)
    return model.to(memory_format=torch.contiguous_format)


def train_resnet8(data):
    return fit_channels_last(ResNet8(CLASSES), data, epochs=12, rate=0.1, shift=1)


def train_dscnn(data):
    return fit_channels_last(DSCNN(CLASSES), data, epochs=12, rate=0.1, shift=1, decay=1e-4)


TRAINERS = {
    "lenet5": train_lenet5,
    "mlp": train_mlp,
    "lenet5-pruned90": train_pruned90,
    "lenet5-grouplasso": train_grouplasso,
    "digits": train_digits,
    "lstm": train_lstm,
    "bigru": train_bigru,
    "resnet8": train_resnet8,
    "dscnn": train_dscnn,
}

# CPU threads where it is not two; the sums of a step depend on the number.
THREADS = {"lstm": 1, "bigru": 1, "resnet8": 1, "dscnn": 1}


def training_data(name, folder):
    if MODELS[name] == "digits":
        images, labels = sources.digits("train")
        scale = sources.DIGITS_SCALE
    else:
        images, labels = sources.fashion_mnist(folder, "train")
        scale = sources.FASHION_SCALE
    return torch.from_numpy(images * scale), torch.from_numpy(labels.astype(np.int64))


@torch.no_grad()
def torch_logits(model, inputs):
    model.eval()
    return torch.cat([model(batch) for batch in torch.from_numpy(inputs).split(1000)]).numpy()


def main():
    parser = argparse.ArgumentParser(description="Trains one model and writes <model>/model.onnx.")
    parser.add_argument("model", choices=TRAINERS)
    parser.add_argument("--fashion-mnist", default="/usr/share/datasets/fashion-mnist",
                        help="folder with the four .gz files (default: %(default)s)")
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(THREADS.get(args.model, 2))
    torch.use_deterministic_algorithms(True)
    begin = time.monotonic()
    data = training_data(args.model, args.fashion_mnist)
    model = TRAINERS[args.model](data)
    model.eval()
    path = model_path(args.model)
    export(model, args.model, data[0].shape[1:], CLASSES, path)

    print(f"time: {time.monotonic() - begin:.0f} s, of one CPU {time.process_time():.0f} s")
    inputs, labels = load_split(MODELS[args.model] + "-test")
    ours, written = torch_logits(model, inputs), onnx_logits(args.model, inputs)
    print(f"right answers: torch {right_answers(ours, labels)}, onnxruntime {right_answers(written, labels)}, "
          f"of {len(labels)}; logits differ by {np.abs(ours - written).max():.1e}, at most")
    print(f"sha256: {sha256(path)}")
    print(layer_table(args.model))


if __name__ == "__main__":
    main()
