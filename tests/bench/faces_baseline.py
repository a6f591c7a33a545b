"""The faces that `bench faces` compares with: onnxruntime, numpy and Pillow on the same networks.

    python faces_baseline.py WEIGHTS_FOLDER FOLDER_OF_JPEGS

Prints a line of JSON about itself with the faces of each picture, then reads lines `loop SECONDS`
and prints {"pictures_per_s": ..} for each. The chain is that of models/src/faces/cascade.rs:
full-range BlazeFace proposes, O-Net and BlazeFace judge, then gender and age on the aligned face, age
on several cut-outs of it.
"""

import glob
import io
import json
import os
import sys
import time

import numpy as np
import onnxruntime as ort
from PIL import Image

LONGEST, WHOLE, HALVES, SMALL = 1280, 400, 800, 0.075
PROPOSE, O_NET, CONFIDENT = 0.3, 0.5, 0.55
EYES_NOSE_MOUTH = np.array([(0.22549, 0.21599), (0.75476, 0.21599), (0.490127, 0.515625),
                            (0.254149, 0.780233), (0.726104, 0.780233)])
MEAN = np.array([122.782, 117.001, 104.298], np.float32)
YEARS = np.array([0.25, *range(1, 81)], np.float32)


def load(folder, name):
    file = os.path.join(folder, f"{name}.onnx")
    session = ort.InferenceSession(file, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda batch: session.run(None, {name: batch})[0]


def area(b):
    return (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])


def suppress(boxes, scores, most, smaller=False):
    order, keep, areas = np.argsort(-scores), [], area(boxes)
    while len(order):
        first, rest = order[0], order[1:]
        keep.append(first)
        low = np.maximum(boxes[first, :2], boxes[rest, :2])
        high = np.minimum(boxes[first, 2:], boxes[rest, 2:])
        shared = np.clip(high - low, 0, None).prod(1)
        whole = np.minimum(areas[first], areas[rest]) if smaller else areas[first] + areas[rest] - shared
        order = rest[shared / whole <= most]
    return np.array(keep, int)


def corrected(boxes, offsets):
    size = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
    return boxes[:, :4] + offsets * size


def square(boxes):
    middle = (boxes[:, :2] + boxes[:, 2:4]) / 2
    half = (boxes[:, 2:4] - boxes[:, :2]).max(1, keepdims=True) / 2
    return np.concatenate([middle - half, middle + half], 1)


def crops(picture, boxes, side):
    cut = [np.asarray(picture.crop(tuple(np.rint(b).astype(int))).resize((side, side), Image.BOX), np.float32)
           for b in boxes]
    return (np.stack(cut).transpose(0, 3, 1, 2) - 127.5) / 128


CELLS = np.array([((x + 0.5) * 4, (y + 0.5) * 4) for y in range(48) for x in range(48)], np.float32)


def blaze(nets, part):
    scale = 192 / max(part.size)
    canvas = Image.new("RGB", (192, 192))
    size = tuple(max(1, round(side * scale)) for side in part.size)
    canvas.paste(part.resize(size, Image.BILINEAR))
    out = nets["blaze"]((np.asarray(canvas, np.float32) / 127.5 - 1).transpose(2, 0, 1)[None])[0]
    middle, half = out[:, 1:3] + CELLS, out[:, 3:5] / 2
    return np.concatenate([middle - half, middle + half], 1) / scale, 1 / (1 + np.exp(-np.clip(out[:, 0], -50, 50)))


