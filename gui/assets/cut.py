"""Makes the fonts of the window again.

    apt-get install fonts-noto-cjk; pip install fonttools==4.68.0; npm pack lucide-static@1.62.0
    python3 cut.py /usr/share/fonts/opentype/noto lucide-static-1.62.0.tgz

Writes NotoSansSC-Bold-cut.otf (the characters of the charts' Regular, which the window shares),
NotoSansMono-cut.otf (ASCII, for ids and addresses) and lucide-cut.ttf (the icons that ../src/icon.rs
names). The same input gives the same bytes.
"""

import hashlib
import io
import json
import pathlib
import re
import sys
import tarfile

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

HERE = pathlib.Path(__file__).parent
REGULAR = HERE / "../../node/analysis/fonts/NotoSansSC-cut.otf"
ICONS = HERE / "../src/icon.rs"


def face(collection, family):
    fonts = TTCollection(collection, lazy=True).fonts
    named = [font for font in fonts if font["name"].getDebugName(16) == family]
    return (named or [font for font in fonts if font["name"].getDebugName(1) == family])[0]


def cut(font, points, name):
    options = subset.Options()
    options.hinting = False
    options.layout_features = []  # no kerning: as in the Regular of the charts
    options.glyph_names = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
    options.name_languages = [0x409]
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx", "DSIG"]
    font.recalcTimestamp = False
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=points)
    cutter.subset(font)
    missing = set(points) - set(font.getBestCmap())
    assert not missing, [hex(point) for point in missing]
    font.save(HERE / name)
    data = (HERE / name).read_bytes()
    print(f"{name}: {len(points)} characters, {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


def icons():
    """Name and code point of each icon that the window uses."""
    found = re.findall(r'\("([a-z0-9-]+)", \'\\u\{([0-9a-f]+)\}\'\)', ICONS.read_text())
    return {name: int(point, 16) for name, point in found}


def main(noto, lucide):
    noto = pathlib.Path(noto)
    regular = set(TTFont(REGULAR).getBestCmap())
    cut(face(noto / "NotoSansCJK-Bold.ttc", "Noto Sans CJK SC"), regular, "NotoSansSC-Bold-cut.otf")
    ascii = range(0x20, 0x7F)
    cut(face(noto / "NotoSansCJK-Regular.ttc", "Noto Sans Mono CJK SC"), ascii, "NotoSansMono-cut.otf")
    with tarfile.open(lucide) as package:
        read = lambda path: package.extractfile(f"package/font/{path}").read()
        there = json.loads(read("codepoints.json"))
        used = icons()
        assert all(there[name] == point for name, point in used.items())
        cut(TTFont(io.BytesIO(read("lucide.ttf"))), used.values(), "lucide-cut.ttf")


if __name__ == "__main__":
    main(*sys.argv[1:])
