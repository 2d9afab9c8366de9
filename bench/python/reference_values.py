"""Writes testdata/reference: what well-known programs answer to questions of ours.

    bench/python/fetch_tud && models/fetch
    "$(bench/python/setup reference)" bench/python/reference_values.py

    tud.json        HOTA by TrackEval, MOTA and IDF1 by motmetrics and TrackEval
    boxes.json      IoU by pycocotools, non-maximum suppression by ONNX's own operator
    letterbox.json  scaled and padded pictures by OpenCV
    detections.json boxes on frames of the demo clip by baseline.py's detectors

The tests of the Rust code read the files; this program runs only when a case is
added. Its output is the same on every run.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np

# motmetrics 1.4 was written for numpy 1, which had this function.
np.asfarray = lambda values: np.asarray(values, dtype=float)

import cv2
import motmetrics
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from pycocotools import mask as pycocotools_mask
from trackeval.datasets._base_dataset import _BaseDataset
from trackeval.metrics import CLEAR, HOTA, Identity

from detectors import DECODINGS, letterbox

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = REPOSITORY / "testdata" / "reference"

sys.path.insert(0, str(REPOSITORY / "models"))
from pinned import cache_folder

DECIMALS = 6
MATCH_IOU = 0.5


def rounded(value: float) -> float:
    return round(float(value), DECIMALS)


# Tracking scores.

SEQUENCES = ("TUD-Campus", "TUD-Stadtmitte")


class Sequence:
    """Truth and result of one sequence, frame by frame, with ids from 0."""

    def __init__(self, folder: Path):
        truth = np.loadtxt(folder / "gt.txt", delimiter=",")
        result = np.loadtxt(folder / "test.txt", delimiter=",")
        self.frames = range(1, int(max(truth[:, 0].max(), result[:, 0].max())) + 1)
        self.truth_ids, self.truth_boxes, self.truth_count = self._split(truth)
        self.result_ids, self.result_boxes, self.result_count = self._split(result)

    def _split(self, rows: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray], int]:
        names, ids = np.unique(rows[:, 1], return_inverse=True)
        of_frame = [rows[:, 0] == frame for frame in self.frames]
        return [ids[here] for here in of_frame], [rows[here, 2:6] for here in of_frame], len(names)

    def as_trackeval_data(self) -> dict:
        """The sequence in the form that TrackEval's metrics take."""
        return {
            "num_timesteps": len(self.frames),
            "num_gt_ids": self.truth_count,
            "num_tracker_ids": self.result_count,
            "num_gt_dets": sum(map(len, self.truth_ids)),
            "num_tracker_dets": sum(map(len, self.result_ids)),
            "gt_ids": self.truth_ids,
            "tracker_ids": self.result_ids,
            "similarity_scores": [
                _BaseDataset._calculate_box_ious(truth, result, box_format="xywh")
                for truth, result in zip(self.truth_boxes, self.result_boxes)
            ],
        }

    def accumulated(self) -> motmetrics.MOTAccumulator:
        accumulator = motmetrics.MOTAccumulator(auto_id=True)
        for truth_ids, truth, result_ids, result in zip(
            self.truth_ids, self.truth_boxes, self.result_ids, self.result_boxes
        ):
            distances = motmetrics.distances.iou_matrix(truth, result, max_iou=1 - MATCH_IOU)
            accumulator.update(truth_ids, result_ids, distances)
        return accumulator


def hota(data: dict) -> dict:
    scores = HOTA().eval_sequence(data)
    means = {field.lower(): rounded(scores[field].mean()) for field in ("HOTA", "DetA", "AssA", "LocA")}
    return {**means, "hota_by_alpha": [rounded(value) for value in scores["HOTA"]]}


def clear_and_identity_by_trackeval(data: dict) -> dict:
    settings = {"THRESHOLD": MATCH_IOU, "PRINT_CONFIG": False}
    clear, identity = CLEAR(settings).eval_sequence(data), Identity(settings).eval_sequence(data)
    return {
        "mota": rounded(clear["MOTA"]),
        "idf1": rounded(identity["IDF1"]),
        "idsw": int(clear["IDSW"]),
        "fp": int(clear["CLR_FP"]),
        "fn": int(clear["CLR_FN"]),
    }


