"""Quantizes shipped models with onnxruntime.quantization, and writes what onnxruntime makes of the test images.

    python quantize.py               # the models of QUANTIZED, with model.onnx and golden.npz
    python quantize.py --check       # writes nothing; fails where files or figures differ

The scales come from calibration images; weights and biases become integers there and then. golden.npz holds the
levels of the logits that onnxruntime computes with its integer kernels for the first images of the test file:
`levels` uint8 or int8 [N, 10], and the `scale` and `zero` that make `(levels - zero) * scale` of them.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from common import MODELS, QUANTIZED, load_split, model_path

CALIBRATION_IMAGES = 64
GOLDEN_IMAGES = 1000

# Folder -> (model, settings of quantize_static).
SETTINGS = {
    "lenet5-qdq": ("lenet5", dict(quant_format=QuantFormat.QDQ, per_channel=True,
                                  activation_type=QuantType.QUInt8)),
    "digits-qdq": ("digits", dict(quant_format=QuantFormat.QDQ, per_channel=False,
                                  activation_type=QuantType.QUInt8)),
    "digits-qlinear": ("digits", dict(quant_format=QuantFormat.QOperator, per_channel=True,
                                      activation_type=QuantType.QInt8)),
}


class Images(CalibrationDataReader):
    """Calibration images one by one."""

    def __init__(self, images):
        self.left = iter([{"image": images[k:k + 1]} for k in range(len(images))])

    def get_next(self):
        return next(self.left, None)


def quantized(source, settings, path):
    """Writes `source` quantized; the same bytes each time."""
    images, _ = load_split(MODELS[source] + "-calibration")
    quantize_static(str(model_path(source)), str(path), Images(images[:CALIBRATION_IMAGES]),
                    weight_type=QuantType.QInt8, **settings)


def golden(path, data):
    """The levels of the logits with their scale and zero point, and how many classes are right."""
    graph = onnx.load(path).graph
    last = graph.node[-1]
    assert last.op_type == "DequantizeLinear" and last.output[0] == graph.output[0].name
    arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    scale, zero = arrays[last.input[1]], arrays[last.input[2]]
    images, labels = load_split(data + "-test")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    logits = np.concatenate([session.run(None, {"image": images[k:k + 100]})[0] for k in range(0, len(images), 100)])
    right = int((logits.argmax(axis=1) == labels).sum())
    steps = logits[:GOLDEN_IMAGES] / scale
    levels = np.rint(steps).astype(np.int64) + int(zero)
    assert np.abs(steps - np.rint(steps)).max() < 1e-3
    return dict(levels=levels.astype(zero.dtype), scale=scale.astype(np.float32),
                zero=zero.astype(zero.dtype)), right, len(labels)


def main():
    parser = argparse.ArgumentParser(description="Quantizes shipped models.")
    parser.add_argument("--check", action="store_true", help="compare with the files that are there")
    check = parser.parse_args().check
    failed = False
    for name, (source, settings) in SETTINGS.items():
        path = model_path(name)
        path.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "model.onnx" if check else path
            quantized(source, settings, target)
            arrays, right, count = golden(target, QUANTIZED[name])
            file = path.parent / "golden.npz"
            if check:
                with np.load(file) as old:
                    same = target.read_bytes() == path.read_bytes() and all(
                        np.array_equal(old[key], arrays[key]) for key in arrays)
                failed |= not same
                print(f"{name}: {'the same' if same else 'DIFFERS'}")
            else:
                np.savez_compressed(file, **arrays)
        print(f"{name}: {right}/{count} = {right / count:.2%}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
