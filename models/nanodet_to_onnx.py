"""Turn the published NanoDet-g weights (a TensorFlow.js graph) into an ONNX file.

The package publishes `nanodet.json` (the graph) and `nanodet.bin` (its weights).
Only numpy and onnx are needed: no TensorFlow. The result accepts any height and
width that are multiples of 32, although the published graph is fixed at 416.

The output is pinned by its sha256 in `models.toml`, so the order of nodes,
initialisers and attributes below is part of the contract: reordering anything,
however equivalent, is a new file with a new hash.

    nanodet_to_onnx.py nanodet.json nanodet-g.onnx
"""

from __future__ import annotations

import argparse
import base64
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8
PUBLISHED_SIDE_PX = 416
NCHW = (0, 1, 2, 3)
NHWC = (0, 2, 3, 1)  # TensorFlow's axes N, H, W, C as positions in N, C, H, W

# The graph pads a max-pool with the lowest float, which is what a pooling
# operator assumes outside its input anyway.
MINUS_INFINITY = -1e30

# Below this, storing a weight as float16 and casting it back saves nothing.
HALF_FROM_ELEMENTS = 257


@dataclass(frozen=True)
class Padding:
    """A border that the next operator has to add to its input."""

    top: int
    left: int
    bottom: int
    right: int
    fill: float

    def onnx_pads(self) -> list[int]:
        return [self.top, self.left, self.bottom, self.right]


@dataclass(frozen=True)
class Tensor:
    """What became of a TensorFlow value.

    The ONNX graph is NCHW throughout. A TensorFlow transposition therefore
    produces no node: it only changes `axes`, the ONNX axis of each TensorFlow
    axis. In the same way a `Pad` waits in `padding` for its convolution.
    """

    name: str
    axes: tuple[int, ...]
    side_px: int  # height and width, when the input has the published size
    padding: Padding | None = None


class TfNode:
    """One node of the TensorFlow.js graph, with readable attributes."""

    def __init__(self, raw: dict):
        self.name: str = raw["name"]
        self.op: str = raw["op"]
        self.inputs: list[str] = [name.split(":")[0] for name in raw.get("input", [])]
        self._attributes: dict = raw.get("attr", {})

    def text(self, key: str) -> str:
        return base64.b64decode(self._attributes[key]["s"]).decode()

    def number(self, key: str) -> float:
        return float(self._attributes[key]["f"])

    def height_and_width(self, key: str) -> list[int]:
        """The two spatial entries of an NHWC list such as `strides`."""
        return [int(n) for n in self._attributes[key]["list"]["i"]][1:3]


