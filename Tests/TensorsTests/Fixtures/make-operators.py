#!/usr/bin/env python3
"""Writes operators.npz: arguments and results of operators, computed with NumPy and Python integers alone.

Each case is CASE.x0, CASE.x1 ... and CASE.y; `OperatorGoldenTests.swift` holds the operators.
"""

import itertools
import pathlib

import numpy as np

RNG = np.random.default_rng(7)
F = np.float32
CASES = {}


def case(name, result, *arguments):
    for index, argument in enumerate(arguments):
        CASES[f"{name}.x{index}"] = np.asarray(argument)
    CASES[f"{name}.y"] = np.asarray(result)


def floats(*shape):
    return (RNG.standard_normal(shape) * 2).astype(F)


def pool(x, kernel, stride, pad, dilation, reduce):
    """Applies `reduce` to the elements of each window that lie inside the input."""
    n, c, h, w = x.shape
    out = [(s + 2 * p - d * (k - 1) - 1) // t + 1 for s, p, d, k, t in zip((h, w), pad, dilation, kernel, stride)]
    y = np.zeros((n, c, *out), dtype=x.dtype)
    for i, j, a, b in itertools.product(range(n), range(c), range(out[0]), range(out[1])):
        taps = []
        for u, v in itertools.product(range(kernel[0]), range(kernel[1])):
            row, column = a * stride[0] - pad[0] + u * dilation[0], b * stride[1] - pad[1] + v * dilation[1]
            if 0 <= row < h and 0 <= column < w:
                taps.append(x[i, j, row, column])
        y[i, j, a, b] = reduce(np.array(taps))
    return y


def convolution(x, w, pad, stride, dilation, groups):
    n, c, h, width = x.shape
    m, share, kh, kw = w.shape
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad))).astype(np.float64)
    oh = (x.shape[2] - dilation * (kh - 1) - 1) // stride + 1
    ow = (x.shape[3] - dilation * (kw - 1) - 1) // stride + 1
    y = np.zeros((n, m, oh, ow))
    for f, a, b in itertools.product(range(m), range(oh), range(ow)):
        first = f // (m // groups) * share
        part = x[:, first:first + share, a * stride:a * stride + dilation * (kh - 1) + 1:dilation,
                 b * stride:b * stride + dilation * (kw - 1) + 1:dilation]
        y[:, f, a, b] = (part * w[f]).sum(axis=(1, 2, 3))
    return y.astype(F)


def elementwise():
    x = np.concatenate([floats(60), F([0, -0.0, 1e-30, -80, 80, 6, -6, 3, -3])])
    wide = x.astype(np.float64)
    clip = np.clip
    case("relu", np.where(x < 0, F(0), x), x)
    case("leaky", np.where(x < 0, F(0.01) * x, x), x)
    case("clip", clip(x, F(-1), F(2.5)), x)
    case("sigmoid", (1 / (1 + np.exp(-wide))).astype(F), x)
    case("tanh", np.tanh(wide).astype(F), x)
    case("hard-sigmoid", clip(F(0.2) * x + F(0.5), F(0), F(1)), x)
    case("hard-swish", x * clip(x / F(6) + F(0.5), F(0), F(1)), x)
    case("elu", np.where(wide < 0, 1.5 * np.expm1(wide), wide).astype(F), x)
    case("softplus", np.logaddexp(0, wide).astype(F), x)
    case("exp", np.exp(wide).astype(F), x)
    case("log", np.log(np.abs(wide) + 1e-3).astype(F), (np.abs(wide) + 1e-3).astype(F))
    case("sqrt", np.sqrt(np.abs(x)), np.abs(x))
    a, b = floats(3, 1, 4), floats(2, 1)
    for name in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
        case(f"{name}-floats", getattr(np, name)(a, b), a, b)
    a, b = RNG.integers(-100, 100, (3, 1, 4)), RNG.integers(1, 100, (2, 1))
    for name in ("add", "subtract", "multiply", "maximum", "minimum"):
        case(f"{name}-integers", getattr(np, name)(a, b), a, b)
    case("divide-integers", np.trunc(a / b).astype(np.int64), a, b)


