"""Writes the test and calibration files in data/."""

import argparse

import numpy as np

import sources
from common import save_split

FASHION_CALIBRATION = 256
DIGITS_CALIBRATION = 128

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--fashion-mnist", default="/usr/share/datasets/fashion-mnist",
                    help="folder with the four .gz files (default: %(default)s)")
args = parser.parse_args()

images, labels = sources.fashion_mnist(args.fashion_mnist, "t10k")
save_split("fashion-mnist-test", images, labels, sources.FASHION_SCALE)

images, labels = sources.fashion_mnist(args.fashion_mnist, "train")
chosen = np.random.RandomState(0).permutation(len(labels))[:FASHION_CALIBRATION]
save_split("fashion-mnist-calibration", images[chosen], labels[chosen], sources.FASHION_SCALE)

images, labels = sources.digits("test")
save_split("digits-test", images, labels, sources.DIGITS_SCALE)

# The training part is already shuffled.
images, labels = sources.digits("train")
save_split("digits-calibration", images[:DIGITS_CALIBRATION], labels[:DIGITS_CALIBRATION],
           sources.DIGITS_SCALE)
