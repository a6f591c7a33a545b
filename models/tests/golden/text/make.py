#!/usr/bin/env python3
"""What the three networks that read text say of pictures, without any of Potluck's code: `lines.json` (whole
pictures) and `networks.json` (a line as two of them take it).

    pip install numpy==2.4.6 onnxruntime==1.32.0 pillow==13.0.0 opencv-python-headless==5.0.0.93
    python make.py ../../..          # the folder models

Contours, smallest rectangles, polygons and cuts are OpenCV's; resizing is Pillow's.

- A picture's longer side becomes 1280; one of 640 and less becomes twice as large, others stay. Padded with black to
  multiples of 320 on the right and below.
- Pixels above 0.3 that touch (8 neighbours) are one part; the smallest rectangle around it grows by
  area * 1.6 / perimeter on each side. Parts less sure than 0.5 in the mean go.
- A line is cut from the picture, 48 high (see `cut`), padded with zeros (grey) to 320, 640, 1280 or 2560.
- Spelled by the likeliest class of each step, without repetitions and blanks. The network leaves out many spaces
  between words, but thinks of them: where a space had a share of SPACE in the steps between two characters, of which
  one is ASCII, one stands. (On these pictures the least of 90 real ones had 0.035, the next 0.3; the most that
  was none had 0.006.)
"""

import json
import pathlib
import sys

import cv2
import numpy as np
import onnxruntime
from PIL import Image

SPACE = 0.05
ASCII = "".join(map(chr, range(33, 127)))


def session(models, name):
    return onnxruntime.InferenceSession(str(models / "weights" / f"{name}.onnx"), providers=["CPUExecutionProvider"])