def reductions():
    x = floats(2, 5, 3)
    for axis in range(3):
        wide = np.exp(x.astype(np.float64) - x.max(axis=axis, keepdims=True))
        case(f"softmax-{axis}", (wide / wide.sum(axis=axis, keepdims=True)).astype(F), x)
    case("mean", x.astype(np.float64).mean(axis=(0, 2), keepdims=True).astype(F), x)
    a, b = floats(2, 1, 4, 6), floats(3, 6, 5)
    case("matmul", (a.astype(np.float64) @ b).astype(F), a, b)
    case("matmul-vector", (a.astype(np.float64) @ b[0, :, 0]).astype(F), a, b[0, :, 0])


def pools():
    x = floats(2, 3, 7, 6)
    plain, odd = ((2, 2), (2, 2), (0, 0), (1, 1)), ((3, 2), (2, 1), (1, 1), (1, 2))
    mean = lambda taps: F(taps.astype(np.float64).sum() / taps.size)
    full = lambda taps: F(taps.astype(np.float64).sum() / 6)
    for name, geometry in (("plain", plain), ("odd", odd)):
        case(f"max-{name}", pool(x, *geometry, np.max), x)
        case(f"mean-{name}", pool(x, *geometry, mean), x)
    case("mean-padded", pool(x, *odd, full), x)
    q = RNG.integers(-128, 128, x.shape).astype(np.int8)
    case("max-i8", pool(q, *odd, np.max), q)
    w = floats(6, 2, 3, 3)
    x = floats(2, 4, 8, 7)
    case("convolution-groups", convolution(x, w, 1, 2, 1, 2), x, w)
    w = floats(5, 4, 3, 2)
    case("convolution-dilated", convolution(x, w, 2, 1, 2, 1), x, w)


def fixed_point():
    acc = np.concatenate([RNG.integers(-2**31, 2**31, 50), RNG.integers(-2**62, 2**62, 10), [2**63 - 1, -2**63]])
    acc = np.concatenate([acc, RNG.integers(-9000, 9000, 28)]).reshape(3, 30)
    factors, shifts = [2**31 - 1, 1_234_567_890, 77], [50, 41, 7]
    rows = []
    for row, m, s in zip(acc.tolist(), factors, shifts):
        rows.append([max(0, min(255, 13 + ((a * m + (1 << (s - 1))) >> s))) for a in row])
    case("requantize", np.array(rows, dtype=np.uint8), acc)
    bias = [-1000, 0, 70_000]
    q = RNG.integers(-30_000, 30_000, (3, 4)).astype(np.int16)
    case("add-bias", q.astype(np.int64) + np.array(bias)[:, None], q)
    x = np.concatenate([floats(200) * 40, F([0.25, 0.75, 1.25, -0.25, -0.75, 1e9, -1e9, np.inf, -np.inf])])
    with np.errstate(over="ignore"):
        case("quantize", np.clip(np.rint(x / F(0.5)) + 3, -128, 127).astype(np.int8), x)
    q = RNG.integers(0, 256, 40).astype(np.uint8)
    case("dequantize", (q.astype(F) - F(128)) * F(0.037), q)
    case("lookup", np.array([(k * 37 + 11) % 256 for k in q.tolist()], dtype=np.uint8), q)


def rearrangements():
    x = floats(2, 3, 4, 5)
    case("transpose", x.transpose(0, 2, 3, 1), x)
    case("transpose-all", x.transpose(3, 1, 0, 2), x)
    q = RNG.integers(0, 9, (2, 1, 5)).astype(np.uint16)
    r = RNG.integers(0, 9, (2, 3, 5)).astype(np.uint16)
    case("concat", np.concatenate([q, r, q], axis=1), q, r, q)
    case("pad", np.pad(q, ((0, 1), (2, 0), (1, 3)), constant_values=7), q)
    case("reshape", q.reshape(5, 2), q)


def main():
    elementwise()
    reductions()
    pools()
    fixed_point()
    rearrangements()
    arrays = {name: np.ascontiguousarray(array) for name, array in CASES.items()}
    np.savez_compressed(pathlib.Path(__file__).parent / "operators.npz", **arrays)


if __name__ == "__main__":
    main()
