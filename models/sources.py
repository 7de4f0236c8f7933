"""The full data sets that training starts from."""

import gzip
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FASHION_SCALE = np.float32(1 / 255)
DIGITS_SCALE = np.float32(1 / 16)
DIGITS_TEST = 360


def fashion_mnist(folder, part):
    """Reads the IDX files of Fashion-MNIST. part is "train" or "t10k"."""
    folder = Path(folder)
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    images = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 1, 28, 28)
    return images, np.frombuffer(labels, np.uint8, offset=8)


def digits(part):
    """A fixed split of the scikit-learn digits. part is "train" or "test"."""
    data = load_digits()
    order = np.random.RandomState(0).permutation(len(data.target))
    chosen = order[:DIGITS_TEST] if part == "test" else order[DIGITS_TEST:]
    return data.images[chosen].astype(np.uint8)[:, None], data.target[chosen].astype(np.uint8)
