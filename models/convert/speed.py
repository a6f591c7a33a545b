#!/usr/bin/env python3
"""The loop of examples/speed.rs in Python, to compare with: the same model, bicubic resize, threads.

    pip install numpy onnxruntime==1.30.0 pillow==13.0.0
    python convert/speed.py THREADS [PICTURE..]
"""

import io
import json
import pathlib
import sys
import time

import numpy as np
import onnxruntime
from PIL import Image

MODELS = pathlib.Path(__file__).resolve().parent.parent
SECONDS = 4


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    paths = [pathlib.Path(each) for each in sys.argv[2:]] or sorted((MODELS / "samples").glob("*.jpg"))
    files = [path.read_bytes() for path in paths]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(MODELS / "weights" / "efficientnet-lite0.onnx", options)
    spent, done = [0.0, 0.0, 0.0], 0
    start = time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        for file in files:
            zero = time.perf_counter()
            picture = Image.open(io.BytesIO(file)).convert("RGB")
            one = time.perf_counter()
            side = min(picture.size) * 0.875
            left, top = (picture.width - side) / 2, (picture.height - side) / 2
            box = (left, top, left + side, top + side)
            picture = picture.resize((224, 224), Image.BICUBIC, box=box)
            values = (np.asarray(picture, np.float32) - 127) / 128
            values = np.ascontiguousarray(values.transpose(2, 0, 1)[None])
            two = time.perf_counter()
            row = session.run(["prob"], {"input": values})[0][0]
            np.argsort(-row)[:5]
            three = time.perf_counter()
            for index, took in enumerate((one - zero, two - one, three - two)):
                spent[index] += took
            done += 1
    rate = done / (time.perf_counter() - start)
    decode, prepare, run = (round(1000 * each / done, 2) for each in spent)
    print(json.dumps({"loop": "python", "threads": threads, "per_second": round(rate, 1),
                      "decode_ms": decode, "prepare_ms": prepare, "run_ms": run}))


if __name__ == "__main__":
    main()