def clear_and_identity_by_motmetrics(accumulator: motmetrics.MOTAccumulator) -> dict:
    names = ["mota", "idf1", "num_switches", "num_false_positives", "num_misses"]
    scores = motmetrics.metrics.create().compute(accumulator, metrics=names, return_dataframe=False)
    return {
        "mota": rounded(scores["mota"]),
        "idf1": rounded(scores["idf1"]),
        "idsw": int(scores["num_switches"]),
        "fp": int(scores["num_false_positives"]),
        "fn": int(scores["num_misses"]),
    }


def tud() -> dict:
    sequences = {}
    for name in SEQUENCES:
        sequence = Sequence(cache_folder() / "tud" / name)
        data = sequence.as_trackeval_data()
        sequences[name] = {
            **hota(data),
            "by_trackeval": clear_and_identity_by_trackeval(data),
            "by_motmetrics": clear_and_identity_by_motmetrics(sequence.accumulated()),
        }
    return {
        "about": "Scores of the tracker result (test.txt) against the truth (gt.txt) that motmetrics ships. "
        "hota, deta, assa and loca are means over the IoU thresholds 0.05, 0.10 ... 0.95; the rest matches at IoU 0.5.",
        "programs": versions("trackeval", "motmetrics"),
        "sequences": sequences,
    }


# Overlap and suppression. Boxes are x, y, width, height; left and right never
# fall on numbers that top and bottom use, so that swapped axes are noticed.

IOU_CASES = {
    "the same box": ([10, 300, 40, 100], [10, 300, 40, 100]),
    "shifted right by half its width": ([10, 300, 40, 100], [30, 300, 40, 100]),
    "shifted down by half its height": ([10, 300, 40, 100], [10, 350, 40, 100]),
    "shifted both ways": ([10, 300, 40, 100], [17, 323, 40, 100]),
    "one inside the other": ([10, 300, 40, 100], [20, 320, 15, 30]),
    "sharing an edge": ([10, 300, 40, 100], [50, 300, 40, 100]),
    "sharing a corner": ([10, 300, 40, 100], [50, 400, 40, 100]),
    "apart in x, level in y": ([10, 300, 40, 100], [200, 300, 40, 100]),
    "a cross": ([10, 340, 120, 20], [60, 300, 20, 100]),
    "fractions of a pixel": ([10.25, 300.5, 3.5, 7.75], [11.125, 302.25, 3.5, 7.75]),
    "beyond the left and upper border": ([-20, -60, 40, 100], [-10, -50, 40, 100]),
    "far from the origin": ([3000.5, 2000.25, 64.5, 160.75], [3010.5, 2010.25, 64.5, 160.75]),
}


def heap_row(n: int) -> list:
    """Box n of a heap of 40, of two classes, with scores that are all different."""
    score = round(0.04 + 0.93 * (37 * n % 40) / 40, 4)
    return [10 + 7 * (n % 5), 300 + 11 * (n % 7), 40 + n % 3, 100 - n % 4, n % 2, score]


# Limits of IoU and score, then rows of x, y, width, height, class, score.
NMS_CASES = {
    "nothing": (0.5, 0.1, []),
    "two apart": (0.5, 0.1, [[10, 300, 40, 100, 0, 0.6], [200, 300, 40, 100, 0, 0.9]]),
    "the weaker of two goes": (0.5, 0.1, [[10, 300, 40, 100, 0, 0.6], [12, 304, 40, 100, 0, 0.9]]),
    "exactly at the limit stays": (0.5, 0.1, [[10, 300, 40, 100, 0, 0.9], [10, 300, 20, 100, 0, 0.6]]),
    "just over the limit goes": (0.5, 0.1, [[10, 300, 40, 100, 0, 0.9], [10, 300, 21, 100, 0, 0.6]]),
    "a box that was removed removes nobody": (
        0.5,
        0.1,
        [[10, 300, 40, 100, 0, 0.9], [20, 300, 40, 100, 0, 0.8], [30, 300, 40, 100, 0, 0.7]],
    ),
    "classes do not suppress each other": (0.5, 0.1, [[10, 300, 40, 100, 0, 0.6], [12, 304, 40, 100, 1, 0.9]]),
    "below the score": (0.5, 0.3, [[10, 300, 40, 100, 0, 0.29], [200, 300, 40, 100, 0, 0.31]]),
    "level neighbours in a queue": (
        0.6,
        0.1,
        [[10 + 30 * place, 300, 40, 100, 0, 0.5 + 0.05 * place] for place in range(5)],
    ),
    "a heap": (0.6, 0.05, [heap_row(n) for n in range(40)]),
}


