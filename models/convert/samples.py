#!/usr/bin/env python3
"""Makes samples/*.jpg from pictures inside PyPI packages.

    pip download --no-deps scikit-image==0.26.0 scikit-learn==1.9.1
    pip install pillow==13.0.0
    python convert/samples.py FOLDER_WITH_THE_WHEELS
"""

import io
import pathlib
import sys
import zipfile

from PIL import Image

LONGER_SIDE = 640
SOURCES = [
    ("scikit_image", "skimage/data/chelsea.png", "cat.jpg"),
    ("scikit_image", "skimage/data/coffee.png", "coffee.jpg"),
    ("scikit_image", "skimage/data/rocket.jpg", "rocket.jpg"),
    ("scikit_image", "skimage/data/camera.png", "cameraman.jpg"),
    ("scikit_learn", "sklearn/datasets/images/flower.jpg", "flower.jpg"),
    ("scikit_learn", "sklearn/datasets/images/china.jpg", "temple.jpg"),
]


def main():
    wheels = pathlib.Path(sys.argv[1])
    target = pathlib.Path(__file__).resolve().parent.parent / "samples"
    for package, path, name in SOURCES:
        (wheel,) = wheels.glob(f"{package}-*.whl")
        picture = Image.open(io.BytesIO(zipfile.ZipFile(wheel).read(path)))
        picture.thumbnail((LONGER_SIDE, LONGER_SIDE), Image.LANCZOS)
        picture.save(target / name, quality=88, optimize=True)
        print(name, picture.size, picture.mode, (target / name).stat().st_size)


if __name__ == "__main__":
    main()
