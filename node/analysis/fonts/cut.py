"""Cuts Noto Sans CJK SC down to what the charts draw, and lists how wide each character is.

    apt-get install fonts-noto-cjk; pip install fonttools==4.68.0
    python3 cut.py /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc

Writes NotoSansSC-cut.otf and advances.txt beside itself; the same input gives the same bytes.
"""

import hashlib
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTCollection

HERE = pathlib.Path(__file__).parent
FAMILY = "Noto Sans CJK SC"
RANGES = [
    (0x20, 0x7E), (0xA0, 0x24F), (0x2B0, 0x2FF),  # Latin
    (0x370, 0x3FF), (0x400, 0x45F), (0x1E00, 0x1EFF),  # Greek, Cyrillic, Vietnamese
    (0x2010, 0x2027), (0x2030, 0x205E), (0x2070, 0x209C), (0x20A0, 0x20BF),  # punctuation, money
    (0x2100, 0x218F), (0x2190, 0x21FF), (0x2200, 0x22FF),  # letter-like, arrows, mathematics
    (0x2460, 0x24FF), (0x2500, 0x25FF), (0x2600, 0x266F), (0x2700, 0x27BF),  # figures, shapes
    (0x3000, 0x30FF), (0x3105, 0x3129), (0x3200, 0x33FF),  # Chinese marks, kana, units
    (0xFE30, 0xFE4F), (0xFF01, 0xFFEE), (0xFFFD, 0xFFFD),  # wide forms
]


def wanted():
    """Code points: the ranges, all of GB 2312, and the frequent ones of Big5 and JIS X 0208."""
    points = {point for low, high in RANGES for point in range(low, high + 1)}
    for charset, last in (("gb2312", 0xF7), ("big5", 0xC6), ("euc_jp", 0xCF)):
        for row in range(0xA1, last + 1):
            for cell in range(0x40, 0xFF):
                try:
                    points.update(map(ord, bytes([row, cell]).decode(charset)))
                except UnicodeDecodeError:
                    pass
    return points


def runs(font):
    """`from to advance` in hexadecimal code points and units, for neighbours of one width."""
    cmap, metrics = font.getBestCmap(), font["hmtx"]
    lines = []
    for point, glyph in sorted(cmap.items()):
        advance = metrics[glyph][0]
        if lines and lines[-1][1] == point - 1 and lines[-1][2] == advance:
            lines[-1][1] = point
        else:
            lines.append([point, point, advance])
    return [f"{low:x} {high:x} {advance}\n" for low, high, advance in lines]


def main(source):
    font = next(
        font
        for font in TTCollection(source, lazy=True).fonts
        if font["name"].getDebugName(1) == FAMILY
    )
    options = subset.Options()
    options.hinting = False
    options.layout_features = []  # no kerning: a width is the sum of its advances
    options.glyph_names = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.name_languages = [0x409]
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx", "DSIG"]
    font.recalcTimestamp = False
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted())
    cutter.subset(font)
    out = HERE / "NotoSansSC-cut.otf"
    font.save(out)
    (HERE / "advances.txt").write_text("".join(runs(font)), newline="\n")
    data = out.read_bytes()
    print(len(font.getBestCmap()), "characters,", len(data), "bytes,", hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    main(sys.argv[1])
