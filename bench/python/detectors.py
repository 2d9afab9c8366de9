"""The same networks as Outis, as a Python user would run them.

One letterboxed picture, ONNX Runtime on a fixed number of threads, numpy for
reading the outputs, supervision for the suppression of double boxes.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

# Read when the library loads. The pinned release does not report home; newer
# ones do, and someone may run this file with one of them.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import cv2
import numpy as np
import onnxruntime
import supervision as sv

SIDE_PX = 416
STRIDES_PX = (8, 16, 32)
COCO_CLASSES = {"person": 0, "bicycle": 1, "car": 2, "motorcycle": 3, "bus": 5, "truck": 7}


@dataclass(frozen=True)
class Cells:
    """The output cells of all strides in one list, row by row, finest stride first."""

    corner: np.ndarray  # upper left corner, in cells
    stride: np.ndarray  # pixels

    @classmethod
    def of_square(cls, side_px: int) -> Cells:
        corners, strides = [], []
        for stride in STRIDES_PX:
            cells = side_px // stride
            x, y = np.meshgrid(np.arange(cells), np.arange(cells))
            corners.append(np.stack([x, y], axis=-1).reshape(-1, 2))
            strides.append(np.full((cells * cells, 1), stride))
        return cls(np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32))


def letterbox(
    frame: np.ndarray, side_px: int, pad: int, interpolation: int = cv2.INTER_LINEAR
) -> tuple[np.ndarray, float]:
    """The frame scaled into the upper left corner of a square, and the scale."""
    height, width = frame.shape[:2]
    scale = min(side_px / height, side_px / width)
    size = (round(width * scale), round(height * scale))
    square = np.full((side_px, side_px, 3), pad, np.uint8)
    square[: size[1], : size[0]] = cv2.resize(frame, size, interpolation=interpolation)
    return square, scale


class Detector(ABC):
    """A network with its way of feeding pictures and of reading answers."""

    pad: int
    nms_iou: float

    def __init__(self, model: Path, threads: int, classes: list[str]):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Waiting threads would burn the CPU time that is being measured.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._class_ids = np.array([COCO_CLASSES[name] for name in classes])
        self._cells = Cells.of_square(SIDE_PX)

    @abstractmethod
    def normalise(self, square: np.ndarray) -> np.ndarray:
        """The letterboxed picture with the values the network was trained on."""

    @abstractmethod
    def scores(self, outputs: dict[str, np.ndarray]) -> np.ndarray:
        """Score of each cell (row) and counted class (column)."""

    @abstractmethod
    def corners(self, outputs: dict[str, np.ndarray], kept: np.ndarray) -> np.ndarray:
        """Boxes of the kept cells, x1 y1 x2 y2 in pixels of the network's input."""

    def prepare(self, frame: np.ndarray) -> tuple[np.ndarray, float]:
        square, scale = letterbox(frame, SIDE_PX, self.pad)
        planes = self.normalise(square).transpose(2, 0, 1)[None]
        return np.ascontiguousarray(planes, dtype=np.float32), scale

    def infer(self, planes: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(self._outputs, self._session.run(self._outputs, {self._input: planes})))

    def detections(
        self, outputs: dict[str, np.ndarray], scale: float, frame: np.ndarray, score_min: float
    ) -> sv.Detections:
        scores = self.scores(outputs)
        best = scores.max(axis=1)
        kept = np.flatnonzero(best >= score_min)
        boxes = self.corners(outputs, kept) / scale
        height, width = frame.shape[:2]
        found = sv.Detections(
            xyxy=np.clip(boxes, 0, [width, height, width, height]),
            confidence=best[kept],
            class_id=self._class_ids[scores[kept].argmax(axis=1)],
        )
        return found.with_nms(self.nms_iou)


class NanoDet(Detector):
    """Each box side is the mean of a distribution over 0..10 strides from the cell's centre."""

    pad = 0
    nms_iou = 0.6
    MEAN = np.array([103.53, 116.28, 123.675], np.float32)
    STD = np.array([57.375, 57.12, 58.395], np.float32)
    BINS = 11

    def normalise(self, square: np.ndarray) -> np.ndarray:
        return (square - self.MEAN) / self.STD

    def scores(self, outputs: dict[str, np.ndarray]) -> np.ndarray:
        return self._flat(outputs, "cls")[self._class_ids].T

    def corners(self, outputs: dict[str, np.ndarray], kept: np.ndarray) -> np.ndarray:
        logits = self._flat(outputs, "reg")[:, kept].reshape(4, self.BINS, -1)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        stride = self._cells.stride[kept]
        left_top_right_bottom = np.einsum("sbn,b->ns", weights, np.arange(self.BINS, dtype=np.float32)) * stride
        centre = (self._cells.corner[kept] + 0.5) * stride
        return np.concatenate([centre - left_top_right_bottom[:, :2], centre + left_top_right_bottom[:, 2:]], axis=1)

    def _flat(self, outputs: dict[str, np.ndarray], head: str) -> np.ndarray:
        """One head of all strides: a row a channel, a column a cell."""
        per_stride = [outputs[f"{head}{index}"][0] for index in range(len(STRIDES_PX))]
        return np.concatenate([output.reshape(output.shape[0], -1) for output in per_stride], axis=1)


class YoloX(Detector):
    """Each row is a cell: centre offset, log size, objectness, class probabilities."""

    pad = 114
    nms_iou = 0.5

    def normalise(self, square: np.ndarray) -> np.ndarray:
        return square

    def scores(self, outputs: dict[str, np.ndarray]) -> np.ndarray:
        table = self._table(outputs)
        return table[:, 4:5] * table[:, 5 + self._class_ids]

    def corners(self, outputs: dict[str, np.ndarray], kept: np.ndarray) -> np.ndarray:
        table = self._table(outputs)[kept]
        stride = self._cells.stride[kept]
        centre = (table[:, 0:2] + self._cells.corner[kept]) * stride
        half_size = np.exp(table[:, 2:4]) * stride / 2
        return np.concatenate([centre - half_size, centre + half_size], axis=1)

    def _table(self, outputs: dict[str, np.ndarray]) -> np.ndarray:
        return outputs[self._outputs[0]][0]


DECODINGS: dict[str, type[Detector]] = {"nanodet": NanoDet, "yolox": YoloX}
