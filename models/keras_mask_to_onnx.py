"""Turn the published mask classifier (a Keras 2 file of a MobileNetV2) into an ONNX file.

Only numpy, h5py and onnx are needed: no TensorFlow. Batch normalisation is folded into the convolution before it,
in double precision; nothing else is computed. The graph is NCHW, the published one NHWC.

The output is pinned by its sha256 in `models.toml`, so the order of nodes, initialisers and attributes below is
part of the contract: reordering anything, however equivalent, is a new file with a new hash.

    keras_mask_to_onnx.py face_mask_detector.model mask-mobilenet-v2.onnx
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8
SIDE_PX = 224
# With a mask, without one.
CLASSES = 2


class Layer:
    """One layer of the Keras model, with readable attributes."""

    def __init__(self, raw: dict, weights: h5py.Group):
        self.name: str = raw["name"]
        self.kind: str = raw["class_name"]
        self.config: dict = raw["config"]
        nodes = raw["inbound_nodes"]
        if len(nodes) > 1:
            raise ValueError(f"{self.name}: a layer that is used twice is not known to this converter")
        self.inputs: list[str] = [source[0] for source in nodes[0]] if nodes else []
        group = weights[self.name]
        names = [name.decode() if isinstance(name, bytes) else name for name in group.attrs["weight_names"]]
        self.weights = {name.split("/")[-1].split(":")[0]: np.array(group[name]) for name in names}


class Converter:
    """Walks the layers once and emits ONNX nodes.

    There is one method per kind of layer; a layer without a method, or one used in a way the method does not know,
    is an error, because a guess would be a classifier that is slightly wrong.
    """

    def __init__(self, layers: list[Layer]):
        self.layers = {layer.name: layer for layer in layers}
        self.tensors: dict[str, str] = {}
        self.paddings: dict[str, list[int]] = {}
        self.folded: set[str] = set()
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []

    def run(self) -> None:
        methods = {
            "InputLayer": self.input_layer,
            "ZeroPadding2D": self.zero_padding,
            "Conv2D": self.convolution,
            "DepthwiseConv2D": self.convolution,
            "BatchNormalization": self.batch_normalisation,
            "ReLU": self.relu_6,
            "Add": self.add,
            "AveragePooling2D": self.average_pooling,
            "Flatten": self.flatten,
            "Dropout": self.dropout,
            "Dense": self.dense,
        }
        for layer in self.layers.values():
            if layer.kind not in methods:
                raise ValueError(f"{layer.name}: layer {layer.kind} is not known to this converter")
            methods[layer.kind](layer)

    # Layers that leave no node behind.

    def input_layer(self, layer: Layer) -> None:
        self.tensors[layer.name] = "input"

    def zero_padding(self, layer: Layer) -> None:
        (top, bottom), (left, right) = layer.config["padding"]
        self.tensors[layer.name] = self.source(layer)
        self.paddings[layer.name] = [top, left, bottom, right]

    def batch_normalisation(self, layer: Layer) -> None:
        if layer.name not in self.folded:
            raise ValueError(f"{layer.name}: follows something other than a convolution")
        self.tensors[layer.name] = self.source(layer)

    def dropout(self, layer: Layer) -> None:
        self.tensors[layer.name] = self.source(layer)

    # Layers that become nodes.

    def convolution(self, layer: Layer) -> None:
        depthwise = layer.kind == "DepthwiseConv2D"
        kernel = layer.weights["depthwise_kernel" if depthwise else "kernel"]
        kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1)).astype(np.float64)
        channels, side = kernel.shape[0], kernel.shape[2]
        bias = layer.weights.get("bias", np.zeros(channels)).astype(np.float64)
        kernel, bias = self.normalised(layer, kernel, bias)
        self.emit(
            "Conv",
            [self.source(layer), self.constant(f"{layer.name}_w", kernel), self.constant(f"{layer.name}_b", bias)],
            layer,
            kernel_shape=[side, side],
            strides=list(layer.config["strides"]),
            pads=self.pads(layer, side),
            group=channels if depthwise else 1,
        )

    def normalised(self, layer: Layer, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Kernel and bias with the normalisation that follows, if one does."""
        followers = [other for other in self.layers.values() if layer.name in other.inputs]
        if len(followers) != 1 or followers[0].kind != "BatchNormalization":
            return kernel, bias
        (norm,) = followers
        of = {name: values.astype(np.float64) for name, values in norm.weights.items()}
        scale = of["gamma"] / np.sqrt(of["moving_variance"] + norm.config["epsilon"])
        self.folded.add(norm.name)
        return kernel * scale[:, None, None, None], (bias - of["moving_mean"]) * scale + of["beta"]

    def pads(self, layer: Layer, side: int) -> list[int]:
        before = self.paddings.get(layer.inputs[0])
        if layer.config["padding"] == "valid":
            return before or [0, 0, 0, 0]
        # With a stride, "same" pads differently before and after; the published graph pads explicitly there.
        if before or list(layer.config["strides"]) != [1, 1]:
            raise ValueError(f"{layer.name}: this padding is not known to this converter")
        return [side // 2] * 4

    def relu_6(self, layer: Layer) -> None:
        if float(layer.config["max_value"]) != 6.0:
            raise ValueError(f"{layer.name}: only a ReLU that ends at 6 is known")
        self.emit("Clip", [self.source(layer), "zero", "six"], layer)

    def add(self, layer: Layer) -> None:
        self.emit("Add", [self.tensors[name] for name in layer.inputs], layer)

    def average_pooling(self, layer: Layer) -> None:
        side = list(layer.config["pool_size"])
        self.emit("AveragePool", [self.source(layer)], layer, kernel_shape=side, strides=list(layer.config["strides"]))

    def flatten(self, layer: Layer) -> None:
        # What is left of the picture is one pixel, so the order of the axes does not matter.
        self.emit("Flatten", [self.source(layer)], layer, axis=1)

    def dense(self, layer: Layer) -> None:
        weights = self.constant(f"{layer.name}_w", layer.weights["kernel"])
        bias = self.constant(f"{layer.name}_b", layer.weights["bias"])
        sums = f"{layer.name}_g"
        self.nodes.append(helper.make_node("Gemm", [self.source(layer), weights, bias], [sums]))
        last = layer.config["activation"] == "softmax"
        self.emit("Softmax" if last else "Relu", [sums], layer, **({"axis": 1} if last else {}))

    # What the layers share.

    def source(self, layer: Layer) -> str:
        (name,) = layer.inputs
        return self.tensors[name]

    def emit(self, op: str, inputs: list[str], layer: Layer, **attributes) -> None:
        self.nodes.append(helper.make_node(op, inputs, [layer.name], **attributes))
        self.tensors[layer.name] = layer.name

    def constant(self, name: str, values: np.ndarray) -> str:
        self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name


def convert(source: Path) -> onnx.ModelProto:
    """The ONNX model of the Keras file at `source`."""
    with h5py.File(source) as file:
        text = file.attrs["model_config"]
        config = json.loads(text if isinstance(text, str) else text.decode())["config"]
        layers = [Layer(raw, file["model_weights"]) for raw in config["layers"]]
    converter = Converter(layers)
    converter.run()
    # The last layer is the only output, and it goes by the name of what it says.
    ((last, _, _),) = config["output_layers"]
    converter.nodes[-1].output[0] = "classes"
    if converter.tensors[last] != last:
        raise ValueError(f"{last}: is not the last layer")
    clip = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("zero", 0), ("six", 6))]
    face = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, SIDE_PX, SIDE_PX])
    classes = helper.make_tensor_value_info("classes", TensorProto.FLOAT, [1, CLASSES])
    graph = helper.make_graph(converter.nodes, "mask", [face], [classes], converter.initialisers + clip)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="face_mask_detector.model as published")
    parser.add_argument("target", type=Path, help="ONNX file to write")
    arguments = parser.parse_args()
    model = convert(arguments.source)
    onnx.checker.check_model(model)
    onnx.save(model, str(arguments.target))


if __name__ == "__main__":
    main()
