"""Prints how many samples a second of processor time onnxruntime computes on one thread.

usage: onnxruntime_rate.py MODEL.onnx VECTORSxLENGTH | IMAGES.npz
"""

import sys
import time

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
port = session.get_inputs()[0]
if sys.argv[2].endswith(".npz"):
    file = np.load(sys.argv[2])
    samples = (file["images"][:256] * file["scale"]).astype(np.float32)
else:
    count, length = map(int, sys.argv[2].split("x"))
    samples = np.random.default_rng(1).integers(0, 256, (count, length)).astype(np.float32)
# A model of one sample is run sample by sample.
batch = len(samples) if isinstance(port.shape[0], str) else 1
best = float("inf")
for _ in range(20):
    start = time.process_time()
    for first in range(0, len(samples), batch):
        session.run(None, {port.name: samples[first : first + batch]})
    best = min(best, time.process_time() - start)
print(len(samples) / best)