def iou_by_pycocotools(first: list, second: list) -> float:
    boxes = np.array([first], float), np.array([second], float)
    return rounded(pycocotools_mask.iou(*boxes, [0])[0, 0])


def nms_by_onnx(iou_max: float, score_min: float, rows: list[list]) -> list[int]:
    """Indices of the rows that stay, in the order of the rows."""
    if not rows:
        return []
    table = np.array(rows, np.float32)
    x, y, width, height, class_id, score = table.T
    corners = np.stack([y, x, y + height, x + width], axis=1)[None]
    # The operator takes a score for each class; 0 is below every threshold here.
    scores = np.zeros((1, int(class_id.max()) + 1, len(rows)), np.float32)
    scores[0, class_id.astype(int), np.arange(len(rows))] = score
    kept = nms_operator().run(
        None,
        {
            "boxes": corners,
            "scores": scores,
            "most": np.array([len(rows)], np.int64),
            "iou_max": np.array([iou_max], np.float32),
            "score_min": np.array([score_min], np.float32),
        },
    )[0]
    return sorted(int(index) for _, _, index in kept)


def nms_operator() -> ReferenceEvaluator:
    inputs = ["boxes", "scores", "most", "iou_max", "score_min"]
    types = [TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.INT64, TensorProto.FLOAT, TensorProto.FLOAT]
    graph = helper.make_graph(
        [helper.make_node("NonMaxSuppression", inputs, ["kept"])],
        "nms",
        [helper.make_tensor_value_info(name, kind, None) for name, kind in zip(inputs, types)],
        [helper.make_tensor_value_info("kept", TensorProto.INT64, None)],
    )
    return ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)]))


def boxes() -> dict:
    return {
        "about": "Boxes are x, y, width, height, for suppression also class and score. A box goes when its IoU with a "
        "stronger one of its class that stays is more than iou_max; `kept` are the indices of those that stay.",
        "programs": versions("pycocotools", "onnx"),
        "iou": [
            {"name": name, "first": first, "second": second, "iou": iou_by_pycocotools(first, second)}
            for name, (first, second) in IOU_CASES.items()
        ],
        "nms": [
            {
                "name": name,
                "iou_max": iou_max,
                "score_min": score_min,
                "boxes": rows,
                "kept": nms_by_onnx(iou_max, score_min, rows),
            }
            for name, (iou_max, score_min, rows) in NMS_CASES.items()
        ],
    }


# Letterboxed pictures.