def read_weights(model: dict, folder: Path) -> dict[str, np.ndarray]:
    """Every named constant of the graph, in the type the graph computes with."""
    weights = {}
    for group in model["weightsManifest"]:
        data = b"".join((folder / path).read_bytes() for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            stored = np.dtype(entry.get("quantization", entry)["dtype"])
            if stored not in (np.float16, np.float32, np.int32):
                raise ValueError(f"weight {entry['name']} is stored as {stored}, which this converter cannot read")
            count = int(np.prod(entry["shape"]))
            values = np.frombuffer(data, stored, count, offset).reshape(entry["shape"])
            weights[entry["name"]] = values.astype(entry["dtype"])
            offset += count * stored.itemsize
        if offset != len(data):
            raise ValueError(f"{group['paths']}: the manifest describes {offset} bytes, the files hold {len(data)}")
    return weights


def inputs_first(nodes: dict[str, TfNode], roots: list[str]) -> list[TfNode]:
    """The nodes which `roots` need, each once and after its own inputs."""
    ordered: list[TfNode] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        # Last input first: this order of nodes is the one the hash was taken of.
        for source in reversed(nodes[name].inputs):
            visit(source)
        ordered.append(nodes[name])

    for root in roots:
        visit(root)
    return ordered


class Converter:
    """Walks the TensorFlow graph once and emits ONNX nodes.

    There is one method per TensorFlow operator; an operator without a method,
    or one used in a way the method does not know, is an error, because a guess
    would be a detector that is slightly wrong.
    """

    def __init__(self, nodes: dict[str, TfNode], weights: dict[str, np.ndarray]):
        self.nodes = nodes
        self.weights = weights
        self.tensors: dict[str, Tensor] = {}
        self.onnx_nodes: list[onnx.NodeProto] = []
        self.initialisers: list[onnx.TensorProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def run(self) -> None:
        # Each detection head ends in a split into class scores and box sides.
        # What follows it (sigmoid, flattening) is replaced by `split_v`.
        heads = [node.name for node in self.nodes.values() if node.op == "SplitV"]
        for node in inputs_first(self.nodes, heads):
            self.convert(node)

    def convert(self, node: TfNode) -> None:
        methods = {
            "Placeholder": self.placeholder,
            "Transpose": self.transpose,
            "Pad": self.pad,
            "PadV2": self.pad,
            "Conv2D": self.conv_2d,
            "Add": self.add,
            "AddV2": self.add,
            "LeakyRelu": self.leaky_relu,
            "MaxPool": self.max_pool,
            "ConcatV2": self.concat,
            "ResizeBilinear": self.resize_bilinear,
            "SplitV": self.split_v,
        }
        if node.op == "Const":
            return
        if node.op not in methods:
            raise ValueError(f"{node.name}: operator {node.op} is not known to this converter")
        methods[node.op](node)

    # Operators that leave no node behind.

    def placeholder(self, node: TfNode) -> None:
        self.tensors[node.name] = Tensor("input", NCHW, PUBLISHED_SIDE_PX)

    def transpose(self, node: TfNode) -> None:
        source = self.tensors[node.inputs[0]]
        order = self.weights[node.inputs[1]]
        self.tensors[node.name] = replace(source, axes=tuple(source.axes[axis] for axis in order))

    def pad(self, node: TfNode) -> None:
        source = self.unpadded(node.inputs[0])
        fill = float(self.weights[node.inputs[2]]) if node.op == "PadV2" else 0.0
        borders = {source.axes[axis]: border for axis, border in enumerate(self.weights[node.inputs[1]])}
        if borders[0].any() or borders[1].any():
            raise ValueError(f"{node.name}: pads the batch or the channels")
        (top, bottom), (left, right) = borders[2].tolist(), borders[3].tolist()
        self.tensors[node.name] = replace(source, padding=Padding(top, left, bottom, right, fill))

    # Operators that become one.

    def conv_2d(self, node: TfNode) -> None:
        source = self.channels_last(node.inputs[0])
        if source.padding and source.padding.fill != 0:
            raise ValueError(f"{node.name}: a convolution pads with zeros, not with {source.padding.fill}")
        kernel = self.weights[node.inputs[1]].transpose(3, 2, 0, 1)
        self.emit(
            "Conv",
            [
                source.name,
                self.constant(f"{node.name}_w", kernel),
                self.constant(f"{node.name}_b", self.bias_after(node)),
            ],
            node.name,
            strides=node.height_and_width("strides"),
            dilations=node.height_and_width("dilations"),
            kernel_shape=list(kernel.shape[2:]),
            **({} if source.padding else {"pads": [0, 0, 0, 0]}),
        )
        self.windowed(node, source, kernel.shape[2], node.height_and_width("dilations")[0])

    def max_pool(self, node: TfNode) -> None:
        source = self.channels_last(node.inputs[0])
        if source.padding and source.padding.fill > MINUS_INFINITY:
            raise ValueError(f"{node.name}: a max-pool pads with the lowest value, not with {source.padding.fill}")
        kernel = node.height_and_width("ksize")
        self.emit("MaxPool", [source.name], node.name, kernel_shape=kernel, strides=node.height_and_width("strides"))
        self.windowed(node, source, kernel[0], dilation=1)

    def add(self, node: TfNode) -> None:
        constants = [name for name in node.inputs if name in self.weights]
        if constants:
            # The bias of a convolution, which `conv_2d` has already taken.
            (convolution,) = [name for name in node.inputs if name not in self.weights]
            if self.nodes[convolution].op != "Conv2D":
                raise ValueError(f"{node.name}: adds a constant to something other than a convolution")
            self.tensors[node.name] = self.tensors[convolution]
            return
        left, right = (self.unpadded(name) for name in node.inputs)
        if left.axes != right.axes:
            raise ValueError(f"{node.name}: adds two tensors of different layouts")
        self.emit("Add", [left.name, right.name], node.name)
        self.tensors[node.name] = replace(left, name=node.name)

    def leaky_relu(self, node: TfNode) -> None:
        source = self.unpadded(node.inputs[0])
        self.emit("LeakyRelu", [source.name], node.name, alpha=node.number("alpha"))
        self.tensors[node.name] = replace(source, name=node.name)

    def concat(self, node: TfNode) -> None:
        *names, axis = node.inputs
        sources = [self.unpadded(name) for name in names]
        first = sources[0]
        if any(source.axes != first.axes for source in sources):
            raise ValueError(f"{node.name}: joins tensors of different layouts")
        self.emit("Concat", [source.name for source in sources], node.name, axis=first.axes[int(self.weights[axis])])
        self.tensors[node.name] = replace(first, name=node.name)

    def resize_bilinear(self, node: TfNode) -> None:
        """TensorFlow names the target size, ONNX the factor: that frees the input size."""
        source = self.channels_last(node.inputs[0])
        target_px = int(self.weights[node.inputs[1]][0])
        factor = target_px / source.side_px
        scales = self.constant(f"{node.name}_s", np.array([1, 1, factor, factor], np.float32))
        self.emit(
            "Resize",
            [source.name, "", scales],
            node.name,
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        self.tensors[node.name] = replace(source, name=node.name, side_px=target_px)

    def split_v(self, node: TfNode) -> None:
        """A head: class scores (made probabilities here) and box-side distributions."""
        source = self.unpadded(node.inputs[0])
        sizes = self.weights[node.inputs[1]].astype(np.int64)
        axis = source.axes[int(self.weights[node.inputs[2]])]
        head = len(self.outputs) // 2
        scores, classes, sides = f"{node.name}_c", f"cls{head}", f"reg{head}"
        self.emit("Split", [source.name, self.constant(f"{node.name}_sz", sizes)], scores, sides, axis=axis)
        self.emit("Sigmoid", [scores], classes)
        for name, channels in zip((classes, sides), sizes.tolist()):
            self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, None, None]))

    # What the operators share.

    def emit(self, op: str, inputs: list[str], *outputs: str, **attributes) -> None:
        self.onnx_nodes.append(helper.make_node(op, inputs, list(outputs), **attributes))

    def constant(self, name: str, values: np.ndarray) -> str:
        self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def unpadded(self, name: str) -> Tensor:
        tensor = self.tensors[name]
        if tensor.padding:
            raise ValueError(f"{name}: padding is used by something other than a convolution or a max-pool")
        return tensor

    def channels_last(self, name: str) -> Tensor:
        tensor = self.tensors[name]
        if tensor.axes != NHWC:
            raise ValueError(f"{name}: expected TensorFlow's NHWC layout")
        return tensor

    def bias_after(self, convolution: TfNode) -> np.ndarray:
        (follower,) = [node for node in self.nodes.values() if convolution.name in node.inputs]
        (bias,) = [name for name in follower.inputs if name in self.weights]
        return self.weights[bias]

    def windowed(self, node: TfNode, source: Tensor, kernel_px: int, dilation: int) -> None:
        """Finishes a sliding-window operator: takes over the padding, tracks the size."""
        if node.text("padding") != "VALID":
            raise ValueError(f"{node.name}: only explicit padding is known")
        side_px = source.side_px
        if source.padding:
            self.onnx_nodes[-1].attribute.append(helper.make_attribute("pads", source.padding.onnx_pads()))
            side_px += source.padding.top + source.padding.bottom
        reach_px = dilation * (kernel_px - 1)
        side_px = (side_px - reach_px - 1) // node.height_and_width("strides")[0] + 1
        self.tensors[node.name] = Tensor(node.name, source.axes, side_px)