def squares(picture, side):
    width, height = picture.size
    starts = lambda length: sorted({int(v) for v in np.linspace(0, max(length - side, 0), 1 + max(1, -(-max(length - side, 0) * 10 // (side * 6))))})
    for y in starts(height):
        for x in starts(width):
            yield (x, y, min(x + side, width), min(y + side, height))


def proposals(nets, picture):
    boxes, scores, longest = [], [], max(picture.size)
    def look(parts):
        for part in parts:
            found, sure = blaze(nets, picture.crop(part))
            take = sure > PROPOSE
            boxes.append(found[take] + np.array([part[0], part[1]] * 2))
            scores.append(sure[take])
    look([(0, 0, *picture.size)])
    if longest > WHOLE:
        look(squares(picture, longest // 2))
    widths = np.concatenate([b[:, 2] - b[:, 0] for b in boxes])
    if longest > HALVES and (widths < longest * SMALL).any():
        look(squares(picture, longest // 4))
    boxes, scores = np.concatenate(boxes), np.concatenate(scores)
    boxes = boxes[suppress(boxes, scores, 0.3)] if len(boxes) else boxes
    middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    out = []
    for factor, up in ((1, 0), (1.15, 0), (1.15, -0.1), (1, -0.1)):
        at = middle + np.stack([0 * size[:, 1], up * size[:, 1]], 1)
        half = size[:, :1] * factor / 2
        out.append(np.concatenate([at - half, at + half], 1))
    return np.concatenate(out)


def overlap(boxes, box):
    low, high = np.maximum(boxes[:, :2], box[:2]), np.minimum(boxes[:, 2:], box[2:])
    shared = np.clip(high - low, 0, None).prod(1)
    return shared / (area(boxes) + area(box[None]) - shared)


def chip(picture, points, side, turn=0, mirrored=False):
    """The face turned upright (and by so much more), the mean of what falls into each pixel."""
    target = (EYES_NOSE_MOUTH + 0.2) / 1.4 * side
    system = np.zeros((10, 4))
    system[0::2] = np.c_[target[:, 0], -target[:, 1], np.ones(5), np.zeros(5)]
    system[1::2] = np.c_[target[:, 1], target[:, 0], np.zeros(5), np.ones(5)]
    a, b, x, y = np.linalg.lstsq(system, points.reshape(-1), rcond=None)[0]
    if turn:
        # Around the middle of the cut-out.
        sin, cos, m = np.sin(turn), np.cos(turn), side / 2
        u, v = m - cos * m + sin * m, m - sin * m - cos * m
        a, b, x, y = a * cos - b * sin, a * sin + b * cos, x + a * u - b * v, y + b * u + a * v
    fine = int(np.clip(np.ceil(np.hypot(a, b)), 1, 8))
    turned = picture.transform((side * fine, side * fine), Image.AFFINE,
                               (a / fine, -b / fine, x, b / fine, a / fine, y), Image.BILINEAR)
    mean = np.asarray(turned, np.float32).reshape(side, fine, side, fine, 3).mean((1, 3))
    return ((mean[:, ::-1] if mirrored else mean) - MEAN).transpose(2, 0, 1) / 256


def faces(nets, jpeg):
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    shrink = min(1, LONGEST / max(picture.size))
    small = picture if shrink == 1 else picture.resize([max(1, int(s * shrink)) for s in picture.size], Image.BOX)
    boxes = proposals(nets, small)
    if not len(boxes):
        return []
    out = nets["o"](crops(small, boxes, 48))
    sure = out[:, 0] >= O_NET
    boxes, out = boxes[sure], out[sure]
    if not len(boxes):
        return []
    size = boxes[:, 2:4] - boxes[:, :2]
    points = np.stack([boxes[:, :1] + out[:, 5:10] * size[:, :1], boxes[:, 1:2] + out[:, 10:15] * size[:, 1:]], 2)
    boxes, scores = corrected(boxes, out[:, 1:5]), out[:, 0]
    for most, smaller in ((0.4, False), (0.7, True)):
        keep = suppress(boxes, scores, most, smaller)
        boxes, scores, points = boxes[keep], scores[keep], points[keep]
    found = []
    for box, score, five in zip(boxes, scores, points):
        around = square(np.array([box]))[0]
        middle, half = (around[:2] + around[2:]) / 2, (around[2] - around[0]) * 1.5
        cut = np.rint(np.concatenate([middle - half, middle + half])).astype(int)
        again, sure = blaze(nets, small.crop(tuple(cut)))
        same = overlap(again + np.array([cut[0], cut[1]] * 2), box) >= 0.3
        if np.sqrt(score * np.max(sure, where=same, initial=0)) >= CONFIDENT:
            found.append((box / shrink, five / shrink))
    if not found:
        return []
    gender = nets["gender"](np.stack([chip(picture, five, 32) for _, five in found]))
    cuts = ((0, False), (0, True), (0.1, False), (-0.1, True))
    cuts = cuts[:2] if len(found) > 40 else cuts
    age = nets["age"](np.stack([chip(picture, five, 64, *cut) for _, five in found for cut in cuts])) @ YEARS
    age = age.reshape(len(found), -1).mean(1)
    return [{"box": box.tolist(), "male": bool(g[1] > g[0]), "age": float(a)}
            for (box, _), g, a in zip(found, gender, age)]


def main():
    weights, folder = sys.argv[1:3]
    nets = {"o": load(weights, "mtcnn-onet"), "blaze": load(weights, "blazeface-full"),
            "gender": load(weights, "gender-v1"), "age": load(weights, "age-v1")}
    names = sorted(glob.glob(os.path.join(folder, "*.jpg")))
    pictures = [open(name, "rb").read() for name in names]
    library = glob.glob(os.path.join(os.path.dirname(ort.__file__), "capi", "libonnxruntime.so*"))
    print(json.dumps({"onnxruntime": ort.__version__, "library": library[0] if library else None,
                      "faces": [faces(nets, jpeg) for jpeg in pictures]}), flush=True)
    for line in sys.stdin:
        seconds, done, start = float(line.split()[1]), 0, time.perf_counter()
        while time.perf_counter() - start < seconds or done % len(pictures):
            faces(nets, pictures[done % len(pictures)])
            done += 1
        print(json.dumps({"pictures_per_s": done / (time.perf_counter() - start)}), flush=True)


main()