SIDE_PX = 416
PAD = 114
SOURCE_SIZES_PX = ((768, 576), (1920, 1080), (640, 480), (576, 768), (416, 416), (127, 73), (33, 25))
INTERPOLATIONS = {"linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}


def gradient(width: int, height: int) -> np.ndarray:
    """Red grows to the right, green downwards, blue is constant. Stored as OpenCV does: blue first."""
    red = np.broadcast_to(np.rint(255 * np.arange(width) / (width - 1)), (height, width))
    green = np.broadcast_to(np.rint(255 * np.arange(height) / (height - 1))[:, None], (height, width))
    return np.stack([np.full((height, width), 64), green, red], axis=-1).astype(np.uint8)


def quarters(width: int, height: int) -> np.ndarray:
    """Upper left red, upper right green, lower left blue, lower right light grey."""
    picture = np.zeros((height, width, 3), np.uint8)
    middle_x, middle_y = width // 2, height // 2
    picture[:middle_y, :middle_x] = (0, 0, 255)
    picture[:middle_y, middle_x:] = (0, 255, 0)
    picture[middle_y:, :middle_x] = (255, 0, 0)
    picture[middle_y:, middle_x:] = (200, 200, 200)
    return picture


PICTURES = {"gradient": gradient, "quarters": quarters}


def mean_rgb(area: np.ndarray) -> list[float]:
    blue, green, red = area.reshape(-1, 3).mean(axis=0)
    return [round(float(value), 2) for value in (red, green, blue)]


def letterbox_case(picture: str, width: int, height: int, interpolation: str) -> dict:
    square, scale = letterbox(PICTURES[picture](width, height), SIDE_PX, PAD, INTERPOLATIONS[interpolation])
    inner_width, inner_height = round(width * scale), round(height * scale)
    inner = square[:inner_height, :inner_width]
    middle_x, middle_y = inner_width // 2, inner_height // 2
    outside = square.sum() - inner.sum()
    assert outside == PAD * 3 * (SIDE_PX * SIDE_PX - inner_width * inner_height)
    return {
        "picture": picture,
        "source": [width, height],
        "interpolation": interpolation,
        "scale": rounded(scale),
        "inner": [inner_width, inner_height],
        "mean_rgb": {
            "upper_left": mean_rgb(inner[:middle_y, :middle_x]),
            "upper_right": mean_rgb(inner[:middle_y, middle_x:]),
            "lower_left": mean_rgb(inner[middle_y:, :middle_x]),
            "lower_right": mean_rgb(inner[middle_y:, middle_x:]),
        },
    }


def letterboxes() -> dict:
    return {
        "about": "Pictures of `source` pixels scaled into the upper left corner of a square; `inner` is the scaled "
        "size, the rest is filled with `pad`. The scaled picture is cut into four at half of its width and height, "
        "rounded down.",
        "pictures": {
            "gradient": "red = round(255 x / (width - 1)), green = round(255 y / (height - 1)), blue = 64",
            "quarters": "upper left (255, 0, 0), upper right (0, 255, 0), lower left (0, 0, 255), lower right "
            "(200, 200, 200), cut at half of width and height, rounded down",
        },
        "programs": versions("opencv-python-headless"),
        "side": SIDE_PX,
        "pad": PAD,
        "cases": [
            letterbox_case(picture, width, height, interpolation)
            for picture in PICTURES
            for width, height in SOURCE_SIZES_PX
            for interpolation in INTERPOLATIONS
        ],
    }


# Boxes on real frames.

CLIP = "vtest.avi"
CLIP_FRAMES = (1, 200, 400, 600)
MODELS = {"nanodet-g.onnx": "nanodet", "yolox_nano.onnx": "yolox"}
SCORE_MIN = 0.4


def detections() -> dict:
    frames = clip_frames()
    return {
        "about": f"Persons with a score of {SCORE_MIN} or more: x, y, width, height, score; strongest first. "
        "The frames count from 1; the picture is scaled by OpenCV (linear).",
        "programs": versions("onnxruntime", "opencv-python-headless", "supervision"),
        "clip": CLIP,
        "models": {model: boxes_of(model, decoding, frames) for model, decoding in MODELS.items()},
    }


def clip_frames() -> dict[int, np.ndarray]:
    capture = cv2.VideoCapture(str(cache_folder() / "clips" / CLIP))
    frames = {}
    for frame in range(1, max(CLIP_FRAMES) + 1):
        if not capture.grab():
            sys.exit(f"reference_values.py: {CLIP} is absent or short. Run models/fetch first.")
        if frame in CLIP_FRAMES:
            frames[frame] = capture.retrieve()[1]
    return frames


def boxes_of(model: str, decoding: str, frames: dict[int, np.ndarray]) -> dict:
    path = cache_folder() / "models" / model
    if not path.is_file():
        sys.exit(f"reference_values.py: {path} is absent. Run models/fetch first and see what it says about it.")
    detector = DECODINGS[decoding](path, threads=1, classes=["person"])
    found = {}
    for frame, picture in frames.items():
        planes, scale = detector.prepare(picture)
        people = detector.detections(detector.infer(planes), scale, picture, SCORE_MIN)
        rows = np.column_stack([people.xyxy[:, :2], people.xyxy[:, 2:] - people.xyxy[:, :2], people.confidence])
        found[str(frame)] = [[round(float(value), 3) for value in row] for row in rows[np.argsort(-rows[:, 4])]]
    return found


def versions(*packages: str) -> dict[str, str]:
    return {package: importlib.metadata.version(package) for package in packages}


def as_json(content: dict) -> str:
    """JSON that reads well in a diff: lists of plain values stay on their line."""

    def text(value, indent: str) -> str:
        inner = indent + "  "
        if isinstance(value, dict) and value:
            rows = [f"{inner}{json.dumps(key)}: {text(entry, inner)}" for key, entry in value.items()]
            return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
        if isinstance(value, list) and any(isinstance(entry, (list, dict)) for entry in value):
            return "[\n" + ",\n".join(inner + text(entry, inner) for entry in value) + f"\n{indent}]"
        return json.dumps(value)

    return text(content, "") + "\n"


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, content in {"tud": tud, "boxes": boxes, "letterbox": letterboxes, "detections": detections}.items():
        (TARGET / f"{name}.json").write_text(as_json(content()))
        print(f"testdata/reference/{name}.json")


if __name__ == "__main__":
    main()
