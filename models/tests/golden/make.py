#!/usr/bin/env python3
"""Makes what the tests compare with, using other people's code: Pillow and ONNX Runtime's own Python.

    pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.30.0 pillow==13.0.0
    python tests/golden/make.py

- probabilities.json: the five best classes of each sample, by the usual steps (resize the shorter side to 256 with
  Pillow's bicubic filter, cut 224 x 224 from the centre).
- pictures/: one small picture in many formats: 32 x 24, its quarters red, green / blue, white.
- tiny/: models of a few hundred bytes whose outputs are the means of the three channels.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parent.parent


def probabilities():
    session = onnxruntime.InferenceSession(MODELS / "weights" / "efficientnet-lite0.onnx")
    golden = {}
    for path in sorted((MODELS / "samples").glob("*.jpg")):
        picture = Image.open(path).convert("RGB")
        factor = 256 / min(picture.size)
        width, height = (round(side * factor) for side in picture.size)
        picture = picture.resize((width, height), Image.BICUBIC)
        left, top = (width - 224) // 2, (height - 224) // 2
        picture = picture.crop((left, top, left + 224, top + 224))
        values = (np.asarray(picture, np.float32) - 127) / 128
        row = session.run(["prob"], {"input": values.transpose(2, 0, 1)[None]})[0][0]
        best = np.argsort(-row)[:5]
        golden[path.name] = [[int(index), round(float(row[index]), 4)] for index in best]
    (HERE / "probabilities.json").write_text(json.dumps(golden, indent=1) + "\n")


def pictures():
    folder = HERE / "pictures"
    rgb = Image.new("RGB", (32, 24), "white")
    rgb.paste((255, 0, 0), (0, 0, 16, 12))
    rgb.paste((0, 255, 0), (16, 0, 32, 12))
    rgb.paste((0, 0, 255), (0, 12, 16, 24))
    jpeg = {"quality": 95, "subsampling": 0}
    rgb.save(folder / "plain.jpg", **jpeg)
    rgb.save(folder / "progressive.jpg", progressive=True, **jpeg)
    rgb.save(folder / "subsampled.jpg", quality=95, subsampling=2)
    rgb.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    rgb.save(folder / "plain.png")
    rgb.quantize(16).save(folder / "palette.png")
    rgb.save(folder / "plain.bmp")
    rgb.save(folder / "plain.gif")
    rgb.quantize(16).save(folder / "animated.gif", save_all=True, append_images=[Image.new("RGB", (32, 24))])
    rgb.save(folder / "lossless.webp", lossless=True)
    rgb.save(folder / "lossy.webp", quality=95)
    rgb.save(folder / "plain.tif")
    rgb.save(folder / "lzw.tif", compression="tiff_lzw")
    rgb.save(folder / "big.tif", big_tiff=True)
    strange = HERE / "strange"
    strange.mkdir(exist_ok=True)
    rgb.quantize(16).save(strange / "palette.tif")
    rgb.convert("YCbCr").save(strange / "ycbcr.tif")
    rgb.convert("LAB").save(strange / "lab.tif")
    rgb.convert("L").convert("1").save(strange / "bilevel.tif")
    # The white quarter is transparent black: over white it must come out white.
    alpha = rgb.convert("RGBA")
    alpha.paste((0, 0, 0, 0), (16, 12, 32, 24))
    alpha.save(folder / "alpha.png")
    alpha.save(folder / "alpha.webp", lossless=True)
    grey = rgb.convert("L")
    grey.save(folder / "grey.jpg", quality=95)
    wide = np.asarray(grey, np.uint16) * 257
    Image.fromarray(wide).save(folder / "grey16.png")
    # The stored pixels are turned such that the orientation makes them upright again.
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    for orientation, step in undo.items():
        stored = rgb.transpose(step) if step is not None else rgb
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(folder / f"orientation{orientation}.jpg", exif=exif, **jpeg)


def tiny():
    float32, helper = onnx.TensorProto.FLOAT, onnx.helper

    def save(name, input_shape, axes, inputs=("x",), outputs=("y",)):
        nodes = [helper.make_node("ReduceMean", ["x"], [y], axes=axes, keepdims=0) for y in outputs]
        graph = helper.make_graph(
            nodes,
            name,
            [helper.make_tensor_value_info(x, float32, input_shape) for x in inputs],
            [helper.make_tensor_value_info(y, float32, [input_shape[0], 3]) for y in outputs],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, HERE / "tiny" / f"{name}.onnx")

    save("nchw-fixed", [1, 3, 8, 8], [2, 3])
    save("nhwc", ["N", 8, 8, 3], [1, 2])
    save("two-outputs", ["N", 3, 8, 8], [2, 3], outputs=("y", "z"))
    save("two-inputs", ["N", 3, 8, 8], [2, 3], inputs=("x", "w"))


if __name__ == "__main__":
    probabilities()
    pictures()
    tiny()
