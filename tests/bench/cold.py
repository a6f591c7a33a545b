"""What `bench cold` compares with: from nothing to the labels of one picture.

    python cold.py MODEL.onnx PICTURE.jpg

Imports onnxruntime, loads the model, prepares the picture as models/weights/efficientnet-lite0.toml says,
and prints the places of the five best labels.
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image

model, file = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
picture = Image.open(file).convert("RGB")
side = 0.875 * min(picture.size)
left, top = (picture.width - side) / 2, (picture.height - side) / 2
square = picture.resize((224, 224), Image.BICUBIC, box=(left, top, left + side, top + side))
values = ((np.asarray(square, dtype=np.float32) - 127.0) / 128.0).transpose(2, 0, 1)[None]
(probabilities,) = session.run(["prob"], {"input": np.ascontiguousarray(values)})
print(np.argsort(probabilities[0])[::-1][:5].tolist())
