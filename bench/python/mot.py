"""Detections and tracks as MOT text: `frame,id,x,y,w,h,score,class,-1,-1`.

Frames count from 1; x, y is the upper left corner in pixels. A detection has
the id -1, a track row the class -1.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import numpy as np
import supervision as sv

NO_ID = -1


def read(path: Path) -> dict[int, sv.Detections]:
    """The rows of each frame that has any, in the order of the file."""
    rows = np.loadtxt(path, delimiter=",", ndmin=2)
    if rows.size == 0:
        return {}
    if rows.shape[1] < 7:
        raise ValueError(f"{path}: {rows.shape[1]} columns, expected frame,id,x,y,w,h,score and more")
    classes = rows[:, 7].astype(int) if rows.shape[1] > 7 else np.full(len(rows), -1)
    return {
        frame: _detections(rows[rows[:, 0] == frame], classes[rows[:, 0] == frame])
        for frame in np.unique(rows[:, 0]).astype(int).tolist()
    }


def _detections(rows: np.ndarray, classes: np.ndarray) -> sv.Detections:
    corners = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    return sv.Detections(
        xyxy=corners,
        confidence=rows[:, 6],
        class_id=classes,
        tracker_id=rows[:, 1].astype(int),
    )


def write_detections(file: TextIO, frame: int, detections: sv.Detections) -> None:
    for box, score, class_id in zip(detections.xyxy, detections.confidence, detections.class_id):
        file.write(_row(frame, NO_ID, box, score, class_id))


def write_tracks(file: TextIO, frames: Iterable[tuple[int, sv.Detections]]) -> None:
    for frame, tracked in frames:
        for box, score, track in zip(tracked.xyxy, tracked.confidence, tracked.tracker_id):
            file.write(_row(frame, track, box, score, class_id=-1))


def _row(frame: int, track: int, box: np.ndarray, score: float, class_id: int) -> str:
    x1, y1, x2, y2 = box
    return f"{frame},{track},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.4f},{class_id},-1,-1\n"
