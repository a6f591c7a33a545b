#!/usr/bin/env python3
"""Makes the three networks that read text, and their characters, in weights/ from a package of PyPI.

    python -m venv env
    env/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
    env/bin/pip download --no-deps rapidocr-onnxruntime==1.4.4
    env/bin/python convert/text.py rapidocr_onnxruntime-1.4.4-py3-none-any.whl   # writes ../weights beside this script

PP-OCRv4 mobile by PaddlePaddle (Apache-2.0), as ONNX in RapidOCR's package (Apache-2.0). All take BGR,
(x / 255 - 0.5) / 0.5, [N,3,H,W]:

- text-find: DBNet, sides multiples of 32; [N,1,H,W], the probability that a pixel belongs to the inner part of text.
- text-turn: 48 x 192; [N,2], the probabilities that a line stands upright or upside down.
- text-read: SVTR, 48 x any width; [N,W/8,6625], probabilities of blank, the lines of text-characters.txt, a space.

Only the storage changes: weights are float16 and become float32 when a session loads; every constant becomes an
initializer, and shapes inside of the graph, which name the sizes of the export, go.
"""

import hashlib
import pathlib
import sys
import zipfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FILES = {
    "text-find": ("ch_PP-OCRv4_det_infer.onnx", "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"),
    "text-turn": ("ch_ppocr_mobile_v2.0_cls_infer.onnx", "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"),
    "text-read": ("ch_PP-OCRv4_rec_infer.onnx", "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"),
}
SHAPES = {"text-find": (320, 480), "text-turn": (48, 192), "text-read": (48, 320)}


def stored(name, data):
    """The model with its large weights as float16."""
    model = onnx.load_from_string(data)
    graph = model.graph
    nodes, constants, casts = [], list(graph.initializer), []
    for node in graph.node:
        if node.op_type != "Constant":
            nodes.append(node)
            continue
        (value,) = [each for each in node.attribute if each.name == "value"]
        tensor = onnx.TensorProto()
        tensor.CopyFrom(value.t)
        tensor.name = node.output[0]
        constants.append(tensor)
    kept = []
    for tensor in constants:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < 64:
            kept.append(tensor)
            continue
        assert np.abs(array).max() < 6e4, (tensor.name, np.abs(array).max())
        code = f"{tensor.name}.stored"
        kept.append(numpy_helper.from_array(array.astype(np.float16), code))
        casts.append(helper.make_node("Cast", [code], [tensor.name], to=TensorProto.FLOAT))
    del graph.initializer[:], graph.node[:], graph.value_info[:]
    graph.initializer.extend(kept)
    graph.node.extend(casts + nodes)
    (entry,) = graph.input
    sides = {"text-find": ("H", "W"), "text-turn": (48, 192), "text-read": (48, "W")}[name]
    shape = helper.make_tensor_value_info(entry.name, TensorProto.FLOAT, ["N", 3, *sides])
    entry.CopyFrom(shape)
    out = graph.output[0]
    shape = {"text-find": ["N", 1, "H", "W"], "text-turn": ["N", 2], "text-read": ["N", "T", 6625]}[name]
    out.CopyFrom(helper.make_tensor_value_info(out.name, TensorProto.FLOAT, shape))
    characters = [prop.value for prop in model.metadata_props if prop.key == "character"]
    del model.metadata_props[:]
    model.producer_name = "potluck convert/text.py"
    model.doc_string = "PP-OCRv4 mobile. Weights: PyPI rapidocr-onnxruntime 1.4.4, Apache-2.0."
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True), characters


def main():
    target = pathlib.Path(__file__).resolve().parent.parent / "weights"
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        for name, (file, expected) in FILES.items():
            data = wheel.read(f"rapidocr_onnxruntime/models/{file}")
            found = hashlib.sha256(data).hexdigest()
            if found != expected:
                sys.exit(f"{file} has SHA-256 {found}, expected {expected}")
            small, characters = stored(name, data)
            batch = np.random.default_rng(1).normal(0, 0.6, (2, 3, *SHAPES[name])).astype(np.float32)
            runs = []
            for each in (small, data):
                session = onnxruntime.InferenceSession(each)
                runs.append(session.run(None, {session.get_inputs()[0].name: batch})[0])
            difference = np.abs(runs[0] - runs[1]).max()
            (target / f"{name}.onnx").write_bytes(small)
            print(f"{name}.onnx: {len(small)} bytes, gives {runs[0].shape}, largest difference on noise {difference:.5f}, "
                  f"SHA-256 {hashlib.sha256(small).hexdigest()}")
            for text in characters:
                lines = text.split("\n")
                assert lines[-1] == "" or len(lines) == 6623, len(lines)
                (target / "text-characters.txt").write_text("\n".join(lines).rstrip("\n") + "\n", encoding="utf-8")
                print(f"text-characters.txt: {len(lines)} lines")


if __name__ == "__main__":
    main()
