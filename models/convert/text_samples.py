#!/usr/bin/env python3
"""Draws the pictures with text: samples/text/notice.jpg, which is bundled, and those of tests/golden/text.

    pip install numpy==2.4.6 pillow==13.0.0
    python convert/text_samples.py          # writes into the folder models

Letters are the project's own cut of Noto Sans SC (OFL, node/analysis/fonts); pictures are as this project.
"""

import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

ROOT = pathlib.Path(__file__).resolve().parent.parent
FONT = ROOT.parent / "node/analysis/fonts/NotoSansSC-cut.otf"
GOLDEN = ROOT / "tests/golden/text"


def font(size):
    return ImageFont.truetype(str(FONT), size)


def page(size, lines, paper=(252, 251, 247), ink=(28, 28, 32)):
    picture = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(picture)
    for x, y, height, text in lines:
        draw.text((x, y), text, ink, font(height))
    return picture


def photographed(picture, corners, size, seed):
    """The page as a camera sees it: lying on a table, lit from one side, not quite sharp."""
    width, height = picture.size
    rows, wanted = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (width, 0), (width, height), (0, height)]):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    data = np.linalg.solve(np.array(rows, float), np.array(wanted, float))
    seen = picture.transform(size, Image.PERSPECTIVE, tuple(data), Image.BICUBIC)
    inside = Image.new("L", picture.size, 255).transform(size, Image.PERSPECTIVE, tuple(data), Image.BICUBIC)
    noise = np.random.default_rng(seed)
    grain = noise.normal(0, 9, (size[1], size[0], 1)) + noise.normal(0, 5, (size[1], 1, 1))
    table = Image.fromarray(np.clip(np.array([104, 82, 60]) + grain, 0, 255).astype(np.uint8))
    seen = Image.composite(seen, table, inside).filter(ImageFilter.GaussianBlur(0.6))
    light = np.linspace(1.06, 0.78, size[0])[None, :, None] * np.linspace(1.02, 0.9, size[1])[:, None, None]
    grain = noise.normal(0, 3, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(seen) * light + grain, 0, 255).astype(np.uint8))


def notice():
    lines = [
        (60, 40, 72, "Potluck supper"),
        (60, 150, 58, "每人带一道菜"),
        (60, 250, 36, "Friday 19:30, in the library"),
        (60, 310, 36, "星期五晚上七点半，图书馆"),
        (60, 390, 30, "Please bring your own plate."),
        (60, 440, 30, "请自带餐具，谢谢！"),
    ]
    picture = page((640, 520), lines)
    return photographed(picture, [(78, 40), (590, 72), (612, 452), (40, 430)], (660, 500), 7)


def columns():
    left = ["The mesh has no centre: every", "machine runs the same node and", "offers what it is good at. A call",
            "goes to the peer that will answer", "soonest, and to the next one if", "that peer dies on the way."]
    right = ["网络没有中心，每台机器都运行", "同样的节点，提供自己擅长的事。", "请求会发给最快能回答的节点，",
             "如果它中途离开，就换下一个。", "邮件和文件端到端加密，对方", "不在线时也能送到。"]
    lines = [(250, 30, 44, "Notes 笔记")]
    lines += [(40, 120 + 48 * row, 26, text) for row, text in enumerate(left)]
    lines += [(520, 120 + 48 * row, 26, text) for row, text in enumerate(right)]
    return page((960, 440), lines)


def screen():
    picture = Image.new("RGB", (800, 420), (30, 32, 40))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 800, 44), (46, 50, 62))
    draw.text((18, 9), "Settings 设置", (235, 235, 240), font(22))
    rows = [("Language", "简体中文"), ("Listen on", "127.0.0.1:4001"), ("Storage", "12.5 GB of 64 GB"),
            ("Keep mail", "30 days"), ("自动更新", "已关闭")]
    for row, (key, value) in enumerate(rows):
        y = 76 + 62 * row
        draw.line((18, y + 46, 782, y + 46), (60, 64, 78))
        draw.text((24, y), key, (190, 195, 205), font(20))
        draw.text((460, y), value, (240, 240, 245), font(20))
    return picture


def wall():
    noise = np.random.default_rng(3)
    bricks = np.full((360, 480, 3), 168.0)
    bricks[:, :] *= np.linspace(0.9, 1.05, 480)[None, :, None]
    bricks += noise.normal(0, 6, (360, 480, 1))
    return Image.fromarray(np.clip(bricks, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))


def slanted():
    lines = [(40, 40, 40, "Turned by eleven degrees"), (40, 110, 40, "倾斜的一行字"), (40, 180, 40, "Order No. 20481")]
    return page((620, 270), lines).rotate(11, Image.BICUBIC, expand=True, fillcolor=(252, 251, 247))


def main():
    notice().save(ROOT / "samples/text/notice.jpg", quality=88)
    pictures = {"columns": columns(), "screen": screen(), "wall": wall(), "slanted": slanted()}
    upright = page((560, 240), [(30, 24, 40, "This side up"), (30, 92, 40, "此面朝上"), (30, 160, 32, "Handle with care 小心轻放")])
    for degrees in (90, 180, 270):
        pictures[f"turned{degrees}"] = upright.rotate(degrees, expand=True)
    for name, picture in pictures.items():
        picture.save(GOLDEN / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
