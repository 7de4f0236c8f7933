"""Data files, float accuracy and checksums. Needs only numpy and onnxruntime."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parent
DATA = ROOT / "data"

# Model folder -> data set; the test set is data/<data set>-test.npz.
MODELS = {
    "lenet5": "fashion-mnist",
    "mlp": "fashion-mnist",
    "lenet5-pruned90": "fashion-mnist",
    "lenet5-grouplasso": "fashion-mnist",
    "digits": "digits",
    "lstm": "fashion-mnist",
    "bigru": "fashion-mnist",
    "resnet8": "fashion-mnist",
    "dscnn": "fashion-mnist",
}

# The same for models that quantize.py makes of those above.
QUANTIZED = {"lenet5-qdq": "fashion-mnist", "digits-qdq": "digits", "digits-qlinear": "digits"}


def save_split(name, images, labels, scale):
    """Writes images uint8 [N,C,H,W], labels uint8 [N] and the input scale."""
    np.savez_compressed(
        DATA / f"{name}.npz",
        images=images.astype(np.uint8),
        labels=labels.astype(np.uint8),
        scale=np.array(scale, np.float32),
    )


def load_split(name):
    """Returns the model input (images * scale, float32) and the labels."""
    with np.load(DATA / f"{name}.npz") as f:
        return f["images"].astype(np.float32) * f["scale"], f["labels"].astype(np.int64)


def model_path(name):
    return ROOT / name / "model.onnx"


def onnx_logits(name, inputs, batch=1000):
    """Returns the outputs of a model by onnxruntime."""
    session = onnxruntime.InferenceSession(str(model_path(name)), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"image": inputs[start:start + batch]})[0]
                           for start in range(0, len(inputs), batch)])


def right_answers(logits, labels):
    return int((logits.argmax(axis=1) == labels).sum())


def onnx_correct(name):
    """Returns (right answers, number of test images) of a model by onnxruntime."""
    inputs, labels = load_split((MODELS | QUANTIZED)[name] + "-test")
    return right_answers(onnx_logits(name, inputs), labels), len(labels)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
