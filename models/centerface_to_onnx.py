"""Make the published CenterFace network ready to be loaded: boxes and scores, for any size of input.

The package publishes `centerface.onnx` for ten pictures of 32 x 32 pixels, with the weights among its inputs and
four outputs. The one of the landmarks (five points of each face) is left out with all that only it needs: nobody
here asks where somebody's eyes are. Weights stay as they are, bit for bit.

The output is pinned by its sha256 in `models.toml`, so whatever is changed below is a new file with a new hash.

    centerface_to_onnx.py centerface.onnx CenterFace-boxes.onnx
"""

from __future__ import annotations

import argparse
from pathlib import Path

import onnx
from onnx import TensorProto, helper

IR_VERSION = 8
INPUT = "input.1"
# What an output is called by its authors, by us, and how many channels it has.
OUTPUTS = [("537", "score", 1), ("538", "size", 2), ("539", "offset", 2)]


def needed(nodes: list[onnx.NodeProto], outputs: list[str]) -> list[onnx.NodeProto]:
    """The nodes that these outputs are made of, in their order."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(node.input)
    return kept[::-1]


def renamed(node: onnx.NodeProto, names: dict[str, str]) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names.get(name, name) for name in node.input]
    copy.output[:] = [names.get(name, name) for name in node.output]
    copy.ClearField("doc_string")
    return copy


def convert(published: onnx.ModelProto) -> onnx.ModelProto:
    graph = published.graph
    names = {INPUT: "input"} | {theirs: ours for theirs, ours, _ in OUTPUTS}
    missing = {theirs for theirs, _, _ in OUTPUTS} - {output.name for output in graph.output}
    if missing or INPUT not in {value.name for value in graph.input}:
        raise ValueError(f"this is not the network we know: it lacks {missing or INPUT}")
    nodes = [renamed(node, names) for node in needed(list(graph.node), [theirs for theirs, _, _ in OUTPUTS])]
    used = {name for node in nodes for name in node.input}
    weights = [weight for weight in graph.initializer if weight.name in used]
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, "h", "w"])
    outputs = [
        helper.make_tensor_value_info(ours, TensorProto.FLOAT, [1, channels, None, None])
        for _, ours, channels in OUTPUTS
    ]
    made = helper.make_graph(nodes, "centerface", [picture], outputs, weights)
    opset = helper.make_opsetid("", published.opset_import[0].version)
    return helper.make_model(made, opset_imports=[opset], ir_version=IR_VERSION)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="centerface.onnx as published")
    parser.add_argument("target", type=Path, help="ONNX file to write")
    arguments = parser.parse_args()
    model = convert(onnx.load(str(arguments.source)))
    onnx.checker.check_model(model)
    onnx.save(model, str(arguments.target))


if __name__ == "__main__":
    main()
