#!/usr/bin/env python3
"""What the detector says of the bundled pictures, without any of Potluck's code: `things.json`.

    pip install numpy==2.4.6 onnxruntime==1.32.0 pillow==13.0.0
    python make.py ../../.. [shared/data/images]   # the folder models; pictures that are not part of the project

Written from NanoDet's own post-processing (nanodet/model/head): the picture in the middle of a black square of 416,
bilinear; blue first, (x - mean) / std; a cell's box reaches from its middle as far as the four distances say, in
cells; boxes of one kind that overlap by more than 0.6 are one thing, those of two kinds by more than 0.8.
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
from PIL import Image

SIDE = 416
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
STD = np.array([57.375, 57.12, 58.395], np.float32)


def half_up(number):
    return int(np.floor(number + 0.5))


def things(network, picture, names):
    width, height = picture.size
    longer = max(width, height)
    scale = SIDE / longer
    # The part of the square's pixels that shows the picture, and what of the picture they show.
    spans = []
    for side in (width, height):
        start = (side - longer) / 2
        first, end = half_up(-start * scale), half_up((side - start) * scale)
        source = max(0, start + first / scale)
        spans.append((first, end, source, min(side, source + (end - first) / scale)))
    (left, right, x0, x1), (top, bottom, y0, y1) = spans
    part = picture.resize((right - left, bottom - top), Image.BILINEAR, (x0, y0, x1, y1))
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    canvas[top:bottom, left:right] = np.asarray(part)
    values = ((canvas[..., ::-1].astype(np.float32) - MEAN) / STD).transpose(2, 0, 1)[None]
    rows = network.run(None, {"input": values})[0][0]
    grid = np.concatenate([
        np.stack([*np.meshgrid(np.arange(SIDE // s), np.arange(SIDE // s)), np.full((SIDE // s,) * 2, s)], 2).reshape(-1, 3)
        for s in (8, 16, 32)
    ])
    kinds, sure = rows[:, :80].argmax(1), rows[:, :80].max(1)
    centres = (grid[:, :2] + 0.5) * grid[:, 2:]
    edges = rows[:, 80:] * grid[:, 2:]
    boxes = np.concatenate([centres - edges[:, :2], centres + edges[:, 2:]], 1)
    boxes = boxes * longer / SIDE - np.array([(longer - width) / 2, (longer - height) / 2] * 2)
    kept = []
    for index in np.argsort(-sure, kind="stable"):
        same = lambda other: overlap(boxes[index], boxes[other]) > (0.6 if kinds[index] == kinds[other] else 0.8)
        if sure[index] >= 0.4 and not any(same(other) for other in kept):
            kept.append(index)
    limit = np.array([width, height] * 2)
    return [
        {"name": names[kinds[i]], "confidence": round(float(sure[i]), 4),
         "box": np.round(np.clip(boxes[i], 0, limit), 2).tolist()}
        for i in kept
    ]


def overlap(a, b):
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    if (sides <= 0).any():
        return 0
    area = lambda box: np.prod(box[2:] - box[:2])
    return np.prod(sides) / (area(a) + area(b) - np.prod(sides))


def main():
    models = pathlib.Path(sys.argv[1])
    names = [line.split('"')[1] for line in (models / "src/detect/kinds.rs").read_text().splitlines() if line.startswith("    (")]
    network = onnxruntime.InferenceSession(str(models / "weights/nanodet-g.onnx"), providers=["CPUExecutionProvider"])
    files = [*sorted((models / "samples").glob("*.jpg")), models / "samples/faces/astronaut.jpg"]
    found = {file.name: things(network, Image.open(file).convert("RGB"), names) for file in files}
    for folder in map(pathlib.Path, sys.argv[2:]):
        for file in sorted(folder.glob("*/*.jpg")):
            found[f"{file.parent.name}/{file.name}"] = things(network, Image.open(file).convert("RGB"), names)
    (pathlib.Path(__file__).resolve().parent / "things.json").write_text(json.dumps(found, indent=1) + "\n")
    for name, each in found.items():
        print(name, [(thing["name"], thing["confidence"], thing["box"]) for thing in each])


if __name__ == "__main__":
    main()