def run(network, array):
    """`array` is RGB bytes, or numbers already."""
    if array.dtype == np.uint8:
        array = (array[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    return network.run(None, {network.get_inputs()[0].name: array.astype(np.float32)})[0][0]


def find(network, picture):
    width, height = picture.size
    longer = max(width, height)
    scale = 1280 / longer if longer >= 1280 else min(2, 1280 // longer)
    size = round(width * scale), round(height * scale)
    canvas = np.zeros((-(-size[1] // 320) * 320, -(-size[0] // 320) * 320, 3), np.uint8)
    canvas[: size[1], : size[0]] = np.asarray(picture.resize(size, Image.BILINEAR))
    chart = run(network, canvas)[0][: size[1], : size[0]]
    count, labels = cv2.connectedComponents((chart > 0.3).astype(np.uint8), connectivity=8)
    for label in range(1, count):
        ys, xs = np.nonzero(labels == label)
        points = np.concatenate([np.stack([xs + dx, ys + dy], 1) for dx in (0, 1) for dy in (0, 1)]).astype(np.float32)
        (cx, cy), (w, h), angle = cv2.minAreaRect(points)
        mask = np.zeros(chart.shape, np.uint8)
        cv2.fillPoly(mask, [np.round(cv2.boxPoints(((cx - 0.5, cy - 0.5), (w - 1, h - 1), angle))).astype(int)], 1)
        sure = cv2.mean(chart, mask)[0]
        if min(w, h) < 3 or sure < 0.5:
            continue
        grow = w * h * 1.6 / (w + h) / 2
        if min(w, h) + 2 * grow < 5:
            continue
        corners = cv2.boxPoints(((cx, cy), (w + 2 * grow, h + 2 * grow), angle)) / scale
        yield ordered(corners)


def ordered(corners):
    """Begins with the corner where the text begins above."""
    sides = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
    options = []
    for first in range(4):
        quad = np.roll(corners, -first, 0)
        along = quad[1] - quad[0]
        across = quad[3] - quad[0]
        clockwise = along[0] * across[1] - along[1] * across[0] > 0
        options.append((quad, along, clockwise))
    assert all(option[2] for option in options), "boxPoints go clockwise"
    ratio = max(sides) / min(sides)
    if ratio >= 1.5:
        options = [option for option in options if np.linalg.norm(option[1]) > max(sides) - 1e-3]
    # To the right, or downwards where it stands.
    def rank(option):
        x, y = option[1] / np.linalg.norm(option[1])
        return x if ratio < 1.5 or abs(x) >= abs(y) else y
    return max(options, key=rank)[0]


def cut(picture, quad, width):
    """Every pixel is the mean of places spread over what falls into it, at most 4 x 4; a colour lies between pixels."""
    quad = quad.astype(np.float64)
    along, across = quad[1] - quad[0], quad[3] - quad[0]
    places = [int(np.clip(np.ceil(np.linalg.norm(side) / size), 1, 4)) for side, size in ((along, width), (across, 48))]
    u = (np.arange(width * places[0]) + 0.5) / (width * places[0])
    v = (np.arange(48 * places[1]) + 0.5) / (48 * places[1])
    at = quad[0] + u[None, :, None] * along + v[:, None, None] * across - 0.5
    x, y = at[..., 0].astype(np.float32), at[..., 1].astype(np.float32)
    fine = cv2.remap(np.asarray(picture), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float64)
    mean = fine.reshape(48, places[1], width, places[0], 3).mean((1, 3))
    return np.floor(mean + 0.5).astype(np.uint8)


def padded(line, across):
    values = np.zeros((1, 3, 48, across), np.float32)
    values[0, :, :, : line.shape[1]] = (line[..., ::-1].astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
    return values


def natural(quad):
    return max(1, int(np.ceil(48 * np.linalg.norm(quad[1] - quad[0]) / np.linalg.norm(quad[3] - quad[0]) - 1e-4)))


def spelled(rows, characters):
    text, sure, before, thought = "", [], 0, 0.0
    for row in rows:
        best = int(row.argmax())
        thought = max(thought, float(row[-1]))
        if best and best != before:
            letter = characters[best]
            if thought >= SPACE and text and " " not in (letter, text[-1]) and (letter + text[-1]).strip(ASCII) != letter + text[-1]:
                text += " "
            text += letter
            sure.append(float(row[best]))
            thought = 0.0
        before = best
    return text.strip(), float(np.mean(sure)) if sure else 0.0


def read(networks, characters, picture, quad):
    def letters(quad):
        width = natural(quad)
        across = next((each for each in (320, 640, 1280, 2560) if each >= width), 2560)
        line = cut(picture, quad, min(width, across))
        return spelled(run(networks["read"], padded(line, across)), characters)

    turned = run(networks["turn"], padded(cut(picture, quad, min(natural(quad), 192)), 192))[1]
    best = (*letters(quad), quad)
    if turned > 0.9:
        other = (*letters(np.roll(quad, -2, 0)), np.roll(quad, -2, 0))
        best = max(best, other, key=lambda each: each[1])
    return best


def main():
    models = pathlib.Path(sys.argv[1])
    here = pathlib.Path(__file__).resolve().parent
    networks = {name: session(models, f"text-{name}") for name in ("find", "turn", "read")}
    listed = (models / "weights/text-characters.txt").read_text(encoding="utf-8").split("\n")[:-1]
    characters = ["", *listed, " "]
    files = [models / "samples/text/notice.jpg", *sorted(here.glob("*.png"))]
    lines = {}
    for file in (file for file in files if not file.stem.startswith("line")):
        picture = Image.open(file).convert("RGB")
        found = [read(networks, characters, picture, quad) for quad in find(networks["find"], picture)]
        lines[file.name] = [
            {"text": text, "confidence": round(sure, 4), "corners": np.round(quad.astype(float), 2).tolist()}
            for text, sure, quad in found if text and sure >= 0.5
        ]
        for line in lines[file.name]:
            print(file.name, line["confidence"], line["text"])
    (here / "lines.json").write_text(json.dumps(lines, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    # One line as the networks take it.
    picture = Image.open(models / "samples/text/notice.jpg").convert("RGB")
    quad = max(find(networks["find"], picture), key=lambda quad: np.linalg.norm(quad[1] - quad[0]))
    line = cut(picture, quad, min(natural(quad), 640))
    Image.fromarray(line).save(here / "line.png", optimize=True)
    text, sure = spelled(run(networks["read"], padded(line, 640)), characters)
    facts = {
        "read": {"text": text, "confidence": round(sure, 4)},
        "turn": [round(float(p), 4) for p in run(networks["turn"], padded(cut(picture, quad, 192), 192))],
    }
    Image.fromarray(cut(picture, quad, 192)).save(here / "line192.png", optimize=True)
    (here / "networks.json").write_text(json.dumps(facts, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
