#!/usr/bin/env python3
"""Writes the array files that the tests read. Needs NumPy and onnx; the files are committed."""

import io
import pathlib
import struct
import zipfile
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]


def values(kind):
    """24 numbers that fill the type's range, 0 and the ends included."""
    if kind == "b1":
        return np.arange(24) % 3 == 0
    if kind.startswith("f"):
        special = {"f2": [65504, 6e-8], "f4": [3.4e38, 1e-45], "f8": [1.7e308, 1 / 3]}[kind]
        numbers = [0.0, -0.0, np.inf, -np.inf, *special] + [(k - 9) * 0.37 for k in range(18)]
        with np.errstate(over="ignore"):
            return np.array(numbers).astype(kind)
    info = np.iinfo(kind)
    low, high = int(info.min), int(min(info.max, 2**63 - 1))
    return np.array([low, high, 0, 1] + [low + (high - low) // 23 * k for k in range(20)], dtype=kind)


def expected(array):
    """What the reader makes of an array: f4, or integers of a type that it keeps."""
    kind = array.dtype.kind + str(array.dtype.itemsize)
    with np.errstate(over="ignore"):
        target = {"f2": "f4", "f8": "f4", "b1": "u1", "u4": "i8", "u8": "i8"}.get(kind, kind)
        return np.ascontiguousarray(array.astype("<" + target))


def all_types():
    """Pairs NAME and NAME.expected for each type, byte order and axis order."""
    arrays = {}
    for kind in TYPES:
        for order in "<>":
            for layout in "CF":
                array = values(kind).reshape(2, 3, 4).astype(order + kind)
                name = f"{kind}-{'little' if order == '<' else 'big'}-{layout}"
                arrays[name] = np.asarray(array, order=layout)
                arrays[name + ".expected"] = expected(array)
    return arrays


def wide_zip(members):
    """An archive in which all sizes and offsets stand in zip64 fields."""
    out, directory = bytearray(), bytearray()
    for name, array in members.items():
        content = io.BytesIO()
        np.save(content, array)
        content, raw = content.getvalue(), (name + ".npy").encode()
        crc = zlib.crc32(content)
        offset = len(out)
        extra = struct.pack("<HHQQ", 1, 16, len(content), len(content))
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 0, 0, 0, 33, crc, 2**32 - 1, 2**32 - 1, len(raw), len(extra))
        out += raw + extra + content
        extra = struct.pack("<HHB", 0x7777, 1, 0) + struct.pack("<HHQQQ", 1, 24, len(content), len(content), offset)
        directory += struct.pack(
            "<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, 0, 0, 0, 33, crc, 2**32 - 1, 2**32 - 1, len(raw), len(extra),
            0, 0, 0, 0, 2**32 - 1)
        directory += raw + extra
    start = len(out)
    out += directory
    record = len(out)
    out += struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, len(members), len(members), len(directory), start)
    out += struct.pack("<IIQI", 0x07064B50, 0, record, 1)
    out += struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return bytes(out)


def protos():
    """TensorProtos with raw and with typed elements, and the arrays that they hold."""
    kinds = {
        "f2": TensorProto.FLOAT16, "f4": TensorProto.FLOAT, "f8": TensorProto.DOUBLE, "i1": TensorProto.INT8,
        "i2": TensorProto.INT16, "i4": TensorProto.INT32, "i8": TensorProto.INT64, "u1": TensorProto.UINT8,
        "u2": TensorProto.UINT16, "u4": TensorProto.UINT32, "u8": TensorProto.UINT64, "b1": TensorProto.BOOL,
    }
    messages, arrays = {}, {}
    for kind, number in kinds.items():
        array = values(kind).reshape(4, 6)
        messages[f"{kind}-raw"] = numpy_helper.from_array(array, kind)
        messages[f"{kind}-typed"] = helper.make_tensor(kind, number, [4, 6], array.flatten().tolist())
        arrays[kind] = expected(array)
    bits = np.array([0x3F80, 0xC000, 0x7F80, 0x0001], dtype="<u2")
    messages["bf16-raw"] = helper.make_tensor("bf16", TensorProto.BFLOAT16, [4], bits.tobytes(), raw=True)
    arrays["bf16"] = (bits.astype("<u4") << 16).view("<f4")
    messages["scalar-raw"] = numpy_helper.from_array(np.float32(2.5), "scalar")
    arrays["scalar"] = np.array(2.5, dtype="<f4")
    return messages, arrays


def main():
    arrays = all_types()
    np.savez(HERE / "types.npz", **arrays)
    np.savez_compressed(HERE / "types-deflated.npz", **arrays)
    small = {"one": np.arange(6, dtype="<i2").reshape(2, 3), "zwei-ü": np.float32([1.5, -2])}
    (HERE / "zip64.npz").write_bytes(wide_zip(small))
    np.savez(HERE / "empty.npz")
    shapes = {"scalar": (), "vector": (5,), "empty": (3, 0, 2), "image": (2, 3, 4)}
    for name, shape in shapes.items():
        count = int(np.prod(shape, dtype=int))
        np.save(HERE / f"{name}.npy", (np.arange(count, dtype="<f4") / 2 - 1).reshape(shape))
    for version in (2, 3):
        with open(HERE / f"version{version}.npy", "wb") as file:
            np.lib.format.write_array(file, np.arange(6, dtype=">i2").reshape(2, 3), version=(version, 0))
    messages, arrays = protos()
    with zipfile.ZipFile(HERE / "protos.zip", "w") as archive:
        for name, message in messages.items():
            archive.writestr(zipfile.ZipInfo(name), message.SerializeToString())
    np.savez(HERE / "protos-expected.npz", **arrays)
    for name in ("f4-raw", "f4-typed", "i8-typed"):
        (HERE / f"{name}.pb").write_bytes(messages[name].SerializeToString())


if __name__ == "__main__":
    main()