def stored_as_half(
    nodes: list[onnx.NodeProto], initialisers: list[onnx.TensorProto]
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Stores large weights as float16 with a cast in front of the graph.

    The package publishes them as float16, so this halves the file and loses
    nothing; the runtime folds the casts when it loads the model.
    """
    casts, small, halves = [], [], []
    for initialiser in initialisers:
        values = numpy_helper.to_array(initialiser)
        if values.dtype != np.float32 or values.size < HALF_FROM_ELEMENTS:
            small.append(initialiser)
            continue
        half = f"{initialiser.name}_h"
        halves.append(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [initialiser.name], to=TensorProto.FLOAT))
    return casts + nodes, small + halves


def convert(source: Path) -> onnx.ModelProto:
    """The ONNX model of the TensorFlow.js graph at `source`."""
    model = json.loads(source.read_text())
    nodes = {raw["name"]: TfNode(raw) for raw in model["modelTopology"]["node"]}
    converter = Converter(nodes, read_weights(model, source.parent))
    converter.run()
    onnx_nodes, initialisers = stored_as_half(converter.onnx_nodes, converter.initialisers)
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "h", "w"])
    graph = helper.make_graph(onnx_nodes, "nanodet", [picture], converter.outputs, initialisers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="nanodet.json, with nanodet.bin beside it")
    parser.add_argument("target", type=Path, help="ONNX file to write")
    arguments = parser.parse_args()
    model = convert(arguments.source)
    onnx.checker.check_model(model)
    onnx.save(model, str(arguments.target))


if __name__ == "__main__":
    main()
