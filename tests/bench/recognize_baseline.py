"""The picture recognition that `bench recognize` compares with: onnxruntime and Pillow, nothing else.

    python recognize_baseline.py MODEL.onnx FOLDER_OF_JPEGS

Prints a line of JSON about itself, then reads lines `loop SECONDS` (one picture after the other) or
`pool SECONDS` (eight threads) and prints {"pictures_per_s": ..} for each. The preprocessing is that
of models/weights/efficientnet-lite0.toml. The session has the default number of threads, one for
each core, as the node's has.
"""

import concurrent.futures
import glob
import io
import json
import os
import sys
import time

import numpy as np
import onnxruntime
from PIL import Image

SIZE, CROP = 224, 0.875


def prepare(jpeg):
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    side = CROP * min(picture.size)
    left, top = (picture.width - side) / 2, (picture.height - side) / 2
    box = (left, top, left + side, top + side)
    square = picture.resize((SIZE, SIZE), Image.BICUBIC, box=box)
    values = (np.asarray(square, dtype=np.float32) - 127.0) / 128.0
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def best(session, jpeg):
    (probabilities,) = session.run(["prob"], {"input": prepare(jpeg)})
    return np.argsort(probabilities[0])[::-1][:5]


def loop(session, jpegs, seconds):
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        assert len(best(session, jpegs[done % len(jpegs)])) == 5
        done += 1
    return done / (time.perf_counter() - started)


def pool(session, jpegs, seconds):
    def worker(offset):
        done = 0
        while time.perf_counter() - started < seconds:
            assert len(best(session, jpegs[(offset + done) % len(jpegs)])) == 5
            done += 1
        return done

    started = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(8) as workers:
        done = sum(workers.map(worker, range(8)))
    return done / (time.perf_counter() - started)


def library():
    folder = os.path.join(os.path.dirname(onnxruntime.__file__), "capi")
    found = glob.glob(os.path.join(folder, "libonnxruntime.*")) + glob.glob(
        os.path.join(folder, "onnxruntime.dll")
    )
    return sorted(found)[0]


def main():
    model, folder = sys.argv[1:]
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    jpegs = [open(name, "rb").read() for name in sorted(glob.glob(os.path.join(folder, "*.jpg")))]
    about = {
        "onnxruntime": onnxruntime.__version__,
        "pillow": Image.__version__,
        "numpy": np.__version__,
        "library": library(),
        "pictures": len(jpegs),
    }
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        how, seconds = line.split()
        rate = {"loop": loop, "pool": pool}[how](session, jpegs, float(seconds))
        print(json.dumps({"pictures_per_s": rate}), flush=True)


if __name__ == "__main__":
    main()
